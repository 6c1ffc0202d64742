//! Checks AWS Signature Version 4 as the server does, from the specification.
//!
//! It shares nothing with the signer of the project: the two meet in the tests
//! only, and each is held against AWS's published examples. The `Authorization`
//! header is read here, a signature in the query in [`presigned`](super::presigned).

use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use hmac::{Hmac, KeyInit, Mac};
use hyper::header::{AUTHORIZATION, CONTENT_LENGTH, HeaderMap, HeaderName};
use sha2::{Digest, Sha256};

use super::answer::S3Error;
use super::clock::Moment;
use super::query::{Query, decode, encode_path};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// SHA-256 of no bytes: none of the requests that this server knows has a body.
const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
pub(super) const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// How far a client's clock may be off (`globalMaxSkewTime`).
pub(super) const MAX_SKEW_SECONDS: u64 = 15 * 60;

/// Who may sign, and for which region.
pub(crate) struct Verifier {
    access_key: String,
    secret_key: String,
    session_token: Option<String>,
    service: &'static str,
    /// The key of the last scope seen. Deriving it takes four HMACs, and all
    /// requests of a run but those around midnight share one scope.
    cached: Mutex<Option<(String, [u8; 32])>>,
}

/// What is signed, as received.
pub(crate) struct Signed<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) headers: &'a HeaderMap,
}

/// The parts of an `Authorization` header.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Authorization<'a> {
    pub(super) access_key: &'a str,
    pub(super) date: &'a str,
    pub(crate) region: &'a str,
    pub(super) service: &'a str,
    pub(super) signed_headers: &'a str,
    pub(super) signature: &'a str,
}

impl<'a> Authorization<'a> {
    /// `AWS4-HMAC-SHA256 Credential=K/D/R/S/aws4_request, SignedHeaders=…, Signature=…`.
    /// The region may be empty, and an access key may contain slashes.
    pub(crate) fn parse(value: &'a str) -> Result<Self, S3Error> {
        let malformed = |what: &str| {
            S3Error::new(400, "AuthorizationHeaderMalformed")
                .message(format!("The authorization header is malformed; {what}."))
        };
        let rest = value
            .strip_prefix(ALGORITHM)
            .ok_or_else(|| S3Error::new(400, "SignatureVersionNotSupported"))?;
        let mut fields = [None; 3];
        for part in rest.split(',').map(str::trim) {
            let (name, value) =
                part.split_once('=').ok_or_else(|| malformed("a field is no pair"))?;
            let slot = match name {
                "Credential" => 0,
                "SignedHeaders" => 1,
                "Signature" => 2,
                _ => return Err(malformed("a field is unknown")),
            };
            fields[slot] = Some(value);
        }
        let [Some(credential), Some(signed_headers), Some(signature)] = fields else {
            return Err(malformed("a field is missing"));
        };
        let mut scope = credential.rsplitn(5, '/');
        let mut next = || scope.next().ok_or_else(|| malformed("the credential scope is short"));
        let (terminator, service, region) = (next()?, next()?, next()?);
        let (date, access_key) = (next()?, next()?);
        if terminator != "aws4_request" {
            return Err(malformed("the credential scope does not end in aws4_request"));
        }
        Ok(Self { access_key, date, region, service, signed_headers, signature })
    }
}

impl Verifier {
    pub(crate) fn new(access_key: &str, secret_key: &str, session_token: Option<&str>) -> Self {
        Self {
            access_key: access_key.to_owned(),
            secret_key: secret_key.to_owned(),
            session_token: session_token.map(str::to_owned),
            service: "s3",
            cached: Mutex::new(None),
        }
    }

    /// Checks one request against the clock `now`. Returns the region it was
    /// signed for, which only some routes care about; `None` is an anonymous
    /// request.
    pub(crate) fn verify<'a>(
        &self,
        request: &Signed<'a>,
        now: Moment,
    ) -> Result<Option<&'a str>, S3Error> {
        let headers = request.headers;
        let Some(value) = headers.get(AUTHORIZATION) else {
            let is_admin = request.path.starts_with("/minio/admin/");
            return if is_admin { Ok(None) } else { self.verify_presigned(request, now) };
        };
        let value =
            value.to_str().map_err(|_| S3Error::new(400, "AuthorizationHeaderMalformed"))?;
        let authorization = Authorization::parse(value)?;
        if authorization.access_key != self.access_key {
            return Err(S3Error::new(403, "InvalidAccessKeyId"));
        }
        if authorization.service != self.service {
            return Err(S3Error::new(400, "AuthorizationHeaderMalformed"));
        }
        let date = text(headers, "x-amz-date").or_else(|| text(headers, "date"));
        let date = date.ok_or_else(|| {
            S3Error::new(403, "AccessDenied")
                .message("AWS authentication requires a valid Date or x-amz-date header")
        })?;
        let signed_at = Moment::parse_amz(date)
            .filter(|_| date.starts_with(authorization.date))
            .ok_or_else(|| S3Error::new(400, "MalformedDate"))?;
        if now.seconds.abs_diff(signed_at.seconds) > MAX_SKEW_SECONDS {
            return Err(S3Error::new(403, "RequestTimeTooSkewed"));
        }
        if text(headers, "x-amz-security-token") != self.session_token.as_deref() {
            return Err(S3Error::new(403, "InvalidTokenId"));
        }
        let payload = payload_hash(headers)?;
        let canonical = canonical_request(request, authorization.signed_headers, payload)?;
        let expected = self.signature(&authorization, date, &canonical);
        if expected != authorization.signature {
            return Err(S3Error::new(403, "SignatureDoesNotMatch"));
        }
        Ok(Some(authorization.region))
    }

    /// Whether this is the access key.
    pub(super) fn knows(&self, access_key: &str) -> bool {
        access_key == self.access_key
    }

    pub(super) fn signature(
        &self,
        scope: &Authorization<'_>,
        date: &str,
        canonical: &str,
    ) -> String {
        let name = format!("{}/{}/{}/aws4_request", scope.date, scope.region, scope.service);
        let to_sign =
            format!("{ALGORITHM}\n{date}\n{name}\n{}", hex(&Sha256::digest(canonical.as_bytes())));
        hex(&hmac(&self.signing_key(scope, name), &to_sign))
    }

    fn signing_key(&self, scope: &Authorization<'_>, name: String) -> [u8; 32] {
        let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, key)) = cached.as_ref().filter(|(cached, _)| *cached == name) {
            return *key;
        }
        let day = hmac(format!("AWS4{}", self.secret_key).as_bytes(), scope.date);
        let key = hmac(&hmac(&hmac(&day, scope.region), scope.service), "aws4_request");
        *cached = Some((name, key));
        key
    }
}

/// The hash that goes into the canonical request, after a check that it is
/// true: of no body, or of none at all.
fn payload_hash(headers: &HeaderMap) -> Result<&str, S3Error> {
    let hash = text(headers, "x-amz-content-sha256").unwrap_or(EMPTY_SHA256);
    let has_body = headers.get(CONTENT_LENGTH).is_some_and(|length| length != "0");
    if hash == UNSIGNED || hash == EMPTY_SHA256 && !has_body {
        return Ok(hash);
    }
    Err(S3Error::new(400, "XAmzContentSHA256Mismatch"))
}

pub(super) fn canonical_request(
    request: &Signed<'_>,
    signed_headers: &str,
    payload: &str,
) -> Result<String, S3Error> {
    let headers = request.headers;
    // The rule behind the rule: whatever steers the request must be signed.
    let is_signed = |name: &HeaderName| signed_headers.split(';').any(|signed| signed == name);
    let unsigned = |name: &&HeaderName| {
        (**name == "host" || name.as_str().starts_with("x-amz-")) && !is_signed(name)
    };
    if headers.keys().find(unsigned).is_some() || !headers.contains_key("host") {
        return Err(S3Error::new(400, "AccessDenied")
            .message("There were headers present in the request which were not signed"));
    }

    let mut canonical = String::with_capacity(512);
    canonical.push_str(request.method);
    canonical.push('\n');
    // Decoded and encoded again: a path that was not encoded strictly, as `+`
    // for `%2B`, is another path to the server, and its signature is wrong.
    canonical.extend(encode_path(&decode(request.path)));
    canonical.push('\n');
    canonical.push_str(&Query::parse(request.query).canonical());
    canonical.push('\n');
    for name in signed_headers.split(';') {
        canonical.push_str(name);
        canonical.push(':');
        for (nth, value) in headers.get_all(name).iter().enumerate() {
            if nth > 0 {
                canonical.push(',');
            }
            let value = String::from_utf8_lossy(value.as_bytes());
            for (nth, word) in value.split_ascii_whitespace().enumerate() {
                if nth > 0 {
                    canonical.push(' ');
                }
                canonical.push_str(word);
            }
        }
        canonical.push('\n');
    }
    canonical.push('\n');
    canonical.push_str(signed_headers);
    canonical.push('\n');
    canonical.push_str(payload);
    Ok(canonical)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn hmac(key: &[u8], data: &str) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(data.as_bytes());
    mac.finalize().into_bytes().into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// Signs for the tests of the fake itself: the verifier's own steps, whose
/// results the examples of AWS vouch for.
#[cfg(test)]
pub(crate) fn sign(
    verifier: &Verifier,
    request: &Signed<'_>,
    region: &str,
    signed_headers: &str,
) -> String {
    let date = text(request.headers, "x-amz-date").unwrap();
    let scope = Authorization {
        access_key: &verifier.access_key,
        date: &date[..8],
        region,
        service: verifier.service,
        signed_headers,
        signature: "",
    };
    let payload = payload_hash(request.headers).unwrap();
    let canonical = canonical_request(request, signed_headers, payload).unwrap();
    let signature = verifier.signature(&scope, date, &canonical);
    let credential = format!("{}/{}/{region}/s3/aws4_request", scope.access_key, scope.date);
    format!(
        "{ALGORITHM} Credential={credential}, SignedHeaders={signed_headers}, Signature={signature}"
    )
}

#[cfg(test)]
mod tests {
    use hyper::header::{HeaderMap, HeaderName, HeaderValue};

    use super::{Authorization, Moment, Signed, Verifier};

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair =
            |&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value));
        pairs.iter().map(pair).collect()
    }

    /// Access key, secret and date of AWS's Signature Version 4 test suite.
    fn suite() -> (Verifier, Moment) {
        let mut verifier =
            Verifier::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", None);
        verifier.service = "service";
        (verifier, Moment::parse_amz("20150830T123600Z").unwrap())
    }

    fn verify_suite(query: &str, signature: &'static str) -> Result<Option<String>, String> {
        let (verifier, now) = suite();
        let authorization: &'static str = Box::leak(
            format!(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
                 SignedHeaders=host;x-amz-date, Signature={signature}"
            )
            .into_boxed_str(),
        );
        let headers = headers(&[
            ("host", "example.amazonaws.com"),
            ("x-amz-date", "20150830T123600Z"),
            ("authorization", authorization),
        ]);
        let request = Signed { method: "GET", path: "/", query, headers: &headers };
        verifier
            .verify(&request, now)
            .map(|region| region.map(str::to_owned))
            .map_err(|error| error.code.into_owned())
    }

    #[test]
    fn get_vanilla_of_the_aws_test_suite_verifies() {
        let signature = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
        assert_eq!(verify_suite("", signature), Ok(Some("us-east-1".into())));
        assert_eq!(verify_suite("a=b", signature), Err("SignatureDoesNotMatch".into()));
    }

    #[test]
    fn get_vanilla_query_order_key_case_of_the_aws_test_suite_verifies() {
        let signature = "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500";
        let query = "Param2=value2&Param1=value1";
        assert_eq!(verify_suite(query, signature), Ok(Some("us-east-1".into())));
    }

    /// "Example: GET Object" of the Amazon S3 API reference.
    #[test]
    fn get_object_of_the_s3_reference_verifies() {
        let verifier =
            Verifier::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", None);
        let now = Moment::parse_amz("20130524T000100Z").unwrap();
        let signed = headers(&[
            ("host", "examplebucket.s3.amazonaws.com"),
            ("range", "bytes=0-9"),
            (
                "x-amz-content-sha256",
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            ),
            ("x-amz-date", "20130524T000000Z"),
            (
                "authorization",
                "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,\
                 SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,\
                 Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
            ),
        ]);
        let request = |path| Signed { method: "GET", path, query: "", headers: &signed };
        assert_eq!(verifier.verify(&request("/test.txt"), now).unwrap(), Some("us-east-1"));
        let error = verifier.verify(&request("/test.tx"), now).unwrap_err();
        assert_eq!(error.code, "SignatureDoesNotMatch");
        let late = Moment::parse_amz("20130524T001501Z").unwrap();
        let error = verifier.verify(&request("/test.txt"), late).unwrap_err();
        assert_eq!(error.code, "RequestTimeTooSkewed");
    }

    #[test]
    fn each_wrong_header_has_its_own_code() {
        let (verifier, now) = suite();
        let code = |pairs: &[(&'static str, &'static str)]| {
            let headers = headers(pairs);
            let request = Signed { method: "GET", path: "/", query: "", headers: &headers };
            verifier.verify(&request, now).map(drop).map_err(|error| error.code.into_owned())
        };
        let host = ("host", "example.amazonaws.com");
        let date = ("x-amz-date", "20150830T123600Z");
        let with = |value| ("authorization", value);
        let good = with(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=host;x-amz-date, Signature=5fa0",
        );
        assert_eq!(code(&[host, date]), Ok(()));
        assert_eq!(code(&[host, date, good]), Err("SignatureDoesNotMatch".into()));
        assert_eq!(code(&[host, good]), Err("AccessDenied".into()));
        assert_eq!(
            code(&[host, date, good, ("x-amz-security-token", "t")]),
            Err("InvalidTokenId".into())
        );
        assert_eq!(
            code(&[host, date, good, ("x-amz-copy-source", "/b/k")]),
            Err("AccessDenied".into())
        );
        assert_eq!(
            code(&[host, date, good, ("content-length", "5")]),
            Err("XAmzContentSHA256Mismatch".into())
        );
        let other = with(
            "AWS4-HMAC-SHA256 Credential=OTHER/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=host;x-amz-date, Signature=5fa0",
        );
        assert_eq!(code(&[host, date, other]), Err("InvalidAccessKeyId".into()));
        assert_eq!(
            code(&[host, date, with("AWS4-HMAC-SHA256 Credential=A/B")]),
            Err("AuthorizationHeaderMalformed".into())
        );
        assert_eq!(
            code(&[host, date, with("AWS AKID:abc")]),
            Err("SignatureVersionNotSupported".into())
        );
    }

    #[test]
    fn the_region_may_be_empty_and_the_key_may_have_slashes() {
        let value = "AWS4-HMAC-SHA256 Credential=a/b/20261124//s3/aws4_request, \
                     SignedHeaders=host, Signature=00";
        let authorization = Authorization::parse(value).unwrap();
        assert_eq!(authorization.access_key, "a/b");
        assert_eq!((authorization.region, authorization.date), ("", "20261124"));
    }
}
