//! Replicates one at a time, for what cannot be read off sums of products: each is handed its row weights.

use super::engine::Replicates;
use super::error::{PlsError, Result};
use crate::cancel::Control;
use crate::lanes::Kernel;
use crate::par;
use crate::resample::{Plan, Scratch};

/// Runs `one` on the row weights (those of the plan times `own`) of every replicate.
///
/// It gets what `room` made for its worker, the weights, and the replicate's `width` numbers, NaN until it writes them;
/// it returns status and detail.
pub(super) fn each<S: Send>(
    plan: &Plan,
    own: &[f64],
    width: usize,
    pool: &rayon::ThreadPool,
    control: &Control,
    room: impl Fn() -> S + Sync + Send,
    one: impl Fn(&mut S, &[f64], &mut [f64]) -> [i32; 2] + Sync + Send,
) -> Result<Replicates> {
    let n = own.len();
    let replicates = plan.replicates(n);
    control.set_total(replicates as u64);
    let mut values = vec![0.0; replicates * width];
    let scratch = || (Scratch::default(), vec![0.0; n], room());
    let work =
        |(scratch, weights, room): &mut (Scratch, Vec<f64>, S), range: std::ops::Range<usize>, out: &mut [f64]| {
            plan.weights(Kernel::Portable, range.start, scratch, weights);
            for (w, own) in weights.iter_mut().zip(own) {
                *w *= own;
            }
            out.fill(f64::NAN);
            Ok::<_, PlsError>(one(room, weights, out))
        };
    let status = par::fill(pool, control, &mut values, replicates, 1, scratch, work)?;
    Ok(Replicates { values, status })
}
