//! What workers write, on its way to whoever wants it.
//!
//! That one may be slow: a callback that writes to a disk, or a terminal that somebody has stopped. Neither the pool nor
//! a worker waits for it. So there is a thread in between, and a queue that is bounded; what finds no room there is
//! counted, and the count is told with the next that does.

use std::fmt;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// How many lines, or pieces of what is passed on as it is, may wait to be taken.
const MOST: usize = 1024;
/// How long a line may be, in bytes.
const LONGEST: usize = 4096;

/// A line that a worker has written. Given to [`Builder::on_line`](crate::Builder::on_line).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Line {
    /// The worker's process id.
    pub pid: u32,
    /// The function that it was at; `None` if it was at none, or if it went from one job to the next so quickly that
    /// the pool cannot tell.
    pub job: Option<&'static str>,
    /// Where it wrote.
    pub stream: Stream,
    /// What it wrote, without the line's end. A line of more than 4 KiB comes in pieces.
    pub text: String,
    /// How many lines before this one are lost, because the callback was too slow for them.
    pub missed: u64,
}

/// One of the two streams that a program writes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Who gets the lines.
pub(crate) type Listener = Arc<dyn Fn(&Line) + Send + Sync>;

/// The pool's end of the queue.
pub(crate) struct Voice {
    queue: SyncSender<Said>,
    missed: u64,
    thread: JoinHandle<()>,
    /// Whether bytes are passed on to our own stderr, in place of lines to a listener.
    pub(crate) is_raw: bool,
}

enum Said {
    Line(Line),
    /// For our stderr, and how many such pieces before it are lost.
    Raw(Vec<u8>, u64),
}

impl Voice {
    /// Passes lines on to the listener; without one, bytes to our stderr.
    pub(crate) fn start(pool: &str, listener: Option<Listener>) -> io::Result<Voice> {
        let (queue, said) = sync_channel(MOST);
        let is_raw = listener.is_none();
        let thread = std::thread::Builder::new()
            .name(format!("{pool} output"))
            .spawn(move || pass_on(&said, listener.as_deref()))?;
        Ok(Voice {
            queue,
            missed: 0,
            thread,
            is_raw,
        })
    }

    pub(crate) fn line(&mut self, line: Line) {
        let missed = self.missed;
        self.say(Said::Line(Line { missed, ..line }));
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.say(Said::Raw(bytes.to_vec(), self.missed));
    }

    fn say(&mut self, said: Said) {
        match self.queue.try_send(said) {
            Ok(()) => self.missed = 0,
            Err(_) => self.missed += 1,
        }
    }

    /// Waits until all that is in the queue is taken.
    pub(crate) fn end(self) {
        drop(self.queue);
        let _ = self.thread.join();
    }
}

/// The thread's life.
fn pass_on(said: &Receiver<Said>, listener: Option<&(dyn Fn(&Line) + Send + Sync)>) {
    for said in said {
        match said {
            Said::Line(line) => {
                // If it panics, its hook has told; the other lines shall come all the same.
                let _ = catch_unwind(AssertUnwindSafe(|| listener.map(|listen| listen(&line))));
            }
            Said::Raw(bytes, missed) => {
                let mut stderr = io::stderr().lock();
                if missed > 0 {
                    let _ = writeln!(
                        stderr,
                        "[some of what the workers wrote is lost here: {missed} pieces]"
                    );
                }
                let _ = stderr.write_all(&bytes);
            }
        }
    }
}

/// Bytes of one stream, until they are whole lines.
#[derive(Default)]
pub(crate) struct Lines(Vec<u8>);

impl Lines {
    pub(crate) fn add(&mut self, bytes: &[u8], mut take: impl FnMut(String)) {
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            self.0.extend_from_slice(piece);
            let whole = self.0.ends_with(b"\n");
            if whole {
                self.0.pop();
                self.0.pop_if(|last| *last == b'\r');
            }
            while self.0.len() > LONGEST {
                take(words(self.0.drain(..LONGEST).as_slice()));
            }
            if whole {
                self.flush_line(&mut take);
            }
        }
    }

    fn flush_line(&mut self, take: &mut impl FnMut(String)) {
        take(words(&self.0));
        self.0.clear();
    }

    /// There will be no more: a line without an end is one too.
    pub(crate) fn end(&mut self, mut take: impl FnMut(String)) {
        if !self.0.is_empty() {
            self.flush_line(&mut take);
        }
    }
}

fn words(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stream::Stdout => "stdout",
            Stream::Stderr => "stderr",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::mpsc::channel;

    use super::*;

    fn of(pieces: &[&[u8]]) -> Vec<String> {
        let mut lines = Lines::default();
        let mut all = Vec::new();
        for piece in pieces {
            lines.add(piece, |line| all.push(line));
        }
        lines.end(|line| all.push(line));
        all
    }

    #[test]
    fn lines_are_whole_however_the_bytes_come() {
        assert_eq!(
            of(&[b"on", b"ion\nso", b"up\r\n\nsalt"]),
            ["onion", "soup", "", "salt"]
        );
        assert_eq!(of(&[b""]), Vec::<String>::new());
        assert_eq!(of(&[b"no \xff words\n"]), ["no \u{fffd} words"]);
    }

    #[test]
    fn a_line_without_an_end_comes_in_pieces() {
        let long = vec![b'x'; 2 * LONGEST + 5];
        let lengths: Vec<_> = of(&[&long, b"\n"]).iter().map(String::len).collect();
        assert_eq!(lengths, [LONGEST, LONGEST, 5]);
        assert_eq!(of(&[&long[..LONGEST], b"\n"]).len(), 1);
    }

    #[test]
    fn who_listens_slowly_holds_nobody_up_and_is_told_what_it_missed() {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (open, gate) = channel::<()>();
        let (gate, its) = (Mutex::new(gate), Arc::clone(&heard));
        let listener: Listener = Arc::new(move |line: &Line| {
            let _ = gate.lock().unwrap().recv();
            its.lock().unwrap().push((line.text.clone(), line.missed));
            assert!(line.text != "0", "a callback that panics");
        });
        let mut voice = Voice::start("test", Some(listener)).unwrap();
        let line = |text: String| Line {
            pid: 1,
            job: None,
            stream: Stream::Stdout,
            text,
            missed: 0,
        };
        let mut sent = 0;
        while voice.missed < 3 {
            voice.line(line(sent.to_string()));
            sent += 1;
        }
        for _ in 0..sent - 3 {
            open.send(()).unwrap();
        }
        drop(open); // from here on nothing holds it
        while heard.lock().unwrap().len() < sent - 3 {
            std::thread::yield_now();
        }
        voice.line(line("last".to_owned()));
        voice.end();
        let heard = heard.lock().unwrap();
        assert_eq!(heard.len(), sent - 3 + 1);
        assert_eq!(heard[0], ("0".to_owned(), 0));
        assert_eq!(heard[heard.len() - 1], ("last".to_owned(), 3));
    }
}
