//! The worker's flight recorder: one page of memory that survives it.
//!
//! The page belongs to parent and worker both. Before the worker touches a job it writes its number here,
//! and after it has given the answer away, here again. If it dies in between, however suddenly, the page is
//! still there, and the parent reads which job it was: not "one of those that I had sent".
//!
//! Writing costs a store to memory. There is no lock, so a worker that dies while writing leaves nothing
//! locked.
//!
//! The parent believes nothing in here beyond its being a number: a job that has gone wild may have written
//! over it.
#![allow(unsafe_code)]

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::os::{Attachment, Descriptor, Receiver, SharedMemory};

/// The size of the page.
const BYTES: usize = 4096;

/// "procpool", and which edition of the layout.
const MAGIC: u64 = u64::from_le_bytes(*b"procpoo\x01");

/// What the worker writes has a cache line of its own, and so has what the parent writes.
#[repr(C)]
struct Layout {
    by_worker: ByWorker,
    by_parent: ByParent,
}

#[repr(C, align(128))]
struct ByWorker {
    magic: AtomicU64,
    started: AtomicU64,
    item: AtomicU64,
    finished: AtomicU64,
    heartbeat: AtomicU64,
    peak_memory: AtomicU64,
}

#[repr(C, align(128))]
struct ByParent {
    cancel: AtomicU64,
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

    /// The worker is about to touch this job: even reading its argument may end it. Numbers count up from 1.
    pub(crate) fn start(&self, job: u64) {
        let by_worker = &self.layout().by_worker;
        by_worker.item.store(0, Ordering::Relaxed);
        by_worker.started.store(job, Ordering::Release);
    }

    /// The worker is about to touch this item of the job, of a `map`.
    pub(crate) fn start_item(&self, item: u64) {
        self.layout().by_worker.item.store(item, Ordering::Release);
    }

    /// The job is over, and its answer has been handed to the socket.
    pub(crate) fn finish(&self, job: u64) {
        self.layout()
            .by_worker
            .finished
            .store(job, Ordering::Release);
    }

    /// The worker lives: a job that takes long may say so from time to time.
    pub(crate) fn beat(&self) {
        self.layout()
            .by_worker
            .heartbeat
            .fetch_add(1, Ordering::Relaxed);
    }

    /// The most memory that the worker has had so far, in bytes.
    pub(crate) fn set_peak_memory(&self, bytes: u64) {
        self.layout()
            .by_worker
            .peak_memory
            .store(bytes, Ordering::Relaxed);
    }

    /// Does the parent want this job to stop?
    pub(crate) fn is_cancelled(&self, job: u64) -> bool {
        self.layout().by_parent.cancel.load(Ordering::Relaxed) == job
    }

    // The parent's half.

    /// The last job that the worker touched. 0: none.
    pub(crate) fn started(&self) -> u64 {
        self.layout().by_worker.started.load(Ordering::Acquire)
    }

    /// The item of that job that the worker touched last.
    pub(crate) fn item(&self) -> u64 {
        self.layout().by_worker.item.load(Ordering::Acquire)
    }

    /// The last job whose answer the worker handed to the socket. 0: none.
    pub(crate) fn finished(&self) -> u64 {
        self.layout().by_worker.finished.load(Ordering::Acquire)
    }

    /// The job that the worker had in hand when it was looked at, if any. After its death this is the one
    /// suspect.
    pub(crate) fn in_hand(&self) -> Option<u64> {
        // In this order: a job that starts in between is not taken for one that has finished.
        let finished = self.finished();
        let started = self.started();
        (started != finished).then_some(started)
    }

    /// How often the worker has beaten.
    pub(crate) fn heartbeat(&self) -> u64 {
        self.layout().by_worker.heartbeat.load(Ordering::Relaxed)
    }

    /// The most memory that the worker has told of, in bytes. 0: it has not.
    pub(crate) fn peak_memory(&self) -> u64 {
        self.layout().by_worker.peak_memory.load(Ordering::Relaxed)
    }

    /// Asks the worker to stop this job. A job that never looks never stops.
    pub(crate) fn cancel(&self, job: u64) {
        self.layout().by_parent.cancel.store(job, Ordering::Relaxed);
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
        page.finish(1);
        page.set_peak_memory(1 << 20);
        page.beat();
        page.start(2);
        page.start_item(7);
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
        assert_eq!(page.in_hand(), None);
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
        assert_eq!(page.in_hand(), Some(2));
        assert_eq!(page.item(), 7);
        assert_eq!(page.finished(), 1);
        assert_eq!(page.heartbeat(), 1);
        assert_eq!(page.peak_memory(), 1 << 20);
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
        assert_eq!(page.in_hand(), None);
        assert!(
            Page::receive(give(&page)).is_err(),
            "no page of this edition any more"
        );
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
