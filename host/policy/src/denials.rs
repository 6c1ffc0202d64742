//! What is denied and why, and telling the user so without end.

use std::error::Error;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Something that the sandbox denied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// What was asked for, cut to a length that fits a line.
    pub request: String,
    /// What is wrong with it.
    pub reason: Reason,
}

/// Why something is denied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// It goes to another server than this one, the alias's.
    AnotherServer(String),
    /// Its `Host` header names another server.
    AnotherHost,
    /// The name leads to this address, see [`crate::address`].
    Address(IpAddr),
    /// It is about another bucket.
    AnotherBucket,
    /// It is about something beside the bucket and prefix of TARGET.
    OutsideTarget,
    /// A server could read its path differently.
    NotCanonical,
    /// It names no version, or more than one.
    NotOneVersion,
    /// It asks for object locks in a run that copies nothing.
    ObjectLock,
    /// It asks for something of the bucket that no run needs.
    BucketSetting,
    /// It copies in a run that copies nothing.
    Copy,
    /// It asks for tags in a run that compares none.
    Tags,
    /// It does something else to an object than looking at it.
    ObjectAccess,
    /// It is another call of the admin API.
    AdminCall,
    /// It lists in a run whose versions are given.
    Listing,
    /// It carries this header.
    Header(String),
    /// It copies one version onto another.
    CopySource,
    /// It copies without keeping the metadata.
    CopyMetadata,
    /// It copies a version that was not looked at just before.
    NotLookedAt,
    /// It would copy another state of the version than the one that was looked at.
    CopyOfAnother,
    /// It would change whether, or how, the version is encrypted.
    CopyEncryption,
    /// It would change when the version was modified, and with that which one is the latest.
    CopyTime,
    /// It would bring the data back from a tier.
    CopyTier,
    /// The new checksum would not be one of the data.
    CopyChecksum,
    /// The bucket has this default retention, which every copy would get.
    CopyRetention(String),
    /// Nobody can tell what the bucket does with copies.
    CopySettings,
    /// It reads an object in a run that compares none.
    Reading,
}

/// What would make a denied request a granted one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Flags of the command line.
    Flag(&'static str),
    /// Another TARGET: another alias, bucket or prefix.
    Target,
    /// An alias that names the address.
    Address,
    /// Nothing does.
    Nothing,
}

impl Reason {
    /// What would allow it.
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::AnotherServer(_) | Self::AnotherBucket | Self::OutsideTarget => Remedy::Target,
            Self::Address(_) => Remedy::Address,
            Self::ObjectLock | Self::Copy => Remedy::Flag("--clear-checksum"),
            Self::Tags | Self::Reading => Remedy::Flag("--clear-checksum --validate"),
            Self::AnotherHost
            | Self::NotCanonical
            | Self::NotOneVersion
            | Self::BucketSetting
            | Self::ObjectAccess
            | Self::AdminCall
            | Self::Listing
            | Self::Header(_)
            | Self::CopySource
            | Self::CopyMetadata
            | Self::NotLookedAt
            | Self::CopyOfAnother
            | Self::CopyEncryption
            | Self::CopyTime
            | Self::CopyTier
            | Self::CopyChecksum
            | Self::CopyRetention(_)
            | Self::CopySettings => Remedy::Nothing,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::AnotherServer(own) => {
                return write!(f, "this run may only ask {own}, the server of its alias");
            }
            Self::Address(address) => {
                return write!(
                    f,
                    "it resolves to {address}, where clouds serve the credentials of machines"
                );
            }
            Self::CopyRetention(retention) => {
                return write!(f, "the bucket would lock every copy ({retention})");
            }
            Self::Header(name) => return write!(f, "it may not carry the header `{name}`"),
            Self::AnotherHost => "the Host header names another server",
            Self::AnotherBucket => "it is about another bucket",
            Self::OutsideTarget => "it is outside TARGET",
            Self::NotCanonical => "its path is not written in the one canonical way",
            Self::NotOneVersion => "it does not name exactly one version",
            Self::ObjectLock => "only copying needs to know of object locks",
            Self::BucketSetting => {
                "of a bucket only its region, object lock and encryption configuration may be read"
            }
            Self::Copy => "this run copies nothing",
            Self::Tags => "this run compares no tags",
            Self::ObjectAccess => "objects are only looked at, never written or deleted",
            Self::AdminCall => {
                "of the admin API only the replication diff and the targets of the bucket may be read"
            }
            Self::Listing => "with --from nothing is listed",
            Self::CopySource => "the source of a copy must be the very same version",
            Self::CopyMetadata => "a copy must keep the metadata",
            Self::NotLookedAt => "what is copied must have been looked at just before",
            Self::CopyOfAnother => "a copy must be of the very state that was looked at",
            Self::CopyEncryption => "a copy must leave the encryption as it is",
            Self::CopyTime => "a copy must keep the time of modification",
            Self::CopyTier => "a copy would bring the data back from its tier",
            Self::CopyChecksum => "a copy must get a checksum of its data",
            Self::CopySettings => {
                "the default retention and encryption of the bucket could not be read"
            }
            Self::Reading => "this run reads no object",
        };
        f.write_str(text)
    }
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "{flag} would allow it"),
            Self::Target => f.write_str("only another TARGET would allow it"),
            Self::Address => f.write_str("only an alias that names the address would allow it"),
            Self::Nothing => f.write_str("no flag allows it"),
        }
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { request, reason } = self;
        write!(f, "The sandbox denied `{request}`: {reason}; {}.", reason.remedy())
    }
}

impl Error for Denial {}

/// Denials named; a component that asks for a million things is told no a million times, the user
/// ten times, and of each thing once.
const NAMED: usize = 10;

/// The denials of one run.
pub struct Denials {
    named: Mutex<Vec<String>>,
    tell: Box<dyn Fn(&str) + Send + Sync>,
}

impl fmt::Debug for Denials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Denials").field("named", &self.named).finish_non_exhaustive()
    }
}

impl Denials {
    /// Denials of which the user is told by `tell`.
    pub fn new(tell: impl Fn(&str) + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { named: Mutex::default(), tell: Box::new(tell) })
    }

    /// Names a denial, unless it or many others were named before.
    pub fn deny(&self, denial: &Denial) {
        let mut named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        if named.len() > NAMED {
            return;
        }
        let mut text = denial.to_string();
        if named.len() == NAMED {
            "The sandbox denied more requests, which are not named here.".clone_into(&mut text);
        }
        if !named.contains(&text) {
            (self.tell)(&text);
            named.push(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(requests: impl IntoIterator<Item = usize>) -> Vec<String> {
        let told = Arc::new(Mutex::new(Vec::new()));
        let denials = {
            let told = Arc::clone(&told);
            Denials::new(move |text| told.lock().unwrap().push(text.to_owned()))
        };
        for number in requests {
            let request = format!("GET {number}");
            denials.deny(&Denial { request, reason: Reason::OutsideTarget });
        }
        told.lock().unwrap().clone()
    }

    #[test]
    fn each_denial_is_named_once_and_ten_at_most() {
        assert_eq!(
            named([1, 1, 1]),
            [
                "The sandbox denied `GET 1`: it is outside TARGET; only another TARGET would allow it."
            ]
        );
        let many = named(0..1000);
        assert_eq!(many.len(), NAMED + 1);
        assert_eq!(many[NAMED], "The sandbox denied more requests, which are not named here.");
    }
}
