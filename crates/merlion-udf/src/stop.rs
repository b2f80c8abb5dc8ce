//! How a cancelled job reaches a running fit.
//!
//! DataFusion gives an aggregate neither the session nor the job it runs in. The plan node that surrounds a series aggregate
//! (`SeriesScopeExec` in merlion-session) runs it on one thread of its own and holds a [`StopScope`] there; the accumulator,
//! made on that thread, takes the flag along.

use std::cell::RefCell;

use merlion::models::StopFlag;

thread_local! {
    static CURRENT: RefCell<Option<StopFlag>> = const { RefCell::new(None) };
}

/// While it lives, accumulators made on this thread carry its flag.
#[derive(Debug)]
pub struct StopScope {
    previous: Option<StopFlag>,
}

impl StopScope {
    /// Makes `flag` the current one of this thread.
    #[must_use]
    pub fn enter(flag: StopFlag) -> Self {
        Self { previous: CURRENT.with_borrow_mut(|current| current.replace(flag)) }
    }
}

impl Drop for StopScope {
    fn drop(&mut self) {
        CURRENT.with_borrow_mut(|current| *current = self.previous.take());
    }
}

/// The flag of the innermost scope of this thread, or one nobody sets.
pub(crate) fn current() -> StopFlag {
    CURRENT.with_borrow(|current| current.clone().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_nest_and_end() {
        let (outer, inner) = (StopFlag::default(), StopFlag::default());
        let _outer = StopScope::enter(outer.clone());
        {
            let _inner = StopScope::enter(inner.clone());
            current().stop();
        }
        assert!(inner.is_stopped());
        assert!(!outer.is_stopped(), "the outer scope's flag is untouched");
        current().stop();
        assert!(outer.is_stopped());
    }
}
