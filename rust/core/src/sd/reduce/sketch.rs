//! Quantiles of a stream: exact while few values came, after that within a proven share of the ranks.
//!
//! Greenwald & Khanna (2001), Space-efficient online computation of quantile summaries, SIGMOD, with values taken in by
//! counting: edges cut the line into open bins and points, and a value only raises the count of its bin or its point. An edge
//! that comes late does not know how many earlier values of its bin lie below it; that number is its `slack`. The invariant
//!
//! > count of an open bin + slack of the edge above it ≤ share · values
//!
//! bounds the error of every answer, whatever the order of the values: a bin that would break it is cut at values that have
//! just come. Merging keeps it, because both sides of the sum add up (Agarwal et al. 2013, Mergeable summaries, ACM TODS 38).
//! The same values in the same portions give the same bits.

use crate::lanes::Kernel;

/// Values kept as they are before edges are made; up to this many, quantiles are exact.
pub(super) const EXACT: usize = 512;
/// Edges that a search looks at together.
const BLOCK: usize = 16;

/// A sketch of a distribution.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sketch {
    /// The values themselves, while there are few.
    exact: Vec<f64>,
    /// Strictly ascending.
    edges: Vec<f64>,
    /// Twice as many and one: values between edge k − 1 and edge k at 2k, values equal to edge k at 2k + 1.
    counts: Vec<u32>,
    /// Of each edge: at most this many values that are counted above it lie below it or on it.
    slack: Vec<u32>,
    /// Of each edge: how many of them likely do, if values lie evenly between edges.
    guess: Vec<f32>,
    count: u64,
}

/// The parts of a sketch.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    /// The values while there are few.
    pub exact: &'a [f64],
    /// The edges.
    pub edges: &'a [f64],
    /// Counts of bins and edges.
    pub counts: &'a [u32],
    /// What edges do not know.
    pub slack: &'a [u32],
    /// What is likely of it.
    pub guess: &'a [f32],
    /// How many values came.
    pub count: u64,
}

/// Edges and what belongs to them, as in a sketch.
#[derive(Debug, Default)]
struct Draft {
    edges: Vec<f64>,
    counts: Vec<u32>,
    slack: Vec<u32>,
    guess: Vec<f32>,
}

impl Draft {
    fn clear(&mut self) {
        self.edges.clear();
        self.counts.clear();
        self.slack.clear();
        self.guess.clear();
    }

    fn copy(&mut self, sketch: &Sketch) {
        self.edges.clone_from(&sketch.edges);
        self.counts.clone_from(&sketch.counts);
        self.slack.clone_from(&sketch.slack);
        self.guess.clone_from(&sketch.guess);
    }

    /// The bins of another, joined where what an edge parts fits together into `full`.
    fn join(&mut self, from: &Self, full: u64) {
        self.clear();
        let mut below = 0;
        for k in 0..=from.edges.len() {
            let slack = from.slack.get(k).copied().unwrap_or(0);
            let mut here = from.counts[2 * k];
            // The edge before may go if what it parted fits together.
            if let Some(&at) = self.counts.last() {
                let together = u64::from(below) + u64::from(at) + u64::from(here);
                if together + u64::from(slack) <= full {
                    here = together as u32;
                    self.edges.pop();
                    self.slack.pop();
                    self.guess.pop();
                    self.counts.truncate(self.counts.len() - 2);
                }
            }
            self.counts.push(here);
            below = here;
            if let Some(&edge) = from.edges.get(k) {
                self.edges.push(edge);
                self.counts.push(from.counts[2 * k + 1]);
                self.slack.push(slack);
                self.guess.push(from.guess[k]);
            }
        }
    }
}

/// Memory for taking values in, made once a worker.
#[derive(Debug)]
pub struct Scratch {
    kernel: Kernel,
    index: Vec<f64>,
    heads: Vec<f64>,
    places: Vec<u32>,
    inside: Vec<f64>,
    draft: Draft,
    spare: Draft,
}

/// What is known of the values that came before at the place of a new edge.
#[derive(Clone, Copy, Default)]
struct Past {
    /// At most this many lie below it beyond those counted.
    slack: u32,
    /// Likely as many at `low`, and this many more up to `high`.
    guess: f64,
    more: f64,
    low: f64,
    high: f64,
}

impl Past {
    fn at(&self, edge: f64) -> f64 {
        let share = (edge - self.low) / (self.high - self.low);
        let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.5 };
        (self.guess + share * self.more).clamp(0.0, f64::from(self.slack))
    }
}

impl Sketch {
    /// Takes in finite values; `least` and `greatest` are the extremes of those that came before.
    pub fn take(&mut self, values: &[f64], [least, greatest]: [f64; 2], share: f64, scratch: &mut Scratch) {
        self.count += values.len() as u64;
        if self.edges.is_empty() {
            if self.exact.len() + values.len() <= EXACT {
                self.exact.reserve_exact(values.len());
                self.exact.extend_from_slice(values);
                return;
            }
            let mut every = std::mem::take(&mut self.exact);
            every.extend_from_slice(values);
            every.sort_unstable_by(f64::total_cmp);
            self.build(&every, share, scratch);
            return;
        }
        scratch.places.clear();
        scratch.places.resize(values.len(), 0);
        index(&self.edges, scratch);
        find(&scratch.heads, &scratch.index, values, &mut scratch.places, scratch.kernel);
        for &place in &scratch.places {
            self.counts[place as usize] += 1;
        }
        let limit = limit(share, self.count);
        let last = self.edges.len();
        let heavy = (0..last).any(|k| u64::from(self.counts[2 * k]) + u64::from(self.slack[k]) > limit)
            || u64::from(self.counts[2 * last]) > limit;
        if heavy {
            self.split(values, [least, greatest], limit, scratch);
        } else if self.edges.len() > room(share) {
            scratch.draft.copy(self);
        } else {
            return;
        }
        if scratch.draft.edges.len() > room(share) {
            shrink(share, self.count, scratch);
        }
        self.keep(&scratch.draft);
    }

    /// Takes in finite values as [`Sketch::take`] does, but makes edges of the first at once: where more than [`EXACT`] will
    /// come, room for all of those is not needed.
    pub fn take_of_many(&mut self, values: &[f64], extremes: [f64; 2], share: f64, scratch: &mut Scratch) {
        if self.count > 0 || values.is_empty() {
            self.take(values, extremes, share, scratch);
            return;
        }
        self.count = values.len() as u64;
        let mut every = values.to_vec();
        every.sort_unstable_by(f64::total_cmp);
        self.build(&every, share, scratch);
    }

    /// Edges for sorted values.
    fn build(&mut self, sorted: &[f64], share: f64, scratch: &mut Scratch) {
        let draft = &mut scratch.draft;
        draft.clear();
        let rest = cut(sorted, 0, Past::default(), limit(share, self.count) / 2, false, draft);
        draft.counts.push(rest);
        self.keep(draft);
    }

    /// Drafts a sketch whose bins that hold too much are cut at values that have just come.
    fn split(&self, values: &[f64], [least, greatest]: [f64; 2], limit: u64, scratch: &mut Scratch) {
        let Scratch { places, inside, draft, .. } = scratch;
        draft.clear();
        for k in 0..=self.edges.len() {
            let slack = self.slack.get(k).copied().unwrap_or(0);
            let held = self.counts[2 * k];
            if u64::from(held) + u64::from(slack) > limit {
                inside.clear();
                let mine = values.iter().zip(&*places).filter(|&(_, &place)| place as usize == 2 * k);
                inside.extend(mine.map(|(&value, _)| value));
                inside.sort_unstable_by(f64::total_cmp);
                let old = held - inside.len() as u32;
                // Outside of what came before, ranks are known: nothing old lies below the least or above the greatest.
                let (before, inner) = inside.split_at(inside.partition_point(|&value| value < least));
                let (within, after) = inner.split_at(inner.partition_point(|&value| value <= greatest));
                cut(before, 0, Past::default(), limit / 2, true, draft);
                let past = Past { slack: old + slack, ..self.past(k, old, [least, greatest]) };
                let free = limit.saturating_sub(u64::from(past.slack)) / 2;
                let mut rest = old + cut(within, 0, past, free, false, draft);
                if k == self.edges.len() {
                    rest = cut(after, rest, Past::default(), limit / 2, false, draft);
                }
                draft.counts.push(rest);
            } else {
                draft.counts.push(held);
            }
            if let Some(&edge) = self.edges.get(k) {
                draft.edges.push(edge);
                draft.counts.push(self.counts[2 * k + 1]);
                draft.slack.push(slack);
                draft.guess.push(self.guess[k]);
            }
        }
    }

    /// What is known inside bin k, which held `old` values.
    fn past(&self, k: usize, old: u32, [least, greatest]: [f64; 2]) -> Past {
        let guess = |k: usize| f64::from(self.guess.get(k).copied().unwrap_or(0.0));
        let before = if k == 0 { 0.0 } else { guess(k - 1) };
        Past {
            slack: 0,
            guess: before,
            more: f64::from(old) + guess(k) - before,
            low: if k == 0 { least } else { self.edges[k - 1] },
            high: self.edges.get(k).copied().unwrap_or(greatest),
        }
    }

    fn keep(&mut self, draft: &Draft) {
        replace(&mut self.edges, &draft.edges);
        replace(&mut self.counts, &draft.counts);
        replace(&mut self.slack, &draft.slack);
        replace(&mut self.guess, &draft.guess);
    }

    /// Takes in what another sketch holds; with the extremes of the values of each.
    pub fn merge(&mut self, own: [f64; 2], other: &Self, others: [f64; 2], share: f64, scratch: &mut Scratch) {
        if other.edges.is_empty() {
            self.take(&other.exact, own, share, scratch);
            return;
        }
        if self.edges.is_empty() {
            let few = std::mem::take(self);
            *self = other.clone();
            self.take(&few.exact, others, share, scratch);
            return;
        }
        let draft = &mut scratch.draft;
        draft.clear();
        let mut sides = [Side::new(self, own), Side::new(other, others)];
        let mut written = 0;
        loop {
            let next = sides.iter().filter_map(|side| side.sketch.edges.get(side.k)).copied().reduce(f64::min);
            let Some(edge) = next else { break };
            let (mut at, mut slack, mut guess) = (0, 0, 0.0);
            for side in &mut sides {
                let (on, beyond, likely) = side.pass(edge);
                at += on;
                slack += beyond;
                guess += likely;
            }
            let under = sides[0].under + sides[1].under;
            draft.edges.push(edge);
            draft.counts.push(under - at - written);
            draft.counts.push(at);
            draft.slack.push(slack);
            draft.guess.push(guess as f32);
            written = under;
        }
        draft.counts.push((self.count + other.count) as u32 - written);
        self.count += other.count;
        // Both together may have twice the edges that are kept: they never stand in a sketch.
        shrink(share, self.count, scratch);
        self.keep(&scratch.draft);
        self.fit();
    }

    /// Gives back memory that more edges once needed.
    pub fn fit(&mut self) {
        self.edges.shrink_to_fit();
        self.counts.shrink_to_fit();
        self.slack.shrink_to_fit();
        self.guess.shrink_to_fit();
    }

    /// The quantiles at `q` (each in 0 to 1): as `numpy.quantile` while the values themselves are kept, else linear between
    /// edges. `least` and `greatest` are the extremes of the values.
    pub fn quantiles(&self, q: &[f64], least: f64, greatest: f64, out: &mut [f64]) {
        if self.edges.is_empty() {
            let mut sorted = self.exact.clone();
            sorted.sort_unstable_by(f64::total_cmp);
            for (&q, out) in q.iter().zip(out) {
                *out = interpolated(&sorted, q);
            }
            return;
        }
        for (&q, out) in q.iter().zip(out) {
            *out = self.at(q.clamp(0.0, 1.0) * (self.count - 1) as f64, least, greatest);
        }
    }

    fn at(&self, rank: f64, least: f64, greatest: f64) -> f64 {
        let (mut low, mut low_rank) = (least, 0.0f64);
        let mut under = 0.0;
        for (k, &edge) in self.edges.iter().enumerate() {
            let guess = f64::from(self.guess[k]);
            under += f64::from(self.counts[2 * k]);
            // The ranks of the values on the edge are `first` to `last`; guesses are rounded.
            let first = (under + guess).max(low_rank);
            if rank < first {
                return between(low, edge, (rank - low_rank) / (first - low_rank));
            }
            under += f64::from(self.counts[2 * k + 1]);
            let last = (under + guess - 1.0).max(first);
            if rank <= last {
                return edge;
            }
            (low, low_rank) = (edge, last);
        }
        between(low, greatest, (rank - low_rank) / ((self.count - 1) as f64 - low_rank))
    }

    /// No answer is further from its rank than this share of the values (and one rank, for what lies between two values).
    pub fn bound(&self) -> f64 {
        let worst = (0..=self.edges.len())
            .map(|k| {
                u64::from(self.counts.get(2 * k).copied().unwrap_or(0))
                    + u64::from(self.slack.get(k).copied().unwrap_or(0))
            })
            .max()
            .unwrap_or(0);
        if self.count == 0 { 0.0 } else { worst as f64 / self.count as f64 }
    }

    /// The parts, for storing.
    pub fn parts(&self) -> Parts<'_> {
        Parts {
            exact: &self.exact,
            edges: &self.edges,
            counts: &self.counts,
            slack: &self.slack,
            guess: &self.guess,
            count: self.count,
        }
    }

    /// A sketch from its parts; `None` if they do not belong together.
    pub fn from_parts(
        exact: Vec<f64>,
        edges: Vec<f64>,
        counts: Vec<u32>,
        slack: Vec<u32>,
        guess: Vec<f32>,
        count: u64,
    ) -> Option<Self> {
        let shape = if edges.is_empty() {
            counts.is_empty() && slack.is_empty() && guess.is_empty() && count == exact.len() as u64
        } else {
            exact.is_empty()
                && counts.len() == 2 * edges.len() + 1
                && slack.len() == edges.len()
                && guess.len() == edges.len()
                && guess.iter().all(|guess| guess.is_finite())
                && edges.windows(2).all(|pair| pair[0] < pair[1])
                && counts.iter().map(|&count| u64::from(count)).sum::<u64>() == count
        };
        shape.then_some(Self { exact, edges, counts, slack, guess, count })
    }
}

/// One of two sketches that are merged, edge by edge of both.
struct Side<'a> {
    sketch: &'a Sketch,
    extremes: [f64; 2],
    /// Its next edge.
    k: usize,
    /// Its values counted up to and with the last edge of the union.
    under: u32,
}

impl<'a> Side<'a> {
    fn new(sketch: &'a Sketch, extremes: [f64; 2]) -> Self {
        Self { sketch, extremes, k: 0, under: 0 }
    }

    /// Passes an edge of the union: how many values stand on it, may be below it beyond those counted, and likely are.
    fn pass(&mut self, edge: f64) -> (u32, u32, f64) {
        let Self { sketch, extremes: [least, greatest], k, .. } = *self;
        let slack = sketch.slack.get(k).copied().unwrap_or(0);
        let held = sketch.counts[2 * k];
        if sketch.edges.get(k) == Some(&edge) {
            let at = sketch.counts[2 * k + 1];
            self.under += held + at;
            self.k += 1;
            return (at, slack, f64::from(sketch.guess[k]));
        }
        if edge < least {
            return (0, 0, 0.0);
        }
        if edge > greatest {
            self.under = sketch.count as u32;
            return (0, 0, 0.0);
        }
        // Somewhere inside a bin of this one: all that the bin holds may lie below.
        let past = Past { slack: held + slack, ..sketch.past(k, held, [least, greatest]) };
        (0, past.slack, past.at(edge))
    }
}

impl Scratch {
    /// Empty.
    pub fn new(kernel: Kernel) -> Self {
        let (index, heads, places, inside) = Default::default();
        Self { kernel, index, heads, places, inside, draft: Draft::default(), spare: Draft::default() }
    }
}

/// Joins bins of the draft that hold little.
fn shrink(share: f64, count: u64, scratch: &mut Scratch) {
    let limit = limit(share, count);
    // Three quarters leave bins room to grow; a half would need half as much memory again.
    for full in [limit / 4 * 3, limit] {
        scratch.spare.join(&scratch.draft, full);
        std::mem::swap(&mut scratch.spare, &mut scratch.draft);
        if scratch.draft.edges.len() <= room(share) {
            break;
        }
    }
}

/// How many values an open bin may hold.
fn limit(share: f64, count: u64) -> u64 {
    (share * count as f64) as u64
}

/// Edges before bins are joined: twice the least number of bins that the share allows, which is the most that joining leaves.
fn room(share: f64) -> usize {
    (2.0 / share) as usize
}

fn replace<T: Copy>(held: &mut Vec<T>, by: &[T]) {
    held.clear();
    held.reserve_exact(by.len());
    held.extend_from_slice(by);
}

/// Makes edges of sorted values so that at most `most` lie between two, `between` that came before counted with the first;
/// returns how many follow the last edge, whose bin the caller closes. `closed`: the last value is an edge.
fn cut(sorted: &[f64], mut between: u32, past: Past, most: u64, closed: bool, draft: &mut Draft) -> u32 {
    let mut rest = sorted;
    while let Some(&value) = rest.first() {
        let same = rest.iter().take_while(|&&other| other == value).count();
        rest = &rest[same..];
        if u64::from(between) + same as u64 > most || (closed && rest.is_empty()) {
            draft.edges.push(value);
            draft.counts.push(between);
            draft.counts.push(same as u32);
            draft.slack.push(past.slack);
            draft.guess.push(past.at(value) as f32);
            between = 0;
        } else {
            between += same as u32;
        }
    }
    between
}

/// Edges in blocks of sixteen and the last of each block, both filled up with infinity: a search counts, and never branches.
fn index(edges: &[f64], scratch: &mut Scratch) {
    scratch.index.clear();
    scratch.index.extend_from_slice(edges);
    // One more than a whole number of blocks, for what lies above all.
    scratch.index.resize((edges.len() / BLOCK + 1) * BLOCK, f64::INFINITY);
    scratch.heads.clear();
    scratch.heads.extend(scratch.index.chunks_exact(BLOCK).map(|block| block[BLOCK - 1]));
    scratch.heads.resize(scratch.heads.len().next_multiple_of(8), f64::INFINITY);
}

/// The place of each value among the counts.
fn find(heads: &[f64], index: &[f64], values: &[f64], places: &mut [u32], kernel: Kernel) {
    match kernel {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the kernel was found on this processor.
        Kernel::Avx512 => unsafe { find_avx512(heads, index, values, places) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Kernel::Avx2 => unsafe { find_avx2(heads, index, values, places) },
        _ => find_anywhere(heads, index, values, places),
    }
}

/// A search that counts with `less`, which is told how many multiples of eight numbers there are.
macro_rules! search {
    ($name:ident, $less:expr, $($attribute:meta),*) => {
        $(#[$attribute])*
        fn $name(heads: &[f64], index: &[f64], values: &[f64], places: &mut [u32]) {
            for (&value, place) in values.iter().zip(places) {
                let block = $less(heads, value);
                let Some(inside) = index.get(block * BLOCK..(block + 1) * BLOCK) else { continue };
                let k = block * BLOCK + $less(inside, value);
                *place = 2 * k as u32 + u32::from(index[k] == value);
            }
        }
    };
}
search!(find_anywhere, less, doc = "Anywhere.");
#[cfg(target_arch = "x86_64")]
search!(find_avx2, less_avx2, doc = "AVX2.", target_feature(enable = "avx2,popcnt"));
#[cfg(target_arch = "x86_64")]
search!(find_avx512, less_avx512, doc = "AVX-512.", target_feature(enable = "avx512f,popcnt"));

/// How many of a multiple of eight numbers are less.
fn less(numbers: &[f64], value: f64) -> usize {
    numbers.iter().map(|&number| usize::from(number < value)).sum()
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn less_avx2(numbers: &[f64], value: f64) -> usize {
    use std::arch::x86_64::{_CMP_LT_OQ, _mm256_cmp_pd, _mm256_loadu_pd, _mm256_movemask_pd, _mm256_set1_pd};
    let value = _mm256_set1_pd(value);
    // SAFETY: each part has four numbers.
    let passed = |part: &[f64; 4]| unsafe { _mm256_cmp_pd::<_CMP_LT_OQ>(_mm256_loadu_pd(part.as_ptr()), value) };
    numbers.as_chunks().0.iter().map(|part| _mm256_movemask_pd(passed(part)).count_ones() as usize).sum()
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx512f,popcnt")]
fn less_avx512(numbers: &[f64], value: f64) -> usize {
    use std::arch::x86_64::{_CMP_LT_OQ, _mm512_cmp_pd_mask, _mm512_loadu_pd, _mm512_set1_pd};
    let value = _mm512_set1_pd(value);
    // SAFETY: each part has eight numbers.
    let passed = |part: &[f64; 8]| unsafe { _mm512_cmp_pd_mask::<_CMP_LT_OQ>(_mm512_loadu_pd(part.as_ptr()), value) };
    numbers.as_chunks().0.iter().map(|part| passed(part).count_ones() as usize).sum()
}

fn between(low: f64, high: f64, share: f64) -> f64 {
    let value = low + (high - low) * share.clamp(0.0, 1.0);
    // What is finite on both sides is finite in between, even where the distance is not.
    if value.is_finite() { value } else { 0.5 * low + 0.5 * high }
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
mod tests;
