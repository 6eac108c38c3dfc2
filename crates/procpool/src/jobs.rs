//! The list of functions that workers can be asked for, and how one function is found in it.
//!
//! A function has a type of its own in Rust, which takes no room and which nothing else has. That type is the
//! function's name here: a [`TypeId`] finds its place in the list, and that place is its name on the wire. The worker
//! is the same program with the same list, and says so by a fingerprint when it starts.

use std::any::{TypeId, type_name};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::worker::Batch;

/// The functions that a pool's workers can be asked for. Made by [`jobs!`](crate::jobs!).
///
/// ```
/// fn taste(dish: String) -> usize {
///     dish.len()
/// }
/// fn chop((what, how_often): (String, u32)) -> Vec<String> {
///     vec![what; how_often as usize]
/// }
///
/// let jobs = procpool::jobs![taste, chop];
/// assert!(format!("{jobs:?}").contains("taste"));
/// ```
#[derive(Default)]
pub struct Jobs {
    entries: Vec<Entry>,
    places: HashMap<TypeId, u16>,
}

pub(crate) struct Entry {
    pub(crate) name: &'static str,
    /// What stands for the types of argument and result: their names and sizes.
    types: u64,
    /// Runs the function for every argument in a batch. All that knows its types is in here.
    pub(crate) run: Box<dyn Fn(&mut Batch<'_>) + Send + Sync>,
    /// The same for arguments and results that come from, and go to, other machines.
    #[cfg(feature = "nats")]
    pub(crate) forward: crate::cluster::Forward,
}

impl Jobs {
    /// An empty list.
    pub fn new() -> Jobs {
        Jobs::default()
    }

    /// The list with one function more. A function that is in it already is not added again.
    ///
    /// The function takes one argument; for several, take a tuple. It must be a function or a closure that captures
    /// nothing: what it would capture is not in the worker.
    pub fn with<F, A, R>(mut self, function: F) -> Jobs
    where
        F: Fn(A) -> R + Send + Sync + 'static,
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
    {
        const {
            assert!(
                size_of::<F>() == 0,
                "a job captures nothing, and is no function pointer: its type alone says what to run"
            )
        }
        let place = self.entries.len();
        let known = self.places.contains_key(&TypeId::of::<F>());
        if !known && place < usize::from(u16::MAX) {
            self.places.insert(TypeId::of::<F>(), place as u16);
            self.entries.push(Entry {
                name: type_name::<F>(),
                types: types::<A, R>(),
                run: Box::new(move |batch| batch.run(&function)),
                #[cfg(feature = "nats")]
                forward: crate::cluster::Forward::of::<A, R>(),
            });
        }
        self
    }

    /// Where the function stands in the list.
    pub(crate) fn place<F: 'static>(&self) -> Option<u16> {
        self.places.get(&TypeId::of::<F>()).copied()
    }

    pub(crate) fn get(&self, place: u16) -> Option<&Entry> {
        self.entries.get(usize::from(place))
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn name(&self, place: u16) -> &'static str {
        self.get(place).map_or("", |entry| entry.name)
    }

    /// For each function its name, and what stands for its types.
    pub(crate) fn described(&self) -> Vec<(String, u64)> {
        let describe = |entry: &Entry| (entry.name.to_owned(), entry.types);
        self.entries.iter().map(describe).collect()
    }

    /// In a worker: what is wrong with this list if that is the pool's, in one sentence.
    pub(crate) fn differ_from(&self, pools: &[(String, u64)]) -> Option<String> {
        let ours = self.described();
        if ours == pools {
            return None;
        }
        let missing = |these: &[(String, u64)], those: &[(String, u64)]| {
            let lacks = |(name, _): &&(String, u64)| !those.iter().any(|(other, _)| other == name);
            let names: Vec<&str> = these
                .iter()
                .filter(lacks)
                .map(|(name, _)| name.as_str())
                .collect();
            names.join(", ")
        };
        let (lacks, besides) = (missing(pools, &ours), missing(&ours, pools));
        let other = pools
            .iter()
            .zip(&ours)
            .find(|(theirs, ours)| theirs != ours);
        let what = match (lacks.as_str(), besides.as_str(), other) {
            ("", "", Some(((pools, _), (ours, _)))) if pools == ours => {
                format!("the types of {pools} differ: pool and worker are not of one build")
            }
            ("", "", Some(((pools, _), (ours, _)))) => {
                format!("in the pool's list {pools} stands where the worker's has {ours}")
            }
            ("", "", None) => "one of them has a job twice".to_owned(),
            (lacks, "", _) => format!("the worker's lacks {lacks}"),
            ("", besides, _) => format!("the pool's lacks {besides}"),
            (lacks, besides, _) => format!("the worker's lacks {lacks}, and the pool's {besides}"),
        };
        Some(format!(
            "the pool was built with another list of jobs than its workers have, which is the one that main gives to \
             worker_entry: {what}"
        ))
    }

    /// What the worker must have the same of: the functions, in this order, with types of these names and sizes, in a
    /// program of this version and size.
    pub(crate) fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        env!("CARGO_PKG_VERSION").hash(&mut hasher);
        size_of::<usize>().hash(&mut hasher);
        for entry in &self.entries {
            (entry.name, entry.types).hash(&mut hasher);
        }
        hasher.finish()
    }
}

fn types<A, R>() -> u64 {
    let mut hasher = DefaultHasher::new();
    (
        type_name::<A>(),
        size_of::<A>(),
        type_name::<R>(),
        size_of::<R>(),
    )
        .hash(&mut hasher);
    hasher.finish()
}

impl std::fmt::Debug for Jobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.entries.iter().map(|entry| entry.name);
        f.debug_list().entries(names).finish()
    }
}

/// The list of functions that workers can be asked for.
///
/// ```
/// fn taste(dish: String) -> usize {
///     dish.len()
/// }
/// let kitchen = procpool::jobs![taste];
/// ```
#[macro_export]
macro_rules! jobs {
    ($($function:expr),* $(,)?) => {
        $crate::Jobs::new()$(.with($function))*
    };
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_list_says_in_one_sentence_what_is_wrong_with_another() {
        fn taste(dish: u8) -> u8 {
            dish
        }
        fn chop(dish: u8) -> u8 {
            dish
        }
        let said = |workers: &super::Jobs, pools: &super::Jobs| {
            workers.differ_from(&pools.described()).unwrap_or_default()
        };
        let both = crate::jobs![taste, chop];
        assert_eq!(said(&both, &crate::jobs![taste, chop]), "");
        assert!(
            said(&crate::jobs![taste], &both).contains("the worker's lacks procpool::jobs::tests")
        );
        assert!(
            said(&both, &crate::jobs![taste]).contains("the pool's lacks procpool::jobs::tests")
        );
        assert!(said(&both, &crate::jobs![chop, taste]).contains("stands where the worker's has"));
        let mut older = both.described();
        older[1].1 += 1;
        let said = both.differ_from(&older).unwrap_or_default();
        assert!(
            said.contains("chop differ: pool and worker are not of one build"),
            "{said}"
        );
    }
}
