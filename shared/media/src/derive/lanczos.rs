//! Resizes a plane with a Lanczos filter of three lobes, on processors with AVX2: each row of the result is added up down the
//! plane first, then across.
//!
//! A library that takes pixels of every kind is slow across those of one sample: that was a fifth of all that is done with a photo.
//! Here eight places are added up together. A row between the two has 16 bits a sample, and nothing else is kept of them.
#![expect(unsafe_code, reason = "vectors are loaded and stored, and functions called that are compiled for them")]

use std::{
    arch::x86_64::{
        __m128i, __m256i, _mm_loadu_si128, _mm_packs_epi32, _mm_packus_epi16, _mm_storel_epi64, _mm_unpackhi_epi32,
        _mm_unpacklo_epi32, _mm256_add_epi32, _mm256_adds_epi16, _mm256_castsi256_si128, _mm256_cvtepu8_epi16,
        _mm256_extracti128_si256, _mm256_hadd_epi32, _mm256_madd_epi16, _mm256_mulhrs_epi16, _mm256_set_m128i, _mm256_set1_epi16,
        _mm256_set1_epi32, _mm256_setzero_si256, _mm256_slli_epi16, _mm256_srai_epi32, _mm256_storeu_si256,
    },
    f64::consts::FRAC_PI_3,
};

use super::planes::Plane;

/// Of the filter, to either side.
const LOBES: f64 = 3.0;
/// Bits behind the point of a weight.
const WEIGHT_BITS: i32 = 14;
/// Bits behind the point of a sample between the two: there is room for what the lobes make of black beside white.
const SAMPLE_BITS: i32 = 6;
/// Columns that are added up down the plane at once.
const COLUMNS: usize = 64;
/// Places of the result that are added up across at once.
const PLACES: usize = 8;
/// Samples that are multiplied with their weights at once.
const STEP: usize = 8;

/// From planes of one size to planes of another.
pub(super) struct Filter {
    down: Weights,
    across: Across,
}

impl Filter {
    /// Makes `to` of what `covered` takes of planes of the size `from`, counted from their first sample; nothing if this processor
    /// cannot, or the planes are too narrow.
    pub(super) fn new(from: (u32, u32), covered: (f64, f64), to: (u32, u32)) -> Option<Self> {
        let is_able = std::arch::is_x86_feature_detected!("avx2") && from.0 as usize >= COLUMNS;
        is_able.then(|| Self {
            down: Weights::new(from.1, covered.1, to.1),
            across: Across::new(&Weights::new(from.0, covered.0, to.0)),
        })
    }

    /// Writes all rows of `to`.
    pub(super) fn resize<S: AsRef<[u8]>>(&self, plane: &Plane<S>, to: &mut Plane) {
        let samples = plane.samples.as_ref();
        let rows = &samples[..samples.len().min(plane.stride * plane.height as usize)];
        // SAFETY: there is no filter for a processor without AVX2.
        unsafe { self.with_avx2(rows, plane.width as usize, plane.stride, to) }
    }

    #[target_feature(enable = "avx2")]
    fn with_avx2(&self, samples: &[u8], width: usize, stride: usize, to: &mut Plane) {
        let Self { down, across } = self;
        let mut line = vec![0; width + across.steps * STEP];
        let rows = to.samples.chunks_mut(to.stride).map(|row| &mut row[..to.width as usize]);
        for ((row, first), weights) in rows.zip(&down.firsts).zip(down.values.chunks_exact(down.taps)) {
            add_down(&samples[first * stride..], stride, weights, &mut line[..width]);
            match across.steps {
                1 => across.add::<1>(&line, row),
                2 => across.add::<2>(&line, row),
                _ => across.add_all(&line, row),
            }
        }
    }
}

/// Which samples of a line each place of a shorter one is made of.
struct Weights {
    /// The first sample of each place.
    firsts: Vec<usize>,
    /// Each place's, one after the other; unused ones at the end are zero.
    values: Vec<i16>,
    /// How many a place has.
    taps: usize,
}

impl Weights {
    /// For a line of `from` samples, of which `covered` become `to`.
    fn new(from: u32, covered: f64, to: u32) -> Self {
        let scale = covered / f64::from(to);
        let stretch = scale.max(1.0);
        let reach = LOBES * stretch;
        let taps = (2.0 * reach) as usize + 1;
        let step = FRAC_PI_3 / stretch;
        let (step_sine, step_cosine) = step.sin_cos();
        let mut exact = Vec::with_capacity(taps);
        let mut weights = Self { firsts: Vec::with_capacity(to as usize), values: Vec::with_capacity(to as usize * taps), taps };
        for place in 0..to {
            let middle = (f64::from(place) + 0.5) * scale - 0.5;
            let first = (middle - reach).ceil().max(0.0);
            let end = ((middle + reach).floor() + 1.0).min(f64::from(from));
            let mut angle = (first - middle) * step;
            let (mut sine, mut cosine) = angle.sin_cos();
            exact.clear();
            for _ in first as usize..end as usize {
                exact.push(lanczos(angle, sine));
                angle += step;
                (sine, cosine) = (sine * step_cosine + cosine * step_sine, cosine * step_cosine - sine * step_sine);
            }
            weights.push(first as usize, &exact);
        }
        weights
    }

    /// Adds those of a place. Together they are one, so that what is flat stays flat.
    fn push(&mut self, first: usize, exact: &[f64]) {
        self.firsts.push(first);
        let from = self.values.len();
        let factor = f64::from(1 << WEIGHT_BITS) / exact.iter().sum::<f64>();
        self.values.extend(exact.iter().map(|value| (value * factor).round_ties_even() as i16));
        let sum: i16 = self.values[from..].iter().sum();
        self.values[from + exact.len() / 2] += (1 << WEIGHT_BITS) - sum;
        self.values.resize(from + self.taps, 0);
    }
}

/// sinc(3x / π) · sinc(x / π) of an angle x and its sine, since sin 3x = 3 sin x − 4 sin³ x.
fn lanczos(angle: f64, sine: f64) -> f64 {
    if angle.abs() < 1e-6 {
        return 1.0;
    }
    let square = sine * sine;
    square * (3.0 - 4.0 * square) / (3.0 * angle * angle)
}

/// Weights for eight places at once.
struct Across {
    firsts: Vec<[usize; PLACES]>,
    /// Of eight places: the first eight weights of each, the next eight of each, … .
    values: Vec<[[i16; STEP]; PLACES]>,
    /// How many times eight weights a place has.
    steps: usize,
}

impl Across {
    fn new(Weights { firsts, values, taps }: &Weights) -> Self {
        let steps = taps.div_ceil(STEP);
        let mut across = Self { firsts: Vec::new(), values: Vec::with_capacity(firsts.len().div_ceil(PLACES) * steps), steps };
        for (firsts, weights) in firsts.chunks(PLACES).zip(values.chunks(PLACES * taps)) {
            let mut eight = [0; PLACES];
            eight[..firsts.len()].copy_from_slice(firsts);
            across.firsts.push(eight);
            for from in (0..*taps).step_by(STEP) {
                let mut eight = [[0; STEP]; PLACES];
                for (to, weights) in eight.iter_mut().zip(weights.chunks_exact(*taps)) {
                    let part = &weights[from..(from + STEP).min(*taps)];
                    to[..part.len()].copy_from_slice(part);
                }
                across.values.push(eight);
            }
        }
        across
    }

    /// Adds up a row, behind which the line has room for `STEPS` steps.
    #[target_feature(enable = "avx2")]
    fn add<const STEPS: usize>(&self, line: &[i16], row: &mut [u8]) {
        let (values, _) = self.values.as_chunks::<STEPS>();
        for ((to, firsts), values) in row.chunks_mut(PLACES).zip(&self.firsts).zip(values) {
            put(places(line, firsts, values), to);
        }
    }

    /// The same with any number of steps.
    #[target_feature(enable = "avx2")]
    fn add_all(&self, line: &[i16], row: &mut [u8]) {
        for ((to, firsts), values) in row.chunks_mut(PLACES).zip(&self.firsts).zip(self.values.chunks_exact(self.steps)) {
            put(places(line, firsts, values), to);
        }
    }
}

/// Adds up a row's columns.
#[target_feature(enable = "avx2")]
fn add_down(rows: &[u8], stride: usize, weights: &[i16], line: &mut [i16]) {
    let mut from = 0;
    loop {
        let mut sums = [_mm256_setzero_si256(); COLUMNS / 16];
        for (row, weight) in rows[from..].chunks(stride).zip(weights) {
            let weight = _mm256_set1_epi16(*weight);
            let (parts, _) = row[..COLUMNS].as_chunks::<16>();
            for (sum, part) in sums.iter_mut().zip(parts) {
                // SAFETY: the array has as many bytes as are loaded.
                let samples = _mm256_cvtepu8_epi16(unsafe { _mm_loadu_si128(part.as_ptr().cast()) });
                // The upper half of the product, rounded, has SAMPLE_BITS.
                *sum = _mm256_adds_epi16(*sum, _mm256_mulhrs_epi16(_mm256_slli_epi16::<7>(samples), weight));
            }
        }
        let (parts, _) = line[from..from + COLUMNS].as_chunks_mut::<16>();
        for (sum, part) in sums.into_iter().zip(parts) {
            // SAFETY: the array has as many bytes as are stored.
            unsafe { _mm256_storeu_si256(part.as_mut_ptr().cast(), sum) };
        }
        if from + COLUMNS == line.len() {
            return;
        }
        // Some of the last ones may be added up twice.
        from = (from + COLUMNS).min(line.len() - COLUMNS);
    }
}

/// Adds up eight places of a line.
#[inline]
#[target_feature(enable = "avx2")]
fn places(line: &[i16], firsts: &[usize; PLACES], values: &[[[i16; STEP]; PLACES]]) -> [u8; PLACES] {
    let mut sums = [_mm256_setzero_si256(); PLACES / 2];
    for (step, values) in values.iter().enumerate() {
        for (pair, sum) in sums.iter_mut().enumerate() {
            let (one, other) = (2 * pair, 2 * pair + 1);
            let samples =
                |place: usize| load(line[firsts[place] + step * STEP..].first_chunk().expect("a line has room behind it"));
            let products = _mm256_madd_epi16(both(samples(one), samples(other)), both(load(&values[one]), load(&values[other])));
            *sum = _mm256_add_epi32(*sum, products);
        }
    }
    // The places 0, 2, 4, 6 in one half, the others in the other.
    let sums = _mm256_hadd_epi32(_mm256_hadd_epi32(sums[0], sums[1]), _mm256_hadd_epi32(sums[2], sums[3]));
    let half = _mm256_set1_epi32(1 << (WEIGHT_BITS + SAMPLE_BITS - 1));
    let whole = _mm256_srai_epi32::<{ WEIGHT_BITS + SAMPLE_BITS }>(_mm256_add_epi32(sums, half));
    let (even, odd) = (_mm256_castsi256_si128(whole), _mm256_extracti128_si256::<1>(whole));
    let words = _mm_packs_epi32(_mm_unpacklo_epi32(even, odd), _mm_unpackhi_epi32(even, odd));
    let mut eight = [0; PLACES];
    // SAFETY: the array has as many bytes as are stored.
    unsafe { _mm_storel_epi64(eight.as_mut_ptr().cast(), _mm_packus_epi16(words, words)) };
    eight
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(eight: &[i16; 8]) -> __m128i {
    // SAFETY: the array has as many bytes as are loaded.
    unsafe { _mm_loadu_si128(eight.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn both(one: __m128i, other: __m128i) -> __m256i {
    _mm256_set_m128i(other, one)
}

/// Writes eight samples, or those of them that a row ends with.
fn put(eight: [u8; PLACES], to: &mut [u8]) {
    match to.first_chunk_mut() {
        Some(to) => *to = eight,
        None => to.copy_from_slice(&eight[..to.len()]),
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;

    /// The filter's share of each sample in a place, in full precision.
    fn shares(from: u32, covered: f64, to: u32, place: u32) -> Vec<f64> {
        let stretch = (covered / f64::from(to)).max(1.0);
        let middle = (f64::from(place) + 0.5) * covered / f64::from(to);
        let sinc = |x: f64| if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) };
        let share = |x: f64| if x.abs() < LOBES { sinc(x) * sinc(x / LOBES) } else { 0.0 };
        let exact: Vec<f64> = (0..from).map(|at| share((f64::from(at) + 0.5 - middle) / stretch)).collect();
        let sum: f64 = exact.iter().sum();
        exact.iter().map(|share| share / sum).collect()
    }

    fn by_definition(plane: &Plane, covered: (f64, f64), to: (u32, u32)) -> Vec<f64> {
        let columns: Vec<_> = (0..to.0).map(|place| shares(plane.width, covered.0, to.0, place)).collect();
        let row = |place: u32| {
            let shares = shares(plane.height, covered.1, to.1, place);
            let sum = |at: usize| -> f64 {
                shares
                    .iter()
                    .zip(plane.samples[at..].iter().step_by(plane.stride))
                    .map(|(share, sample)| share * f64::from(*sample))
                    .sum()
            };
            let line: Vec<f64> = (0..plane.width as usize).map(sum).collect();
            columns.iter().map(|shares| shares.iter().zip(&line).map(|(share, sum)| share * sum).sum()).collect::<Vec<f64>>()
        };
        (0..to.1).flat_map(row).collect()
    }

    #[test]
    fn it_is_the_filter_by_definition() {
        for (from, covered, to) in [
            ((64, 1), (64.0, 1.0), (40, 1)),
            ((65, 40), (64.2, 39.5), (33, 20)),
            ((250, 94), (249.9, 93.75), (205, 77)),
            ((300, 200), (300.0, 200.0), (21, 15)),
            ((999, 31), (998.5, 30.6), (7, 1)),
            ((70, 50), (69.5, 49.5), (70, 50)),
        ] {
            let Some(filter) = Filter::new(from, covered, to) else {
                assert!(!std::arch::is_x86_feature_detected!("avx2"));
                continue;
            };
            let mut noise = Plane::blank(from.0, from.1);
            let mut state = 1_u32;
            noise.samples.fill_with(|| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                // Black and white more often than all others: the lobes go beyond both.
                (i32::from((state >> 24) as u8) * 2 - 128).clamp(0, 255) as u8
            });
            let mut resized = Plane::blank(to.0, to.1);
            filter.resize(&noise, &mut resized);
            for (found, want) in resized.tight().iter().zip(by_definition(&noise, covered, to)) {
                let want = want.clamp(0.0, 255.0);
                assert!((f64::from(*found) - want).abs() < 0.7, "{from:?} to {to:?}: {found} instead of {want}");
            }
        }
    }
}
