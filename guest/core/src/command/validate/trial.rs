//! `--validate`: tries `--clear-checksum` on one version and says exactly what changed.

use crate::job::{ALGORITHM, During, Failure, Plan, Verdict};
use crate::listing::{Item, Operation, Reader, State, StatusTable, Unfinished};
use crate::wire::exchange::{OnRetryAfter, exchange};
use crate::wire::{Cause, Client, Net, Response, Ticket, xml};
use std::collections::VecDeque;

/// Versions looked at before giving up. Each look is a HEAD, which triggers the version, so a
/// bucket full of unsuitable ones must not turn the test into the run.
const MAX_CANDIDATES: usize = 100;

/// What the test found.
#[derive(Debug)]
pub(crate) enum Finding {
    /// A version was copied.
    Copied(Box<Comparison>),
    /// The copy failed.
    NotCopied(Item, Failure),
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
    fn failed(cause: Cause) -> Self {
        Self::Failed(Failure { cause, during: During::Trigger })
    }

    fn not_copied(item: Item, cause: Cause) -> Self {
        Self::NotCopied(item, Failure { cause, during: During::Copy })
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

/// Finds a suitable version, copies it and compares.
pub(crate) fn validate<N: Net>(
    net: &mut N,
    client: &mut Client,
    on_retry_after: OnRetryAfter<'_>,
    prefix: &str,
    arn: Option<&str>,
) -> Finding {
    let mut candidates = Candidates::new(prefix, arn);
    let mut last = None;
    for looked_at in 0..MAX_CANDIDATES {
        let item = match candidates.next(net, client) {
            Ok(Some(item)) => item,
            Ok(None) if net.stop_requested() => return Finding::Stopped,
            Ok(None) => return Finding::NoneSuitable(looked_at, last),
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
        match Plan::new(&item, &head, net.unix()) {
            Ok(plan) => {
                candidates.close(net);
                return copy_and_compare(net, client, on_retry_after, item, &head, &plan);
            }
            Err(cause) => last = Some(cause),
        }
    }
    candidates.close(net);
    Finding::NoneSuitable(MAX_CANDIDATES, last)
}

fn copy_and_compare<N: Net>(
    net: &mut N,
    client: &mut Client,
    on_retry_after: OnRetryAfter<'_>,
    item: Item,
    before: &Response,
    plan: &Plan,
) -> Finding {
    let (key, version) = (item.key.as_str(), &item.version);
    let tags_before = tags(exchange(net, client, on_retry_after, &mut |net, client| {
        client.tags(net, key, version);
    }));
    let copied = exchange(net, client, on_retry_after, &mut |net, client| {
        client.copy(net, Ticket::Setting, key, version, &plan.headers());
    });
    let copied = match copied {
        Ok(response) => response,
        Err(cause) => return Finding::not_copied(item, cause),
    };
    match Verdict::from_copy(&item, &copied) {
        Verdict::Triggered(_) => {}
        Verdict::Failed(cause) | Verdict::Fatal(cause) | Verdict::Again(cause) => {
            return Finding::not_copied(item, cause);
        }
        _ => {
            let cause = Cause::Declined("The version vanished while it was copied.".to_owned());
            return Finding::not_copied(item, cause);
        }
    }
    let after = match exchange(net, client, on_retry_after, &mut |net, client| {
        client.stat(net, Ticket::Setting, key, version);
    }) {
        Ok(response) => response,
        Err(cause) => return Finding::failed(cause),
    };
    let tags_after = tags(exchange(net, client, on_retry_after, &mut |net, client| {
        client.tags(net, key, version);
    }));
    Finding::Copied(Box::new(Comparison {
        rows: compare(before, &after, tags_before, tags_after),
        checksum_before: checksums(before),
        checksum_after: checksums(&after),
        item,
    }))
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
    arn: Option<&'a str>,
    ready: VecDeque<Item>,
}

impl<'a> Candidates<'a> {
    fn new(prefix: &str, arn: Option<&'a str>) -> Self {
        Self {
            reader: Reader::new(prefix),
            table: StatusTable::default(),
            arn,
            ready: VecDeque::new(),
        }
    }

    fn close<N: Net>(&mut self, net: &mut N) {
        self.reader.pause(net);
    }

    fn next<N: Net>(
        &mut self,
        net: &mut N,
        client: &mut Client,
    ) -> Result<Option<Item>, Box<Unfinished>> {
        let mut events = Vec::new();
        loop {
            if let Some(item) = self.ready.pop_front() {
                // The look at it happens with the listing closed: a test reads a few entries of
                // maybe millions.
                self.reader.pause(net);
                return Ok(Some(item));
            }
            match self.reader.state() {
                State::Complete => return Ok(None),
                State::Failed(failure) => return Err(failure.clone()),
                State::Idle => self.reader.open(net, client),
                _ => self.reader.tick(net, client),
            }
            if net.stop_requested() {
                self.reader.pause(net);
                return Ok(None);
            }
            net.wait(self.reader.due(), &mut events);
            let Self { reader, table, arn, ready } = self;
            for event in events.drain(..).filter(|event| event.ticket() == Ticket::Listing) {
                reader.on_event(net, client, event, table, |item, _, table| {
                    let suits = table.get(item.statuses).is_some_and(|statuses| {
                        statuses.operation(item.delete_marker) == Operation::Put
                            && arn.is_none_or(|arn| statuses.concerns(arn))
                    });
                    if suits && ready.len() < MAX_CANDIDATES {
                        ready.push_back(item);
                    }
                });
            }
        }
    }
}
