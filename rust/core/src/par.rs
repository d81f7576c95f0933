//! Parallel work in fixed chunks: the chunks and the order of their results do not depend on the number of threads.

use std::ops::Range;
use std::sync::Mutex;

use rayon::prelude::*;

use crate::cancel::{Cancelled, Control};

/// What workers reuse: each task takes one and puts it back, so that as many are made as threads work at once. (What
/// rayon makes for each run of tasks that no other thread has stolen would be made anew for most of them.)
struct Spare<'a, S> {
    made: Mutex<Vec<S>>,
    make: &'a (dyn Fn() -> S + Sync + Send),
}

impl<'a, S> Spare<'a, S> {
    fn new(make: &'a (dyn Fn() -> S + Sync + Send)) -> Self {
        Self { made: Mutex::new(Vec::new()), make }
    }

    fn lend<T>(&self, work: impl FnOnce(&mut S) -> T) -> T {
        let found = self.made.lock().ok().and_then(|mut made| made.pop());
        let mut scratch = found.unwrap_or_else(self.make);
        let result = work(&mut scratch);
        if let Ok(mut made) = self.made.lock() {
            made.push(scratch);
        }
        result
    }
}

/// Runs `work` on chunks of `chunk` members of `0..members` and returns the results in chunk order.
///
/// A worker makes a scratch value with `scratch` when none is spare and reuses it from chunk to chunk, so `work` must
/// not let what an earlier chunk left there reach its result. An error ends the call; of several errors the
/// one of the first chunk is returned, whatever the number of threads.
pub fn chunks<S, T, E>(
    pool: &rayon::ThreadPool,
    control: &Control,
    members: usize,
    chunk: usize,
    scratch: impl Fn() -> S + Sync + Send,
    work: impl Fn(&mut S, Range<usize>) -> Result<T, E> + Sync + Send,
) -> Result<Vec<T>, E>
where
    S: Send,
    T: Send,
    E: Send + From<Cancelled>,
{
    fill(pool, control, &mut [], members, chunk, scratch, |state, range, _| work(state, range))
}

/// Like [`chunks`], for work that writes into its own part of `out`: each member owns as many numbers as the others,
/// one member after the other.
///
/// The pages of `out` are best touched by the workers: a fresh `vec![0.0; …]` costs nothing until they write to it.
pub fn fill<S, T, E>(
    pool: &rayon::ThreadPool,
    control: &Control,
    out: &mut [f64],
    members: usize,
    chunk: usize,
    scratch: impl Fn() -> S + Sync + Send,
    work: impl Fn(&mut S, Range<usize>, &mut [f64]) -> Result<T, E> + Sync + Send,
) -> Result<Vec<T>, E>
where
    S: Send,
    T: Send,
    E: Send + From<Cancelled>,
{
    let chunk = chunk.max(1);
    let width = out.len() / members.max(1);
    let mut rest = out;
    let tasks: Vec<(Range<usize>, &mut [f64])> = (0..members.div_ceil(chunk))
        .map(|index| {
            let range = index * chunk..((index + 1) * chunk).min(members);
            let (own, later) = std::mem::take(&mut rest).split_at_mut(range.len() * width);
            rest = later;
            (range, own)
        })
        .collect();
    let spare = Spare::new(&scratch);
    let one = |(range, own): (Range<usize>, &mut [f64])| {
        control.check()?;
        let size = range.len() as u64;
        let result = spare.lend(|state| work(state, range, own))?;
        control.advance(size);
        Ok(result)
    };
    if tasks.len() == 1 || pool.current_num_threads() == 1 {
        // Not worth waking a thread for.
        return tasks.into_iter().map(one).collect();
    }
    let results: Vec<Result<T, E>> = pool.install(|| tasks.into_par_iter().with_max_len(1).map(one).collect());
    results.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn pool(threads: usize) -> rayon::ThreadPool {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn results_stand_in_chunk_order_for_any_number_of_threads() {
        for threads in [1, 2, 5] {
            let control = Control::new();
            let sums: Result<Vec<usize>, Cancelled> =
                chunks(&pool(threads), &control, 103, 10, || (), |(), range| Ok(range.sum()));
            let expected: Vec<usize> = (0..11).map(|k| (k * 10..((k + 1) * 10).min(103)).sum()).collect();
            assert_eq!(sums, Ok(expected));
            assert_eq!(control.progress().0, 103);
        }
    }

    #[test]
    fn fill_gives_each_member_its_own_part() {
        for threads in [1, 3] {
            let mut out = vec![0.0; 21];
            let filled: Result<Vec<()>, Cancelled> = fill(
                &pool(threads),
                &Control::new(),
                &mut out,
                7,
                2,
                || (),
                |(), range, part| {
                    for (member, row) in range.zip(part.chunks_mut(3)) {
                        row.fill(member as f64);
                    }
                    Ok(())
                },
            );
            assert_eq!(filled, Ok(vec![(); 4]));
            assert!(out.iter().enumerate().all(|(i, &value)| value == (i / 3) as f64));
        }
    }

    #[test]
    fn no_more_scratch_is_made_than_threads_work() {
        for threads in [1, 2, 5] {
            let made = AtomicUsize::new(0);
            let make = || made.fetch_add(1, Ordering::Relaxed);
            let done: Result<Vec<()>, Cancelled> =
                chunks(&pool(threads), &Control::new(), 1000, 1, make, |_, _| Ok(()));
            assert!(done.is_ok());
            assert!((1..=threads).contains(&made.into_inner()));
        }
    }

    #[test]
    fn a_cancelled_call_stops() {
        let control = Control::new();
        control.cancel();
        let result: Result<Vec<()>, Cancelled> = chunks(&pool(2), &control, 5, 1, || (), |(), _| Ok(()));
        assert_eq!(result, Err(Cancelled));
    }
}
