//! Statistics as bytes and back: little-endian words behind a mark and a version.

use super::{Moments, Reduction, Side, Sketch, Threshold};

const MARK: u64 = 0x5342_5244_0000_0002;

/// Bytes that are not stored statistics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("these bytes are no stored statistics of a sweep: {0}")]
pub struct StoreError(pub &'static str);

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn word(&mut self) -> Result<u64, StoreError> {
        let (head, rest) = self.rest.split_first_chunk::<8>().ok_or(StoreError("they end too early"))?;
        self.rest = rest;
        Ok(u64::from_le_bytes(*head))
    }

    fn number(&mut self) -> Result<f64, StoreError> {
        self.word().map(f64::from_bits)
    }

    /// A count of items of at least `size` words each, not more than the bytes can hold.
    fn count(&mut self, size: usize) -> Result<usize, StoreError> {
        let count = self.word()? as usize;
        if count.saturating_mul(size * 8) > self.rest.len() {
            return Err(StoreError("a count is larger than what follows"));
        }
        Ok(count)
    }
}

impl Reduction {
    /// The statistics as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut word = |value: u64| out.extend_from_slice(&value.to_le_bytes());
        for value in [MARK, self.groups as u64, self.columns as u64, self.times as u64, self.compression.to_bits()] {
            word(value);
        }
        word(self.thresholds.len() as u64);
        for threshold in &self.thresholds {
            word(threshold.column as u64);
            word(match threshold.side {
                Side::Above => 0,
                Side::AtLeast => 1,
                Side::Below => 2,
                Side::AtMost => 3,
            });
            word(threshold.limit.to_bits());
        }
        for cell in &self.moments {
            word(cell.count);
            for value in [cell.mean, cell.squares, cell.least, cell.greatest] {
                word(value.to_bits());
            }
        }
        for list in [&self.runs, &self.beyond, &self.first] {
            for &value in list {
                word(value);
            }
        }
        word(self.sketches.len() as u64);
        for sketch in &self.sketches {
            let parts = sketch.parts();
            word(parts.count);
            for list in [parts.exact, parts.edges] {
                word(list.len() as u64);
                for value in list {
                    word(value.to_bits());
                }
            }
            // Two to a word; their number follows from the edges.
            let guess: Vec<u32> = parts.guess.iter().map(|guess| guess.to_bits()).collect();
            for list in [parts.counts, parts.slack, &guess] {
                for pair in list.chunks(2) {
                    word(u64::from(pair[0]) | u64::from(pair.get(1).copied().unwrap_or(0)) << 32);
                }
            }
        }
        out
    }

    /// The statistics from their bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StoreError> {
        let mut from = Reader { rest: bytes };
        if from.word()? != MARK {
            return Err(StoreError("the mark at the beginning is missing"));
        }
        let (groups, columns, times) = (from.word()? as usize, from.word()? as usize, from.word()? as usize);
        let compression = from.number()?;
        let mut thresholds = Vec::new();
        for _ in 0..from.count(3)? {
            let column = from.word()? as usize;
            let side = match from.word()? {
                0 => Side::Above,
                1 => Side::AtLeast,
                2 => Side::Below,
                3 => Side::AtMost,
                _ => return Err(StoreError("a side of a limit is unknown")),
            };
            thresholds.push(Threshold { column, side, limit: from.number()? });
        }
        let cells = groups.checked_mul(columns).and_then(|n| n.checked_mul(times)).unwrap_or(usize::MAX);
        if cells.saturating_mul(40) > bytes.len() || thresholds.iter().any(|threshold| threshold.column >= columns) {
            return Err(StoreError("the shape does not fit the bytes"));
        }
        let mut out = Self::new(columns, times, groups, false, compression, thresholds);
        for cell in &mut out.moments {
            *cell = Moments {
                count: from.word()?,
                mean: from.number()?,
                squares: from.number()?,
                least: from.number()?,
                greatest: from.number()?,
            };
        }
        for list in [&mut out.runs, &mut out.beyond, &mut out.first] {
            for value in list {
                *value = from.word()?;
            }
        }
        let sketches = from.count(3)?;
        if sketches != 0 && sketches != cells {
            return Err(StoreError("the number of sketches does not fit the shape"));
        }
        for _ in 0..sketches {
            let count = from.word()?;
            let mut lists = [Vec::new(), Vec::new()];
            for list in &mut lists {
                for _ in 0..from.count(1)? {
                    list.push(from.number()?);
                }
            }
            let [exact, edges] = lists;
            let sizes = if edges.is_empty() { [0; 3] } else { [2 * edges.len() + 1, edges.len(), edges.len()] };
            let mut halves = [Vec::new(), Vec::new(), Vec::new()];
            for (half, size) in halves.iter_mut().zip(sizes) {
                while half.len() < size {
                    let word = from.word()?;
                    half.extend([word as u32, (word >> 32) as u32]);
                }
                half.truncate(size);
            }
            let [counts, slack, guess] = halves;
            let guess = guess.into_iter().map(f32::from_bits).collect();
            let sketch = Sketch::from_parts(exact, edges, counts, slack, guess, count);
            out.sketches.push(sketch.ok_or(StoreError("a sketch does not fit together"))?);
        }
        if from.rest.is_empty() { Ok(out) } else { Err(StoreError("something follows after the end")) }
    }
}
