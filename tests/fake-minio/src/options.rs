//! How a fake server is set up.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::layout::Layout;
use super::store::Backlog;
use super::version::DEFAULT_ARN;

/// The setup of a [`FakeServer`](super::FakeServer). The default is a server
/// that a well-behaved client finds nothing wrong with, with an empty backlog.
#[derive(Debug)]
pub struct Options {
    /// Where to listen; port 0 takes a free one.
    pub address: SocketAddr,
    /// Access key of the only user.
    pub access_key: String,
    /// Its secret key.
    pub secret_key: String,
    /// If the keys are temporary, the token that belongs to them.
    pub session_token: Option<String>,
    /// The only bucket.
    pub bucket: String,
    /// Site region: S3 requests must be signed for it, and every answer tells
    /// it. Without one any region will do and none is told.
    pub region: Option<String>,
    /// Remote targets of the bucket.
    pub targets: Vec<Target>,
    /// Object lock of the bucket.
    pub object_lock: ObjectLock,
    /// Answers on `/minio/admin/v4` as well, as newer servers do.
    pub speaks_v4: bool,
    /// Checks signatures. Off, anything goes: for benchmarks, where the client
    /// shares the processor with this server.
    pub verify: bool,
    /// Lets requests without any signature do everything.
    pub anonymous: bool,
    /// Keeps a log of all requests.
    pub log: bool,
    /// Versions leave the backlog once they are triggered.
    pub replicates: bool,
    /// Time that this takes. Computed versions leave at once.
    pub replication_delay: Duration,
    /// More S3 requests at a time than this are answered 429, as with
    /// `MINIO_API_REQUESTS_MAX`.
    pub max_requests: Option<u64>,
    /// `Retry-After` of these 429, in seconds.
    pub retry_after: Option<u64>,
    /// A listing is cut off when its reader takes nothing for so long; 30 s on
    /// a real server.
    pub write_deadline: Option<Duration>,
    /// Size of the kernel's send buffer, the smaller the sooner a slow reader
    /// is noticed.
    pub send_buffer: Option<u32>,
    /// Serves TLS with a certificate of a new authority.
    pub tls: bool,
    /// The drives behind it.
    pub layout: Layout,
    /// Versions to begin with.
    pub backlog: Backlog,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            access_key: "minioadmin".to_owned(),
            secret_key: "minioadmin".to_owned(),
            session_token: None,
            bucket: "mybucket".to_owned(),
            region: None,
            targets: vec![Target::default()],
            object_lock: ObjectLock::Disabled,
            speaks_v4: false,
            verify: true,
            anonymous: false,
            log: true,
            replicates: true,
            replication_delay: Duration::ZERO,
            max_requests: None,
            retry_after: Some(60),
            write_deadline: None,
            send_buffer: None,
            tls: false,
            layout: Layout::default(),
            backlog: Backlog::default(),
        }
    }
}

impl Options {
    /// The default with this backlog.
    pub fn with_backlog(backlog: Backlog) -> Self {
        Self { backlog, ..Self::default() }
    }
}

/// A remote target of the bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// ARN.
    pub arn: String,
    /// Host and port.
    pub endpoint: String,
    /// Bucket there.
    pub bucket: String,
    /// Reached by TLS.
    pub secure: bool,
    /// The server thinks that it is up.
    pub online: bool,
}

impl Default for Target {
    fn default() -> Self {
        Self {
            arn: DEFAULT_ARN.to_owned(),
            endpoint: "replica.example:9000".to_owned(),
            bucket: "mybucket".to_owned(),
            secure: false,
            online: true,
        }
    }
}

/// Object lock of the bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectLock {
    /// The bucket has none.
    Disabled,
    /// Versions may be locked one by one.
    Enabled,
    /// Every new version is locked.
    Default {
        /// `GOVERNANCE` or `COMPLIANCE`.
        mode: String,
        /// For so long.
        days: u32,
    },
}
