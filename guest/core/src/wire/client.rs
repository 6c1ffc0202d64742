//! Makes the requests of the job, signed when there are keys to sign with.
//!
//! In the bundled host there are none: it hands over an alias without keys and signs at the
//! network boundary. In a stock host the alias carries them and this client signs.

use crate::wire::alias::{Alias, Endpoint};
use crate::wire::encode;
use crate::wire::fresh::FORBID;
use crate::wire::net::{Call, Delivery, Method, Net, Response, Ticket};
use crate::wire::region::{REGION_HEADER, named_region};
use crate::wire::s3error::S3Error;
use crate::wire::sigv4::{DEFAULT_REGION, Signer, Unsigned};
use crate::wire::version_id::VersionId;
use std::fmt::Write;

/// Makes the server answer for itself: without it a version that is gone here but still on a
/// target is proxied and answered 200 (observed). It does not stop the trigger.
const NO_PROXY: (&str, &str) = ("x-minio-source-proxy-request", "false");

const USER_AGENT: (&str, &str) =
    ("user-agent", concat!("mc-replicate-resync-backlog/", env!("CARGO_PKG_VERSION")));

/// Says that a request which may have a body has none. Without it Node announces a chunked one and
/// never ends it; the server waits 30 s for the end and then ends the listing, cleanly and with most
/// of it missing (observed with jco 1.35).
const NO_BODY: (&str, &str) = ("content-length", "0");

/// Requests to one bucket of one server.
#[derive(Debug, Clone)]
pub struct Client {
    endpoint: Endpoint,
    bucket: String,
    arn: Option<String>,
    signer: Option<Signer>,
    custom_headers: Vec<(String, String)>,
    region_fixed: bool,
    session: bool,
    gzip: bool,
    api: u8,
    api_settled: bool,
    path: String,
}

/// The newest version of the admin API, tried first.
const NEWEST_API: u8 = 4;

/// The oldest one that has the replication diff.
const OLDEST_API: u8 = 3;

impl Client {
    /// A client for `bucket` on the server of `alias`. `region` is the user's, from `MC_REGION`.
    pub fn new(alias: &Alias, bucket: &str, region: Option<&str>) -> Self {
        let signer = alias
            .credentials
            .clone()
            .map(|credentials| Signer::new(credentials, region.unwrap_or(DEFAULT_REGION)));
        Self {
            endpoint: alias.endpoint.clone(),
            bucket: bucket.to_owned(),
            arn: None,
            signer,
            custom_headers: Vec::new(),
            region_fixed: region.is_some(),
            session: alias
                .credentials
                .as_ref()
                .is_some_and(|credentials| credentials.session_token.is_some()),
            gzip: false,
            api: NEWEST_API,
            api_settled: false,
            path: String::new(),
        }
    }

    /// Names the replication target that listings are about. The server refuses one that the bucket
    /// does not have, and lists the other targets' versions nevertheless.
    pub(crate) fn set_arn(&mut self, arn: Option<String>) {
        self.arn = arn;
    }

    /// Sets headers on every request from now on, after signing.
    pub fn set_custom_headers(&mut self, headers: Vec<(String, String)>) {
        self.custom_headers = headers;
    }

    /// Whether it signs.
    pub(crate) fn signs(&self) -> bool {
        self.signer.is_some()
    }

    /// Says that the keys, which a host has, are temporary.
    pub(crate) fn set_session(&mut self, temporary: bool) {
        self.session |= temporary;
    }

    /// The error with the reason in it if that is a session that has expired. MinIO forgets the keys of
    /// one, and then says that it does not know them (observed); that they were good before shows
    /// what happened.
    pub(crate) fn explained(&self, mut error: S3Error) -> S3Error {
        if self.session && error.code == "InvalidAccessKeyId" {
            "ExpiredToken".clone_into(&mut error.code);
            error.message = format!(
                "The session of these keys has expired ({}).",
                error.message.trim_end_matches('.')
            );
        }
        error
    }

    /// Asks for listings in gzip from now on, which shows their end where the framing of a body is not
    /// known. Returns `false` if they were asked for so before.
    pub fn ask_for_gzip(&mut self) -> bool {
        !std::mem::replace(&mut self.gzip, true)
    }

    /// The host and port asked, for messages.
    pub fn authority(&self) -> &str {
        &self.endpoint.authority
    }

    /// The bucket asked, for messages.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// Learns the region from an answer. Returns whether it changed, in which case a refused request
    /// is worth sending again.
    pub(crate) fn learn_region(&mut self, response: &Response) -> bool {
        named_region(response.header(REGION_HEADER), &response.body)
            .is_some_and(|region| self.set_region(&region))
    }

    /// Whether the region is the user's choice, which no answer changes.
    pub(crate) fn has_fixed_region(&self) -> bool {
        self.region_fixed
    }

    fn set_region(&mut self, region: &str) -> bool {
        match &mut self.signer {
            Some(signer) if !self.region_fixed && signer.region() != region => {
                signer.set_region(region);
                true
            }
            // Unsigned requests are signed by a host, which reads the same header.
            signer => signer.is_none() && !self.region_fixed,
        }
    }

    /// After an answer 426, which says that the server does not speak the version asked for: takes
    /// the one below, if it was not tried. An unknown route is answered the same way, so no version
    /// is tried twice.
    pub(crate) fn lower_api(&mut self) -> bool {
        let lower = !self.api_settled && self.api > OLDEST_API;
        self.api -= u8::from(lower);
        lower
    }

    /// The server speaks the version in use.
    pub(crate) fn settle_api(&mut self) {
        self.api_settled = true;
    }

    /// The replication targets of the bucket.
    pub(crate) fn remote_targets<N: Net>(&mut self, net: &mut N) {
        let mut path = self.take_path();
        let _ = write!(path, "/minio/admin/v{}/list-remote-targets?bucket=", self.api);
        encode::query_value(&mut path, &self.bucket);
        path.push_str("&type=replication");
        self.send(net, Ticket::Setting, Method::Get, path, &[], Delivery::Whole);
    }

    /// The replication diff of the bucket: `POST /minio/admin/v<api>/replication/diff`.
    /// `arn` names a target where the user has not.
    pub(crate) fn list<N: Net>(
        &mut self,
        net: &mut N,
        ticket: Ticket,
        prefix: &str,
        arn: Option<&str>,
    ) {
        let mut path = self.take_path();
        let _ = write!(path, "/minio/admin/v{}/replication/diff?bucket=", self.api);
        encode::query_value(&mut path, &self.bucket);
        if let Some(arn) = self.arn.as_deref().or(arn) {
            path.push_str("&arn=");
            encode::query_value(&mut path, arn);
        }
        if !prefix.is_empty() {
            path.push_str("&prefix=");
            encode::query_value(&mut path, prefix);
        }
        let headers: &[_] = if self.gzip { &[("accept-encoding", "gzip")] } else { &[] };
        self.send(net, ticket, Method::Post, path, headers, Delivery::Stream);
    }

    /// The trigger: HEAD of one version. Of a 200 only what is needed is delivered.
    pub(crate) fn trigger<N: Net>(
        &mut self,
        net: &mut N,
        ticket: Ticket,
        key: &str,
        version: &VersionId,
    ) {
        let path = self.version_path(key, version, "");
        self.send(net, ticket, Method::Head, path, &[NO_PROXY], Delivery::Brief);
    }

    /// HEAD of one version with all it says, checksums included.
    pub(crate) fn stat<N: Net>(
        &mut self,
        net: &mut N,
        ticket: Ticket,
        key: &str,
        version: &VersionId,
    ) {
        let path = self.version_path(key, version, "");
        let headers = [("x-amz-checksum-mode", "ENABLED"), NO_PROXY];
        self.send(net, ticket, Method::Head, path, &headers, Delivery::Whole);
    }

    /// The tags of one version.
    pub(crate) fn tags<N: Net>(&mut self, net: &mut N, key: &str, version: &VersionId) {
        let path = self.version_path(key, version, "tagging=&");
        self.send(net, Ticket::Setting, Method::Get, path, &[], Delivery::Whole);
    }

    /// The bucket's object lock configuration.
    pub(crate) fn lock_configuration<N: Net>(&mut self, net: &mut N) {
        self.bucket_setting(net, Ticket::Setting, "?object-lock=");
    }

    /// The bucket's default encryption.
    pub(crate) fn encryption_configuration<N: Net>(&mut self, net: &mut N) {
        self.bucket_setting(net, Ticket::Setting, "?encryption=");
    }

    /// One version itself.
    pub(crate) fn read<N: Net>(&mut self, net: &mut N, key: &str, version: &VersionId) {
        let path = self.version_path(key, version, "");
        self.send(net, Ticket::Setting, Method::Get, path, &[], Delivery::Stream);
    }

    /// The bucket's region, when no answer named it.
    pub(crate) fn location<N: Net>(&mut self, net: &mut N) {
        self.bucket_setting(net, Ticket::Location, "?location=");
    }

    /// What the server has counted of the bucket's replication since it was started.
    pub(crate) fn metrics<N: Net>(&mut self, net: &mut N, ticket: Ticket) {
        self.bucket_setting(net, ticket, "?replication-metrics=2");
    }

    fn bucket_setting<N: Net>(&mut self, net: &mut N, ticket: Ticket, query: &str) {
        let mut path = self.take_path();
        path.push('/');
        encode::path(&mut path, &self.bucket);
        path.push_str(query);
        self.send(net, ticket, Method::Get, path, &[], Delivery::Whole);
    }

    /// Copies one version onto itself. `headers` are lower-case and sorted, without the source.
    pub(crate) fn copy<N: Net>(
        &mut self,
        net: &mut N,
        ticket: Ticket,
        key: &str,
        version: &VersionId,
        headers: &[(&str, &str)],
    ) {
        let path = self.version_path(key, version, "");
        let source = path.clone();
        let source = ("x-amz-copy-source", source.as_str());
        let place = headers.partition_point(|header| *header < source);
        let (before, after) = headers.split_at(place);
        let all = [before, &[source], after].concat();
        self.send(net, ticket, Method::Put, path, &all, Delivery::Whole);
    }

    fn version_path(&mut self, key: &str, version: &VersionId, query: &str) -> String {
        let mut path = self.take_path();
        path.push('/');
        encode::path(&mut path, &self.bucket);
        path.push('/');
        encode::path(&mut path, key);
        path.push('?');
        path.push_str(query);
        path.push_str("versionId=");
        match version {
            VersionId::Other(text) => encode::query_value(&mut path, text),
            known => {
                let _ = write!(path, "{known}");
            }
        }
        path
    }

    fn take_path(&mut self) -> String {
        let mut path = std::mem::take(&mut self.path);
        path.clear();
        path
    }

    fn send<N: Net>(
        &mut self,
        net: &mut N,
        ticket: Ticket,
        method: Method,
        path_and_query: String,
        headers: &[(&str, &str)],
        delivery: Delivery,
    ) {
        let signed = self.signer.as_mut().map(|signer| {
            let (path, query) =
                path_and_query.split_once('?').unwrap_or((path_and_query.as_str(), ""));
            let request = Unsigned {
                method: method.as_str(),
                path,
                query,
                host: &self.endpoint.authority,
                headers,
            };
            signer.sign(&request, net.unix())
        });
        let mut all: Vec<(&str, &str)> = Vec::with_capacity(headers.len() + 8);
        all.push(USER_AGENT);
        // No answer but the server's own, made now, is of any use. A POST and a PUT are never kept.
        if matches!(method, Method::Get | Method::Head) {
            all.extend(FORBID);
        }
        all.extend_from_slice(headers);
        if matches!(method, Method::Post | Method::Put) {
            all.push(NO_BODY);
        }
        if let Some(signed) = &signed {
            for header in signed.headers() {
                all.push(header);
            }
        }
        for (name, value) in &self.custom_headers {
            all.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
            all.push((name, value));
        }
        let endpoint = &self.endpoint;
        net.send(
            ticket,
            &Call { endpoint, method, path_and_query: &path_and_query, headers: &all, delivery },
        );
        self.path = path_and_query;
    }
}

/// Whether the server refused a signature because of its region.
pub(crate) fn is_wrong_region(error: &S3Error) -> bool {
    matches!(error.code.as_str(), "AuthorizationHeaderMalformed" | "InvalidRegion")
}
