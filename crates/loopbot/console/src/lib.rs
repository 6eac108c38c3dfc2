//! LoopBot's flight record in tokio-console's protocol.
//!
//! | file | idea |
//! |---|---|
//! | `ledger.rs` | what the record says about each task, added up |
//! | `service.rs` | the ledger, told over gRPC as tokio-console wants to hear it |

mod ledger;
mod service;

pub use service::serve;
