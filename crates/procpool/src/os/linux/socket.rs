//! The control socket: a Unix socket pair, one end here and one in the worker.
//!
//! Whether a call waits is said with each call, not set on the socket. So both ends can be used either way,
//! and a job that gets hold of a descriptor cannot change how ours behave.

use std::collections::VecDeque;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags,
    SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType,
};

use super::Attachment;
use crate::os::MOST_WAITING;

/// Room for as many descriptors as the kernel passes at once.
const CONTROL: usize = rustix::cmsg_space!(ScmRights(253));

/// One end of a control socket.
#[derive(Debug)]
pub(crate) struct Socket(OwnedFd);

/// Two ends: for the parent, and for the worker to be started.
///
/// # Errors
///
/// Out of descriptors, mostly.
pub(crate) fn socket_pair() -> io::Result<(Socket, OwnedFd)> {
    let (ours, theirs) = rustix::net::socketpair(
        AddressFamily::UNIX,
        SocketType::STREAM,
        SocketFlags::CLOEXEC,
        None,
    )?;
    Ok((Socket(ours), theirs))
}

impl From<OwnedFd> for Socket {
    fn from(end: OwnedFd) -> Socket {
        Socket(end)
    }
}

impl AsFd for Socket {
    /// For the poller. Readable: call [`Socket::try_receive`]. Writable: flush the outbox.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Socket {
    /// Sends what the socket takes now: at least one byte, or an error. Once that is done, all descriptors
    /// are on their way, however few of the bytes are.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if the socket is full, `BrokenPipe` or `ConnectionReset` if the other side is gone.
    pub(crate) fn try_send(&self, bytes: &[u8], with: &[&Attachment]) -> io::Result<usize> {
        self.send_some(bytes, with, SendFlags::DONTWAIT)
    }

    /// Sends all of it, and waits as long as that takes. For the worker.
    ///
    /// # Errors
    ///
    /// The other side is gone.
    pub(crate) fn send(&self, mut bytes: &[u8], with: &[&Attachment]) -> io::Result<()> {
        let mut with = with;
        while !bytes.is_empty() {
            let several = with.len().min(253);
            // The last byte goes with the last descriptor, no earlier.
            let end = if several < with.len() { 1 } else { bytes.len() };
            match self.send_some(&bytes[..end], &with[..several], SendFlags::empty()) {
                Ok(taken) => {
                    bytes = &bytes[taken..];
                    with = &with[several..];
                }
                // Not the socket is full, but something that it has no way to tell of when it is over.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => std::thread::yield_now(),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn send_some(&self, bytes: &[u8], with: &[&Attachment], flags: SendFlags) -> io::Result<usize> {
        let flags = flags | SendFlags::NOSIGNAL;
        loop {
            let sent = if with.is_empty() {
                rustix::net::send(&self.0, bytes, flags)
            } else {
                let descriptors: Vec<BorrowedFd<'_>> = with.iter().map(|one| one.as_fd()).collect();
                let mut space = [MaybeUninit::uninit(); CONTROL];
                let mut control = SendAncillaryBuffer::new(&mut space);
                if !control.push(SendAncillaryMessage::ScmRights(&descriptors)) {
                    return Err(io::Error::new(
                        io::ErrorKind::InvalidInput,
                        "more than 253 descriptors in one message",
                    ));
                }
                rustix::net::sendmsg(&self.0, &[IoSlice::new(bytes)], &mut control, flags)
            };
            match sent {
                Ok(taken) => return Ok(taken),
                Err(Errno::INTR) => {}
                // This user has as many descriptors on their way through sockets as the kernel allows, or the kernel has
                // no memory for a message at this moment. It passes; nothing of the message is on its way.
                Err(Errno::TOOMANYREFS | Errno::NOBUFS | Errno::NOMEM) => {
                    return Err(io::ErrorKind::WouldBlock.into());
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Receives what is there, and puts descriptors at the end of `descriptors`. Zero bytes mean that the
    /// other side has closed its end.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is nothing, `ConnectionReset` if the other side died with unread bytes. Any
    /// other error means that descriptors are lost or too many: nothing that comes later can be trusted to
    /// belong together, and the connection has to go.
    pub(crate) fn try_receive(
        &self,
        into: &mut [u8],
        descriptors: &mut VecDeque<OwnedFd>,
    ) -> io::Result<usize> {
        self.receive_some(into, descriptors, RecvFlags::DONTWAIT)
    }

    /// Waits for at least one byte. For the worker. Otherwise as [`Socket::try_receive`].
    pub(crate) fn receive(
        &self,
        into: &mut [u8],
        descriptors: &mut VecDeque<OwnedFd>,
    ) -> io::Result<usize> {
        self.receive_some(into, descriptors, RecvFlags::empty())
    }

    fn receive_some(
        &self,
        into: &mut [u8],
        descriptors: &mut VecDeque<OwnedFd>,
        flags: RecvFlags,
    ) -> io::Result<usize> {
        let mut space = [MaybeUninit::uninit(); CONTROL];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let received = loop {
            match rustix::net::recvmsg(
                &self.0,
                &mut [IoSliceMut::new(into)],
                &mut control,
                flags | RecvFlags::CMSG_CLOEXEC,
            ) {
                Ok(received) => break received,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        };
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(several) = message {
                descriptors.extend(several);
            }
        }
        if received.flags.contains(ReturnFlags::CTRUNC) {
            return Err(io::Error::other(
                "descriptors were lost on the way: this process has no room for more open files",
            ));
        }
        if descriptors.len() > MOST_WAITING {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the other side sends descriptors that no message speaks of",
            ));
        }
        Ok(received.bytes)
    }
}
