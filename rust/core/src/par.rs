//! Parallel work in fixed chunks: the chunks and the order of their results do not depend on the number of threads.

use rayon::prelude::*;

use crate::cancel::{Cancelled, Control};

/// Runs `work` on chunks of `chunk` members of `0..members` and returns the results in chunk order.
///
/// Each worker makes one scratch value with `scratch` and reuses it for all its chunks, so `work` must not
/// let what an earlier chunk left there reach its result. An error ends the call; of several errors the
/// one of the first chunk is returned, whatever the number of threads.
pub fn chunks<S, T, E>(
    pool: &rayon::ThreadPool,
    control: &Control,
    members: usize,
    chunk: usize,
    scratch: impl Fn() -> S + Sync + Send,
    work: impl Fn(&mut S, std::ops::Range<usize>) -> Result<T, E> + Sync + Send,
) -> Result<Vec<T>, E>
where
    S: Send,
    T: Send,
    E: Send + From<Cancelled>,
{
    let chunk = chunk.max(1);
    let count = members.div_ceil(chunk);
    let results: Vec<Result<T, E>> = pool.install(|| {
        (0..count)
            .into_par_iter()
            .with_max_len(1)
            .map_init(&scratch, |state, index| {
                control.check()?;
                let range = index * chunk..((index + 1) * chunk).min(members);
                let size = range.len() as u64;
                let result = work(state, range)?;
                control.advance(size);
                Ok(result)
            })
            .collect()
    });
    results.into_iter().collect()
}

/// Like [`chunks`], for work that writes into its own part of `out`: member `i` owns `out[i * width..(i + 1) * width]`.
pub fn fill<S, E>(
    pool: &rayon::ThreadPool,
    control: &Control,
    out: &mut [f64],
    width: usize,
    chunk: usize,
    scratch: impl Fn() -> S + Sync + Send,
    work: impl Fn(&mut S, std::ops::Range<usize>, &mut [f64]) -> Result<(), E> + Sync + Send,
) -> Result<(), E>
where
    S: Send,
    E: Send + From<Cancelled>,
{
    let chunk = chunk.max(1);
    let size = chunk.saturating_mul(width).max(1);
    let results: Vec<Result<(), E>> = pool.install(|| {
        out.par_chunks_mut(size)
            .with_max_len(1)
            .enumerate()
            .map_init(&scratch, |state, (index, part)| {
                control.check()?;
                let members = part.len() / width.max(1);
                work(state, index * chunk..index * chunk + members, part)?;
                control.advance(members as u64);
                Ok(())
            })
            .collect()
    });
    results.into_iter().collect()
}

#[cfg(test)]
mod tests {
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
            let filled: Result<(), Cancelled> = fill(
                &pool(threads),
                &Control::new(),
                &mut out,
                3,
                2,
                || (),
                |(), range, part| {
                    for (member, row) in range.zip(part.chunks_mut(3)) {
                        row.fill(member as f64);
                    }
                    Ok(())
                },
            );
            assert_eq!(filled, Ok(()));
            assert!(out.iter().enumerate().all(|(i, &value)| value == (i / 3) as f64));
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
