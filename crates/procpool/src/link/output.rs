//! What a worker writes on its output and its errors, if that comes to us.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::Ordering;

use super::Link;
use crate::core::Ticket;
use crate::os;
use crate::voice::{Line, Stream, Voice};

/// As much of a worker's output is read at a time, so that one that never stops writing holds up nobody else. More than
/// a pipe holds, so that at a worker's end all of it is read.
const AT_A_TIME: usize = 2 << 20;

/// The last that was written.
#[derive(Default)]
pub(super) struct Tail(VecDeque<u8>);

impl Tail {
    const MOST: usize = 4096;

    fn add(&mut self, bytes: &[u8]) {
        self.0.extend(bytes);
        let over = self.0.len().saturating_sub(Tail::MOST);
        self.0.drain(..over);
    }

    /// Whether Rust's runtime has said here that it was refused memory. It does so right before it aborts.
    fn tells_of_refused_memory(&mut self) -> bool {
        let words = self.words();
        let mut lines = words.lines();
        lines.any(|line| {
            let number = line.rsplit_once("memory allocation of ");
            let number = number.and_then(|(_, rest)| rest.strip_suffix(" bytes failed"));
            number.is_some_and(|number| number.parse::<u64>().is_ok())
        })
    }

    pub(super) fn words(&mut self) -> String {
        String::from_utf8_lossy(self.0.make_contiguous()).into_owned()
    }
}

impl Link {
    /// Reads what it has written, if that comes to us. `at`: the number and the function of the job that it was at, as
    /// far as was known before its last words were heard; `turn`: the number of the one that is next, as is known now.
    /// `is_last`: whatever may still hold its pipes, nobody will read them again.
    pub(crate) fn read_output(
        &mut self,
        voice: Option<&mut Voice>,
        at: Option<(u64, &'static str)>,
        turn: u64,
        is_last: bool,
    ) {
        let mut written = [Vec::new(), Vec::new()];
        let mut all = true;
        for (stream, bytes) in written.iter_mut().enumerate() {
            all &= self.read_pipe(stream, bytes);
        }
        // Read after the bytes: what they belong to was begun by then.
        let begun = self.page.started();
        let number = Ticket(begun).number();
        // All of it was written after everything before `read_to` was over, and before anything after `begun` was begun.
        let at = at.filter(|&(at, _)| at == number && self.read_to == number);
        if all {
            self.read_to = turn;
        }
        // In halves, so that no line is torn between two of them.
        for bytes in written[1].chunks(Tail::MOST / 2) {
            self.tail.add(bytes);
            if self.refused != Some(begun) && self.tail.tells_of_refused_memory() {
                self.refused = Some(begun);
            }
        }
        let Some(voice) = voice else { return };
        if voice.is_raw {
            for bytes in written[1].chunks(Tail::MOST) {
                voice.raw(bytes);
            }
            return;
        }
        for (index, stream) in [Stream::Stdout, Stream::Stderr].into_iter().enumerate() {
            let pid = self.process.pid();
            let mut say = |text| {
                voice.line(Line {
                    pid,
                    job: at.map(|(_, job)| job),
                    stream,
                    text,
                    missed: 0,
                });
            };
            let lines = &mut self.lines[index];
            lines.add(&written[index], &mut say);
            if is_last || self.eyes.ended[index].load(Ordering::Relaxed) {
                lines.end(&mut say);
            }
        }
    }

    /// Reads one of its pipes. Whether nothing is left in it.
    fn read_pipe(&self, stream: usize, bytes: &mut Vec<u8>) -> bool {
        let (Some(pipe), ended) = (&self.eyes.pipes[stream], &self.eyes.ended[stream]) else {
            return true;
        };
        let mut buffer = [0; 4096];
        while !ended.load(Ordering::Relaxed) && bytes.len() < AT_A_TIME {
            match os::read(pipe, &mut buffer) {
                Ok(read) if read > 0 => bytes.extend_from_slice(&buffer[..read]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
                Ok(_) | Err(_) => ended.store(true, Ordering::Relaxed),
            }
        }
        ended.load(Ordering::Relaxed)
    }
}
