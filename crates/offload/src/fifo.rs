//! First in, first out; and, for those who changed their minds, out of the middle.
//!
//! Everything in here has a number, and numbers only grow. So whoever wants to leave is found by bisection. The gap
//! that is left behind is closed when there are more gaps than entries, so that leaving costs little on average, and
//! a thousand who came and left again take up no room.

use std::collections::VecDeque;

pub(crate) struct Fifo<T> {
    entries: VecDeque<(u64, Option<T>)>,
    /// How many entries are not gaps.
    len: usize,
}

/// So many gaps are not worth the trouble.
const FEW: usize = 32;

impl<T> Default for Fifo<T> {
    fn default() -> Fifo<T> {
        let (entries, len) = (VecDeque::new(), 0);
        Fifo { entries, len }
    }
}

impl<T> Fifo<T> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Puts something at the end. Its number is larger than all before it.
    pub(crate) fn push(&mut self, number: u64, item: T) {
        debug_assert!(self.entries.back().is_none_or(|(last, _)| *last < number));
        self.entries.push_back((number, Some(item)));
        self.len += 1;
    }

    pub(crate) fn pop(&mut self) -> Option<(u64, T)> {
        while let Some((number, item)) = self.entries.pop_front() {
            if let Some(item) = item {
                self.len -= 1;
                return Some((number, item));
            }
        }
        None
    }

    pub(crate) fn contains(&self, number: u64) -> bool {
        self.find(number)
            .is_some_and(|index| self.entries[index].1.is_some())
    }

    /// Takes out the one with this number, if it is still here.
    pub(crate) fn remove(&mut self, number: u64) -> Option<T> {
        let index = self.find(number)?;
        let item = self.entries[index].1.take()?;
        self.len -= 1;
        if self.entries.len() > 2 * self.len + FEW {
            self.entries.retain(|(_, item)| item.is_some());
        }
        Some(item)
    }

    fn find(&self, number: u64) -> Option<usize> {
        let by_number = self.entries.binary_search_by_key(&number, |(own, _)| *own);
        by_number.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::Fifo;

    #[test]
    fn those_who_stay_come_out_in_order_and_those_who_left_take_no_room() {
        let mut fifo = Fifo::default();
        for number in 0..100_000 {
            fifo.push(number, number);
            if number % 1_000 != 0 {
                assert_eq!(fifo.remove(number), Some(number));
                assert_eq!(fifo.remove(number), None, "nobody leaves twice");
            }
        }
        assert_eq!(fifo.len(), 100);
        assert!(fifo.entries.len() <= 2 * 100 + super::FEW);
        let left = std::iter::from_fn(|| fifo.pop()).map(|(_, item)| item);
        assert!(left.eq((0..100_000).step_by(1_000)));
    }
}
