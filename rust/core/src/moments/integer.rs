//! Sums of products of whole numbers (Likert answers, 0–100 scales), exact, for many replicates at once.
//!
//! The moments of a batch of replicates are a matrix product, counts × row products. The row products are the same for
//! all replicates and fit in 8 or 16 bits when the answers are small whole numbers, so one instruction multiplies and
//! adds 64 of them. Every kernel gives the same integers, hence the same bits.

use super::table::{Table, place};
use crate::lanes::Kernel;

/// Replicates side by side.
pub const SIDE: usize = 32;

/// Largest count of a row in a replicate: two of its products must add up in 16 bits.
pub const MOST: u8 = 129;

/// Rows that one 32-bit lane takes in one step.
const ROWS: usize = 4;

/// Largest table of row products, in bytes: beyond the second-level cache the symmetric update over drawn rows wins.
const LARGEST: usize = 1 << 19;

/// How wide the row products are.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Packed {
    Bytes(Vec<i8>),
    Words(Vec<i16>),
}

/// The products of all pairs of extended columns, row by row, packed for the kernels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowProducts {
    groups: usize,
    products: usize,
    packed: Packed,
}

impl RowProducts {
    /// Packs the row products, if the table holds whole numbers that are small enough and is not too large.
    ///
    /// A replicate's counts may sum to `total`; all sums of products then stay below 2³¹.
    pub fn new(table: &Table, total: usize) -> Option<Self> {
        let largest = table.whole?;
        let square = largest * largest;
        if square > f64::from(i16::MAX) || square * total as f64 > f64::from(i32::MAX) {
            return None;
        }
        let (e, products) = (table.extended, table.products());
        let groups = table.n.div_ceil(ROWS);
        let bytes = square <= f64::from(i8::MAX);
        let size = groups * products * ROWS;
        if size * if bytes { 1 } else { 2 } > LARGEST {
            return None;
        }
        let mut words = vec![0i16; size];
        for row in (0..table.n).filter(|&row| table.usable[row]) {
            let x = table.row(row);
            for i in 0..e {
                for j in i..e {
                    words[((row / ROWS) * products + place(e, i, j)) * ROWS + row % ROWS] = (x[i] * x[j]) as i16;
                }
            }
        }
        let packed = if bytes { Packed::Bytes(words.iter().map(|&w| w as i8).collect()) } else { Packed::Words(words) };
        Some(Self { groups, products, packed })
    }

    /// Whether this kernel has the instructions that make the matrix product pay. Without them the symmetric update over
    /// drawn rows is faster, and as exact: whole numbers this small add up without rounding in double precision too.
    pub fn pays(kernel: Kernel) -> bool {
        matches!(kernel, Kernel::Avx2 | Kernel::Avx512)
    }

    /// Length of the counts of one batch.
    pub const fn counts(&self) -> usize {
        self.groups * SIDE * ROWS
    }

    /// Where the count of a row in a replicate of the batch stands.
    #[inline(always)]
    pub const fn slot(row: usize, replicate: usize) -> usize {
        (row / ROWS) * (SIDE * ROWS) + replicate * ROWS + row % ROWS
    }

    /// Sums of products of a batch: `out[pair * SIDE + replicate]`, pairs as [`place`] numbers them.
    ///
    /// `counts` has [`Self::counts`] entries of at most [`MOST`], `out` has `SIDE` for each product.
    pub fn sums(&self, kernel: Kernel, counts: &[u8], out: &mut [f64]) {
        debug_assert_eq!(counts.len(), self.counts());
        debug_assert_eq!(out.len(), self.products * SIDE);
        match (kernel, &self.packed) {
            #[cfg(target_arch = "x86_64")]
            (Kernel::Avx512, Packed::Bytes(products)) if is_x86_feature_detected!("avx512vnni") => {
                // SAFETY: the features were found; the lengths are those of the packing.
                unsafe { x86::bytes_512(products, counts, self.products, out) }
            }
            #[cfg(target_arch = "x86_64")]
            (Kernel::Avx512, Packed::Words(products)) if is_x86_feature_detected!("avx512vnni") => {
                // SAFETY: as above.
                unsafe { x86::words_512(products, counts, self.products, out) }
            }
            #[cfg(target_arch = "x86_64")]
            (Kernel::Avx512 | Kernel::Avx2, Packed::Bytes(products)) => {
                // SAFETY: both kernels imply AVX2; the lengths are those of the packing.
                unsafe { x86::bytes_256(products, counts, self.products, out) }
            }
            #[cfg(target_arch = "x86_64")]
            (Kernel::Avx512 | Kernel::Avx2, Packed::Words(products)) => {
                // SAFETY: as above.
                unsafe { x86::words_256(products, counts, self.products, out) }
            }
            (_, Packed::Bytes(products)) => plain(products, counts, self.products, out),
            (_, Packed::Words(products)) => plain(products, counts, self.products, out),
        }
    }
}

/// The same sums in plain Rust.
fn plain<T: Copy + Into<i32>>(packed: &[T], counts: &[u8], products: usize, out: &mut [f64]) {
    for (pair, sums) in out.chunks_exact_mut(SIDE).enumerate() {
        let mut total = [0i32; SIDE];
        for (group, block) in counts.chunks_exact(SIDE * ROWS).enumerate() {
            let at = (group * products + pair) * ROWS;
            let four = [packed[at].into(), packed[at + 1].into(), packed[at + 2].into(), packed[at + 3].into()];
            for (sum, count) in total.iter_mut().zip(block.chunks_exact(ROWS)) {
                for row in 0..ROWS {
                    *sum += i32::from(count[row]) * four[row];
                }
            }
        }
        for (out, sum) in sums.iter_mut().zip(total) {
            *out = f64::from(sum);
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    #[allow(clippy::wildcard_imports)] // some forty intrinsics
    use std::arch::x86_64::*;

    use super::{ROWS, SIDE};

    /// Runs a tile function over all products, several at a time and the rest one by one.
    macro_rules! tiles {
        ($tile:ident, $several:literal, $packed:expr, $counts:expr, $products:expr, $out:expr) => {{
            let mut first = 0;
            while first + $several <= $products {
                // SAFETY: the caller upholds the contract of the tile.
                unsafe { $tile::<$several>($packed, $counts, $products, first, $out) };
                first += $several;
            }
            while first < $products {
                // SAFETY: as above.
                unsafe { $tile::<1>($packed, $counts, $products, first, $out) };
                first += 1;
            }
        }};
    }

    /// # Safety
    /// AVX-512 F, BW, VL and VNNI; lengths as [`super::RowProducts`] packs them.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    pub(super) unsafe fn bytes_512(packed: &[i8], counts: &[u8], products: usize, out: &mut [f64]) {
        tiles!(tile_bytes_512, 12, packed, counts, products, out);
    }

    /// # Safety
    /// AVX-512 F, BW, VL and VNNI; lengths as [`super::RowProducts`] packs them.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    pub(super) unsafe fn words_512(packed: &[i16], counts: &[u8], products: usize, out: &mut [f64]) {
        tiles!(tile_words_512, 6, packed, counts, products, out);
    }

    /// # Safety
    /// AVX2; lengths as [`super::RowProducts`] packs them.
    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn bytes_256(packed: &[i8], counts: &[u8], products: usize, out: &mut [f64]) {
        tiles!(tile_bytes_256, 3, packed, counts, products, out);
    }

    /// # Safety
    /// AVX2; lengths as [`super::RowProducts`] packs them.
    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn words_256(packed: &[i16], counts: &[u8], products: usize, out: &mut [f64]) {
        tiles!(tile_words_256, 5, packed, counts, products, out);
    }

    /// `T` products from `first` on, for all replicates: 16 replicates a register, four rows a 32-bit lane.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    unsafe fn tile_bytes_512<const T: usize>(
        packed: &[i8],
        counts: &[u8],
        products: usize,
        first: usize,
        out: &mut [f64],
    ) {
        let mut sums = [[_mm512_setzero_si512(); 2]; T];
        for (group, block) in counts.chunks_exact(SIDE * ROWS).enumerate() {
            let at = (group * products + first) * ROWS;
            // SAFETY: a block holds two registers of counts, `packed` holds `T` groups of four bytes from `at` on.
            unsafe {
                let left = _mm512_loadu_si512(block.as_ptr().cast());
                let right = _mm512_loadu_si512(block.as_ptr().add(64).cast());
                for (t, sum) in sums.iter_mut().enumerate() {
                    let four = _mm512_set1_epi32(packed.as_ptr().add(at + t * ROWS).cast::<i32>().read_unaligned());
                    sum[0] = _mm512_dpbusd_epi32(sum[0], left, four);
                    sum[1] = _mm512_dpbusd_epi32(sum[1], right, four);
                }
            }
        }
        for (t, sum) in sums.iter().enumerate() {
            for (half, &register) in sum.iter().enumerate() {
                let to = &mut out[(first + t) * SIDE + half * 16..][..16];
                // SAFETY: `to` has sixteen places.
                unsafe {
                    _mm512_storeu_pd(to.as_mut_ptr(), _mm512_cvtepi32_pd(_mm512_castsi512_si256(register)));
                    let high = _mm512_extracti64x4_epi64::<1>(register);
                    _mm512_storeu_pd(to.as_mut_ptr().add(8), _mm512_cvtepi32_pd(high));
                }
            }
        }
    }

    /// `T` products from `first` on: 8 replicates a register, two neighbouring 32-bit lanes a replicate.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    unsafe fn tile_words_512<const T: usize>(
        packed: &[i16],
        counts: &[u8],
        products: usize,
        first: usize,
        out: &mut [f64],
    ) {
        let mut sums = [[_mm512_setzero_si512(); 4]; T];
        for (group, block) in counts.chunks_exact(SIDE * ROWS).enumerate() {
            let at = (group * products + first) * ROWS;
            // SAFETY: a block holds four half registers of counts, `packed` holds `T` groups of four words.
            unsafe {
                let mut wide = [_mm512_setzero_si512(); 4];
                for (quarter, wide) in wide.iter_mut().enumerate() {
                    *wide = _mm512_cvtepu8_epi16(_mm256_loadu_si256(block.as_ptr().add(32 * quarter).cast()));
                }
                for (t, sum) in sums.iter_mut().enumerate() {
                    let four = _mm512_set1_epi64(packed.as_ptr().add(at + t * ROWS).cast::<i64>().read_unaligned());
                    for quarter in 0..4 {
                        sum[quarter] = _mm512_dpwssd_epi32(sum[quarter], wide[quarter], four);
                    }
                }
            }
        }
        for (t, sum) in sums.iter().enumerate() {
            for (quarter, &register) in sum.iter().enumerate() {
                let to = &mut out[(first + t) * SIDE + quarter * 8..][..8];
                let both = _mm512_add_epi32(register, _mm512_srli_epi64::<32>(register));
                // SAFETY: `to` has eight places.
                unsafe { _mm512_storeu_pd(to.as_mut_ptr(), _mm512_cvtepi32_pd(_mm512_cvtepi64_epi32(both))) };
            }
        }
    }

    /// `T` products from `first` on: 8 replicates a register, four rows a 32-bit lane.
    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn tile_bytes_256<const T: usize>(
        packed: &[i8],
        counts: &[u8],
        products: usize,
        first: usize,
        out: &mut [f64],
    ) {
        let ones = _mm256_set1_epi16(1);
        let mut sums = [[_mm256_setzero_si256(); 4]; T];
        for (group, block) in counts.chunks_exact(SIDE * ROWS).enumerate() {
            let at = (group * products + first) * ROWS;
            // SAFETY: a block holds four registers of counts, `packed` holds `T` groups of four bytes.
            unsafe {
                let mut fours = [_mm256_setzero_si256(); T];
                for (t, four) in fours.iter_mut().enumerate() {
                    *four = _mm256_set1_epi32(packed.as_ptr().add(at + t * ROWS).cast::<i32>().read_unaligned());
                }
                for quarter in 0..4 {
                    let count = _mm256_loadu_si256(block.as_ptr().add(32 * quarter).cast());
                    for t in 0..T {
                        // Two products of at most MOST · 127 stay below 2¹⁵.
                        let pairs = _mm256_maddubs_epi16(count, fours[t]);
                        sums[t][quarter] = _mm256_add_epi32(sums[t][quarter], _mm256_madd_epi16(pairs, ones));
                    }
                }
            }
        }
        for (t, sum) in sums.iter().enumerate() {
            for (quarter, &register) in sum.iter().enumerate() {
                let to = &mut out[(first + t) * SIDE + quarter * 8..][..8];
                // SAFETY: `to` has eight places.
                unsafe {
                    _mm256_storeu_pd(to.as_mut_ptr(), _mm256_cvtepi32_pd(_mm256_castsi256_si128(register)));
                    let high = _mm256_extracti128_si256::<1>(register);
                    _mm256_storeu_pd(to.as_mut_ptr().add(4), _mm256_cvtepi32_pd(high));
                }
            }
        }
    }

    /// `T` products from `first` on, for half of the replicates at a time: 4 replicates a register.
    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn tile_words_256<const T: usize>(
        packed: &[i16],
        counts: &[u8],
        products: usize,
        first: usize,
        out: &mut [f64],
    ) {
        for part in 0..4 {
            let mut sums = [[_mm256_setzero_si256(); 2]; T];
            for (group, block) in counts.chunks_exact(SIDE * ROWS).enumerate() {
                let at = (group * products + first) * ROWS;
                // SAFETY: a block holds eight quarter registers of counts, `packed` holds `T` groups of four words.
                unsafe {
                    let mut wide = [_mm256_setzero_si256(); 2];
                    for (half, wide) in wide.iter_mut().enumerate() {
                        let part = block.as_ptr().add(32 * part + 16 * half);
                        *wide = _mm256_cvtepu8_epi16(_mm_loadu_si128(part.cast()));
                    }
                    for (t, sum) in sums.iter_mut().enumerate() {
                        let four =
                            _mm256_set1_epi64x(packed.as_ptr().add(at + t * ROWS).cast::<i64>().read_unaligned());
                        for half in 0..2 {
                            sum[half] = _mm256_add_epi32(sum[half], _mm256_madd_epi16(wide[half], four));
                        }
                    }
                }
            }
            for (t, sum) in sums.iter().enumerate() {
                for (half, &register) in sum.iter().enumerate() {
                    let to = &mut out[(first + t) * SIDE + part * 8 + half * 4..][..4];
                    let both = _mm256_add_epi32(register, _mm256_srli_epi64::<32>(register));
                    let even = _mm256_permutevar8x32_epi32(both, _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6));
                    // SAFETY: `to` has four places.
                    unsafe { _mm256_storeu_pd(to.as_mut_ptr(), _mm256_cvtepi32_pd(_mm256_castsi256_si128(even))) };
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::moments::{Missing, plain_sums};
    use proptest::prelude::*;

    fn table(n: usize, columns: usize, values: &[i32]) -> Table {
        let data: Vec<f64> = values.iter().take(n * columns).map(|&v| f64::from(v)).collect();
        let base: Vec<usize> = (0..columns).collect();
        let names: Vec<String> = base.iter().map(|c| format!("x{c}")).collect();
        Table::new(&data, n, columns, &base, &names, Missing::Error).unwrap()
    }

    proptest! {
        #[test]
        fn every_kernel_gives_the_plain_sums_exactly(
            n in 2usize..23, columns in 1usize..7, wide in any::<bool>(),
            raw in prop::collection::vec(0i32..=100, 22 * 6),
            drawn in prop::collection::vec(0u8..=127, 22 * SIDE),
        ) {
            let values: Vec<i32> = raw.iter().map(|v| if wide { *v } else { v % 8 }).collect();
            let table = table(n, columns, &values);
            let products = RowProducts::new(&table, n * 127).unwrap();
            prop_assert_eq!(matches!(products.packed, Packed::Bytes(_)), table.whole.unwrap() <= 11.0);
            let mut counts = vec![0; products.counts()];
            for replicate in 0..SIDE {
                for row in 0..n {
                    counts[RowProducts::slot(row, replicate)] = drawn[replicate * 22 + row];
                }
            }
            let mut expected = vec![0.0; table.products() * SIDE];
            let mut one = vec![0.0; table.products()];
            for replicate in 0..SIDE {
                let weights: Vec<f64> = (0..n).map(|row| f64::from(drawn[replicate * 22 + row])).collect();
                plain_sums(&table, &weights, &mut one);
                for (pair, value) in one.iter().enumerate() {
                    expected[pair * SIDE + replicate] = *value;
                }
            }
            for kernel in Kernel::available() {
                let mut out = vec![f64::NAN; table.products() * SIDE];
                products.sums(kernel, &counts, &mut out);
                prop_assert_eq!(&out, &expected, "{}", kernel);
            }
        }
    }

    #[test]
    fn numbers_that_do_not_fit_are_refused() {
        let fractional = Table::new(&[1.0, 2.5, 3.0, 4.0], 4, 1, &[0], &["x".into()], Missing::Error).unwrap();
        assert_eq!(RowProducts::new(&fractional, 4), None);
        assert_eq!(RowProducts::new(&table(3, 1, &[0, 5000, 10]), 3), None);
        assert!(RowProducts::new(&table(3, 1, &[0, 50, 100]), 3).is_some());
    }
}
