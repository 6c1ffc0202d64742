//! `--validate`: tries `--clear-checksum` on one version of each kind and says exactly what changed.

use crate::command::args::Args;
use crate::job::{ALGORITHM, During, Failure, Plan, Settings, Verdict};
use crate::listing::{Item, Operation, Reader, State, StatusTable, Unfinished};
use crate::wire::exchange::{OnRetryAfter, exchange};
use crate::wire::{
    Cause, Client, Event, Net, Response, S3Error, Ticket, TransportError, VersionId, xml,
};
use crc::{CRC_64_NVME, Crc};
use std::collections::VecDeque;
use std::time::Duration;

/// Versions looked at before giving up. Each look is a HEAD, which triggers the version, so a
/// bucket full of unsuitable ones must not turn the test into the run.
const MAX_CANDIDATES: usize = 100;

/// What the test found.
#[derive(Debug)]
pub(crate) enum Finding {
    /// One version of each kind was copied, or the last one did not come out as it must.
    Tried,
    /// The copy failed.
    NotCopied(Box<Item>, Failure),
    /// No version of the backlog can be copied; how many were looked at, and why the last cannot.
    NoneSuitable(usize, Option<Cause>),
    /// The backlog could not be listed.
    Listing(Box<Unfinished>),
    /// A request needed for the test failed.
    Failed(Failure),
    /// The user stopped it.
    Stopped,
}

impl Finding {
    fn end(looked_at: usize, tried: usize, last: Option<Cause>) -> Self {
        if tried > 0 { Self::Tried } else { Self::NoneSuitable(looked_at, last) }
    }

    fn failed(cause: Cause) -> Self {
        Self::Failed(Failure { cause, during: During::Trigger })
    }

    fn not_copied(item: Item, cause: Cause) -> Self {
        Self::NotCopied(Box::new(item), Failure { cause, during: During::Copy })
    }
}

/// One version before and after its copy.
#[derive(Debug)]
pub(crate) struct Comparison {
    /// The version.
    pub item: Item,
    /// What was compared, in the order shown.
    pub rows: Vec<Row>,
    /// Checksums before: algorithm and value; empty when there was none.
    pub checksum_before: String,
    /// Checksums after.
    pub checksum_after: String,
}

/// One property of the version.
#[derive(Debug)]
pub(crate) struct Row {
    /// Its name.
    pub name: &'static str,
    /// Before the copy.
    pub before: String,
    /// After the copy.
    pub after: String,
    /// Whether this change is what a copy must do.
    pub expected: bool,
}

impl Row {
    /// Whether the property is as it must be.
    pub(crate) fn ok(&self) -> bool {
        self.before == self.after || self.expected
    }
}

impl Comparison {
    /// Whether the checksum was replaced and nothing else changed.
    pub(crate) fn passed(&self) -> bool {
        self.rows.iter().all(Row::ok)
            && self.checksum_after.contains(&ALGORITHM.to_ascii_lowercase())
    }
}

/// The most that is read back.
const MAX_SIZE: u64 = 64 << 20;

/// What tells kinds of versions apart that a copy may treat differently: encrypted, uploaded in parts, with a
/// checksum.
type Kind = [bool; 3];

fn kind(head: &Response) -> Kind {
    let has = |name: &str| head.header(name).is_some();
    [
        has("x-amz-server-side-encryption"),
        head.header("etag").is_some_and(|etag| etag.contains('-')),
        !checksums(head).is_empty(),
    ]
}

/// Takes a suitable version of each kind that the backlog shows, copies it and compares. Findings go to
/// `each`, which says whether to go on; returns how many versions were looked at and why the last was not
/// suitable, or what ended it.
pub(crate) fn validate<N: Net>(
    net: &mut N,
    client: &mut Client,
    on_retry_after: OnRetryAfter<'_>,
    args: &Args,
    settings: Settings,
    each: &mut dyn FnMut(Comparison) -> bool,
) -> Finding {
    let mut candidates = Candidates::new(args);
    let (mut last, mut kinds) = (None, Vec::new());
    for looked_at in 0..MAX_CANDIDATES {
        let item = match candidates.next(net, client) {
            Ok(Some(item)) => item,
            Ok(None) if net.stop_requested() => return Finding::Stopped,
            Ok(None) => return Finding::end(looked_at, kinds.len(), last),
            Err(failure) => return Finding::Listing(failure),
        };
        let head = match exchange(net, client, on_retry_after, &mut |net, client| {
            client.stat(net, Ticket::Setting, &item.key, &item.version);
        }) {
            Ok(head) => head,
            Err(Cause::Server(error)) => match Verdict::from_error(*error) {
                Verdict::Fatal(cause) => return Finding::failed(cause),
                Verdict::Failed(cause) | Verdict::Again(cause) => {
                    last = Some(cause);
                    continue;
                }
                _ => continue,
            },
            Err(cause) => return Finding::failed(cause),
        };
        let plan = match Plan::new(&item, &head, settings.encrypts, net.unix()) {
            Ok(plan) => plan,
            Err(cause) => {
                last = Some(cause);
                continue;
            }
        };
        let size = head.header("content-length").and_then(|size| size.parse::<u64>().ok());
        if size.is_none_or(|size| size > MAX_SIZE) {
            let words = "It is larger than 64 MiB; what is copied for the test is read back, too.";
            last = Some(Cause::Declined(words.to_owned()));
            continue;
        }
        if kinds.contains(&kind(&head)) {
            continue;
        }
        kinds.push(kind(&head));
        candidates.close(net);
        match copy_and_compare(net, client, on_retry_after, item, &head, &plan) {
            Ok(comparison) => {
                if !each(comparison) {
                    return Finding::Tried;
                }
            }
            Err(finding) => return finding,
        }
    }
    candidates.close(net);
    Finding::end(MAX_CANDIDATES, kinds.len(), last)
}

fn copy_and_compare<N: Net>(
    net: &mut N,
    client: &mut Client,
    on_retry_after: OnRetryAfter<'_>,
    item: Item,
    before: &Response,
    plan: &Plan,
) -> Result<Comparison, Finding> {
    let (key, version) = (item.key.as_str(), &item.version);
    let tags_before = tags(exchange(net, client, on_retry_after, &mut |net, client| {
        client.tags(net, key, version);
    }));
    let copied = exchange(net, client, on_retry_after, &mut |net, client| {
        client.copy(net, Ticket::Setting, key, version, &plan.headers());
    });
    let copied = match copied {
        Ok(response) => response,
        Err(cause) => return Err(Finding::not_copied(item, cause)),
    };
    match Verdict::from_copy(&item, &copied) {
        Verdict::Triggered(_) => {}
        Verdict::Failed(cause) | Verdict::Fatal(cause) | Verdict::Again(cause) => {
            return Err(Finding::not_copied(item, cause));
        }
        _ => {
            let cause = Cause::Declined("The version vanished while it was copied.".to_owned());
            return Err(Finding::not_copied(item, cause));
        }
    }
    let after = exchange(net, client, on_retry_after, &mut |net, client| {
        client.stat(net, Ticket::Setting, key, version);
    });
    let after = after.map_err(Finding::failed)?;
    let tags_after = tags(exchange(net, client, on_retry_after, &mut |net, client| {
        client.tags(net, key, version);
    }));
    let mut rows = compare(before, &after, tags_before, tags_after);
    // Fields that agree prove nothing: the server may have computed the checksum of something else.
    rows.push(Row {
        name: "Read back",
        before: after.header("x-amz-checksum-crc64nvme").unwrap_or_default().to_owned(),
        after: read_back(net, client, key, version).map_err(Finding::failed)?,
        expected: false,
    });
    Ok(Comparison {
        rows,
        checksum_before: checksums(before),
        checksum_after: checksums(&after),
        item,
    })
}

/// The checksum of what the server sends of a version, as its headers have it.
fn read_back<N: Net>(
    net: &mut N,
    client: &mut Client,
    key: &str,
    version: &VersionId,
) -> Result<String, Cause> {
    let crc = Crc::<u64>::new(&CRC_64_NVME);
    let mut digest = crc.digest();
    client.read(net, key, version);
    let until = net.now() + READING;
    let mut events = Vec::new();
    loop {
        if net.stop_requested() || net.now() >= until {
            net.cancel(Ticket::Setting);
            return Err(Cause::Transport(TransportError::Timeout(READING)));
        }
        net.wait(Some(until), &mut events);
        for event in events.drain(..) {
            match event {
                Event::Response(_, Ok(head)) if head.status == 200 => {}
                Event::Response(_, Ok(head)) => {
                    return Err(Cause::Server(Box::new(S3Error::from_response(&head))));
                }
                Event::Chunk(_, bytes) => digest.update(&bytes),
                Event::End(_, Ok(())) => return Ok(base64(digest.finalize())),
                Event::Response(_, Err(error)) | Event::End(_, Err(error)) => {
                    return Err(Cause::Transport(error));
                }
            }
        }
    }
}

/// How long reading back may take.
const READING: Duration = Duration::from_secs(600);

/// Eight bytes in base64, as S3 writes a checksum.
fn base64(value: u64) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits = u128::from(value) << 2;
    let digits = (0..11).rev().map(|place| (bits >> (6 * place)) & 63);
    let digit = |digit| usize::try_from(digit).ok().and_then(|digit| DIGITS.get(digit));
    digits.filter_map(digit).map(|digit| char::from(*digit)).chain(['=']).collect()
}

fn compare(before: &Response, after: &Response, tags: String, tags_after: String) -> Vec<Row> {
    let header = |name: &'static str, header: &str| Row {
        name,
        before: before.header(header).unwrap_or_default().to_owned(),
        after: after.header(header).unwrap_or_default().to_owned(),
        expected: false,
    };
    let mut etag = header("ETag", "etag");
    // The ETag of a multipart upload says so; a copy is one part. The server also changes
    // the ETag of an encrypted object.
    let encrypted = before.header("x-amz-server-side-encryption").is_some();
    etag.expected = etag.before.contains('-') || encrypted;
    vec![
        header("Version ID", "x-amz-version-id"),
        header("Size", "content-length"),
        etag,
        header("Last-Modified", "last-modified"),
        header("Content-Type", "content-type"),
        Row { name: "Metadata", before: metadata(before), after: metadata(after), expected: false },
        Row { name: "Tags", before: tags, after: tags_after, expected: false },
        header("Encryption", "x-amz-server-side-encryption"),
        header("Storage class", "x-amz-storage-class"),
    ]
}

/// User metadata and the standard headers that are stored with an object.
fn metadata(head: &Response) -> String {
    let mut kept: Vec<String> = head
        .headers
        .iter()
        .filter(|(name, _)| {
            name.starts_with("x-amz-meta-")
                || matches!(
                    name.as_str(),
                    "cache-control"
                        | "content-disposition"
                        | "content-encoding"
                        | "content-language"
                        | "expires"
                        | "x-amz-website-redirect-location"
                )
        })
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    kept.sort_unstable();
    kept.join(", ")
}

/// Tags as `key=value`; without s3:GetObjectTagging they cannot be compared, which is said.
fn tags(answer: Result<Response, Cause>) -> String {
    match answer {
        Ok(response) => {
            let document = String::from_utf8_lossy(&response.body);
            let keys = xml::texts(&document, "Key");
            let mut tags: Vec<String> =
                keys.zip(xml::texts(&document, "Value")).map(|(k, v)| format!("{k}={v}")).collect();
            tags.sort_unstable();
            tags.join(", ")
        }
        Err(cause) => format!("not readable ({cause})"),
    }
}

fn checksums(head: &Response) -> String {
    let mut found: Vec<String> = head
        .headers
        .iter()
        .filter_map(|(name, value)| {
            let algorithm = name.strip_prefix("x-amz-checksum-")?;
            (algorithm != "type").then(|| format!("{algorithm} {value}"))
        })
        .collect();
    found.sort_unstable();
    if let (Some(kind), false) = (head.header("x-amz-checksum-type"), found.is_empty()) {
        found.push(format!("({})", kind.to_ascii_lowercase()));
    }
    found.join(" ")
}

/// Object versions of the backlog, read only as far as needed.
struct Candidates<'a> {
    reader: Reader,
    table: StatusTable,
    args: &'a Args,
    ready: VecDeque<Item>,
}

impl<'a> Candidates<'a> {
    fn new(args: &'a Args) -> Self {
        Self {
            reader: Reader::new(&args.target.prefix, true),
            table: StatusTable::default(),
            args,
            ready: VecDeque::new(),
        }
    }

    fn close<N: Net>(&mut self, net: &mut N) {
        self.reader.close(net);
    }

    fn next<N: Net>(
        &mut self,
        net: &mut N,
        client: &mut Client,
    ) -> Result<Option<Item>, Box<Unfinished>> {
        let mut events = Vec::new();
        loop {
            if let Some((item, _)) = self.reader.last() {
                self.suit(item);
            }
            if let Some(item) = self.ready.pop_front() {
                // The look at it happens with the listing closed: a test reads a few entries of
                // maybe millions.
                self.reader.close(net);
                return Ok(Some(item));
            }
            match self.reader.state() {
                State::Complete => return Ok(None),
                State::Failed(failure) => return Err(failure.clone()),
                State::Idle => self.reader.open(net, client),
                _ => self.reader.tick(net, client),
            }
            if net.stop_requested() {
                self.reader.close(net);
                return Ok(None);
            }
            net.wait(self.reader.due(), &mut events);
            let Self { reader, table, args, ready } = self;
            for event in events.drain(..).filter(|event| event.ticket() == Ticket::Listing) {
                reader.on_event(net, client, event, table, |item, _, table| {
                    if suits(&item, table, args) && ready.len() < MAX_CANDIDATES {
                        ready.push_back(item);
                    }
                });
            }
        }
    }

    fn suit(&mut self, item: Item) {
        if suits(&item, &self.table, self.args) && self.ready.len() < MAX_CANDIDATES {
            self.ready.push_back(item);
        }
    }
}

/// Whether it is an object version of those that are asked for.
fn suits(item: &Item, table: &StatusTable, args: &Args) -> bool {
    let arn = args.arn.as_deref();
    table.get(item.statuses).is_some_and(|statuses| {
        statuses.operation(item.delete_marker) == Operation::Put
            && arn.is_none_or(|arn| statuses.concerns(arn))
            && args.filter.allows(item, statuses, arn)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_is_written_as_s3_writes_it() {
        // What a server answered of the text of 100,000 bytes.
        let text = b"hello compressible world ".repeat(4000);
        assert_eq!(base64(Crc::<u64>::new(&CRC_64_NVME).checksum(&text)), "/1M1VbV6QJw=");
        assert_eq!(base64(Crc::<u64>::new(&CRC_64_NVME).checksum(b"tiny")), "wrGHnUOm1jg=");
        assert_eq!(base64(0), "AAAAAAAAAAA=");
    }
}
