//! Who may ask what. Every request passes here before it reaches a route.
//!
//! A server on localhost can be reached by any page that the browser has open. Three checks keep such pages out:
//!
//! - `Host` must be ours, or a page on another name could have its name resolved to this machine (DNS rebinding);
//! - `Origin`, where a browser sends one, must be ours;
//! - what changes or starts something, and what tells about the learner, needs the token, which only our own pages can read
//!   (it comes as JSON, never as a script, and without any cross-origin permission).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use hyper::header::{HOST, HeaderMap, ORIGIN};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};

use super::routes::Refusal;

/// The name of the header that carries the token.
pub const TOKEN_HEADER: &str = "x-loopbot-token";

/// What the checks compare with.
pub struct Gate {
    address: SocketAddr,
    token: String,
}

impl Gate {
    pub fn new(address: SocketAddr, token: String) -> Gate {
        Gate { address, token }
    }

    pub fn token(&self) -> &str {
        &self.token
    }

    /// Lets the request through, or says in one sentence why not.
    pub fn admit(&self, request: &Parts) -> Result<(), Refusal> {
        let host = only(&request.headers, HOST.as_str()).ok_or_else(|| {
            forbidden("This server answers requests with exactly one Host header.")
        })?;
        // A request line with a full address names its host there, too.
        let named = request.uri.authority().map(|authority| authority.as_str());
        if !self.is_us(host) || named.is_some_and(|named| !self.is_us(named)) {
            return Err(forbidden(&format!(
                "This server answers to its own address only; open http://localhost:{}/ instead.",
                self.address.port()
            )));
        }
        if request.headers.contains_key(ORIGIN) {
            let ours = only(&request.headers, ORIGIN.as_str())
                .and_then(|origin| origin.strip_prefix("http://"))
                .is_some_and(|origin| self.is_us(origin));
            if !ours {
                return Err(forbidden(
                    "This server answers its own pages only, not pages from elsewhere.",
                ));
            }
        }
        if request.method == Method::POST {
            self.trust(request)?;
        }
        Ok(())
    }

    /// Lets only those through who have the token: what the learner does is for their own pages.
    pub fn trust(&self, request: &Parts) -> Result<(), Refusal> {
        if self.token_matches(&request.headers) {
            return Ok(());
        }
        Err(forbidden(
            "The token is missing or from an earlier start: reload the page.",
        ))
    }

    /// Whether `host` (name or address, with port) is where this server listens.
    fn is_us(&self, host: &str) -> bool {
        let port = self.address.port();
        // Browsers leave out the port when it is the scheme's own.
        let name = match host.rsplit_once(':') {
            Some((name, number)) if number.parse() == Ok(port) => name,
            None if port == 80 => host,
            _ => return false,
        };
        if name.eq_ignore_ascii_case("localhost") {
            return true;
        }
        let ip = match name
            .strip_prefix('[')
            .and_then(|name| name.strip_suffix(']'))
        {
            Some(six) => six.parse::<Ipv6Addr>().map(IpAddr::V6),
            None => name.parse::<Ipv4Addr>().map(IpAddr::V4),
        };
        // Bound to all addresses, each of them is ours. A name could be anybody's, so names stay out.
        ip.is_ok_and(|ip| {
            ip == self.address.ip() || ip.is_loopback() || self.address.ip().is_unspecified()
        })
    }

    fn token_matches(&self, headers: &HeaderMap) -> bool {
        let Some(given) = only(headers, TOKEN_HEADER) else {
            return false;
        };
        // Compared without an early exit, so that the time taken says nothing about how much of it was right.
        given.len() == self.token.len()
            && given
                .bytes()
                .zip(self.token.bytes())
                .fold(0, |differences, (a, b)| differences | (a ^ b))
                == 0
    }
}

fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

fn forbidden(sentence: &str) -> Refusal {
    Refusal::new(StatusCode::FORBIDDEN, sentence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::Request;

    fn gate(address: &str) -> Gate {
        Gate::new(address.parse().unwrap(), "0123456789abcdef".into())
    }

    fn ask(method: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().method(method).uri("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn hosts_that_are_ours_come_in() {
        let here = gate("127.0.0.1:4470");
        for host in [
            "127.0.0.1:4470",
            "localhost:4470",
            "LOCALHOST:4470",
            "[::1]:4470",
        ] {
            assert!(here.admit(&ask("GET", &[("host", host)])).is_ok(), "{host}");
        }
        assert!(
            gate("0.0.0.0:4470")
                .admit(&ask("GET", &[("host", "192.168.1.7:4470")]))
                .is_ok()
        );
        assert!(
            gate("127.0.0.1:80")
                .admit(&ask("GET", &[("host", "localhost")]))
                .is_ok()
        );
    }

    #[test]
    fn other_hosts_stay_out() {
        let here = gate("127.0.0.1:4470");
        for host in [
            "evil.example:4470",
            "localhost.evil.example:4470",
            "localhost:80",
            "localhost",
            "127.0.0.1",
            "",
            ":4470",
            "192.168.1.7:4470",
            "[::1:4470",
            "localhost:4470.evil.example",
            "user@localhost:4470",
            "localhost:04470x",
        ] {
            assert!(
                here.admit(&ask("GET", &[("host", host)])).is_err(),
                "{host}"
            );
        }
        assert!(
            gate("0.0.0.0:4470")
                .admit(&ask("GET", &[("host", "evil.example:4470")]))
                .is_err()
        );
        assert!(here.admit(&ask("GET", &[])).is_err(), "no host at all");
        assert!(
            here.admit(&ask(
                "GET",
                &[("host", "localhost:4470"), ("host", "evil.example")]
            ))
            .is_err(),
            "two hosts"
        );
    }

    #[test]
    fn other_origins_stay_out() {
        let here = gate("127.0.0.1:4470");
        let with = |origin| {
            here.admit(&ask(
                "GET",
                &[("host", "localhost:4470"), ("origin", origin)],
            ))
        };
        assert!(with("http://localhost:4470").is_ok());
        assert!(with("http://127.0.0.1:4470").is_ok());
        for origin in [
            "null",
            "http://evil.example",
            "https://localhost:4470",
            "http://localhost:4471",
            "localhost:4470",
        ] {
            assert!(with(origin).is_err(), "{origin}");
        }
    }

    #[test]
    fn a_post_needs_the_token() {
        let here = gate("127.0.0.1:4470");
        let with = |token| {
            here.admit(&ask(
                "POST",
                &[("host", "localhost:4470"), (TOKEN_HEADER, token)],
            ))
        };
        assert!(with("0123456789abcdef").is_ok());
        for token in [
            "",
            "0123456789abcde",
            "0123456789abcdeF",
            "0123456789abcdef0",
        ] {
            assert!(with(token).is_err(), "{token}");
        }
        assert!(
            here.admit(&ask("POST", &[("host", "localhost:4470")]))
                .is_err()
        );
    }
}
