//! Answers as a server words them: in headers for a HEAD, in JSON from the admin API, otherwise in
//! XML.

use resync_core::wire::Response;
use std::collections::VecDeque;

/// An error in the place of what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal {
    status: u16,
    code: &'static str,
    words: &'static str,
    after: &'static str,
    region: &'static str,
}

impl Refusal {
    /// A permission that is missing, for this version or for all.
    pub(crate) const DENIED: Self = Self::new(403, "AccessDenied");

    /// What every version would be refused for.
    pub(crate) const LOCKED_OUT: Self = Self::new(403, "InvalidAccessKeyId");

    /// What one version is refused for.
    pub(crate) const INVALID: Self = Self::new(400, "InvalidArgument");

    /// An error with the sentence that goes with its code. Proxies know no codes.
    pub(crate) const fn new(status: u16, code: &'static str) -> Self {
        Self { status, code, words: "", after: "", region: "" }
    }

    /// With this sentence.
    pub(crate) const fn saying(self, words: &'static str) -> Self {
        Self { words, ..self }
    }

    /// With this `Retry-After`.
    pub(crate) const fn retry_after(self, after: &'static str) -> Self {
        Self { after, ..self }
    }

    /// From a server that signs for this region.
    pub(crate) const fn region(self, region: &'static str) -> Self {
        Self { region, ..self }
    }

    fn words(&self) -> &'static str {
        match self.code {
            _ if !self.words.is_empty() => self.words,
            "AccessDenied" => "Access Denied.",
            "AuthorizationHeaderMalformed" => {
                "The authorization header is malformed; the region is wrong"
            }
            "InvalidAccessKeyId" => "The Access Key Id you provided does not exist in our records.",
            "InvalidArgument" => "Invalid version id specified",
            "InvalidTokenId" => "The security token included in the request is invalid",
            "NoSuchBucket" => "The specified bucket does not exist",
            "NoSuchVersion" => "The specified version does not exist.",
            "PreconditionFailed" => "At least one of the pre-conditions you specified did not hold",
            "RequestTimeTooSkewed" => {
                "The difference between the request time and the server's time is too large."
            }
            "SignatureDoesNotMatch" => {
                "The request signature we calculated does not match the signature you provided. Check your key and signing method."
            }
            "SlowDownRead" => "Resource requested is unreadable, please reduce your request rate",
            "XMinioAdminRemoteTargetNotFoundError" => "The remote target does not exist",
            _ => "",
        }
    }

    /// The answer without words.
    fn bare(&self) -> Response {
        let headers = [("retry-after", self.after), ("x-amz-bucket-region", self.region)];
        let said: Vec<_> = headers.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        answer(self.status, &said)
    }

    /// As a HEAD is answered, which has no body.
    pub(crate) fn in_headers(&self) -> Response {
        let mut response = self.bare();
        for (name, value) in
            [("x-minio-error-code", self.code), ("x-minio-error-desc", self.words())]
        {
            if !value.is_empty() {
                response.headers.push((name.to_owned(), value.to_owned()));
            }
        }
        response
    }

    /// As the S3 API answers.
    pub(crate) fn in_xml(&self) -> Response {
        let Self { code, .. } = self;
        let body = format!("<Error><Code>{code}</Code><Message>{}</Message></Error>", self.words());
        Response { body: body.into_bytes(), ..self.bare() }
    }

    /// As the admin API answers.
    pub(crate) fn in_json(&self) -> Response {
        let body = serde_json::json!({ "Code": self.code, "Message": self.words() });
        Response { body: body.to_string().into_bytes(), ..self.bare() }
    }
}

/// Answers given in turn, the last one for ever.
#[derive(Debug, Clone)]
pub(crate) struct Turns(VecDeque<Response>);

impl Turns {
    pub(crate) fn next(&mut self) -> Response {
        match self.0.len() {
            1 => self.0[0].clone(),
            _ => self.0.pop_front().expect("an answer"),
        }
    }
}

impl From<Response> for Turns {
    fn from(response: Response) -> Self {
        Self([response].into())
    }
}

impl<const N: usize> From<[Response; N]> for Turns {
    fn from(responses: [Response; N]) -> Self {
        Self(responses.into())
    }
}

/// An answer without a body.
pub(crate) fn answer(status: u16, headers: &[(&str, &str)]) -> Response {
    let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    Response { status, headers, body: Vec::new() }
}

/// A 200 with this body.
pub(crate) fn ok(body: &str) -> Response {
    Response { body: body.as_bytes().to_vec(), ..answer(200, &[]) }
}

/// With the mark that every answer of the server has.
pub(crate) fn marked(mut response: Response) -> Response {
    response.headers.push(("x-amz-request-id".to_owned(), "F".to_owned()));
    response
}

/// What a load balancer or a firewall answers in the place of the server.
pub(crate) fn foreign(status: u16) -> Response {
    Response {
        body: b"<html>down for maintenance</html>".to_vec(),
        ..answer(status, &[("server", "cloudflare"), ("content-type", "text/html")])
    }
}
