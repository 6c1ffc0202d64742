//! `NO_PROXY` by the rules of Go's `httpproxy`, which are mc's.
//!
//! Entries are separated by commas. `*` is everything; `10.0.0.0/8` a network; an address is itself; a
//! name is itself and what is below it; a name after a dot or `*.` only what is below it. An address or
//! a name may have a port, and then counts for that port only.
//!
//! Source: <https://pkg.go.dev/golang.org/x/net/http/httpproxy#Config>.

use ipnet::IpNet;
use resync_core::wire::Endpoint;
use std::net::IpAddr;

/// Whether `server` is asked without a proxy.
pub(crate) fn exempts(list: &str, server: &Endpoint) -> bool {
    let host = server.bare_host().to_ascii_lowercase();
    let host = host.trim_end_matches('.');
    let address = host.parse::<IpAddr>().ok().map(|address| address.to_canonical());
    list.split(',').any(|entry| {
        let entry = entry.trim().to_ascii_lowercase();
        if entry == "*" {
            return true;
        }
        if let Ok(network) = entry.parse::<IpNet>() {
            return address.is_some_and(|address| network.contains(&address));
        }
        let (name, port) = split(&entry);
        if port.is_some_and(|port| port.parse() != Ok(server.port())) {
            return false;
        }
        match (name.parse::<IpAddr>(), address) {
            (Ok(named), Some(address)) => named.to_canonical() == address,
            (Err(_), None) => covers(name, host),
            _ => false,
        }
    })
}

/// Whether a name of the list is that of this host, or of a domain that it is in.
fn covers(name: &str, host: &str) -> bool {
    let below = name.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(name);
    match below.strip_prefix('.') {
        Some(domain) => is_below(host, domain),
        None => !name.is_empty() && (host == name || is_below(host, name)),
    }
}

fn is_below(host: &str, domain: &str) -> bool {
    !domain.is_empty() && host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}

/// Name and port of an entry. The colons of a bare IPv6 address belong to the address.
fn split(entry: &str) -> (&str, Option<&str>) {
    if let Some(rest) = entry.strip_prefix('[') {
        let (name, port) = rest.split_once(']').unwrap_or((rest, ""));
        return (name, port.strip_prefix(':'));
    }
    match entry.split_once(':') {
        Some((name, port)) if !port.contains(':') => (name, Some(port)),
        _ => (entry, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_as_go_reads_them() {
        for (list, server, exempt) in [
            ("*.example.test", "http://minio.example.test:20211", true),
            (
                "localhost,127.0.0.1,*.example.test,10.0.0.0/8",
                "http://minio.example.test:20211",
                true,
            ),
            ("*.example.test:9999", "http://minio.example.test:20211", false),
            ("*.example.test:20211", "http://minio.example.test:20211", true),
            (".example.test", "http://minio.example.test:20211", true),
            (".example.test:20211", "http://minio.example.test:20211", true),
            ("example.test", "http://minio.example.test:20211", true),
            ("EXAMPLE.Test", "http://minio.example.test", true),
            ("MINIO.EXAMPLE.TEST", "http://minio.example.test:20211", true),
            ("minio.example.test:20211", "http://minio.example.test:20211", true),
            ("minio.example.test:443", "https://minio.example.test", true),
            ("minio.example.test:80", "https://minio.example.test", false),
            ("minio.example.test", "https://Minio.Example.TEST", true),
            // Below the domain only, and never a part of a label.
            (".example.test", "http://example.test", false),
            ("*.example.test", "http://example.test", false),
            ("ample.test", "http://example.test", false),
            ("mini*.example.test", "http://minio.example.test", false),
            ("*example.test", "http://minio.example.test", false),
            ("*", "http://10.1.2.3", true),
            (" x , * ", "http://minio.example.test", true),
            ("10.0.0.0/8", "http://10.1.2.3:9000", true),
            ("10.0.0.0/16", "http://10.1.2.3:9000", false),
            ("10.1.2.3", "http://10.1.2.3:9000", true),
            ("10.1.2.3:9000", "http://10.1.2.3:9000", true),
            ("10.1.2.3:9001", "http://10.1.2.3:9000", false),
            ("fd00::1", "http://[fd00::1]:9000", true),
            ("[fd00::1]:9000", "http://[fd00::1]:9000", true),
            ("[fd00::1]", "http://[fd00::1]:9000", true),
            ("[fd00::1]:9001", "http://[fd00::1]:9000", false),
            ("fd00::/8", "http://[fd00::1]:9000", true),
            ("2.3", "http://10.1.2.3", false),
            ("", "http://minio.example.test", false),
            (",, ,", "http://minio.example.test", false),
            (":9000", "http://minio.example.test:9000", false),
            (".", "http://minio.example.test", false),
            ("*.", "http://minio.example.test", false),
        ] {
            let server = Endpoint::parse(server).unwrap();
            assert_eq!(exempts(list, &server), exempt, "{list:?} {server}");
        }
    }
}
