//! The small S3 reads: location, object lock, tags.

use std::fmt::Write as _;

use serde_json::json;

use super::answer::{Answer, S3Error, XML_PROLOGUE, escape_xml, ok};
use super::options::{ObjectLock, Options};
use super::service::Asked;
use super::state::State;
use super::store::Found;

const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// `GET /B?location`: an empty element stands for `us-east-1`.
pub(crate) fn location(options: &Options) -> Answer {
    let region = options.region.as_deref().unwrap_or_default();
    let region = if region == "us-east-1" { "" } else { region };
    xml(&format!(
        "<LocationConstraint xmlns=\"{NAMESPACE}\">{}</LocationConstraint>",
        escape_xml(region)
    ))
}

/// `GET /B?object-lock`.
pub(crate) fn object_lock(options: &Options) -> Result<Answer, S3Error> {
    let rule = match &options.object_lock {
        ObjectLock::Disabled => {
            return Err(S3Error::new(404, "ObjectLockConfigurationNotFoundError"));
        }
        ObjectLock::Enabled => String::new(),
        ObjectLock::Default { mode, days } => format!(
            "<Rule><DefaultRetention><Mode>{mode}</Mode><Days>{days}</Days>\
             </DefaultRetention></Rule>"
        ),
    };
    Ok(xml(&format!(
        "<ObjectLockConfiguration xmlns=\"{NAMESPACE}\">\
         <ObjectLockEnabled>Enabled</ObjectLockEnabled>{rule}</ObjectLockConfiguration>"
    )))
}

/// `GET /B?encryption`: there is none by default.
pub(crate) fn encryption() -> Result<Answer, S3Error> {
    Err(S3Error::new(404, "ServerSideEncryptionConfigurationNotFoundError"))
}

/// `GET /B?replication-metrics=2`: what was triggered counts as replicated to the first target once its delay is
/// over, also where the backlog keeps it, so that nothing waits. There are no counters before the first.
pub(crate) fn metrics(state: &State) -> Answer {
    let (triggered, again) = state.store.triggers();
    let done = (triggered + again).saturating_sub(state.store.waiting());
    let stats = state.options.targets.iter().take(1);
    let stats = stats.map(|target| (target.arn.clone(), json!({ "replicationCount": done })));
    let stats: serde_json::Map<_, _> = stats.filter(|_| done > 0).collect();
    let current = if stats.is_empty() { json!({}) } else { json!({ "Stats": stats }) };
    ok("application/json", json!({ "uptime": 0, "currStats": current }).to_string())
}

/// `GET /B/K?tagging&versionId=V`.
pub(crate) fn tagging(state: &State, asked: &Asked) -> Result<Answer, S3Error> {
    let tags = match state.store.find(&asked.key, asked.query.get("versionId")) {
        Found::Held(version) => version.tags,
        Found::Synthetic(_) => Vec::new(),
        Found::Nothing => return Err(S3Error::new(404, "NoSuchVersion")),
    };
    if tags.is_empty() {
        return Err(S3Error::new(404, "NoSuchTagSet").message("The TagSet does not exist"));
    }
    let set = tags.iter().fold(String::new(), |mut set, (key, value)| {
        let (key, value) = (escape_xml(key), escape_xml(value));
        let _ = write!(set, "<Tag><Key>{key}</Key><Value>{value}</Value></Tag>");
        set
    });
    Ok(xml(&format!("<Tagging xmlns=\"{NAMESPACE}\"><TagSet>{set}</TagSet></Tagging>")))
}

pub(crate) fn xml(body: &str) -> Answer {
    ok("application/xml", format!("{XML_PROLOGUE}{body}"))
}
