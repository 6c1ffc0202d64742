//! Brings an Authorization, a date and a token of its own with a granted request.

use hostile_guests::*;

behaves!({
    let (scheme, authority) = server();
    let result = ask(
        &scheme,
        &authority,
        &Method::Head,
        GRANTED,
        &[
            (
                "authorization",
                "AWS4-HMAC-SHA256 Credential=forged/20200101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00",
            ),
            ("x-amz-date", "20200101T000000Z"),
            ("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
            ("x-amz-security-token", "forged"),
            ("cookie", "forged=1"),
        ],
    );
    say(&format!("{result:?}"));
    if result.is_ok() { Ok(()) } else { Err(()) }
});
