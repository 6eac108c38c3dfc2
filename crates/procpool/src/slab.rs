//! Things with a key that is never used again: an index, and how often its place was used before.

use std::num::NonZero;

/// The name of something in a [`Slab`]. An `Option` of it is no larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    index: u32,
    use_: NonZero<u32>,
}

impl Key {
    /// The same in one number, for telling.
    pub(crate) fn number(self) -> u64 {
        u64::from(self.use_.get() - 1) << 32 | u64::from(self.index)
    }
}

/// A vector whose empty places are used again.
pub(crate) struct Slab<T> {
    places: Vec<(NonZero<u32>, Option<T>)>,
    free: Vec<u32>,
}

impl<T> Slab<T> {
    pub(crate) fn new() -> Slab<T> {
        Slab {
            places: Vec::new(),
            free: Vec::new(),
        }
    }

    pub(crate) fn insert(&mut self, value: T) -> Key {
        match self.free.pop() {
            Some(index) => {
                let place = &mut self.places[index as usize];
                place.1 = Some(value);
                Key {
                    index,
                    use_: place.0,
                }
            }
            None => {
                let index = u32::try_from(self.places.len()).expect("fewer than 4 billion jobs");
                let use_ = NonZero::<u32>::MIN;
                self.places.push((use_, Some(value)));
                Key { index, use_ }
            }
        }
    }

    pub(crate) fn get(&self, key: Key) -> Option<&T> {
        let place = self.places.get(key.index as usize)?;
        place.1.as_ref().filter(|_| place.0 == key.use_)
    }

    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let place = self.places.get_mut(key.index as usize)?;
        let same = place.0 == key.use_;
        place.1.as_mut().filter(|_| same)
    }

    pub(crate) fn remove(&mut self, key: Key) -> Option<T> {
        let place = self.places.get_mut(key.index as usize)?;
        if place.0 != key.use_ {
            return None;
        }
        let value = place.1.take()?;
        place.0 = place.0.checked_add(1).unwrap_or(NonZero::<u32>::MIN);
        self.free.push(key.index);
        Some(value)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.free.len() == self.places.len()
    }
}
