//! A real OpenID provider on loopback: dex, with one user.

use serde_json::Value;

use crate::daemon::Daemon;
use crate::minio::workspace_root;

/// The client that tokens are made for, their audience.
const CLIENT: &str = "minio";
const CLIENT_SECRET: &str = "a-secret-of-the-tests";

const USER: &str = "pod@example.net";
const PASSWORD: &str = "a-password-of-the-tests";
/// bcrypt of the password.
const HASH: &str = "$2a$10$2O15wIUAfpD58Qe3ZeLjiO7fbJNYOQ9lU7XZr7m2t8.ML2m4NX/cy";

/// A running provider.
#[derive(Debug)]
pub struct Dex(Daemon);

impl Dex {
    /// Starts one whose tokens are good for so many seconds.
    ///
    /// # Panics
    /// When it is not built, or does not start.
    #[must_use]
    pub fn start(lifetime: u32) -> Self {
        let program = workspace_root().join("target/tools/bin/dex");
        assert!(program.is_file(), "dex is missing; install it with: cargo xtask tools");
        Self(Daemon::start(&program.display().to_string(), |folder, port| {
            let configuration = format!(
                "issuer: http://127.0.0.1:{port}/dex\n\
                 storage: {{type: memory}}\n\
                 web: {{http: '127.0.0.1:{port}'}}\n\
                 oauth2: {{passwordConnector: local, skipApprovalScreen: true}}\n\
                 expiry: {{idTokens: {lifetime}s}}\n\
                 enablePasswordDB: true\n\
                 staticPasswords: [{{email: {USER}, hash: '{HASH}', username: pod, userID: '1'}}]\n\
                 staticClients: [{{id: {CLIENT}, secret: {CLIENT_SECRET}, name: MinIO, redirectURIs: ['http://127.0.0.1/']}}]\n"
            );
            let file = folder.join("dex.yaml");
            std::fs::write(&file, configuration).expect("a configuration");
            vec!["serve".to_owned(), file.display().to_string()]
        }))
    }

    /// What a MinIO server has to be told of it, as variables; who comes with a token has this policy.
    #[must_use]
    pub fn variables(&self, policy: &str) -> Vec<(&'static str, String)> {
        let discovery = format!("{}/.well-known/openid-configuration", self.issuer());
        vec![
            ("MINIO_IDENTITY_OPENID_CONFIG_URL", discovery),
            ("MINIO_IDENTITY_OPENID_CLIENT_ID", CLIENT.to_owned()),
            ("MINIO_IDENTITY_OPENID_CLIENT_SECRET", CLIENT_SECRET.to_owned()),
            ("MINIO_IDENTITY_OPENID_ROLE_POLICY", policy.to_owned()),
        ]
    }

    /// A new token of the user.
    ///
    /// # Panics
    /// When it gives none.
    #[must_use]
    pub fn token(&self) -> String {
        let form = format!(
            "grant_type=password&scope=openid&username={USER}&password={PASSWORD}&client_id={CLIENT}&client_secret={CLIENT_SECRET}"
        );
        let answer = ureq::post(format!("{}/token", self.issuer()))
            .header("content-type", "application/x-www-form-urlencoded")
            .send(form.as_bytes());
        let text = answer.expect("a token").body_mut().read_to_string().expect("a token");
        let answer: Value = serde_json::from_str(&text).expect("JSON");
        answer["id_token"].as_str().expect("an id_token").to_owned()
    }

    fn issuer(&self) -> String {
        format!("http://{}/dex", self.0.authority())
    }
}
