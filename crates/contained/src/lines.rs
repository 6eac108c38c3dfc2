use std::io::BufRead;
use std::ops::ControlFlow;

/// Cuts chunks of bytes into lines of bounded length.
pub(crate) struct Lines {
    partial: Vec<u8>,
    longest: usize,
}

impl Lines {
    pub(crate) fn new(longest: usize) -> Lines {
        Lines {
            partial: Vec::new(),
            longest: longest.max(1),
        }
    }

    pub(crate) fn push(
        &mut self,
        chunk: &[u8],
        on_line: &mut dyn FnMut(&str) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let mut rest = chunk;
        while !rest.is_empty() {
            // Not a loop over bytes: this crate is built without optimisation mostly, and std is not.
            let _ = rest.read_until(b'\n', &mut self.partial);
            let is_complete = self.partial.last() == Some(&b'\n');
            if is_complete {
                self.partial.pop();
            }
            while self.partial.len() > self.longest {
                let beyond = self.partial.split_off(self.longest);
                tell(&self.partial, on_line)?;
                self.partial = beyond;
            }
            if is_complete {
                tell(&self.partial, on_line)?;
                self.partial.clear();
            }
        }
        ControlFlow::Continue(())
    }

    /// The last line, if it has no line break.
    pub(crate) fn finish(
        &mut self,
        on_line: &mut dyn FnMut(&str) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        if self.partial.is_empty() {
            return ControlFlow::Continue(());
        }
        tell(&std::mem::take(&mut self.partial), on_line)
    }
}

fn tell(line: &[u8], on_line: &mut dyn FnMut(&str) -> ControlFlow<()>) -> ControlFlow<()> {
    on_line(&String::from_utf8_lossy(
        line.strip_suffix(b"\r").unwrap_or(line),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(longest: usize, chunks: &[&[u8]]) -> Vec<String> {
        let mut told = Vec::new();
        let mut lines = Lines::new(longest);
        let mut keep = |line: &str| {
            told.push(line.to_owned());
            ControlFlow::Continue(())
        };
        for chunk in chunks {
            assert!(lines.push(chunk, &mut keep).is_continue());
        }
        assert!(lines.finish(&mut keep).is_continue());
        told
    }

    #[test]
    fn lines_are_put_together_from_chunks() {
        let told = cut(100, &[b"so", b"up\r\n\nfi", b"sh\nbread"]);
        assert_eq!(told, ["soup", "", "fish", "bread"]);
    }

    #[test]
    fn a_long_line_comes_in_pieces() {
        assert_eq!(
            cut(3, &[b"1234567\n12", b"3\n"]),
            ["123", "456", "7", "123"]
        );
    }

    #[test]
    fn what_is_no_text_is_no_trouble() {
        assert_eq!(cut(100, &[b"a\xffb\n"]), ["a\u{fffd}b"]);
    }

    #[test]
    fn breaking_ends_it_at_once() {
        let mut seen = 0;
        let flow = Lines::new(10).push(b"1\n2\n3\n", &mut |_| {
            seen += 1;
            ControlFlow::Break(())
        });
        assert_eq!((flow, seen), (ControlFlow::Break(()), 1));
    }
}
