//! What differs between systems: how a child is kept together with what it starts, and how its death is read.

#[cfg(unix)]
mod unix;
#[cfg(unix)]
use unix as here;

#[cfg(windows)]
mod windows;
#[cfg(windows)]
use windows as here;

pub(crate) use here::{
    Group, crash, has_given_up, is_being_debugged, prints_to_one_place, start_like_us,
};
