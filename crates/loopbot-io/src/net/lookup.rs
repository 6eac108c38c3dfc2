//! Asking for the address of a name, without holding LoopBot up.
//!
//! The system's own way to ask blocks its thread. So a few threads do the asking: started when there is
//! something to ask, and gone when there is nothing left. To start one costs little, compared to an answer from the network.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::panic::Location;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::task::{Poll, Waker};
use std::thread;

use loopbot_core::leaf::{self, EndedBy, wake_caught};

use crate::reactor::Reactor;

/// At most so many threads ask at a time; further questions wait for one of them.
const MOST_THREADS: usize = 4;

/// The addresses of a host, each with the port. A literal address, such as `127.0.0.1`, `::1` or `[::1]`, is its
/// own answer, at once.
///
/// Cancel safe: the answer to a question that is dropped is thrown away, and one that nobody has begun to ask is not asked.
///
/// ```
/// loopbot::run(async {
///     let addresses = loopbot::net::lookup("127.0.0.1", 80).await.unwrap();
///     assert_eq!(addresses, ["127.0.0.1:80".parse().unwrap()]);
/// });
/// ```
///
/// # Errors
///
/// What the system says about a name it does not know, in a sentence that has the name in it.
#[track_caller]
pub fn lookup(host: &str, port: u16) -> impl Future<Output = io::Result<Vec<SocketAddr>>> + use<> {
    let at = Location::caller();
    let host = host.to_owned();
    async move {
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        if let Ok(literal) = bare.unwrap_or(&host).parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(literal, port)]);
        }
        let question = Arc::new(Question {
            host,
            port,
            answer: Mutex::default(),
        });
        let reactor = Reactor::of_the_loop_here().transpose()?;
        let _expected = reactor.map(|reactor| reactor.expects());
        ask(&question)?;
        poll_fn(|cx| {
            std::task::ready!(leaf::spend(cx));
            let waker = leaf::keep(cx.waker());
            let mut answer = lock(&question.answer);
            if let Some(found) = answer.found.take() {
                return Poll::Ready(found);
            }
            let before = answer.waker.replace(waker);
            drop(answer);
            drop(before); // last: it may be anybody's
            leaf::waits("the address of a host", at, EndedBy::Outside);
            Poll::Pending
        })
        .await
    }
}

struct Question {
    host: String,
    port: u16,
    answer: Mutex<Answer>,
}

#[derive(Default)]
struct Answer {
    found: Option<io::Result<Vec<SocketAddr>>>,
    waker: Option<Waker>,
}

impl Question {
    fn find(&self) {
        let found = match (self.host.as_str(), self.port).to_socket_addrs() {
            Ok(addresses) => Ok(addresses.collect()),
            Err(error) => Err(io::Error::new(
                error.kind(),
                format!("no address was found for the host {:?}: {error}", self.host),
            )),
        };
        let mut answer = lock(&self.answer);
        answer.found = Some(found);
        let waker = answer.waker.take();
        drop(answer);
        if let Some(waker) = waker {
            wake_caught(waker);
        }
    }
}

/// The questions of the whole process, and how many threads see to them.
static DESK: Mutex<Desk> = Mutex::new(Desk {
    questions: VecDeque::new(),
    threads: 0,
});

struct Desk {
    /// `Weak`: whoever asked may not want to know any more.
    questions: VecDeque<Weak<Question>>,
    threads: usize,
}

fn ask(question: &Arc<Question>) -> io::Result<()> {
    let mut desk = lock(&DESK);
    if desk.threads < MOST_THREADS {
        let thread = thread::Builder::new().name("LoopBot asks for addresses".to_owned());
        match thread.spawn(answer_questions) {
            Ok(_) => desk.threads += 1,
            Err(_) if desk.threads > 0 => {} // The others will come to it.
            Err(error) => {
                let sentence = format!("no thread could be started to look up a host: {error}");
                return Err(io::Error::new(error.kind(), sentence));
            }
        }
    }
    desk.questions.push_back(Arc::downgrade(question));
    Ok(())
}

fn answer_questions() {
    loop {
        let mut desk = lock(&DESK);
        let Some(question) = desk.questions.pop_front() else {
            desk.threads -= 1;
            return;
        };
        drop(desk);
        if let Some(question) = question.upgrade() {
            question.find();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .expect("nobody panics while holding a question or its answer")
}
