//! A real nginx in front of a server: as a proxy that buffers, caches, redirects, or speaks the wrong
//! version of HTTP.

use std::fs;

use crate::daemon::Daemon;

/// A running nginx, which ends when it is dropped.
#[derive(Debug)]
pub struct Nginx(Daemon);

impl Nginx {
    /// Starts one. `http` is what stands inside its `http` block before the server, such as
    /// `proxy_cache_path cache keys_zone=c:1m;` (paths are those of its folder); `server` is what stands
    /// inside its `server` block, beside `listen`. It may say `PORT` for its port.
    ///
    /// # Panics
    /// When it is not installed or does not start.
    #[must_use]
    pub fn start(http: &str, server: &str) -> Self {
        Self::listening("", http, server)
    }

    /// Like [`Nginx::start`], with more after the address in `listen`, such as `ssl`.
    ///
    /// # Panics
    /// When it is not installed or does not start.
    #[must_use]
    pub fn listening(listen: &str, http: &str, server: &str) -> Self {
        Self(Daemon::start("nginx", |dir, port| {
            let server = server.replace("PORT", &port.to_string());
            let config = format!(
                "daemon off; master_process off; pid nginx.pid; error_log error.log info;
events {{ worker_connections 4096; }}
http {{
  access_log access.log;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  {http}
  server {{ listen 127.0.0.1:{port} {listen}; {server} }}
}}
"
            );
            fs::write(dir.join("nginx.conf"), config).expect("a file");
            let dir = dir.display().to_string();
            ["-p", &dir, "-c", "nginx.conf", "-e", "error.log"].map(str::to_owned).to_vec()
        }))
    }

    /// `127.0.0.1:PORT`.
    #[must_use]
    pub fn authority(&self) -> String {
        self.0.authority()
    }

    /// What it wrote into a file of its folder: `access.log`, `error.log`.
    #[must_use]
    pub fn file(&self, name: &str) -> String {
        self.0.file(name)
    }
}
