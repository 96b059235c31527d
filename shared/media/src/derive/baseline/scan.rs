//! The scan: unit by unit, block by block, from codes to samples (T.81, A.2 and F.2).

use super::{
    bits::{Bits, Buffer, Data},
    codes::{Codes, END, Step},
    header::Header,
    transform::{self, Factors},
};
use crate::derive::planes::Plane;

/// In which order a block's coefficients come: `row * 8 + column` (T.81, figure A.6).
const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28, 35, 42,
    49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];
/// Where coefficients go that are not used: behind the others.
const NOWHERE: u8 = 64;

/// Decodes the scan into planes with rows and columns for whole units; nothing if its data is not sound.
pub(super) fn decode(header: &Header, eighths: usize, planes: &mut [Plane]) -> Option<()> {
    match eighths {
        1 => at::<1>(header, planes),
        2 => at::<2>(header, planes),
        3 => at::<3>(header, planes),
        4 => at::<4>(header, planes),
        5 => at::<5>(header, planes),
        6 => at::<6>(header, planes),
        7 => at::<7>(header, planes),
        8 => at::<8>(header, planes),
        _ => None,
    }
}

#[cfg(target_arch = "x86_64")]
fn at<const N: usize>(header: &Header, planes: &mut [Plane]) -> Option<()> {
    // Without these (before 2013) libjpeg-turbo is faster.
    let is_able = std::arch::is_x86_feature_detected!("avx2")
        && std::arch::is_x86_feature_detected!("fma")
        && std::arch::is_x86_feature_detected!("bmi2");
    if !is_able {
        return None;
    }
    #[expect(unsafe_code, reason = "compiled for a processor that has what was just looked for")]
    // SAFETY: the processor has what the function needs.
    unsafe {
        with_avx2::<N>(header, planes)
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,bmi2")]
fn with_avx2<const N: usize>(header: &Header, planes: &mut [Plane]) -> Option<()> {
    units::<N>(header, planes)
}

#[cfg(not(target_arch = "x86_64"))]
fn at<const N: usize>(header: &Header, planes: &mut [Plane]) -> Option<()> {
    units::<N>(header, planes)
}

/// A component and its plane.
struct Part<'a> {
    codes: (&'a Codes, &'a Codes),
    factors: Factors,
    prediction: i32,
    across: usize,
    down: usize,
    samples: &'a mut [u8],
    stride: usize,
}

/// By place in the scan: where a coefficient goes. There are more places than coefficients, so that whatever a step adds to
/// the place is one of them.
struct Places<const N: usize>;

impl<const N: usize> Places<N> {
    const TABLE: [u8; 256] = {
        let mut table = [NOWHERE; 256];
        let mut at = 0;
        while at < 64 {
            if is_used(at, N) {
                table[at] = ZIGZAG[at];
            }
            at += 1;
        }
        table
    };

    /// The last place that is used.
    const LAST: usize = {
        let mut last = 0;
        let mut at = 0;
        while at < 64 {
            if is_used(at, N) {
                last = at;
            }
            at += 1;
        }
        last
    };

    #[inline(always)]
    fn put(block: &mut Block, place: usize, value: i32) {
        block[usize::from(Self::TABLE[usize::from(place as u8)] & 127)] = value as i16;
    }
}

const fn is_used(place: usize, n: usize) -> bool {
    let at = ZIGZAG[place] as usize;
    at / 8 < n && at % 8 < n
}

/// A block's coefficients, and room for those that go nowhere.
type Block = [i16; 128];

#[inline(always)]
fn units<const N: usize>(header: &Header, planes: &mut [Plane]) -> Option<()> {
    let mut parts = Vec::with_capacity(planes.len());
    for (component, plane) in header.components.iter().zip(planes) {
        let (quantisation, first, others) = header.tables(component)?;
        parts.push(Part {
            codes: (first, others),
            factors: in_rows(quantisation),
            prediction: 0,
            across: usize::from(component.across),
            down: usize::from(component.down),
            stride: plane.stride,
            samples: &mut plane.samples,
        });
    }
    let mut data = Data::new(header.data);
    let mut bits = Bits::default();
    let mut coefficients = [0; 128];
    let (columns, rows) = header.units();
    let mut until_restart = header.restart;
    let mut restarts = 0;
    for row in 0..rows {
        for column in 0..columns {
            if header.restart > 0 && until_restart == 0 {
                bits = data.restart(bits, restarts)?;
                restarts += 1;
                until_restart = header.restart;
                for part in &mut parts {
                    part.prediction = 0;
                }
            }
            until_restart = until_restart.saturating_sub(1);
            bits = data.prepare(bits);
            for part in &mut parts {
                for down in 0..part.down {
                    let top = (row * part.down + down) * N * part.stride;
                    for across in 0..part.across {
                        let is_flat;
                        (is_flat, bits) = block::<N>(bits, &data.buffer, part, &mut coefficients)?;
                        let corner = top + (column * part.across + across) * N;
                        write::<N>(&mut coefficients, is_flat, &part.factors, part.samples.get_mut(corner..)?, part.stride);
                    }
                }
            }
        }
    }
    data.finish(bits, 0xD9)
}

/// Reads a block's coefficients; says whether there is only the first. Nothing if the data is broken.
#[inline(always)]
fn block<const N: usize>(mut bits: Bits, buffer: &Buffer, part: &mut Part, coefficients: &mut Block) -> Option<(bool, Bits)> {
    let (first, others) = part.codes;
    bits.fill(buffer);
    let difference = match first.short_step(&mut bits) {
        Some(step) => step,
        None => take(first.long_step(bits)?, &mut bits),
    };
    part.prediction = part.prediction.wrapping_add(difference.value());
    coefficients[0] = part.prediction as i16;

    let mut place = 0_usize;
    'reading: loop {
        bits.fill(buffer);
        // So many windows are visible for sure.
        for _ in 0..4 {
            let Some(step) = others.short_step(&mut bits) else {
                bits.fill(buffer);
                let step = take(others.long_step(bits)?, &mut bits);
                place = place.wrapping_add(step.advance());
                Places::<N>::put(coefficients, place, step.value());
                if place >= Places::<N>::LAST {
                    break 'reading;
                }
                break;
            };
            place = place.wrapping_add(step.advance());
            Places::<N>::put(coefficients, place, step.value());
            if place >= Places::<N>::LAST {
                break 'reading;
            }
        }
    }
    match place {
        ..=62 => Some((false, skip(bits, buffer, others, place)?)),
        64..END => None,
        _ => Some((place == END, bits)),
    }
}

#[inline(always)]
fn take((step, after): (Step, Bits), bits: &mut Bits) -> Step {
    *bits = after;
    step
}

/// Steps over the rest of a block, from a place that is not its last.
#[inline(always)]
fn skip(mut bits: Bits, buffer: &Buffer, codes: &Codes, mut place: usize) -> Option<Bits> {
    loop {
        bits.fill(buffer);
        // Two leaps of 26 bits are visible for sure.
        for _ in 0..2 {
            let leap = codes.leap(bits);
            let next = place.wrapping_add(leap.advance());
            // What shows behind the last coefficient is the next block's.
            if leap.length() == 0 || next >= 63 {
                bits.fill(buffer);
                let step = take(codes.long_step(bits)?, &mut bits);
                place = place.wrapping_add(step.advance());
                match place {
                    ..=62 => break,
                    63 | END.. => return Some(bits),
                    _ => return None,
                }
            }
            bits.drop(leap.length());
            if leap.ends() {
                return Some(bits);
            }
            place = next;
        }
    }
}

/// Writes a block's samples, and leaves the coefficients zero.
#[inline(always)]
fn write<const N: usize>(block: &mut Block, is_flat: bool, factors: &Factors, corner: &mut [u8], stride: usize) {
    if is_flat || N == 1 {
        let level = transform::level(block[0], factors[0]);
        for row in 0..N {
            corner[row * stride..][..N].fill(level);
        }
        return;
    }
    let (used, _) = block.split_first_chunk_mut::<64>().expect("there are more");
    let samples = transform::samples::<N>(used, factors);
    used[..N * 8].fill(0);
    for (row, samples) in samples.iter().enumerate() {
        corner[row * stride..][..N].copy_from_slice(&samples[..N]);
    }
}

/// From the order of the scan to rows.
fn in_rows(quantisation: &[f32; 64]) -> Factors {
    let mut factors = [0.0; 64];
    for (at, factor) in ZIGZAG.iter().zip(quantisation) {
        factors[usize::from(*at)] = *factor;
    }
    factors
}
