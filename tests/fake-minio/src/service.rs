//! From a request to its answer: what is asked, whether it is allowed, what
//! befalls it, and who answers.
//!
//! The checks come in the server's order, because the order decides which of
//! two errors a client sees: the path, the clock, the route, the signature,
//! the region, the limit on requests.

use std::fmt;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use hyper::body::Incoming;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue, ORIGIN};
use hyper::{Method, Request, Response, StatusCode};

use super::answer::{Answer, Form, Place, S3Error, add_common, set};
use super::body::Body;
use super::clock::Moment;
use super::fault::{Effect, Route};
use super::query::{Query, decode};
use super::sigv4::Signed;
use super::state::{Counted, Counters, State};
use super::wire::Control;
use super::{admin, bucket, copy, cors, head};

/// What the server says its limit is while none is set; taken from a real one.
const USUAL_LIMIT: u64 = 3478;

/// A request, read as far as every handler needs it.
pub(crate) struct Asked {
    pub(crate) route: Option<Route>,
    pub(crate) bucket: String,
    /// Decoded.
    pub(crate) key: String,
    pub(crate) query: Query,
    pub(crate) headers: HeaderMap,
    /// As received, without the query.
    pub(crate) path: String,
    is_head: bool,
    is_admin: bool,
}

/// The connection is to end without an answer.
#[derive(Debug)]
pub(crate) struct Closed;

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection is closed by a fault")
    }
}

impl std::error::Error for Closed {}

/// Answers one request of connection number `connection`.
pub(crate) async fn serve(
    state: Arc<State>,
    control: Arc<Control>,
    connection: u64,
    request: Request<Incoming>,
) -> Result<Answer, Closed> {
    let preflight = cors::preflight(&request);
    let (parts, _) = request.into_parts();
    state.counters.requests.fetch_add(1, Ordering::Relaxed);
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    let at = state.started.elapsed();
    let logged = state.log.note(&parts.method, target, &parts.headers, connection, at);
    if let Some(answer) = preflight {
        return Ok(answer);
    }

    let (path, raw_query) = target.split_once('?').unwrap_or((target, ""));
    let asked = Asked::read(&state, &parts.method, path, raw_query, parts.headers);
    let method = parts.method.as_str();
    let answer = match check(&state, &asked, method, raw_query, logged) {
        Ok(route) => answer(&state, &control, &asked, route).await?,
        Err(error) => asked.refuse(&state, &error),
    };
    let mut answer = finish(&state, &asked, answer);
    if answer.extensions().get::<Foreign>().is_none() {
        cors::allow(answer.headers_mut(), asked.headers.get(ORIGIN));
    }
    state.log.amend(logged, |logged| logged.status = Some(answer.status().as_u16()));
    Ok(answer)
}

impl Asked {
    fn read(
        state: &State,
        method: &Method,
        path: &str,
        raw_query: &str,
        headers: HeaderMap,
    ) -> Self {
        let query = Query::parse(raw_query);
        let is_admin = path.starts_with("/minio/admin/");
        let (bucket, key) = if is_admin {
            (query.get("bucket").unwrap_or_default().to_owned(), String::new())
        } else {
            let path = path.trim_start_matches('/');
            let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
            (decode(bucket), decode(key))
        };
        let route = if is_admin {
            admin::route(&state.options, method, path, &query)
        } else {
            s3_route(method, &key, &query, &headers)
        };
        let is_head = method == Method::HEAD;
        Self { route, bucket, key, query, headers, path: path.to_owned(), is_head, is_admin }
    }

    /// The answer to a request that failed with `error`.
    pub(crate) fn refuse(&self, state: &State, error: &S3Error) -> Answer {
        let region = state.options.region.as_deref();
        let place = Place {
            bucket: &self.bucket,
            resource: &self.path,
            // Told where the region was the matter.
            region: region.filter(|_| error.code == "AuthorizationHeaderMalformed"),
        };
        error.answer(self.form(&error.code), &place)
    }

    /// Who notices an error decides its form: handlers of the admin API write
    /// JSON, all that is below them XML.
    fn form(&self, code: &str) -> Form {
        match code {
            "AccessDenied"
            | "SignatureDoesNotMatch"
            | "InvalidAccessKeyId"
            | "InvalidTokenId"
            | "InvalidRequest"
            | "XMinioAdminVersionMismatch"
                if self.is_admin =>
            {
                Form::Json
            }
            "RequestTimeTooSkewed" | "TooManyRequests" | "XMinioInvalidResourceName"
                if self.is_head =>
            {
                Form::XmlLength
            }
            _ if self.is_head => Form::Headers,
            _ => Form::Xml,
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

fn s3_route(method: &Method, key: &str, query: &Query, headers: &HeaderMap) -> Option<Route> {
    match (method.as_str(), key.is_empty()) {
        ("GET", true) if query.has("location") => Some(Route::Location),
        ("GET", true) if query.has("object-lock") => Some(Route::ObjectLock),
        ("GET", true) if query.has("encryption") => Some(Route::Encryption),
        ("GET", true) if query.has("replication-metrics") => Some(Route::Metrics),
        ("HEAD", true) => Some(Route::HeadBucket),
        ("HEAD", false) => Some(Route::Head),
        ("GET", false) if query.has("tagging") => Some(Route::Tagging),
        ("GET", false) => Some(Route::Get),
        ("PUT", false) if headers.contains_key("x-amz-copy-source") => Some(Route::Copy),
        _ => None,
    }
}

/// All that is checked before a handler sees the request.
fn check(
    state: &State,
    asked: &Asked,
    method: &str,
    raw_query: &str,
    logged: usize,
) -> Result<Route, S3Error> {
    if asked.key.split('/').any(|part| part == "." || part == "..") {
        return Err(S3Error::new(400, "XMinioInvalidResourceName"));
    }
    let options = &state.options;
    let mut region = None;
    if options.verify {
        let signed =
            Signed { method, path: &asked.path, query: raw_query, headers: &asked.headers };
        region = match state.verifier.verify(&signed, Moment::now()) {
            Err(error) if asked.route.is_some() || error.code == "RequestTimeTooSkewed" => {
                state.counters.bad_signatures.fetch_add(1, Ordering::Relaxed);
                return Err(error);
            }
            verified => verified.unwrap_or_default(),
        };
        state.log.amend(logged, |logged| {
            logged.verified = region.is_some();
            logged.region = region.map(str::to_owned);
        });
    }
    let Some(route) = asked.route else {
        return Err(if asked.is_admin {
            admin::version_mismatch(&asked.path)
        } else {
            S3Error::new(405, "MethodNotAllowed")
        });
    };
    if options.verify {
        match (region, options.region.as_deref()) {
            (None, _) if !options.anonymous => return Err(S3Error::new(403, "AccessDenied")),
            (Some(region), Some(own))
                if region != own && !route.is_admin() && route != Route::Location =>
            {
                return Err(S3Error::new(400, "AuthorizationHeaderMalformed").message(format!(
                    "The authorization header is malformed; the region is wrong; expecting '{own}'."
                )));
            }
            _ => {}
        }
    }
    Ok(route)
}

/// Lets faults befall the request, or a handler answer it.
async fn answer(
    state: &Arc<State>,
    control: &Arc<Control>,
    asked: &Asked,
    route: Route,
) -> Result<Answer, Closed> {
    // The admin API is not counted in the server's own limit.
    let in_flight = (!route.is_admin()).then(|| Counted::request(state));
    let limit = state.options.max_requests;
    if let (Some((_, now)), Some(limit)) = (&in_flight, limit)
        && *now > limit
    {
        let mut error = S3Error::new(429, "TooManyRequests");
        error.retry_after = state.options.retry_after.map(|seconds| seconds.to_string());
        return Ok(asked.refuse(state, &error));
    }
    let plan = state.faults.plan(route, &asked.key);
    if !plan.delay.is_zero() {
        tokio::time::sleep(plan.delay).await;
    }
    match plan.decides {
        Some(Effect::Answer(error)) => return Ok(asked.refuse(state, &error)),
        Some(Effect::Redirect(location)) => return Ok(redirect(&location)),
        Some(Effect::Page { status, content_type, body }) => {
            return Ok(page(status, &content_type, body));
        }
        Some(Effect::Replica) => {
            // Removed here, so it is not listed any more.
            state.store.remove(&asked.key, asked.query.get("versionId").filter(|id| *id != "null"));
            return Ok(head::replica());
        }
        Some(Effect::Close) => return Err(Closed),
        Some(Effect::Reset) => {
            control.reset();
            return Err(Closed);
        }
        Some(Effect::Hang) => pending().await,
        Some(Effect::CloseAfter(bytes)) => control.close_after(bytes),
        _ => {}
    }
    if asked.bucket != state.options.bucket {
        return Ok(asked.refuse(state, &S3Error::new(404, "NoSuchBucket")));
    }
    let answer = match route {
        Route::Diff => admin::diff(state, control, asked, plan.listing).await,
        Route::Targets => Ok(admin::targets(&state.options)),
        Route::Location => Ok(bucket::location(&state.options)),
        Route::ObjectLock => bucket::object_lock(&state.options),
        Route::Encryption => bucket::encryption(),
        Route::Metrics => Ok(bucket::metrics(state)),
        Route::HeadBucket => Ok(Response::new(Body::Empty)),
        Route::Head => head::head(state, asked),
        Route::Get => head::get(state, asked),
        Route::Tagging => bucket::tagging(state, asked),
        Route::Copy => copy::copy(state, asked),
    };
    Ok(answer.unwrap_or_else(|error| asked.refuse(state, &error)))
}

/// Adds the headers that do not depend on who answered.
fn finish(state: &State, asked: &Asked, mut answer: Answer) -> Answer {
    if answer.extensions().get::<Foreign>().is_some() {
        return answer;
    }
    if answer.status() == StatusCode::UPGRADE_REQUIRED {
        // What has no route does not come to where answers are numbered (observed).
        answer.headers_mut().insert("server", HeaderValue::from_static("MinIO"));
        return answer;
    }
    let headers = answer.headers_mut();
    add_common(headers, state.options.region.as_deref());
    if !asked.is_admin {
        let limit = state.options.max_requests.unwrap_or(USUAL_LIMIT);
        let remaining = limit.saturating_sub(Counters::get(&state.counters.in_flight));
        headers.insert("x-ratelimit-limit", HeaderValue::from(limit));
        headers.insert("x-ratelimit-remaining", HeaderValue::from(remaining));
    }
    answer
}

fn redirect(location: &str) -> Answer {
    let mut answer = Response::new(Body::Empty);
    *answer.status_mut() = StatusCode::TEMPORARY_REDIRECT;
    set(answer.headers_mut(), "location", location);
    answer.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    answer
}

/// The mark of an answer that is not this server's.
#[derive(Clone, Copy)]
struct Foreign;

fn page(status: u16, content_type: &str, body: Vec<u8>) -> Answer {
    let length = HeaderValue::from(body.len());
    let mut answer = Response::new(Body::full(body));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let headers = answer.headers_mut();
    headers.insert(CONTENT_LENGTH, length);
    if let Ok(content_type) = HeaderValue::from_str(content_type) {
        headers.insert(CONTENT_TYPE, content_type);
    }
    answer.extensions_mut().insert(Foreign);
    answer
}
