//! A long call's way to be stopped and to say how far it is.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The caller asked for the call to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the call was cancelled")]
pub struct Cancelled;

/// What a caller that works itself does at every check.
struct Watch(Box<dyn Fn(&Control) + Send + Sync>);

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watch")
    }
}

/// Shared between the thread that waits for a long call and those that work on it.
///
/// Workers call [`Control::check`] between chunks (at least every 50 ms of work) and [`Control::advance`]
/// when one is done; the waiting thread calls [`Control::cancel`] and reads [`Control::progress`].
#[derive(Debug, Default)]
pub struct Control {
    cancelled: AtomicBool,
    done: AtomicU64,
    total: AtomicU64,
    watch: Option<Watch>,
}

impl Control {
    /// A call that nobody has cancelled and that has done nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// As [`Control::new`]; `watch` is called at every check, in the thread that checks, and may cancel the call.
    pub fn watched(watch: impl Fn(&Self) + Send + Sync + 'static) -> Self {
        Self { watch: Some(Watch(Box::new(watch))), ..Self::default() }
    }

    /// Asks the workers to stop at their next check.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Fails once the call has been cancelled.
    pub fn check(&self) -> Result<(), Cancelled> {
        if let Some(Watch(watch)) = &self.watch {
            watch(self);
        }
        if self.cancelled.load(Ordering::Relaxed) { Err(Cancelled) } else { Ok(()) }
    }

    /// Sets how many members the call has in all.
    pub fn set_total(&self, total: u64) {
        self.total.store(total, Ordering::Relaxed);
    }

    /// Adds `members` to those that are done.
    pub fn advance(&self, members: u64) {
        self.done.fetch_add(members, Ordering::Relaxed);
    }

    /// Members done and members in all.
    pub fn progress(&self) -> (u64, u64) {
        (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_fails_only_after_a_cancel() {
        let control = Control::new();
        assert_eq!(control.check(), Ok(()));
        control.cancel();
        assert_eq!(control.check(), Err(Cancelled));
    }

    #[test]
    fn a_watch_is_called_at_every_check_and_may_cancel() {
        let control = Control::watched(|control| {
            control.advance(1);
            if control.progress().0 == 2 {
                control.cancel();
            }
        });
        assert_eq!(control.check(), Ok(()));
        assert_eq!(control.check(), Err(Cancelled));
    }

    #[test]
    fn progress_counts_members() {
        let control = Control::new();
        control.set_total(10);
        control.advance(3);
        control.advance(4);
        assert_eq!(control.progress(), (7, 10));
    }
}
