//! When one machine is not enough: the same jobs, done by pools on other machines. Feature `nats`.
//!
//! Between the machines stands a server, [NATS](https://nats.io) with JetStream. Programs that have jobs give them to the
//! server ([`Cluster`]). Machines that have workers fetch them from there ([`serve`]), and put the results there. Neither
//! knows the other, and each may come and go.
//!
//! ```no_run
//! use procpool::cluster::{self, Cluster};
//!
//! fn taste(dish: String) -> usize {
//!     dish.len()
//! }
//! fn kitchen() -> procpool::Jobs {
//!     procpool::jobs![taste]
//! }
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     procpool::worker_entry(kitchen);
//!     let server = "nats://127.0.0.1:4222";
//!     if std::env::args().any(|arg| arg == "machine") {
//!         let pool = procpool::Pool::builder(kitchen()).build()?;
//!         cluster::serve(&pool, server)?;
//!     } else {
//!         let cluster = Cluster::connect(kitchen(), server)?;
//!         let letters = cluster.job(taste).key("order-17").submit("onion soup".to_owned()).wait()?;
//!         assert_eq!(letters, 10);
//!     }
//!     Ok(())
//! }
//! ```
//!
//! Use it when jobs shall survive the program or the machine, when several programs have jobs for the same workers, or
//! when there are more jobs than one machine has cores. It is not quicker: a job takes a few journeys over the network.
//! All who share a queue have to be the same program. The list of jobs is compared, with the names and sizes of their
//! types, and another list has another queue.
//!
//! # What is promised
//!
//! **A job is done at least once.** An order that the server has confirmed is in its file. It stays there until a machine
//! has stored the result and acknowledged the order after that. If the machine dies in between, is cut off, or stands
//! still for longer than the [`ack_wait`](Settings::ack_wait), the order is given to another one. So a job may be done
//! twice, even at the same time, by a machine that was taken for dead. Only what may be done twice belongs here.
//!
//! **It has exactly one result.** The result is written with "only if there is none", which the server decides. The first
//! one counts, and all who ask get that one, also if the other was better.
//!
//! **The same key is the same order.** With a [key](ClusterJob::key), submitting again does not order again:
//!
//! * while the server remembers the order, for two minutes, it refuses a second one with the same key (the header
//!   `Nats-Msg-Id`);
//! * as long as the result is [kept](Settings::keep), a submitter that finds it does not order, and a machine that finds it
//!   does not cook;
//! * in between, if the first order waits for more than two minutes, a second one may be queued, and is recognised when a
//!   machine takes it. Only if both are taken before either is done, the job is done twice. The result is one.
//!
//! After that time the key is free again. With another argument it is refused before
//! ([`KeyTaken`](ClusterError::KeyTaken)).
//!
//! **Attempts are counted.** A job whose worker dies, or whose machine falls silent, is given to another machine, up to
//! [`attempts`](Settings::attempts) times. Then it has an error as its result. A job that panics, breaks its time limit or
//! cannot be read is not tried again: that is its result.
//!
//! **Nobody is flooded.** A machine asks for an order for each free worker, and no more. A full queue refuses, and the
//! submitter waits. A submitter has a certain number of jobs on their way, and further ones wait here, unsent.
//!
//! **Every wait ends.** An answer comes to the result, or to [`NoAnswer`](ClusterError::NoAnswer) when its patience is over,
//! or to [`ConnectionLost`](ClusterError::ConnectionLost) when the connection has been down for too long. A short outage is
//! bridged. After such an error submit again with the same key.
//!
//! What is not promised: that jobs are begun in the order in which they were submitted.
//!
//! # What it rests on, and where it ends
//!
//! The server's disk. With one server ([`replicas`](Settings::replicas)), losing that disk loses queue and results. NATS
//! writes its files without waiting for the disk each time, so a loss of power may take the last moments along.
//!
//! Sizes: an argument or a result of more than the server's `max_payload` (1 MiB, if nobody has changed it) is refused with
//! [`Encode`](crate::JobError::Encode). A [`Blob`](crate::Blob) travels as its bytes.
//!
//! An attempt is a delivery, as the server counts them. One that got lost on its way to a machine counts as well.
//!
//! The server. Before 2.10.15 it can go wrong when it delivers an order anew and finds nobody waiting for it (nats-server,
//! pull requests 5305 and 5338): it sends the order twice and calls it the first time again, so that what kills machines
//! gets more attempts than it should. And 2.9.10, which is Debian 12's, drops a request for an order that has expired
//! while others wait, now and then without a word: 6 of 819 in half a minute with six places that asked for 0.2 s
//! each. A place of a machine asks again a second later. So run 2.10.15 or later; 2.9 does for trying things out, and is
//! what the tests here also pass with.
//!
//! And the machines. An order is done when somebody asks for one. With nats-server 2.9 (Debian 12) a machine could be
//! refused when it came: of several that make the queue at the same moment, that server serves one and tells the others
//! that the subjects overlap with another stream. Such a machine left, and if no other one had a place free, orders stood
//! until the submitter's patience was over. Now that refusal is asked about again, for as long as an
//! [`outage`](Settings::outage) may be. So watch what [`serve_until`] returns, and start a machine that has left again. A
//! submitter whose patience is over is told what the server has: how many orders wait, how many are with machines, and
//! whether any machine asks for one.
//!
//! # A tour
//!
//! | file | idea |
//! |---|---|
//! | `submitter.rs` | the side that orders, and the answers |
//! | `machine.rs` | the side that works: look, cook, store, acknowledge |
//! | `connection.rs` | stream, bucket and subjects, and every question to the server |
//! | `forward.rs` | from bytes to a job of the pool, without knowing its types |
//! | `wire.rs` | what orders and results look like on their way |
//! | `settings.rs`, `error.rs` | what has to be agreed on, and what can go wrong |

mod connection;
mod error;
mod forward;
mod machine;
mod settings;
mod submitter;
mod wire;

pub use error::ClusterError;
pub(crate) use forward::Forward;
pub use machine::{Served, serve, serve_until};
pub use settings::Settings;
pub use submitter::{Cluster, ClusterAnswer, ClusterJob};

/// The client of NATS, for [`Settings::connect`].
pub use async_nats;
