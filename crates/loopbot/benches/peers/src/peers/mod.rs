//! The contestants, one file each.

mod async_local;
mod compio;
mod floor;
mod futures_pool;
#[cfg(target_os = "linux")]
mod glommio;
#[cfg(target_os = "linux")]
mod kimojio;
mod loop_bot;
mod monoio;
mod nio;
mod smol;
mod tokio;

pub use self::async_local::AsyncLocal;
pub use self::compio::Compio;
pub use self::floor::Floor;
pub use self::futures_pool::FuturesPool;
#[cfg(target_os = "linux")]
pub use self::glommio::Glommio;
#[cfg(target_os = "linux")]
pub use self::kimojio::Kimojio;
pub use self::loop_bot::LoopBot;
pub use self::monoio::MonoioEpoll;
#[cfg(target_os = "linux")]
pub use self::monoio::MonoioUring;
pub use self::nio::Nio;
pub use self::smol::{Smol, SmolStatic};
pub use self::tokio::{TokioLocalSet, TokioSpawn};
