//! From n × n coefficients of a block to n × n samples: the inverse cosine transform (T.81, A.3.3) at n points, which for
//! n < 8 is the picture at n/8 of its size.

/// A block's coefficients as they are coded, in rows of eight.
pub(super) type Coefficients = [i16; 64];

/// What they are to be multiplied with, in rows of eight.
pub(super) type Factors = [f32; 64];

/// What the first coefficient carries so that samples come out around 128 (T.81, A.3.1).
const LEVEL: f32 = 1024.0;

/// `BASIS[k][i]`: what coefficient `k` adds to sample `i` of `N`. The factors are those of eight points at every size, so that
/// brightness stays.
struct Basis<const N: usize>;

impl<const N: usize> Basis<N> {
    const TABLE: [[f32; 8]; 8] = {
        let mut table = [[0.0; 8]; 8];
        let mut k = 0;
        while k < N {
            let mut i = 0;
            while i < N {
                table[k][i] = if k == 0 { 0.353_553_39 } else { 0.5 * cosine((2 * i + 1) * k, 2 * N) };
                i += 1;
            }
            k += 1;
        }
        table
    };
}

/// The cosine of π · `numerator` / `denominator`.
const fn cosine(numerator: usize, denominator: usize) -> f32 {
    // To the first quarter, where the series needs few terms.
    let turn = numerator % (2 * denominator);
    let half = if turn > denominator { 2 * denominator - turn } else { turn };
    let (quarter, sign) = if 2 * half > denominator { (denominator - half, -1.0) } else { (half, 1.0) };
    let angle = std::f64::consts::PI * quarter as f64 / denominator as f64;
    let (mut term, mut sum, mut n) = (1.0, 1.0, 1.0);
    while n < 20.0 {
        term *= -angle * angle / (n * (n + 1.0));
        sum += term;
        n += 2.0;
    }
    (sign * sum) as f32
}

/// The one sample that all of a block's are where only its first coefficient is not zero.
pub(super) fn level(first: i16, factor: f32) -> u8 {
    (f32::from(first).mul_add(factor, LEVEL) / 8.0).round() as u8
}

/// The samples of a block, row by row; of each row the first `N` count.
#[inline(always)]
pub(super) fn samples<const N: usize>(coefficients: &Coefficients, factors: &Factors) -> [[u8; 8]; N] {
    let basis = &Basis::<N>::TABLE;
    let (coded, _) = coefficients.as_chunks::<8>();
    let (factors, _) = factors.as_chunks::<8>();
    let mut rows = [[0.0; 8]; N];
    for k in 0..N {
        for at in 0..8 {
            rows[k][at] = f32::from(coded[k][at]) * factors[k][at];
        }
    }
    rows[0][0] += LEVEL;
    // Plain loops: what a closure does is compiled without the processor's features that the caller has asked for.
    let mut samples = [[0; 8]; N];
    for i in 0..N {
        let mut row = [0.0; 8];
        for k in 0..N {
            add(&mut row, basis[k][i], &rows[k]);
        }
        let mut values = [0.0; 8];
        for k in 0..N {
            add(&mut values, row[k], &basis[k]);
        }
        for (sample, value) in samples[i].iter_mut().zip(values) {
            // Adding 2²³ leaves the whole part in the lowest bits, rounded.
            *sample = (value.clamp(0.0, 255.0) + 8_388_608.0).to_bits() as u8;
        }
    }
    samples
}

#[inline(always)]
fn add(sum: &mut [f32; 8], factor: f32, row: &[f32; 8]) {
    for at in 0..8 {
        sum[at] = row[at].mul_add(factor, sum[at]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By the formula of T.81, A.3.3, in double precision.
    fn by_definition(coefficients: &Coefficients) -> [[u8; 8]; 8] {
        let scale = |k: usize| if k == 0 { 0.5_f64.sqrt() } else { 1.0 };
        let wave = |at: usize, k: usize| ((2 * at + 1) as f64 * k as f64 * std::f64::consts::PI / 16.0).cos();
        let sample = |x: usize, y: usize| {
            let part = |(at, value): (usize, &i16)| {
                let (u, v) = (at % 8, at / 8);
                scale(u) * scale(v) * f64::from(*value) * wave(x, u) * wave(y, v)
            };
            let sum: f64 = coefficients.iter().enumerate().map(part).sum();
            (sum / 4.0 + 128.0).round().clamp(0.0, 255.0) as u8
        };
        std::array::from_fn(|y| std::array::from_fn(|x| sample(x, y)))
    }

    #[test]
    fn eight_points_are_the_standards() {
        let mut state = 1_u32;
        for _ in 0..100 {
            let coefficients = std::array::from_fn(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                i16::from((state >> 24) as u8) - 127
            });
            let (found, want) = (samples::<8>(&coefficients, &[1.0; 64]), by_definition(&coefficients));
            for (found, want) in found.as_flattened().iter().zip(want.as_flattened()) {
                assert!(found.abs_diff(*want) <= 1, "{found} instead of {want}");
            }
        }
    }

    #[test]
    fn a_flat_block_is_flat_at_every_size() {
        fn check<const N: usize>() {
            for sample in [0_u8, 1, 77, 128, 254, 255] {
                let mut coefficients = [0; 64];
                coefficients[0] = (i16::from(sample) - 128) * 4;
                assert_eq!(level(coefficients[0], 2.0), sample);
                for row in samples::<N>(&coefficients, &[2.0; 64]) {
                    assert_eq!(row[..N], [sample; N]);
                }
            }
        }
        check::<1>();
        check::<2>();
        check::<3>();
        check::<4>();
        check::<5>();
        check::<6>();
        check::<7>();
        check::<8>();
    }
}
