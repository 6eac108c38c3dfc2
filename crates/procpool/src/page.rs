//! The worker's flight recorder: one page of memory that survives it.
//!
//! The page belongs to pool and worker both. Before the worker touches a job it writes the job's ticket here. If it
//! dies, however suddenly, the page is still there, and the pool reads how far it had come: not "one of those that I
//! had sent".
//!
//! The other way round, the pool writes here which job it wants to stop.
//!
//! And one word is written by both: which job the worker has taken up. So the pool can take back what it has sent and the
//! worker has not taken up, and both know of each job whose it is.
//!
//! Writing costs a store to memory. There is no lock, so a worker that dies while writing leaves nothing locked.
//!
//! The pool believes nothing in here beyond its being a number: a job that has gone wild may have written over it.
#![allow(unsafe_code)]

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::os::{Attachment, Descriptor, Receiver, SharedMemory};

/// The size of the page.
const BYTES: usize = 4096;

/// "procpool", and which edition of the layout.
const MAGIC: u64 = u64::from_le_bytes(*b"procpoo\x02");

/// The word of both: how often the pool has taken jobs back, and below that the number of the last one taken up.
const NUMBER_BITS: u32 = 44;
const NUMBER: u64 = (1 << NUMBER_BITS) - 1;

/// What the worker writes has a cache line of its own, and so has what the parent writes.
#[repr(C)]
struct Layout {
    by_worker: ByWorker,
    by_parent: ByParent,
    by_both: ByBoth,
}

#[repr(C, align(128))]
struct ByWorker {
    magic: AtomicU64,
    started: AtomicU64,
    peak: AtomicU64,
    outgrown: AtomicU64,
}

#[repr(C, align(128))]
struct ByParent {
    cancel: AtomicU64,
}

#[repr(C, align(128))]
struct ByBoth {
    taken: AtomicU64,
}

const _: () = assert!(size_of::<Layout>() <= BYTES);

/// The page, in either of the two processes.
#[derive(Debug)]
pub(crate) struct Page {
    memory: SharedMemory,
}

impl Page {
    /// A new page, all zero. For the parent.
    ///
    /// # Errors
    ///
    /// Out of memory or descriptors; not Linux.
    pub(crate) fn new() -> io::Result<Page> {
        let memory = SharedMemory::new("procpool-page", BYTES, Receiver::Writes)?;
        let page = Page { memory };
        page.layout()
            .by_worker
            .magic
            .store(MAGIC, Ordering::Relaxed);
        Ok(page)
    }

    /// What to send to the worker, once.
    ///
    /// # Errors
    ///
    /// Out of descriptors.
    pub(crate) fn to_give(&self) -> io::Result<Attachment> {
        Ok(Attachment::new(self.memory.to_give()?))
    }

    /// The page that the parent has sent. For the worker.
    ///
    /// # Errors
    ///
    /// It is something else.
    pub(crate) fn receive(descriptor: Descriptor) -> io::Result<Page> {
        let memory = SharedMemory::receive(descriptor, BYTES, Receiver::Writes)?;
        let page = Page { memory };
        if page.layout().by_worker.magic.load(Ordering::Relaxed) == MAGIC {
            Ok(page)
        } else {
            Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the shared memory is not a flight recorder page of this edition",
            ))
        }
    }

    fn layout(&self) -> &Layout {
        // SAFETY: the memory is BYTES long, which is enough, and page-aligned, which is enough. It is
        // mapped for reading and writing as long as `self` lives, and sealed, so that the other side cannot
        // shrink the file below it. Every bit pattern is a Layout. All fields are atomics, and nobody, in
        // this process or the other, gets at them but through this function: so there is no data race,
        // whatever the other side writes.
        unsafe { &*self.memory.as_ptr().cast::<Layout>() }
    }

    // The worker's half.

    /// The worker takes up the job of this number, which was sent in this round. `false` if the pool has taken it back:
    /// then it is somebody else's.
    pub(crate) fn take_up(&self, round: u32, number: u64) -> bool {
        let word = u64::from(round) << NUMBER_BITS | number & NUMBER;
        let mine = |taken: u64| (taken >> NUMBER_BITS == word >> NUMBER_BITS).then_some(word);
        let taken = &self.layout().by_both.taken;
        taken
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, mine)
            .is_ok()
    }

    // ANCHOR: start
    /// The worker is about to touch the job, or the item of a job, with this ticket: even reading its argument may end
    /// it. Tickets only grow, and are not 0.
    pub(crate) fn start(&self, ticket: u64) {
        self.layout()
            .by_worker
            .started
            .store(ticket, Ordering::Release);
    }
    // ANCHOR_END: start

    /// Between two jobs: the most memory it ever had, and whether it has grown so much that it had better be replaced.
    pub(crate) fn weighs(&self, peak: u64, outgrown: bool) {
        let worker = &self.layout().by_worker;
        worker.peak.store(peak, Ordering::Relaxed);
        worker.outgrown.store(outgrown.into(), Ordering::Relaxed);
    }

    /// Does the pool want this one to stop?
    pub(crate) fn is_cancelled(&self, ticket: u64) -> bool {
        self.layout().by_parent.cancel.load(Ordering::Relaxed) == ticket
    }

    // The pool's half.

    /// The last ticket that the worker touched. 0: none.
    pub(crate) fn started(&self) -> u64 {
        self.layout().by_worker.started.load(Ordering::Acquire)
    }

    /// Takes back what the worker has not taken up, if it has come as far as this number: begins another round. Returns
    /// the number of the last job that it has taken up.
    pub(crate) fn take_back(&self, number: u64) -> Option<u64> {
        let next =
            |taken: u64| (taken & NUMBER >= number).then(|| taken.wrapping_add(1 << NUMBER_BITS));
        let taken = &self.layout().by_both.taken;
        let before = taken.fetch_update(Ordering::AcqRel, Ordering::Acquire, next);
        before.ok().map(|before| before & NUMBER)
    }

    /// The most memory that the worker had when it looked last. 0: it has not looked.
    pub(crate) fn peak(&self) -> u64 {
        self.layout().by_worker.peak.load(Ordering::Relaxed)
    }

    /// Whether the worker has grown more than it may.
    pub(crate) fn is_outgrown(&self) -> bool {
        self.layout().by_worker.outgrown.load(Ordering::Relaxed) != 0
    }

    /// Asks the worker to stop what has this ticket. A job that never looks never stops.
    pub(crate) fn cancel(&self, ticket: u64) {
        self.layout()
            .by_parent
            .cancel
            .store(ticket, Ordering::Relaxed);
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::fd::{AsFd, OwnedFd};

    use super::{BYTES, Page};
    use crate::os::testing::{busy, end_of, hear, hear_with, on_stage, play, tell};
    use crate::os::{Receiver, SharedMemory};

    fn give(page: &Page) -> OwnedFd {
        page.to_give()
            .expect("a descriptor")
            .try_clone()
            .expect("another")
    }

    #[test]
    fn part_writes_and_is_killed() {
        let Some(socket) = on_stage("page::tests::part_writes_and_is_killed") else {
            return;
        };
        let (_, mut descriptors) = hear_with(&socket).expect("the page");
        let descriptor = descriptors.pop().expect("one descriptor");
        // What a job gone wild could try: the parent would trip over a page that is not there.
        let shrunk = rustix::fs::ftruncate(&descriptor, 0);
        let page = Page::receive(descriptor).expect("a page");
        page.start(1);
        page.start(2);
        tell(&socket, u64::from(shrunk.is_ok()));
        while !page.is_cancelled(2) {
            std::thread::yield_now();
        }
        tell(&socket, 2);
        busy()
    }

    #[test]
    fn the_page_survives_its_worker() {
        let mut started = play("page::tests::part_writes_and_is_killed");
        let page = Page::new().expect("a page");
        assert_eq!(page.started(), 0);
        let given = page.to_give().expect("a descriptor");
        started
            .socket
            .send(&1_u64.to_le_bytes(), &[&given])
            .expect("sent");
        assert_eq!(
            hear(&started.socket),
            Some(0),
            "the worker could shrink the page"
        );
        page.cancel(1);
        page.cancel(2);
        assert_eq!(
            hear(&started.socket),
            Some(2),
            "the worker sees what the parent writes"
        );
        started.process.kill();
        end_of(&mut started.process);
        assert_eq!(page.started(), 2);
    }

    #[test]
    fn a_page_that_was_scribbled_over_is_only_numbers() {
        let page = Page::new().expect("a page");
        let other = SharedMemory::receive(give(&page), BYTES, Receiver::Writes).expect("mapped");
        for place in 0..BYTES {
            // SAFETY: within the mapping, and byte by byte through atomics: the page is read as atomics of
            // another size, on this same thread, so never at the same time.
            unsafe {
                let byte = std::sync::atomic::AtomicU8::from_ptr(other.as_mut_ptr().add(place));
                byte.store(0xff, std::sync::atomic::Ordering::Relaxed);
            }
        }
        assert_eq!(page.started(), u64::MAX);
        assert!(
            Page::receive(give(&page)).is_err(),
            "no page of this edition any more"
        );
    }

    #[test]
    fn a_job_is_taken_up_or_taken_back_and_never_both() {
        let page = Page::new().expect("a page");
        assert_eq!(page.take_back(1), None, "its first one is left to it");
        for number in 1..=2_000 {
            let round = number as u32 - 1;
            assert!(
                page.take_up(round, 2 * number),
                "nobody wants that one back"
            );
            let (up, back) = std::thread::scope(|scope| {
                let worker = scope.spawn(|| page.take_up(round, 2 * number + 1));
                let back = page.take_back(2 * number).expect("it has come as far");
                (worker.join().expect("it does not panic"), back)
            });
            assert_eq!(
                up,
                back == 2 * number + 1,
                "{number}: up {up}, back after {back}"
            );
            assert!(!page.take_up(round, 2 * number + 1), "that round is over");
        }
    }

    #[test]
    fn what_is_no_page_is_refused() {
        let file = std::fs::File::open("/proc/self/exe").expect("this program");
        assert!(Page::receive(file.into()).is_err(), "a file");
        let small = SharedMemory::new("test", 64, Receiver::Writes).expect("memory");
        let small = small.to_give().expect("a descriptor");
        assert!(Page::receive(small).is_err(), "too small");
        let blank = SharedMemory::new("test", BYTES, Receiver::Writes).expect("memory");
        let blank = blank.to_give().expect("a descriptor");
        assert!(Page::receive(blank).is_err(), "no magic");
        let flags = rustix::fs::MemfdFlags::CLOEXEC | rustix::fs::MemfdFlags::ALLOW_SEALING;
        let unsealed = rustix::fs::memfd_create("test", flags).expect("memory");
        rustix::fs::ftruncate(unsealed.as_fd(), BYTES as u64).expect("a size");
        assert!(Page::receive(unsealed).is_err(), "it could be shrunk");
    }
}
