//! How much CPU this process spent on the media themselves, for the ratio that the benchmark shows.

use std::{
    cell::Cell,
    sync::atomic::{AtomicU64, Ordering},
};

static SPENT_NS: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static COUNTING: Cell<bool> = const { Cell::new(false) };
}

/// CPU nanoseconds that this process spent in `derive`, `inspect`, `facts` and in [`counted`] work, over all threads.
pub fn cpu_ns() -> u64 {
    SPENT_NS.load(Ordering::Relaxed)
}

/// Adds what another process spent on the media for this one.
pub fn add_cpu_ns(spent: u64) {
    SPENT_NS.fetch_add(spent, Ordering::Relaxed);
}

/// Runs `work` and adds the CPU time that this thread spent in it, panics included. Nested calls count once.
pub fn counted<T>(work: impl FnOnce() -> T) -> T {
    struct Span(u64);
    impl Drop for Span {
        fn drop(&mut self) {
            COUNTING.set(false);
            SPENT_NS.fetch_add(thread_ns().saturating_sub(self.0), Ordering::Relaxed);
        }
    }
    let _span = (!COUNTING.replace(true)).then(|| Span(thread_ns()));
    work()
}

/// `CLOCK_THREAD_CPUTIME_ID` (POSIX, `clock_gettime`).
fn thread_ns() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_counted() {
        let before = cpu_ns();
        let sum = counted(|| (0..3_000_000_u64).fold(1_u64, |sum, n| std::hint::black_box(sum.wrapping_mul(31) ^ n)));
        assert_ne!(sum, 0);
        counted(|| counted(|| ()));
        assert!(!COUNTING.get());
        assert!(cpu_ns() - before > 100_000, "{} ns", cpu_ns() - before);
    }
}
