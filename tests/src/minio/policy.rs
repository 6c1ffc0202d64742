//! Who may do what on the source: users with a policy of their own, service accounts, temporary
//! keys.

use super::client::{Client, Keys, encode_query};
use super::pair::Pair;
use super::xml::text_of;

/// Long enough for any test, and the least the server grants is 15 minutes.
const SESSION_SECONDS: u32 = 3600;
/// Every user made here has this secret: nobody else can reach these servers.
const SECRET: &str = "a-secret-for-tests";

impl Pair {
    /// Makes a user on the source whose rights are exactly the given policy document.
    ///
    /// # Panics
    /// When the source refuses the user or the policy.
    pub fn admin_user(&self, name: &str, policy: &str) -> Keys {
        let rights = format!("{name}-rights");
        let keys = Keys::new(name, SECRET);
        let client = self.source_client();
        let create = format!("/minio/admin/v3/add-canned-policy?name={}", encode_query(&rights));
        let _ = client.send("PUT", &create, &[], policy.as_bytes()).ok("create a policy");
        self.mc().run(&["admin", "user", "add", "source", &keys.access, &keys.secret]);
        attach_policy(&client, &rights, &keys.access);
        keys
    }

    /// Makes a service account with all the rights of `parent`, who must be a user of the source
    /// (root is one).
    ///
    /// # Panics
    /// When the source refuses.
    pub fn service_account(&self, parent: &Keys, name: &str) -> Keys {
        let keys = Keys::new(name, SECRET);
        self.mc().run(&[
            "admin",
            "user",
            "svcacct",
            "add",
            "source",
            &parent.access,
            "--access-key",
            &keys.access,
            "--secret-key",
            &keys.secret,
        ]);
        keys
    }

    /// Temporary keys for a user of the source (`AssumeRole`), with all the user's rights.
    ///
    /// # Panics
    /// When the source refuses, as it does for root.
    pub fn assume_role(&self, user: &Keys) -> Keys {
        let form =
            format!("Action=AssumeRole&Version=2011-06-15&DurationSeconds={SESSION_SECONDS}");
        self.sts(user, &form)
    }

    /// Like [`Pair::assume_role`], with rights narrowed down to a policy document.
    ///
    /// # Panics
    /// When the source refuses.
    pub fn assume_role_with_policy(&self, user: &Keys, policy: &str) -> Keys {
        let policy = encode_query(policy);
        let form = format!(
            "Action=AssumeRole&Version=2011-06-15&DurationSeconds={SESSION_SECONDS}&Policy={policy}"
        );
        self.sts(user, &form)
    }

    fn sts(&self, user: &Keys, form: &str) -> Keys {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let client = self.source().client_for(user.clone());
        let reply = client
            .try_send("sts", "POST", "/", &headers, form.as_bytes())
            .expect("an answer to AssumeRole");
        let answer = reply.ok("AssumeRole").text();
        Keys {
            access: text_of(&answer, "AccessKeyId"),
            secret: text_of(&answer, "SecretAccessKey"),
            token: Some(text_of(&answer, "SessionToken")),
        }
    }
}

/// Gives a user a policy. `mc admin policy attach` does it by a newer request that both sides
/// encrypt, which takes a second.
pub(super) fn attach_policy(client: &Client, policy: &str, user: &str) {
    let target = format!(
        "/minio/admin/v3/set-user-or-group-policy?isGroup=false&policyName={}&userOrGroup={}",
        encode_query(policy),
        encode_query(user)
    );
    let _ = client.send("PUT", &target, &[], b"").ok("attach a policy");
}
