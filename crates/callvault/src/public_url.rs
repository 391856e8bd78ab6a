//! Whether the address that a server gives as its own can be that of its listener.

use std::net::SocketAddr;

use reqwest::Url;

/// What a server that listens there, speaking `https` or `http`, should be told of its `server.public_url`. A
/// proxy may stand before it, which listens elsewhere and speaks TLS for it, so a name of another machine is
/// told only where no proxy explains it.
pub(crate) fn warning(url: &str, scheme: &str, listener: &SocketAddr) -> Option<String> {
    let parsed = Url::parse(url).ok()?;
    let (named, host, port) =
        (parsed.scheme(), parsed.host_str()?, parsed.port_or_known_default()?);
    let both = format!(
        "server.public_url is {url}, and the server listens on {scheme}://{listener}: links and token endpoints begin \
         with the first"
    );
    if named == "http" && scheme == "https" {
        return Some(format!("{both}, which does not speak TLS"));
    }
    let is_local = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    let is_another = port != listener.port() || named != scheme;
    (is_local && is_another).then(|| format!("{both}, so a proxy has to pass it on"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_that_is_not_that_of_the_listener_is_told_where_no_proxy_is_likely() {
        let listener = "127.0.0.1:8444".parse().unwrap();
        let is_told = |url: &str, scheme: &str| warning(url, scheme, &listener).is_some();
        for (url, scheme) in [
            ("https://localhost:8443", "https"),
            ("https://localhost", "https"),
            ("https://localhost:8444", "http"),
            ("http://calls.contoso.com", "https"),
            ("http://[::1]/calls", "http"),
        ] {
            assert!(is_told(url, scheme), "{url} {scheme}");
        }
        for (url, scheme) in [
            ("https://localhost:8444", "https"),
            ("http://127.0.0.1:8444/", "http"),
            ("https://calls.contoso.com", "http"),
            ("https://calls.contoso.com:9443/vault", "https"),
            ("http://[::1]:8444", "http"),
        ] {
            assert!(!is_told(url, scheme), "{url} {scheme}");
        }
    }
}
