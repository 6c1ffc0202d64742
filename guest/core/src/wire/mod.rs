//! One exchange with the server: what it needs, how it is signed and sent, what an answer says.
//!
//! The lowest floor. It knows requests, answers, clocks and keys, and nothing of backlogs.

mod alias;
mod cause;
mod client;
pub mod encode;
pub(crate) mod exchange;
mod foreign;
mod fresh;
mod instant;
mod net;
mod region;
pub(crate) mod retry;
mod s3error;
mod secret;
mod sigv4;
pub(crate) mod skew;
pub(crate) mod timestamp;
mod version_id;
pub mod xml;

pub use alias::{Alias, AliasError, Endpoint, Scheme, credentials, without_keys};
pub use cause::Cause;
pub use client::Client;
pub(crate) use client::is_wrong_region;
pub(crate) use foreign::{CONSOLE, has_no_diff};
pub use foreign::{Foreign, MARKS, TLS_PORT};
pub use fresh::is_dated;
pub(crate) use fresh::{Age, Freshness, Stamp};
pub use instant::Instant;
pub(crate) use net::REPLICATION_STATUS;
pub use net::{
    Call, Delivery, Event, FRAMED, LOCAL_ERROR, MAX_BODY, Method, Net, PROXY_ERROR, Response,
    Ticket, TransportError, brief,
};
pub use region::{REGION_HEADER, named_region};
pub(crate) use s3error::NO_BUCKET;
pub use s3error::S3Error;
pub use secret::{REDACTED, Secret};
pub use sigv4::{Credentials, DEFAULT_REGION, EMPTY_SHA256, Signed, Signer, Unsigned};
pub use timestamp::{parse_http_date, parse_rfc3339};
pub use version_id::VersionId;
