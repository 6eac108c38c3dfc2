// ANCHOR: group
//! Tasks that end together.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use loopbot_core::leaf::{self, drop_caught};
use loopbot_core::{JoinError, JoinHandle};

use crate::sync::oneshot;
use crate::sync::wait_list::{self, OnlyPlace};

/// Runs `body`, and all the tasks that it spawns into the group, to their end.
///
/// A task that is spawned with [`spawn`](crate::spawn) may outlive whoever spawned it, and its failure may go
/// unheard. A group has an end: when its future is over, so are all its tasks.
///
/// - If `body` and all tasks succeed, you get what `body` returned.
/// - If one of them returns an error or panics, the others are cancelled. When they are gone, you
///   get the first failure. A panic in `body` itself goes on to whoever polls the group.
/// - If the group's future is dropped half-way, by a [`timeout`](crate::timeout()) for instance, the futures of its
///   tasks are dropped there and then.
///
/// In asyncio this is `TaskGroup`, in other places a nursery.
///
/// Cancel safety: dropping it cancels `body` and every task at the `.await` where it stands. Nothing is left behind.
///
/// ```
/// use loopbot::{GroupError, TaskGroup, task_group};
///
/// loopbot::run(async {
///     let dinner = task_group(async |group: &TaskGroup<String>| {
///         let fish = group.spawn(async { Ok("fish") });
///         let wine = group.spawn(async { Ok("wine") });
///         Ok(format!("{} and {}", fish.await, wine.await))
///     });
///     assert_eq!(dinner.await.unwrap(), "fish and wine");
///
///     let dinner = task_group(async |group: &TaskGroup<String>| {
///         group.spawn(std::future::pending::<Result<(), String>>()); // will be cancelled
///         group.spawn_named("ChefBot", async { Err::<(), _>("the oven is cold".to_owned()) });
///         Ok(())
///     });
///     assert_eq!(dinner.await.unwrap_err().to_string(), "ChefBot failed: the oven is cold");
/// });
/// ```
///
/// # Errors
///
/// The first failure, as a [`GroupError`]. Those that come later, while the group is being cancelled, are dropped.
#[track_caller]
pub fn task_group<T, E, B>(body: B) -> impl Future<Output = Result<T, GroupError<E>>>
where
    B: AsyncFnOnce(&TaskGroup<E>) -> Result<T, E>,
    E: 'static,
{
    let at = Location::caller();
    async move {
        let group = TaskGroup(Rc::new(Group {
            members: RefCell::default(),
            spawned: Cell::new(0),
            failure: RefCell::new(None),
            phase: Cell::new(Phase::Body),
            waiter: OnlyPlace::default(),
        }));
        // However this ends, by a return, a panic or a drop: no task stays.
        let _end = EndOfGroup(&group.0);
        let output = {
            let mut body = pin!(body(&group));
            poll_fn(|cx| group.0.poll_body(body.as_mut(), cx)).await
        };
        poll_fn(|cx| group.0.poll_gone(at, cx)).await;
        match (group.0.failure.take(), output) {
            (None, Some(output)) => Ok(output),
            (Some(failure), _) => Err(failure),
            (None, None) => unreachable!("a body without an output has failed"),
        }
    }
}

/// Where the tasks of a [`task_group`] are spawned.
///
/// A clone is another name for the same group, for tasks that spawn tasks into their own group.
pub struct TaskGroup<E>(Rc<Group<E>>);

struct Group<E> {
    /// The tasks that are not gone, in the order in which they were spawned.
    members: RefCell<BTreeMap<u64, Rc<Member>>>,
    spawned: Cell<u64>,
    failure: RefCell<Option<GroupError<E>>>,
    phase: Cell<Phase>,
    /// The task that awaits the group.
    waiter: OnlyPlace,
}

#[derive(Clone, Copy, PartialEq)]
enum Phase {
    Body,
    /// The body is over, the tasks are not.
    Tasks,
    Over,
}

struct Member {
    task: JoinHandle<()>,
    /// Drops the work of the task there and then.
    cancel: Box<dyn Fn()>,
}

/// The work of a task is not in the task itself, so that the group can drop it at any time.
type Work<F> = RefCell<Option<Pin<Box<F>>>>;

impl<E: 'static> TaskGroup<E> {
    /// Makes a future a task of this group. In the record it is called "task 3 of a group" if it is the third.
    ///
    /// If the group has failed already, the future is dropped at once.
    ///
    /// # Panics
    ///
    /// If the group is over: a clone of it was kept for too long.
    #[track_caller]
    pub fn spawn<T, F>(&self, future: F) -> GroupHandle<T>
    where
        F: Future<Output = Result<T, E>> + 'static,
        T: 'static,
    {
        let name = format!("task {} of a group", self.0.spawned.get() + 1);
        self.spawn_named(&name, future)
    }

    /// The same as [`spawn`](TaskGroup::spawn), with a name.
    ///
    /// # Panics
    ///
    /// If the group is over: a clone of it was kept for too long.
    #[track_caller]
    pub fn spawn_named<T, F>(&self, name: &str, future: F) -> GroupHandle<T>
    where
        F: Future<Output = Result<T, E>> + 'static,
        T: 'static,
    {
        assert!(
            self.0.phase.get() != Phase::Over,
            "{name} was spawned into a task group that is over: the group's tasks end with it, so spawn it before, or with `loopbot::spawn`"
        );
        let (output, handle) = oneshot::channel();
        let handle = GroupHandle(handle);
        if self.0.failure.borrow().is_some() {
            return handle;
        }
        let number = self.0.spawned.get() + 1;
        self.0.spawned.set(number);
        let work = Rc::new(Work::new(Some(Box::pin(future))));
        let group = self.0.clone();
        let membership = Membership {
            work: OwnWork(work.clone()),
            output: Some(output),
            name: name.into(),
            leaves: Leaves { group, number },
        };
        let task = crate::spawn_named(name, membership);
        let cancel = Box::new(move || drop_caught(work.take()));
        let member = Rc::new(Member { task, cancel });
        self.0.members.borrow_mut().insert(number, member);
        handle
    }
}
// ANCHOR_END: group

// ANCHOR: member
/// What is spawned for a member: it does the member's work, and tells the group how it ended. If it is
/// cancelled, its parts go in this order, and a panic of one of them does not keep the others.
struct Membership<F, T, E> {
    work: OwnWork<F>,
    /// Whoever awaits the handle gets this, or hears that there will be none.
    output: Option<oneshot::Sender<T>>,
    name: Rc<str>,
    leaves: Leaves<E>,
}

struct OwnWork<F>(Rc<Work<F>>);

impl<F> Drop for OwnWork<F> {
    fn drop(&mut self) {
        let work = self.0.take();
        drop(work);
    }
}

struct Leaves<E> {
    group: Rc<Group<E>>,
    number: u64,
}

impl<F, T, E> Future for Membership<F, T, E>
where
    F: Future<Output = Result<T, E>>,
{
    type Output = ();

    // ANCHOR: membership
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // Taken out while it is polled: it may drop the group.
        let Some(future) = self.work.0.take() else {
            return Poll::Ready(()); // The group was dropped.
        };
        let group = self.leaves.group.clone();
        let mut work = Some(future);
        let polled = catch_unwind(AssertUnwindSafe(|| {
            let polled = ready!(work.as_mut().unwrap().as_mut().poll(cx));
            work = None; // Before anybody hears of it: what it held is free again.
            Poll::Ready(polled)
        }));
        match polled {
            Ok(Poll::Pending) if group.phase.get() == Phase::Over => drop_caught(work),
            Ok(Poll::Pending) => {
                self.work.0.replace(work);
                return Poll::Pending;
            }
            Ok(Poll::Ready(Ok(output))) => {
                let handle = self.output.take();
                drop_caught(handle.map(|handle| handle.send(output)));
            }
            Ok(Poll::Ready(Err(error))) => {
                let name = self.name.to_string();
                group.fail(self.leaves.number, GroupError::Task { name, error });
            }
            Err(panic) => {
                drop_caught(work);
                let error = JoinError::panicked(&self.name, panic);
                group.fail(self.leaves.number, GroupError::Panic(error));
                resume_unwind(Box::new("its group has the panic")); // The record says how the task ended.
            }
        }
        Poll::Ready(())
    }
    // ANCHOR_END: membership
}

impl<E> Drop for Leaves<E> {
    fn drop(&mut self) {
        let member = self.group.members.borrow_mut().remove(&self.number);
        drop(member);
        let was_last = self.group.members.borrow().is_empty();
        if was_last && self.group.phase.get() == Phase::Tasks {
            self.group.waiter.call();
        }
    }
}
// ANCHOR_END: member

// ANCHOR: leaving
impl<E> Group<E> {
    /// `None`: the body, or a task, has failed.
    fn poll_body<T>(
        &self,
        body: Pin<&mut impl Future<Output = Result<T, E>>>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<T>> {
        if self.failure.borrow().is_some() {
            return Poll::Ready(None);
        }
        self.waiter.stand(&mut Some(leaf::keep(cx.waker())));
        leaf::keeps_in_silence();
        Poll::Ready(match ready!(body.poll(cx)) {
            Ok(output) => Some(output),
            Err(error) => {
                self.fail(0, GroupError::Body(error));
                None
            }
        })
    }

    /// Waits until all tasks are gone.
    fn poll_gone(&self, at: &'static Location<'static>, cx: &mut Context<'_>) -> Poll<()> {
        wait_list::poll(cx, "the tasks of a group", at, |waker| {
            if self.members.borrow().is_empty() {
                self.phase.set(Phase::Over);
                return Poll::Ready(());
            }
            self.phase.set(Phase::Tasks);
            self.waiter.stand(waker);
            Poll::Pending
        })
    }

    /// The first failure counts, and cancels all tasks but the one that failed, which is over anyway.
    fn fail(&self, who: u64, failure: GroupError<E>) {
        if self.failure.borrow().is_some() {
            return drop_caught(failure);
        }
        if let GroupError::Panic(_) = failure {
            leaf::is_observed(); // The task is not over yet, but its panic has reached its group.
        }
        self.failure.replace(Some(failure));
        let members = self.members.borrow().clone();
        for (_, member) in members.iter().filter(|&(&number, _)| number != who) {
            member.task.abort();
        }
        self.waiter.call();
    }
}

// ANCHOR: end_of_group
/// When this is dropped, the group is over.
struct EndOfGroup<'a, E>(&'a Group<E>);

impl<E> Drop for EndOfGroup<'_, E> {
    fn drop(&mut self) {
        self.0.phase.set(Phase::Over);
        // In the usual case nobody is left. If the group is dropped half-way, they are cancelled as they were spawned.
        for member in self.0.members.take().into_values() {
            (member.cancel)();
            member.task.abort(); // What is left of the task is an empty shell, which ends in its next turn.
        }
    }
}
// ANCHOR_END: end_of_group
// ANCHOR_END: leaving

// ANCHOR: handle
/// Waits for a task of a group, and gets what it made. Made by [`TaskGroup::spawn`].
///
/// There is no error to handle: if the task fails, the group does, and cancels whoever waits here. Dropping
/// the handle changes nothing for the task.
///
/// Cancel safety: dropping it half-way through an `.await` loses the output, not the task. Await `&mut handle` to keep it.
#[derive(Debug)]
pub struct GroupHandle<T>(oneshot::Receiver<T>);

impl<T> Future for GroupHandle<T> {
    type Output = T;

    /// # Panics
    ///
    /// If it is polled again after it returned `Ready`; and if it was carried out of its group, and the group has failed.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        match ready!(Pin::new(&mut self.0).poll(cx)) {
            Ok(output) => Poll::Ready(output),
            Err(_) => panic!(
                "a GroupHandle has no output to give: it was awaited before, or it was carried out of its group and awaited after the group had failed"
            ),
        }
    }
}

/// The first thing that went wrong in a [`task_group`].
#[derive(Debug)]
pub enum GroupError<E> {
    /// The body of the group returned an error.
    Body(E),
    /// A task returned an error.
    Task {
        /// The name of the task.
        name: String,
        /// What it returned.
        error: E,
    },
    /// A task panicked. The error knows its name.
    Panic(JoinError),
}

impl<E> GroupError<E> {
    /// The error, if it was one; `None` if it was a panic.
    pub fn error(&self) -> Option<&E> {
        match self {
            GroupError::Body(error) | GroupError::Task { error, .. } => Some(error),
            GroupError::Panic(_) => None,
        }
    }
}

impl<E: fmt::Display> fmt::Display for GroupError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GroupError::Body(error) => write!(f, "the body of the group failed: {error}"),
            GroupError::Task { name, error } => write!(f, "{name} failed: {error}"),
            GroupError::Panic(error) => error.fmt(f),
        }
    }
}

impl<E: std::error::Error + 'static> std::error::Error for GroupError<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            GroupError::Body(error) | GroupError::Task { error, .. } => Some(error),
            GroupError::Panic(error) => Some(error),
        }
    }
}

impl<E> Clone for TaskGroup<E> {
    fn clone(&self) -> TaskGroup<E> {
        TaskGroup(self.0.clone())
    }
}

impl<E> fmt::Debug for TaskGroup<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskGroup")
            .field("tasks", &self.0.members.borrow().len())
            .finish_non_exhaustive()
    }
}
// ANCHOR_END: handle
