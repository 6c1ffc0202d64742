//! Temporary keys: had from an STS before a run, and again in time while it goes on.
//!
//! The request goes the way of all others, with the same proxies, authorities and `--insecure`; the token is in its
//! body, which no trace shows. Neither the token nor the keys come near the component. What is asked and what the
//! answer means is in `mc_wasi_policy::WebIdentity`.

use crate::connect::Connector;
use crate::gate::Open;
use crate::mask::Mask;
use crate::nodes::Nodes;
use crate::trace::{Tracer, shows_body};
use crate::{dial, pool};
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, DATE, HOST, PROXY_AUTHORIZATION};
use http::{HeaderName, HeaderValue, Request, Response, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use mc_wasi_policy::{Temporary, WebIdentity};
use resync_core::report::{Message, printable};
use resync_core::wire::{Secret, parse_http_date};
use std::sync::Weak;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::{sleep, timeout};
use wasmtime_wasi_http::Error;

/// How long an STS has for its answer; MinIO's takes milliseconds, and asks the issuer for its keys first.
const ANSWER: Duration = Duration::from_secs(30);

/// The most that is read of an answer. Keys with the longest session token have 3 KB.
const LARGEST: usize = 1 << 16;

/// The part of their life that keys have left when the next ones are asked for: 12 minutes of an hour.
const EARLY: u32 = 5;

/// Between two looks at the clock: a machine that slept has lost time of which no timer knows.
const GLANCE: Duration = Duration::from_secs(10);

/// Between two attempts to renew keys, at most and at least.
const AGAIN: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(1)];

/// Who gets keys, and the way to where they are had.
#[derive(Debug)]
pub(crate) struct Sts {
    /// What is asked.
    pub(crate) identity: WebIdentity,
    /// The way there.
    pub(crate) connector: Connector,
    /// Headers set on every request.
    pub(crate) custom_headers: Vec<(HeaderName, HeaderValue)>,
    /// Traces every exchange.
    pub(crate) tracer: Option<Tracer>,
}

/// Keys, and until when they are good by the clock of this machine.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    /// The keys.
    pub(crate) temporary: Temporary,
    expire: SystemTime,
}

impl Keys {
    fn left(&self) -> Duration {
        self.expire.duration_since(SystemTime::now()).unwrap_or_default()
    }
}

impl Sts {
    /// Gets keys for the token of this moment.
    ///
    /// # Errors
    /// There are none to be had, or there is no token.
    pub(crate) async fn ask(&self) -> Result<Keys, Message> {
        let token = self.identity.token()?;
        let asked = SystemTime::now();
        let answer = timeout(ANSWER, self.exchange(&token)).await;
        let answer = answer.unwrap_or(Err(Error::HttpResponseTimeout));
        let answer = answer.map_err(|error| self.identity.unanswered(&words(error)))?;
        let date = answer.headers().get(DATE).and_then(|date| date.to_str().ok());
        let here = asked.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let here = i64::try_from(here).unwrap_or_default();
        let now = date.and_then(parse_http_date).unwrap_or(here);
        let body = String::from_utf8_lossy(answer.body());
        let temporary = self.identity.answered(answer.status().as_u16(), &body, now)?;
        let expire = asked.checked_add(temporary.lifetime).unwrap_or(asked);
        Ok(Keys { temporary, expire })
    }

    /// Renews keys as long as there is somebody to sign with them. `tell` is told when that does not work.
    pub(crate) async fn keep_fresh(
        self,
        mut keys: Keys,
        open: Weak<Open>,
        tell: impl Fn(&Message),
    ) {
        let mut failed = false;
        loop {
            let early = keys.temporary.lifetime / EARLY;
            if keys.left() > early {
                sleep(GLANCE.min(keys.left().saturating_sub(early))).await;
                continue;
            }
            match self.ask().await {
                Ok(newer) => {
                    let Some(open) = open.upgrade() else { return };
                    open.renew(newer.temporary.credentials.clone());
                    (keys, failed) = (newer, false);
                }
                Err(message) => {
                    let left = keys.left();
                    if !failed {
                        tell(&Message {
                            cause: format!(
                                "{} The keys in use are good for another {left:.0?}.",
                                message.cause
                            ),
                            fatal: false,
                            ..message
                        });
                    }
                    failed = true;
                    let [most, least] = AGAIN;
                    sleep((left / 10).clamp(least, most)).await;
                }
            }
        }
    }

    async fn exchange(&self, token: &Secret) -> Result<Response<Bytes>, Error> {
        let request = self.request(token)?;
        let nodes = Nodes::new(1);
        self.connector.look_up(&nodes).await?;
        let mut turn = nodes.turn(&[]).ok_or_else(dial::nowhere)?;
        let stream = self.connector.connect(&mut turn).await?;
        let broken = |error: hyper::Error| pool::classify(&error);
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        tokio::spawn(async move {
            // Whoever waits for the answer is told through it.
            let _ = connection.await;
        });
        let traced = self.tracer.as_ref().map(|tracer| (tracer, tracer.request(&request)));
        let (mut head, body) = sender.send_request(request).await.map_err(broken)?.into_parts();
        let whole = Limited::new(body, LARGEST).collect().await;
        let whole = whole.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        if let Some((tracer, traced)) = traced {
            // Something between may answer with the request as it came.
            let form = self.identity.form(token);
            let mask = Mask::new(None, [token.reveal(), form.reveal()]);
            mask.headers(&mut head.headers);
            let shown = mask.body(&whole);
            tracer.response(traced, &head, if shows_body(head.status) { &shown } else { b"" });
        }
        // Neither may an error hold it.
        let mask = Mask::new(None, [token.reveal()]);
        let whole = if head.status.is_success() { whole } else { mask.body(&whole) };
        Ok(Response::from_parts(head, whole))
    }

    fn request(&self, token: &Secret) -> Result<Request<Full<Bytes>>, Error> {
        let WebIdentity { endpoint, path, .. } = &self.identity;
        let forwarder = self.connector.forwarder();
        // An origin server is asked for a path, a proxy for a whole URL (RFC 9112, 3.2).
        let uri: Uri = match forwarder {
            None => Uri::from(path.clone()),
            Some(_) => {
                format!("{endpoint}{path}").parse().map_err(|_| Error::HttpRequestUriInvalid)?
            }
        };
        let form = self.identity.form(token);
        let mut request = Request::post(uri)
            .header(HOST, &endpoint.authority)
            .header(ACCEPT, "application/xml")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Full::new(Bytes::copy_from_slice(form.reveal().as_bytes())))
            .map_err(|_| Error::HttpRequestUriInvalid)?;
        for (name, value) in &self.custom_headers {
            request.headers_mut().insert(name.clone(), value.clone());
        }
        if let Some(authorization) = forwarder.and_then(|proxy| proxy.authorization()) {
            request.headers_mut().insert(PROXY_AUTHORIZATION, authorization.clone());
        }
        Ok(request)
    }
}

/// What went wrong on the way, for a user.
fn words(error: Error) -> String {
    match error {
        Error::ConnectionRefused => "connection refused".to_owned(),
        Error::ConnectionTerminated => "the connection was closed".to_owned(),
        Error::DnsError { rcode: Some(text), .. }
        | Error::InternalError(Some(text))
        | Error::TlsAlertReceived { alert_message: Some(text), .. } => {
            printable(&text).into_owned()
        }
        Error::DnsTimeout
        | Error::ConnectionTimeout
        | Error::ConnectionReadTimeout
        | Error::HttpResponseTimeout => "no answer came in time".to_owned(),
        Error::HttpProtocolError => "what answers does not speak HTTP".to_owned(),
        Error::DestinationIpProhibited => "its address is refused".to_owned(),
        error => error.to_string(),
    }
}
