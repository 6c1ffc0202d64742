//! The signer against AWS's published examples and against `aws-sigv4`.

use super::*;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use proptest::prelude::*;
use std::time::{Duration, UNIX_EPOCH};

fn credentials(access: &str, secret: &str, token: Option<&str>) -> Credentials {
    Credentials {
        access_key: access.into(),
        secret_key: Secret::new(secret),
        session_token: token.map(Secret::new),
    }
}

/// "Example: GET Bucket Lifecycle" and "GET Bucket (List Objects)" of the S3 documentation page
/// on header-based authentication: key AKIAIOSFODNN7EXAMPLE, 2013-05-24T00:00:00Z, us-east-1.
#[test]
fn the_published_s3_examples_have_the_published_signatures() {
    let keys =
        credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", None);
    let mut signer = Signer::new(keys, "us-east-1");
    for (query, signature) in [
        ("lifecycle", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        ("max-keys=2&prefix=J", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
    ] {
        let request = Unsigned {
            method: "GET",
            path: "/",
            query,
            host: "examplebucket.s3.amazonaws.com",
            headers: &[],
        };
        let signed = signer.sign(&request, 1_369_353_600);
        assert_eq!(signed.date, "20130524T000000Z");
        assert_eq!(
            signed.authorization,
            format!(
                "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, \
                 SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature={signature}"
            )
        );
    }
}

#[test]
fn a_new_day_and_a_new_region_change_the_signing_key() {
    let mut signer = Signer::new(credentials("AKIA", "secretsecret", None), "us-east-1");
    let request = Unsigned {
        method: "HEAD",
        path: "/b/k",
        query: "versionId=null",
        host: "h:9000",
        headers: &[],
    };
    let first = signer.sign(&request, 86_399).authorization;
    let next_day = signer.sign(&request, 86_400).authorization;
    signer.set_region("eu-west-1");
    let other_region = signer.sign(&request, 86_400).authorization;
    signer.set_region("us-east-1");
    assert_ne!(first, next_day);
    assert!(other_region.contains("/eu-west-1/s3/"));
    assert_eq!(signer.sign(&request, 86_399).authorization, first);
}

proptest! {
    #[test]
    fn every_request_is_signed_as_aws_sigv4_signs_it(
        key in "\\PC{1,40}",
        version in proptest::option::of("[0-9a-f-]{1,36}"),
        prefix in proptest::option::of("\\PC{0,20}"),
        token in proptest::option::of("[A-Za-z0-9+/=]{1,60}"),
        mtime in proptest::option::of("[ -~]{0,30}"),
        unix in 0u64..4_000_000_000,
        region in "[a-z]{2}-[a-z]{4}-[1-9]",
    ) {
        let mut path = String::from("/bucket/");
        crate::wire::encode::path(&mut path, &key);
        let mut query = String::new();
        if let Some(version) = &version {
            query.push_str("versionId=");
            query.push_str(version);
        }
        if let Some(prefix) = &prefix {
            if !query.is_empty() { query.push('&'); }
            query.push_str("prefix=");
            crate::wire::encode::query_value(&mut query, prefix);
        }
        let headers: Vec<(&str, &str)> =
            mtime.iter().map(|mtime| ("x-minio-source-mtime", mtime.as_str())).collect();

        let mut signer = Signer::new(credentials("AKIA", "secret/key+", token.as_deref()), &region);
        let ours = signer.sign(
            &Unsigned { method: "PUT", path: &path, query: &query, host: "h:9000", headers: &headers },
            unix,
        );

        let identity = aws_credential_types::Credentials::new("AKIA", "secret/key+", token.clone(), None, "test").into();
        let mut settings = SigningSettings::default();
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&region)
            .name("s3")
            .time(UNIX_EPOCH + Duration::from_secs(unix))
            .settings(settings)
            .build()
            .unwrap()
            .into();
        let url = if query.is_empty() {
            format!("http://h:9000{path}")
        } else {
            format!("http://h:9000{path}?{query}")
        };
        let request = SignableRequest::new("PUT", &url, headers.iter().copied(), SignableBody::Bytes(b"")).unwrap();
        let (instructions, _) = sign(request, &parameters).unwrap().into_parts();
        let theirs = instructions.headers().find(|(name, _)| *name == "authorization").unwrap().1;
        prop_assert_eq!(ours.authorization, theirs);
    }
}
