//! What has been written to a worker, and not been taken by its socket yet.
//!
//! The parent writes without waiting. A worker that is busy, stopped or wedged leaves its socket full; then
//! the rest stays here, and goes out when the socket says that it has room. So nothing that a worker does or
//! does not do can hold up the parent.
//!
//! Descriptors travel beside the bytes, and the kernel ties each to the byte it was sent with. The receiver
//! keeps those that came in a row, and takes as many from its front as the next message speaks of. For that
//! one rule has to hold: a descriptor never arrives later than the message that speaks of it. Earlier does
//! no harm.

use std::collections::VecDeque;
use std::io;

use super::{Attachment, Socket};

/// The most descriptors that the kernel takes with one message.
const MOST_AT_ONCE: usize = 253;

/// Empty space that an outbox keeps when all is sent.
const KEEP: usize = 256 * 1024;

/// Bytes and descriptors on their way to one socket.
#[derive(Default)]
pub(crate) struct Outbox {
    bytes: Vec<u8>,
    /// So many of `bytes` have been taken.
    sent: usize,
    /// Descriptors, in order, each with the place in `bytes` where its message begins.
    attachments: VecDeque<(usize, Attachment)>,
}

/// What became of a try to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flushed {
    /// The outbox is empty.
    Everything,
    /// The socket is full. Go on when it is writable.
    Part,
}

impl Outbox {
    /// Adds one message: `write` appends its bytes to the buffer (and must leave alone what is there), and
    /// the descriptors go with it. A message has at least one byte, and no more than 253 descriptors a byte.
    pub(crate) fn push(
        &mut self,
        attachments: impl IntoIterator<Item = Attachment>,
        write: impl FnOnce(&mut Vec<u8>),
    ) {
        let begin = self.bytes.len();
        write(&mut self.bytes);
        debug_assert!(self.bytes.len() > begin, "a message without a byte");
        self.attachments
            .extend(attachments.into_iter().map(|one| (begin, one)));
    }

    /// Bytes that wait.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len() - self.sent
    }

    /// Nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Sends what the socket takes, without waiting. Many messages go in one system call.
    ///
    /// # Errors
    ///
    /// The other side is gone, mostly (`BrokenPipe`, `ConnectionReset`). The outbox is of no use then.
    pub(crate) fn flush(&mut self, socket: &Socket) -> io::Result<Flushed> {
        while !self.is_empty() {
            let several = self.attachments.len().min(MOST_AT_ONCE);
            // The message of the first descriptor that stays here must not go out whole.
            let end = match self.attachments.get(several) {
                Some((begin, _)) => (*begin).max(self.sent + 1),
                None => self.bytes.len(),
            };
            let with: Vec<&Attachment> = self
                .attachments
                .iter()
                .take(several)
                .map(|(_, one)| one)
                .collect();
            match socket.try_send(&self.bytes[self.sent..end], &with) {
                Ok(taken) => {
                    self.sent += taken;
                    self.attachments.drain(..several);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.tidy();
                    return Ok(Flushed::Part);
                }
                Err(error) => return Err(error),
            }
        }
        self.tidy();
        Ok(Flushed::Everything)
    }

    /// Forgets what has been sent, when that is cheap.
    fn tidy(&mut self) {
        if self.sent == self.bytes.len() {
            self.bytes.clear();
            self.bytes.shrink_to(KEEP);
            self.sent = 0;
        } else if self.sent > self.bytes.len() / 2 {
            // Moves less than half, and only after that much has been sent: constant work a byte.
            self.bytes.drain(..self.sent);
            for (begin, _) in &mut self.attachments {
                *begin = begin.saturating_sub(self.sent);
            }
            self.sent = 0;
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::collections::VecDeque;
    use std::io;
    use std::os::fd::{AsFd, OwnedFd};

    use super::{Attachment, Flushed, MOST_AT_ONCE, Outbox};
    use crate::os::{MOST_WAITING, Socket, socket_pair};

    fn pair() -> (Socket, Socket) {
        let (ours, theirs) = socket_pair().expect("two descriptors");
        (ours, theirs.into())
    }

    /// Different files, to be told apart: pipes, of which we send one end.
    fn attachment() -> Attachment {
        let (read, _) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).expect("a pipe");
        Attachment::new(read)
    }

    fn inode(file: &OwnedFd) -> u64 {
        rustix::fs::fstat(file).expect("it is open").st_ino
    }

    /// Receives what there is, at most `most` bytes.
    fn drink(
        socket: &Socket,
        most: usize,
        bytes: &mut Vec<u8>,
        open: &mut VecDeque<OwnedFd>,
    ) -> usize {
        let mut part = vec![0; most];
        match socket.try_receive(&mut part, open) {
            Ok(several) => {
                bytes.extend_from_slice(&part[..several]);
                several
            }
            Err(error) => {
                assert_eq!(error.kind(), io::ErrorKind::WouldBlock, "{error}");
                0
            }
        }
    }

    #[test]
    fn it_goes_on_where_the_socket_was_full() {
        // A generator of our own, so that a failure can be repeated: multiply, add, take the high bits.
        for seed in 0_u64..12 {
            let mut state = seed;
            let mut next = |below: u64| {
                state = state
                    .wrapping_mul(6364136223846793005)
                    .wrapping_add(1442695040888963407);
                (state >> 33) % below
            };
            let (ours, theirs) = pair();
            rustix::net::sockopt::set_socket_send_buffer_size(&ours, 4096).expect("a small buffer");
            let mut outbox = Outbox::default();
            let (mut written, mut files) = (Vec::new(), Vec::new());
            // Where each message begins, and the number of its first descriptor.
            let mut begins = Vec::new();
            let (mut read, mut open) = (Vec::new(), VecDeque::new());
            let mut was_full = false;
            for _ in 0..300 {
                let len = [1, 2, 8, 100, 30_000][next(5) as usize];
                let message: Vec<u8> = (0..len).map(|_| next(256) as u8).collect();
                let with: Vec<_> = (0..[0, 0, 0, 1, 3][next(5) as usize])
                    .map(|_| attachment())
                    .collect();
                begins.push((written.len(), files.len() + with.len()));
                written.extend_from_slice(&message);
                files.extend(with.iter().map(|one| inode(one)));
                outbox.push(with, |bytes| bytes.extend_from_slice(&message));
                if next(3) == 0 {
                    was_full |=
                        outbox.flush(&ours).expect("the other side is there") == Flushed::Part;
                }
                if next(3) == 0 {
                    drink(&theirs, 1 + next(20_000) as usize, &mut read, &mut open);
                    let mut came = begins.iter().filter(|(begin, _)| *begin < read.len());
                    let due = came.next_back().map_or(0, |(_, files)| *files);
                    assert!(
                        open.len() >= due,
                        "seed {seed}: a descriptor is later than its message"
                    );
                }
            }
            while outbox.flush(&ours).expect("the other side is there") == Flushed::Part {
                was_full = true;
                drink(&theirs, 65_536, &mut read, &mut open);
            }
            assert!(outbox.is_empty());
            while drink(&theirs, 65_536, &mut read, &mut open) > 0 {}
            assert!(read == written, "seed {seed}: the bytes differ");
            let came: Vec<_> = open.iter().map(inode).collect();
            assert_eq!(came, files, "seed {seed}");
            assert!(was_full, "seed {seed}: the test is too easy");
        }
    }

    #[test]
    fn many_descriptors_with_few_bytes() {
        let (ours, theirs) = pair();
        let one = attachment();
        let several = 2 * MOST_AT_ONCE + 10;
        let mut outbox = Outbox::default();
        outbox.push([], |bytes| bytes.extend_from_slice(b"first"));
        outbox.push(std::iter::repeat_n(one, several), |bytes| {
            bytes.extend_from_slice(b"abc")
        });
        assert_eq!(outbox.flush(&ours).expect("sent"), Flushed::Everything);
        let (mut read, mut open) = (Vec::new(), VecDeque::new());
        while drink(&theirs, 100, &mut read, &mut open) > 0 {
            if read.len() == 8 {
                assert_eq!(
                    open.len(),
                    several,
                    "the last byte came before the last descriptor"
                );
            }
        }
        assert_eq!(read, b"firstabc");
    }

    #[test]
    fn a_blocking_send_follows_the_same_rule() {
        let (ours, theirs) = pair();
        let one = attachment();
        let several = vec![&one; MOST_AT_ONCE + 5];
        ours.send(b"ab", &several).expect("sent");
        let (mut read, mut open) = (Vec::new(), VecDeque::new());
        drink(&theirs, 1, &mut read, &mut open);
        drink(&theirs, 1, &mut read, &mut open);
        assert_eq!(
            (read.as_slice(), open.len()),
            (b"ab".as_slice(), several.len())
        );
    }

    #[test]
    fn a_descriptor_is_closed_with_its_last_holder() {
        let (ours, theirs) = pair();
        let (read, write) =
            rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).expect("a pipe");
        let mut outbox = Outbox::default();
        outbox.push([Attachment::new(write)], |bytes| bytes.push(1));
        outbox.flush(&ours).expect("sent");
        // Never received: it goes with the socket.
        drop(theirs);
        assert_eq!(
            rustix::io::read(&read, &mut [0; 1]),
            Ok(0),
            "somebody still holds the pipe"
        );
    }

    #[test]
    fn nobody_at_the_other_end_is_an_error_and_no_signal() {
        let (ours, theirs) = pair();
        drop(theirs);
        let mut outbox = Outbox::default();
        outbox.push([], |bytes| bytes.push(1));
        assert!(outbox.flush(&ours).is_err());
        let mut rest = VecDeque::new();
        assert_eq!(ours.try_receive(&mut [0; 8], &mut rest).ok(), Some(0));
    }

    #[test]
    fn descriptors_that_nobody_asked_for_are_refused() {
        let (ours, theirs) = pair();
        let one = attachment();
        let mut open = VecDeque::new();
        let refused = (0..=MOST_WAITING / MOST_AT_ONCE + 1).any(|_| {
            ours.try_send(b"x", &[&one; MOST_AT_ONCE])
                .expect("room in the socket");
            theirs.try_receive(&mut [0; 8], &mut open).is_err()
        });
        assert!(refused, "{} descriptors were taken", open.len());
    }

    #[test]
    fn too_many_at_once_are_refused() {
        let (ours, _theirs) = pair();
        let one = attachment();
        let error = ours.try_send(b"x", &[&one; MOST_AT_ONCE + 1]);
        assert_eq!(
            error.map_err(|error| error.kind()),
            Err(io::ErrorKind::InvalidInput)
        );
        assert!(one.as_fd().try_clone_to_owned().is_ok());
    }
}
