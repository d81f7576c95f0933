//! Quantiles of a stream: exact while few values came, a t-digest after.
//!
//! Dunning & Ertl (2019), Computing extremely accurate quantiles using t-digests, arXiv:1902.04023, with the scale
//! function k₁ and merging of a sorted buffer. The same values in the same order give the same bits.

/// Values kept as they are before the digest is updated; below this many, quantiles are exact.
const BUFFER: usize = 2048;

/// A sketch of a distribution.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Digest {
    /// Values that the centroids do not hold yet.
    buffer: Vec<f64>,
    /// Mean and weight of each centroid, ascending.
    centroids: Vec<(f64, f64)>,
    least: f64,
    greatest: f64,
}

impl Digest {
    /// Takes in a finite value.
    #[inline]
    pub fn push(&mut self, value: f64, compression: f64) {
        if self.buffer.len() == BUFFER {
            self.compress(compression);
        }
        self.buffer.push(value);
    }

    fn compress(&mut self, compression: f64) {
        self.buffer.sort_unstable_by(f64::total_cmp);
        let fresh = std::mem::take(&mut self.buffer);
        if let (Some(&low), Some(&high)) = (fresh.first(), fresh.last()) {
            let empty = self.centroids.is_empty();
            self.least = if empty { low } else { self.least.min(low) };
            self.greatest = if empty { high } else { self.greatest.max(high) };
        }
        self.fold(fresh.iter().map(|&value| (value, 1.0)), compression);
        self.buffer = fresh;
        self.buffer.clear();
    }

    /// Merges an ascending sequence of centroids into those held.
    fn fold(&mut self, fresh: impl Iterator<Item = (f64, f64)> + Clone, compression: f64) {
        let total: f64 = self.centroids.iter().map(|c| c.1).sum::<f64>() + fresh.clone().map(|c| c.1).sum::<f64>();
        if total == 0.0 {
            return;
        }
        let old = std::mem::take(&mut self.centroids);
        let mut merged: Vec<(f64, f64)> = Vec::with_capacity(compression as usize * 2);
        let (mut a, mut b) = (old.iter().copied().peekable(), fresh.peekable());
        // k₁(q) = δ/2π · asin(2q − 1); a centroid may span one unit of it.
        let scale = compression / (2.0 * std::f64::consts::PI);
        let limit_after = |q: f64| {
            let k = scale * libm::asin((2.0 * q - 1.0).clamp(-1.0, 1.0)) + 1.0;
            let angle = (k / scale).min(std::f64::consts::FRAC_PI_2);
            0.5 * (libm::sin(angle) + 1.0)
        };
        let (mut before, mut limit) = (0.0, limit_after(0.0) * total);
        loop {
            let next = match (a.peek(), b.peek()) {
                (Some(x), Some(y)) if x.0 <= y.0 => a.next(),
                (_, Some(_)) => b.next(),
                (Some(_), None) => a.next(),
                (None, None) => break,
            };
            let Some((mean, weight)) = next else { break };
            match merged.last_mut() {
                Some(last) if before + last.1 + weight <= limit => {
                    last.1 += weight;
                    last.0 += (mean - last.0) * weight / last.1;
                }
                Some(last) => {
                    before += last.1;
                    limit = limit_after(before / total) * total;
                    merged.push((mean, weight));
                }
                None => merged.push((mean, weight)),
            }
        }
        self.centroids = merged;
    }

    /// Takes in what another sketch holds.
    pub fn merge(&mut self, other: &Self, compression: f64) {
        if !other.centroids.is_empty() {
            let empty = self.centroids.is_empty();
            self.least = if empty { other.least } else { self.least.min(other.least) };
            self.greatest = if empty { other.greatest } else { self.greatest.max(other.greatest) };
            self.fold(other.centroids.iter().copied(), compression);
        }
        for &value in &other.buffer {
            self.push(value, compression);
        }
    }

    /// The quantiles at `q` (each in 0 to 1): exact, as `numpy.quantile`, while no value has been merged.
    pub fn quantiles(&self, q: &[f64], compression: f64, out: &mut [f64]) {
        let mut own = self.clone();
        if own.centroids.is_empty() {
            own.buffer.sort_unstable_by(f64::total_cmp);
            for (&q, out) in q.iter().zip(out) {
                *out = interpolated(&own.buffer, q);
            }
            return;
        }
        own.compress(compression);
        let total: f64 = own.centroids.iter().map(|c| c.1).sum();
        for (&q, out) in q.iter().zip(out) {
            *out = own.at(q * total, total);
        }
    }

    /// The value below which a weight of `rank` lies: linear between the middles of centroids.
    fn at(&self, rank: f64, total: f64) -> f64 {
        let (mut low, mut low_rank) = (self.least, 0.0);
        let mut before = 0.0;
        for &(mean, weight) in &self.centroids {
            let middle = before + 0.5 * weight;
            if rank <= middle {
                let share = if middle > low_rank { (rank - low_rank) / (middle - low_rank) } else { 1.0 };
                return low + (mean - low) * share.clamp(0.0, 1.0);
            }
            (low, low_rank) = (mean, middle);
            before += weight;
        }
        let share = if total > low_rank { (rank - low_rank) / (total - low_rank) } else { 1.0 };
        low + (self.greatest - low) * share.clamp(0.0, 1.0)
    }

    /// The parts, for storing.
    pub fn parts(&self) -> (&[f64], &[(f64, f64)], f64, f64) {
        (&self.buffer, &self.centroids, self.least, self.greatest)
    }

    /// A sketch from its parts.
    pub fn from_parts(buffer: Vec<f64>, centroids: Vec<(f64, f64)>, least: f64, greatest: f64) -> Self {
        Self { buffer, centroids, least, greatest }
    }
}

fn interpolated(sorted: &[f64], q: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return f64::NAN;
    };
    let position = q.clamp(0.0, 1.0) * last as f64;
    let below = position.floor() as usize;
    let above = (below + 1).min(last);
    sorted[below] + (sorted[above] - sorted[below]) * (position - below as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(n: u32) -> Vec<f64> {
        (1..=n).map(|i| (f64::from(i) * 0.618_033_988_749_894_9).fract()).collect()
    }

    #[test]
    fn few_values_give_exact_quantiles() {
        let mut digest = Digest::default();
        for value in [3.0, 1.0, 2.0, 5.0] {
            digest.push(value, 200.0);
        }
        let mut out = [0.0; 3];
        digest.quantiles(&[0.0, 0.5, 0.9], 200.0, &mut out);
        // numpy.quantile([3, 1, 2, 5], [0, .5, .9])
        assert_eq!(out, [1.0, 2.5, 4.4]);
    }

    #[test]
    fn many_values_give_quantiles_within_the_resolution() {
        let mut digest = Digest::default();
        for value in stream(100_000) {
            digest.push(value, 200.0);
        }
        let q = [0.001, 0.01, 0.05, 0.5, 0.95, 0.99, 0.999];
        let mut out = [0.0; 7];
        digest.quantiles(&q, 200.0, &mut out);
        for (q, found) in q.iter().zip(out) {
            // A centroid at q spans about 2π√(q(1−q))/δ of the mass, and the error is a fraction of it.
            let bound = 2.0 * std::f64::consts::PI * (q * (1.0 - q)).sqrt() / 200.0;
            assert!((found - q).abs() < 0.25 * bound + 1e-4, "{q}: {found}");
        }
    }

    #[test]
    fn merging_halves_is_like_one_stream() {
        let values = stream(20_000);
        let (mut left, mut right) = (Digest::default(), Digest::default());
        for (k, &value) in values.iter().enumerate() {
            if k < 10_000 { left.push(value, 200.0) } else { right.push(value, 200.0) }
        }
        left.merge(&right, 200.0);
        let mut out = [0.0];
        left.quantiles(&[0.25], 200.0, &mut out);
        assert!((out[0] - 0.25).abs() < 0.005, "{}", out[0]);
    }
}
