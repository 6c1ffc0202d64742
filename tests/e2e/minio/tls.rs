//! TLS to a real MinIO: which certificates are accepted, and what is said of each that is not.

use std::path::Path;

use crate::mc_wasi_at;
use mc_wasi_tests::mcwasi::Ran;
use mc_wasi_tests::minio::{Certs, Minio, MinioOptions};
use tempfile::TempDir;

/// A folder of the configuration that trusts a certificate.
fn trusting(pem: &Path) -> TempDir {
    let folder = TempDir::new().expect("a folder");
    let authorities = folder.path().join("certs/CAs");
    std::fs::create_dir_all(&authorities).expect("a folder");
    std::fs::copy(pem, authorities.join("minio.crt")).expect("a copy");
    // What is no certificate is passed over, as in mc.
    std::fs::write(authorities.join("notes.txt"), "no certificate").expect("a file");
    folder
}

fn minio(certs: Certs) -> Minio {
    Minio::start(MinioOptions::default().tls(certs))
}

fn run(minio: &Minio, flags: &[&str]) -> Ran {
    mc_wasi_at(&minio.alias_url(minio.root())).run(&[&["a/nobucket"], flags].concat())
}

/// The server answered that there is no such bucket: TLS stood, and the signature was right.
fn is_served(ran: &Ran) -> bool {
    ran.stderr.contains("The specified bucket does not exist")
}

#[track_caller]
fn assert_refused(ran: &Ran, said: &[&str]) {
    assert_eq!(ran.status, 1, "{ran:?}");
    assert_eq!(ran.stderr.lines().count(), 1, "{ran:?}");
    for said in said {
        assert!(ran.stderr.contains(said), "{said:?} is not in {}", ran.stderr);
    }
}

#[test]
fn an_unknown_authority_is_refused_until_it_is_trusted_in_one_of_four_ways() {
    let minio = minio(Certs::generate());
    let pem = minio.certs().expect("its certificate").ca_file();
    let remedy = "signed by an unknown authority; put the authority's PEM file into <config-dir>/certs/CAs/, or use --insecure";
    assert_refused(&run(&minio, &[]), &["the certificate of 127.0.0.1 is", remedy]);

    let folder = trusting(&pem);
    let config = folder.path().to_string_lossy().into_owned();
    assert!(is_served(&run(&minio, &["-C", &config])), "{:?}", run(&minio, &["-C", &config]));
    assert!(is_served(&run(&minio, &["--insecure"])));
    let url = minio.alias_url(minio.root());
    let by_file = mc_wasi_at(&url).env("SSL_CERT_FILE", &pem.to_string_lossy());
    assert!(is_served(&by_file.run(&["a/nobucket"])));
    let by_folder =
        mc_wasi_at(&url).env("SSL_CERT_DIR", &folder.path().join("certs/CAs").to_string_lossy());
    assert!(is_served(&by_folder.run(&["a/nobucket"])), "{:?}", by_folder.run(&["a/nobucket"]));
}

#[test]
fn an_expired_certificate_is_called_expired() {
    let minio = minio(Certs::expired());
    let folder = trusting(&minio.certs().expect("its certificate").ca_file());
    let config = folder.path().to_string_lossy().into_owned();
    assert_refused(&run(&minio, &["-C", &config]), &["has expired; renew it, or use --insecure"]);
    assert!(is_served(&run(&minio, &["--insecure"])));
}

#[test]
fn a_certificate_of_the_future_points_at_the_clock() {
    let minio = minio(Certs::not_yet_valid());
    let folder = trusting(&minio.certs().expect("its certificate").ca_file());
    let config = folder.path().to_string_lossy().into_owned();
    let ran = run(&minio, &["-C", &config]);
    assert_refused(&ran, &["is not valid yet; check the clock of this machine"]);
}

#[test]
fn a_certificate_for_another_name_is_refused_and_resolve_is_the_remedy() {
    let minio = minio(Certs::for_names(&["minio.example"]));
    let folder = trusting(&minio.certs().expect("its certificate").ca_file());
    let config = folder.path().to_string_lossy().into_owned();
    let ran = run(&minio, &["-C", &config]);
    assert_refused(
        &ran,
        &["the certificate is not for 127.0.0.1", "--resolve can keep the address"],
    );

    let port = minio.authority().rsplit(':').next().expect("a port").to_owned();
    let url = minio.alias_url(minio.root()).replace("127.0.0.1", "minio.example");
    for entry in [format!("minio.example:{port}=127.0.0.1"), "minio.example=127.0.0.1".to_owned()] {
        let ran = mc_wasi_at(&url).run(&["-C", &config, "--resolve", &entry, "a/nobucket"]);
        assert!(is_served(&ran), "the name is kept for TLS and Host: {ran:?}");
    }
}

#[test]
fn a_certificate_that_is_its_own_authority_is_accepted_as_by_mc() {
    let minio = minio(Certs::as_authority(&["127.0.0.1", "localhost"]));
    assert_refused(&run(&minio, &[]), &["is an authority of its own that is not known here"]);
    let folder = trusting(&minio.certs().expect("its certificate").ca_file());
    let config = folder.path().to_string_lossy().into_owned();
    assert!(is_served(&run(&minio, &["-C", &config])), "{:?}", run(&minio, &["-C", &config]));
    // Another of the same kind is not.
    let other = Certs::as_authority(&["127.0.0.1"]);
    let config = trusting(&other.ca_file());
    let ran = run(&minio, &["-C", &config.path().to_string_lossy()]);
    assert_refused(&ran, &["is an authority of its own that is not known here"]);
}

#[test]
fn a_certificate_that_is_its_own_authority_must_still_be_valid_and_for_the_name() {
    let minio = minio(Certs::as_authority(&["minio.example"]));
    let folder = trusting(&minio.certs().expect("its certificate").ca_file());
    let config = folder.path().to_string_lossy().into_owned();
    assert_refused(&run(&minio, &["-C", &config]), &["the certificate is not for 127.0.0.1"]);

    let minio = self::minio(Certs::as_expired_authority());
    let folder = trusting(&minio.certs().expect("its certificate").ca_file());
    let config = folder.path().to_string_lossy().into_owned();
    assert_refused(&run(&minio, &["-C", &config]), &["has expired"]);
}

#[test]
fn the_wrong_scheme_is_told_apart_both_ways() {
    let tls = minio(Certs::generate());
    let url = tls.alias_url(tls.root()).replace("https://", "http://");
    let ran = mc_wasi_at(&url).run(&["a/nobucket"]);
    assert_refused(&ran, &["the server speaks TLS on this port", "https://"]);

    let plain = Minio::start(MinioOptions::default());
    let url = plain.alias_url(plain.root()).replace("http://", "https://");
    let ran = mc_wasi_at(&url).run(&["a/nobucket"]);
    assert_refused(&ran, &["does not speak TLS on this port", "http://"]);
}
