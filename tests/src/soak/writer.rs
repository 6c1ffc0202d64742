//! Somebody who goes on writing to the source and deleting from it, whatever happens to it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Duration;

use crate::dice::Dice;
use crate::minio::{Client, Reply, SOURCE_BUCKET, object_target};

/// Between two requests. Some forty a second leave the machine to what is tested.
const PACE: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(30)];
/// After one that was not answered.
const AFTER_ERROR: Duration = Duration::from_millis(200);
/// Now and then so many follow at once.
const BURST: u64 = 300;
/// Once in so many requests.
const BURST_ONCE_IN: u64 = 300;

/// Objects that are written again and get delete markers. All their versions have to be replicated.
pub(super) const KEPT: &str = "kept";
/// Objects of which some versions are deleted for good. A real server does not list a version that
/// was replicated and is deleted while its target is away, so that it stays there: these are counted
/// apart.
pub(super) const PASSING: &str = "passing";

/// Names as people give them, besides plain ones.
const NAMES: [&str; 6] =
    ["part-00", "part-01", "part-02", "a b+c", "Müller & Söhne #1", "50% off?"];

/// What the source has said that it did.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// Versions that must exist, delete markers among them: key and version id.
    pub(super) versions: Vec<(String, String)>,
    /// How many of them are delete markers.
    pub(super) markers: u64,
    /// Versions that somebody asked to delete for good, answered or not.
    pub(super) purged: Vec<(String, String)>,
    /// Requests that were refused or not answered: nobody knows what became of them.
    pub(super) unanswered: u64,
}

/// Writes until it is over.
pub(super) fn write(client: &Client, mut dice: Dice, over: &AtomicBool) -> Written {
    let mut written = Written::default();
    // A key whose last request was not answered is in neither: what became of it is not known, and
    // nothing that is deleted may be deleted again. While the delete marker of the first time is
    // `PENDING`, the server takes the second one for its purge: the object lives again on the source
    // and stays deleted on the target, without any client having a part in it.
    let (mut kept, mut deleted) = (Vec::<String>::new(), Vec::<String>::new());
    let mut passing: Vec<(String, String)> = Vec::new();
    let (mut number, mut at_once) = (0_u64, 0);
    let body = vec![b'x'; 2_000];
    while !over.load(Ordering::Relaxed) {
        let send = |method: &'static str, key: &str, version: Option<&str>, body: &[u8]| {
            let target = object_target(SOURCE_BUCKET, key, version);
            client.try_send("s3", method, &target, &[], body).ok().filter(is_done)
        };
        number += 1;
        let answered = match dice.below(20) {
            0..2 if !kept.is_empty() => {
                let key = dice.take(&mut kept);
                let done = note(&mut written.versions, &key, send("DELETE", &key, None, b""));
                written.markers += u64::from(done);
                if done {
                    deleted.push(key);
                }
                done
            }
            // Over another version, or over a delete marker.
            2..5 if !kept.is_empty() => {
                let again = !deleted.is_empty() && dice.one_in(3);
                let key = dice.take(if again { &mut deleted } else { &mut kept });
                put(&mut written.versions, &mut kept, key, &send, &body[..1_000])
            }
            5..7 if !passing.is_empty() => {
                let (key, version) = dice.take(&mut passing);
                let done = send("DELETE", &key, Some(&version), b"").is_some();
                written.purged.push((key, version));
                done
            }
            5..10 => {
                let key = name(PASSING, number, &mut dice);
                let reply = send("PUT", &key, None, &body);
                note(&mut passing, &key, reply)
            }
            _ => {
                let key = name(KEPT, number, &mut dice);
                put(&mut written.versions, &mut kept, key, &send, &body)
            }
        };
        written.unanswered += u64::from(!answered);
        if dice.one_in(BURST_ONCE_IN) {
            at_once = BURST;
        }
        at_once = u64::saturating_sub(at_once, 1);
        match (answered, at_once) {
            (false, _) => sleep(AFTER_ERROR),
            (true, 0) => sleep(dice.span(PACE[0], PACE[1])),
            (true, _) => {}
        }
    }
    written.versions.append(&mut passing);
    written
}

/// Writes an object whose key may be used again if that is answered.
fn put(
    versions: &mut Vec<(String, String)>,
    kept: &mut Vec<String>,
    key: String,
    send: &impl Fn(&'static str, &str, Option<&str>, &[u8]) -> Option<Reply>,
    body: &[u8],
) -> bool {
    let done = note(versions, &key, send("PUT", &key, None, body));
    if done {
        kept.push(key);
    }
    done
}

fn name(area: &str, number: u64, dice: &mut Dice) -> String {
    let folder = dice.pick(&NAMES).copied().unwrap_or_default();
    format!("{area}/{folder}/{number:07}")
}

fn is_done(reply: &Reply) -> bool {
    (200..300).contains(&reply.status)
}

/// Remembers the version that an answer names; whether there was one.
fn note(versions: &mut Vec<(String, String)>, key: &str, reply: Option<Reply>) -> bool {
    let Some(reply) = reply else { return false };
    versions.push((key.to_owned(), reply.version_id()));
    true
}
