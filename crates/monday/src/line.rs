//! Standing in line: a fair semaphore for the tasks of one loop.

use std::cell::RefCell;
use std::collections::VecDeque;

use futures_channel::oneshot;

/// So many places, and whoever finds none waits. First come, first served.
pub(crate) struct Line {
    state: RefCell<State>,
}

struct State {
    places: usize,
    waiting: VecDeque<oneshot::Sender<()>>,
}

/// A place. Dropping it calls the next in line.
pub(crate) struct Place<'a> {
    line: &'a Line,
}

/// Somebody in the line, who will be called.
struct Turn<'a> {
    line: &'a Line,
    call: oneshot::Receiver<()>,
}

impl Line {
    pub(crate) fn new(places: usize) -> Line {
        Line {
            state: RefCell::new(State {
                places,
                waiting: VecDeque::new(),
            }),
        }
    }

    /// Waits for a place.
    ///
    /// Cancel safe: a future that is dropped while it waits gives up its turn, and the next one has it.
    pub(crate) async fn place(&self) -> Place<'_> {
        if let Some(mut turn) = self.stand() {
            // The line outlives everybody in it, so there is always somebody left to call.
            (&mut turn.call).await.expect("the line is still there");
        }
        Place { line: self }
    }

    /// Takes a place if there is one. If not, stands in line.
    fn stand(&self) -> Option<Turn<'_>> {
        let mut state = self.state.borrow_mut();
        if state.places > 0 {
            state.places -= 1;
            return None;
        }
        let (caller, call) = oneshot::channel();
        state.waiting.push_back(caller);
        Some(Turn { line: self, call })
    }

    fn next(&self) -> Option<oneshot::Sender<()>> {
        self.state.borrow_mut().waiting.pop_front()
    }

    /// Calls the next in line. Calling fails if that one has left; then it is the turn of the one behind.
    fn give_back(&self) {
        // Calling is done without a borrow: it wakes a task, and a waker may do anything.
        while let Some(next) = self.next() {
            if next.send(()).is_ok() {
                return;
            }
        }
        self.state.borrow_mut().places += 1;
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.line.give_back();
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        // Called, but gone before hearing it: the place must not be lost. (Once it has heard, there is nothing
        // left to receive.)
        if let Ok(Some(())) = self.call.try_recv() {
            self.line.give_back();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use flight::VirtualTime;
    use loopbot::{Clock, LoopBot, spawn, yield_now};

    use super::Line;

    /// On virtual time a line that calls nobody ends the test: LoopBot sees that it stands still.
    fn run(test: impl Future<Output = ()>) {
        let clock = Clock::virtual_time(VirtualTime::new());
        LoopBot::builder().clock(clock).build().run(test);
    }

    #[test]
    fn whoever_comes_first_is_served_first() {
        run(async {
            let line = Rc::new(Line::new(1));
            let served = Rc::new(RefCell::new(Vec::new()));
            let guests: Vec<_> = (0..5)
                .map(|guest| {
                    let (line, served) = (line.clone(), served.clone());
                    spawn(async move {
                        let _place = line.place().await;
                        yield_now().await;
                        served.borrow_mut().push(guest);
                    })
                })
                .collect();
            for guest in guests {
                guest.await.unwrap();
            }
            assert_eq!(*served.borrow(), [0, 1, 2, 3, 4]);
        });
    }

    #[test]
    fn whoever_leaves_the_line_loses_nothing_for_the_others() {
        run(async {
            let line = Rc::new(Line::new(1));
            let first = line.place().await;
            let leaver = spawn({
                let line = line.clone();
                async move { drop(line.place().await) }
            });
            let patient = spawn({
                let line = line.clone();
                async move { drop(line.place().await) }
            });
            yield_now().await; // both stand in line now
            leaver.abort();
            drop(first);
            patient.await.unwrap();
            drop(line.place().await);
        });
    }
}
