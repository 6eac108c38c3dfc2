//! A port on this machine, for the book: free, and one can talk through it.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;

use crate::serve;

use super::finding::Finding;
use super::visit::Visit;

/// Within this machine an answer takes microseconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// The port.
pub fn port(_visit: &Visit) -> Finding {
    judge(serve::PORT)
}

fn judge(wanted: u16) -> Finding {
    let what = "port";
    let (said, listener) = match TcpListener::bind((Ipv4Addr::LOCALHOST, wanted)) {
        Ok(listener) => (format!("Port {wanted} is free"), Ok(listener)),
        Err(_) => (
            format!("Port {wanted} is in use; the next free one will be taken"),
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)),
        ),
    };
    match listener.and_then(talk) {
        Ok(()) => Finding::ok(what, format!("{said}, and one can talk through it.")),
        Err(error) => Finding::mend(
            what,
            format!("No port can be opened and reached on 127.0.0.1 ({error})."),
            "let this program listen on 127.0.0.1 in your firewall or sandbox",
        ),
    }
}

fn talk(listener: TcpListener) -> io::Result<()> {
    let mut guest = TcpStream::connect_timeout(&listener.local_addr()?, PATIENCE)?;
    let (mut waiter, _) = listener.accept()?;
    guest.write_all(b"soup")?;
    waiter.set_read_timeout(Some(PATIENCE))?;
    let mut order = [0; 4];
    waiter.read_exact(&mut order)?;
    match &order {
        b"soup" => Ok(()),
        _ => Err(io::Error::other("what arrived is not what was sent")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::State;

    #[test]
    fn a_port_in_use_is_said_and_another_one_serves() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let finding = judge(taken.local_addr().unwrap().port());
        assert_eq!(finding.state, State::Ok, "{finding:?}");
        assert!(finding.found.contains("in use"), "{finding:?}");
    }
}
