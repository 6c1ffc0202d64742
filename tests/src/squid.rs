//! A real forward proxy that says much by itself: Debian's squid.

use std::fs;

use crate::daemon::Daemon;

/// A running squid, which ends when it is dropped.
#[derive(Debug)]
pub struct Squid(Daemon);

impl Squid {
    /// Starts one. With `login` it asks for credentials, and takes none.
    ///
    /// # Panics
    /// When it is not installed or does not start.
    #[must_use]
    pub fn start(login: bool) -> Self {
        Self(Daemon::start("squid", |dir, port| {
            let access = if login {
                "auth_param basic program /bin/false\nauth_param basic realm squid\nacl known proxy_auth REQUIRED\nhttp_access allow known\nhttp_access deny all\n"
            } else {
                "http_access allow all\n"
            };
            let dir = dir.display();
            let config = format!(
                "http_port 127.0.0.1:{port}\n{access}cache deny all\nconnect_timeout 2 seconds\nforward_max_tries 1\n\
                 access_log stdio:{dir}/access.log\ncache_log {dir}/cache.log\npid_filename {dir}/squid.pid\n\
                 coredump_dir {dir}\nshutdown_lifetime 0 seconds\nforwarded_for delete\ncache_effective_user proxy\n"
            );
            let file = format!("{dir}/squid.conf");
            fs::write(&file, config).expect("a file");
            ["-N", "-f", &file].map(str::to_owned).to_vec()
        }))
    }

    /// `127.0.0.1:PORT`.
    #[must_use]
    pub fn authority(&self) -> String {
        self.0.authority()
    }
}
