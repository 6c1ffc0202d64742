//! What the tests of a module share because it is slow to start. A static is never dropped, so it
//! must not be what keeps servers alive: they would stay behind, and so would their folders. They end
//! with the last test that wants them.

use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Something that is started by the first test that asks for it. Each test keeps to a folder or a
/// bucket of its own in it, so that no order matters.
#[derive(Debug)]
pub struct Shared<T> {
    start: fn() -> T,
    /// Tests that hold it, or wait for it to be started.
    wanted: AtomicUsize,
    running: Mutex<Option<Arc<T>>>,
}

/// It lasts as long as this, at least.
#[derive(Debug)]
pub struct Held<T: 'static> {
    value: Arc<T>,
    _wish: Wish<T>,
}

#[derive(Debug)]
struct Wish<T: 'static>(&'static Shared<T>);

impl<T> Shared<T> {
    /// Starts nothing yet.
    #[must_use]
    pub const fn new(start: fn() -> T) -> Self {
        Self { start, wanted: AtomicUsize::new(0), running: Mutex::new(None) }
    }

    /// What other tests hold just now, or else a new one.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn get(&'static self) -> Held<T> {
        // Before it is waited for: whoever started it may be done with it at once.
        self.wanted.fetch_add(1, Ordering::SeqCst);
        let wish = Wish(self);
        // It is not there if it did not start for another test, and then may start for this one.
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let value = Arc::clone(running.get_or_insert_with(|| Arc::new((self.start)())));
        Held { value, _wish: wish }
    }
}

impl<T> Deref for Held<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> Drop for Wish<T> {
    fn drop(&mut self) {
        if self.0.wanted.fetch_sub(1, Ordering::SeqCst) == 1 {
            let mut running = self.0.running.lock().unwrap_or_else(PoisonError::into_inner);
            if self.0.wanted.load(Ordering::SeqCst) == 0 {
                *running = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Shared;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::thread;
    use std::time::Duration;

    #[test]
    fn it_is_started_once_for_all_who_hold_it_and_ends_with_the_last() {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        static ENDED: AtomicU32 = AtomicU32::new(0);
        struct Server(u32);
        impl Drop for Server {
            fn drop(&mut self) {
                ENDED.fetch_add(1, Ordering::SeqCst);
            }
        }
        static SHARED: Shared<Server> =
            Shared::new(|| Server(STARTED.fetch_add(1, Ordering::SeqCst)));
        let (one, other) = (SHARED.get(), SHARED.get());
        assert_eq!((one.0, other.0), (0, 0));
        drop(one);
        assert_eq!(SHARED.get().0, 0, "the other still holds it");
        drop(other);
        assert_eq!(ENDED.load(Ordering::SeqCst), 1);
        assert_eq!(SHARED.get().0, 1);
        assert_eq!(ENDED.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn it_does_not_end_while_another_waits_for_it_and_a_failed_start_is_tried_again() {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        static SHARED: Shared<u32> = Shared::new(|| {
            let number = STARTED.fetch_add(1, Ordering::SeqCst);
            assert_ne!(number, 0, "the first does not start");
            thread::sleep(Duration::from_millis(200));
            number
        });
        assert!(thread::spawn(|| *SHARED.get()).join().is_err());
        let both = [(); 2].map(|()| thread::spawn(|| *SHARED.get()));
        let both = both.map(|one| one.join().expect("a start"));
        assert_eq!(both, [1, 1]);
    }
}
