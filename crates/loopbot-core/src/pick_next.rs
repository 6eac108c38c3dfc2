//! Letting somebody else choose who is next, instead of first come, first served.

use crate::builder::ReadyTask;
use crate::executor::Executor;

impl Executor {
    #[cold]
    pub(crate) fn pick(&self, pick: &dyn Fn(&[ReadyTask]) -> usize) -> Option<u32> {
        let slots = self.shelf().who_is_ready();
        if slots.is_empty() {
            return None;
        }
        let describe = |slot: &u32| ReadyTask {
            name: self.task_name(*slot).to_string(),
            id: u64::from(self.shelf().born(*slot)),
        };
        let index = pick(&slots.iter().map(describe).collect::<Vec<_>>());
        assert!(
            index < slots.len(),
            "`pick_next` picked number {index} of {} who are ready: the first is number 0",
            slots.len()
        );
        self.shelf().ready.take(index)
    }
}
