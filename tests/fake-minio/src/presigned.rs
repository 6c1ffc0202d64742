//! Checks a signature that is in the query: that of a page in a browser, which has to ask the server for leave
//! before it sends a header of its own. The admin API does not take it (observed).

use super::answer::S3Error;
use super::clock::Moment;
use super::sigv4::{
    Authorization, MAX_SKEW_SECONDS, Signed, UNSIGNED, Verifier, canonical_request,
};

/// The parameter that makes a request a presigned one.
const SIGNATURE: &str = "X-Amz-Signature";

impl Verifier {
    /// Checks one request against the clock `now`. Returns the region it was signed for; `None` is a request
    /// without a signature in its query.
    pub(crate) fn verify_presigned<'a>(
        &self,
        request: &Signed<'a>,
        now: Moment,
    ) -> Result<Option<&'a str>, S3Error> {
        let Some(signature) = raw(request.query, SIGNATURE) else { return Ok(None) };
        let malformed = || S3Error::new(400, "AuthorizationQueryParametersError");
        let of = |name| raw(request.query, name).ok_or_else(malformed);
        // Neither of these has anything to encode but the slashes.
        let mut scope = of("X-Amz-Credential")?.rsplitn(5, "%2F");
        let mut next = || scope.next().ok_or_else(malformed);
        let (terminator, service, region) = (next()?, next()?, next()?);
        let (day, access_key) = (next()?, next()?);
        let date = of("X-Amz-Date")?;
        let signed_at = Moment::parse_amz(date).ok_or_else(malformed)?;
        let expires: i64 = of("X-Amz-Expires")?.parse().map_err(|_| malformed())?;
        if (terminator, service) != ("aws4_request", "s3") || !date.starts_with(day) {
            return Err(malformed());
        }
        if !self.knows(access_key) {
            return Err(S3Error::new(403, "InvalidAccessKeyId"));
        }
        if signed_at.seconds > now.seconds + MAX_SKEW_SECONDS as i64 {
            return Err(S3Error::new(403, "AccessDenied").message("Request is not valid yet"));
        }
        if signed_at.seconds + expires < now.seconds {
            return Err(S3Error::new(403, "AccessDenied").message("Request has expired"));
        }
        let others = request.query.split('&').filter(|pair| name_of(pair) != SIGNATURE);
        let query = others.collect::<Vec<_>>().join("&");
        let signed = Signed { query: &query, ..*request };
        let signed_headers = of("X-Amz-SignedHeaders")?;
        let canonical = canonical_request(&signed, signed_headers, UNSIGNED)?;
        let scope =
            Authorization { access_key, date: day, region, service, signed_headers, signature };
        if self.signature(&scope, date, &canonical) != signature {
            return Err(S3Error::new(403, "SignatureDoesNotMatch"));
        }
        Ok(Some(region))
    }
}

fn name_of(pair: &str) -> &str {
    pair.split('=').next().unwrap_or_default()
}

/// A value of the query, as it was received.
fn raw<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    let pair = query.split('&').find(|pair| name_of(pair) == name)?;
    pair.split_once('=').map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::{HeaderMap, HeaderValue};

    /// The example in AWS's documentation of query parameters.
    const EXAMPLE: &str = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";

    fn verified(query: &str, at: &str) -> Result<Option<String>, String> {
        let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        let verifier = Verifier::new("AKIAIOSFODNN7EXAMPLE", secret, None);
        let host = HeaderValue::from_static("examplebucket.s3.amazonaws.com");
        let headers: HeaderMap = [(hyper::header::HOST, host)].into_iter().collect();
        let signed = Signed { method: "GET", path: "/test.txt", query, headers: &headers };
        let verified = verifier.verify_presigned(&signed, Moment::parse_amz(at).unwrap());
        verified.map(|region| region.map(str::to_owned)).map_err(|error| error.code.into_owned())
    }

    #[test]
    fn the_example_of_aws_is_good_for_its_day_and_for_nothing_else() {
        let code = |code: &str| Err(code.to_owned());
        for (query, at, result) in [
            (EXAMPLE.to_owned(), "20130524T000000Z", Ok(Some("us-east-1".to_owned()))),
            (EXAMPLE.to_owned(), "20130524T235959Z", Ok(Some("us-east-1".to_owned()))),
            (EXAMPLE.to_owned(), "20130525T000001Z", code("AccessDenied")),
            (EXAMPLE.to_owned(), "20130523T234459Z", code("AccessDenied")),
            (
                format!("{EXAMPLE}&versionId=null"),
                "20130524T000000Z",
                code("SignatureDoesNotMatch"),
            ),
            (EXAMPLE.replace("AKIA", "AKIB"), "20130524T000000Z", code("InvalidAccessKeyId")),
            (
                EXAMPLE.replace("Expires", "Ends"),
                "20130524T000000Z",
                code("AuthorizationQueryParametersError"),
            ),
            (String::new(), "20130524T000000Z", Ok(None)),
        ] {
            assert_eq!(verified(&query, at), result, "{query} at {at}");
        }
    }
}
