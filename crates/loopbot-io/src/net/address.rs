//! What can be said when an address is asked for.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use super::lookup::lookup;

/// An address, several, or a name and a port: `"localhost:8080"`, `("::1", 8080)`, a [`SocketAddr`], a slice of them.
///
/// It is std's [`ToSocketAddrs`](std::net::ToSocketAddrs) without the wait: names are looked up by
/// [`lookup`], which does not hold LoopBot up.
pub trait ToAddresses: sealed::Said {}

impl<T: sealed::Said + ?Sized> ToAddresses for T {}

pub(crate) mod sealed {
    use std::io;
    use std::net::SocketAddr;

    /// What was said, as far as that is known without asking anybody.
    pub enum Addresses {
        Known(Vec<SocketAddr>),
        Named(String, u16),
    }

    pub trait Said {
        fn said(&self) -> io::Result<Addresses>;
    }
}
use sealed::{Addresses, Said};

/// The addresses meant by `said`: at least one.
pub(crate) async fn addresses(said: io::Result<Addresses>) -> io::Result<Vec<SocketAddr>> {
    let found = match said? {
        Addresses::Known(known) => known,
        Addresses::Named(host, port) => lookup(&host, port).await?,
    };
    if found.is_empty() {
        let nothing = "no address was given: there must be at least one";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, nothing));
    }
    Ok(found)
}

macro_rules! said {
    ($($Type:ty: |$this:ident| $said:expr;)*) => {$(
        impl Said for $Type {
            fn said(&self) -> io::Result<Addresses> {
                let $this = self;
                $said
            }
        }
    )*};
}

said! {
    SocketAddr: |this| Ok(Addresses::Known(vec![*this]));
    SocketAddrV4: |this| SocketAddr::from(*this).said();
    SocketAddrV6: |this| SocketAddr::from(*this).said();
    (IpAddr, u16): |this| SocketAddr::from(*this).said();
    (Ipv4Addr, u16): |this| SocketAddr::from(*this).said();
    (Ipv6Addr, u16): |this| SocketAddr::from(*this).said();
    [SocketAddr]: |this| Ok(Addresses::Known(this.to_vec()));
    Vec<SocketAddr>: |this| this[..].said();
    (&str, u16): |this| Ok(Addresses::Named(this.0.to_owned(), this.1));
    (String, u16): |this| (this.0.as_str(), this.1).said();
    String: |this| this.as_str().said();
    str: |this| parse(this);
}

impl<const N: usize> Said for [SocketAddr; N] {
    fn said(&self) -> io::Result<Addresses> {
        self[..].said()
    }
}

impl<T: Said + ?Sized> Said for &T {
    fn said(&self) -> io::Result<Addresses> {
        (**self).said()
    }
}

fn parse(said: &str) -> io::Result<Addresses> {
    if let Ok(address) = said.parse::<SocketAddr>() {
        return address.said();
    }
    if let Some((host, port)) = said.rsplit_once(':')
        && let Ok(port) = port.parse()
    {
        return (host, port).said();
    }
    let sentence =
        format!("{said:?} is no address: write a host and a port, such as \"localhost:8080\"");
    Err(io::Error::new(io::ErrorKind::InvalidInput, sentence))
}
