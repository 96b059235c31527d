//! Two fingerprints that a re-encoded or resized copy shares: Hamming distance is how much two pictures differ.

use photovault_domain::{DHash, Hex, PHash};

use super::Luma;

/// PDQ's frame and its share of frequencies ("The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm", 2019).
const SIDE: usize = 64;
const FREQUENCIES: usize = 16;

/// dHash: for each of 8 × 8 places, is it brighter to the right?
pub(super) fn difference(luma: Luma<'_>) -> DHash {
    let small = averaged(luma, 9, 8);
    let brighter = small.chunks_exact(9).flat_map(|row| row.windows(2).map(|pair| pair[0] < pair[1]));
    Hex(brighter.fold(0, |bits, bit| bits << 1 | u64::from(bit)).to_be_bytes())
}

/// PDQ's transform of an area-averaged frame: which of the 16 × 16 lowest frequencies but the constant are above their median; and
/// PDQ's quality, 0..=100, of which low values mean that there is little in the picture to tell it by.
pub(super) fn perceptual(luma: Luma<'_>) -> (PHash, u8) {
    let frame = averaged(luma, SIDE, SIDE);
    let spectrum = lowest_frequencies(&frame);
    let mut sorted = spectrum;
    // PDQ's median is the lower of the two in the middle.
    let (_, &mut median, _) = sorted.select_nth_unstable_by(spectrum.len() / 2 - 1, f32::total_cmp);
    let mut bytes = [0; FREQUENCIES * FREQUENCIES / 8];
    for (at, value) in spectrum.iter().enumerate() {
        bytes[at / 8] |= u8::from(*value > median) << (7 - at % 8);
    }
    (Hex(bytes), quality(&frame))
}

/// Means over equal areas, which may begin and end within a pixel.
fn averaged(luma: Luma<'_>, width: usize, height: usize) -> Vec<f32> {
    let columns = shares(luma.width, width);
    let rows = shares(luma.height, height);
    let mut narrow = Vec::with_capacity(luma.height * width);
    for row in luma.samples.chunks_exact(luma.width) {
        narrow.extend(columns.iter().map(|part| part.iter().map(|&(at, share)| f32::from(row[at]) * share).sum::<f32>()));
    }
    let mut small = Vec::with_capacity(width * height);
    for part in &rows {
        small.extend((0..width).map(|x| part.iter().map(|&(y, share)| narrow[y * width + x] * share).sum::<f32>()));
    }
    small
}

/// For each of `parts` equal parts of `length` pixels: which pixels it covers, and what share of the part each makes up.
fn shares(length: usize, parts: usize) -> Vec<Vec<(usize, f32)>> {
    // In units of 1 / parts of a pixel everything is whole.
    let part = |number: usize| {
        let (from, to) = (number * length, (number + 1) * length);
        let covered = |pixel: usize| to.min((pixel + 1) * parts) - from.max(pixel * parts);
        (from / parts..to.div_ceil(parts)).map(|pixel| (pixel, covered(pixel) as f32 / length as f32)).collect()
    };
    (0..parts).map(part).collect()
}

fn lowest_frequencies(frame: &[f32]) -> [f32; FREQUENCIES * FREQUENCIES] {
    use std::f32::consts::PI;
    let waves: Vec<[f32; SIDE]> = (1..=FREQUENCIES)
        .map(|frequency| std::array::from_fn(|at| (PI / (2 * SIDE) as f32 * frequency as f32 * (2 * at + 1) as f32).cos()))
        .collect();
    let dot = |one: &[f32], other: &[f32]| one.iter().zip(other).map(|(one, other)| one * other).sum::<f32>();
    let by_row: Vec<[f32; FREQUENCIES]> =
        frame.chunks_exact(SIDE).map(|row| std::array::from_fn(|across| dot(row, &waves[across]))).collect();
    std::array::from_fn(|at| {
        let (down, across) = (at / FREQUENCIES, at % FREQUENCIES);
        by_row.iter().zip(&waves[down]).map(|(row, wave)| row[across] * wave).sum()
    })
}

/// PDQ's measure of how much happens in the frame: its gradients in whole percents of the range.
fn quality(frame: &[f32]) -> u8 {
    let step = |one: f32, other: f32| ((one - other) * 100.0 / 255.0).abs().trunc();
    let across = frame.chunks_exact(SIDE).flat_map(|row| row.windows(2).map(|pair| step(pair[0], pair[1])));
    let down = frame.iter().zip(&frame[SIDE..]).map(|(one, other)| step(*one, *other));
    (across.chain(down).sum::<f32>() / 90.0).min(100.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Soft blobs at places that depend on `seed`.
    fn blobs(seed: usize, width: usize, height: usize) -> Vec<u8> {
        let mut samples = Vec::with_capacity(width * height);
        for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
            let (u, v) = (x as f32 / width as f32, y as f32 / height as f32);
            let blob = |number: usize| {
                let place = |by: usize| ((seed * 31 + number * 17 + by * 7) * 7919 % 1000) as f32 / 1000.0;
                let distance = (u - place(1)).powi(2) + (v - place(2)).powi(2);
                (place(3) - 0.5) * 200.0 * (-distance * 40.0).exp()
            };
            samples.push((128.0 + (0..12).map(blob).sum::<f32>()).clamp(0.0, 255.0) as u8);
        }
        samples
    }

    fn of(seed: usize, width: usize, height: usize) -> (DHash, PHash, u8) {
        let samples = blobs(seed, width, height);
        let luma = Luma { width, height, samples: &samples };
        let (phash, quality) = perceptual(luma);
        (difference(luma), phash, quality)
    }

    #[test]
    fn the_same_picture_in_another_size_is_near_and_others_are_far() {
        let (gradients, frequencies, quality) = of(1, 320, 240);
        assert!(quality > 20, "{quality}");
        let smaller = of(1, 300, 225);
        assert!(gradients.distance(smaller.0) <= 2, "{}", gradients.distance(smaller.0));
        assert!(frequencies.distance(smaller.1) <= 16, "{}", frequencies.distance(smaller.1));
        for seed in 2..12 {
            let far = frequencies.distance(of(seed, 320, 240).1);
            assert!(far >= 90, "{seed}: {far}");
        }
    }

    #[test]
    fn brighter_pictures_hash_alike() {
        let dark = blobs(3, 160, 120);
        let bright: Vec<u8> = dark.iter().map(|sample| sample.saturating_add(9)).collect();
        let hash = |samples: &[u8]| perceptual(Luma { width: 160, height: 120, samples }).0;
        assert!(hash(&dark).distance(hash(&bright)) <= 12);
    }

    #[test]
    fn a_flat_picture_has_no_quality() {
        let (phash, quality) = perceptual(Luma { width: 5, height: 1, samples: &[7; 5] });
        assert_eq!(quality, 0);
        assert_eq!(phash.distance(phash), 0);
        assert_eq!(difference(Luma { width: 5, height: 1, samples: &[7; 5] }), DHash::default());
    }

    #[test]
    fn areas_share_pixels() {
        let halves = averaged(Luma { width: 3, height: 1, samples: &[0, 90, 240] }, 2, 1);
        assert!((halves[0] - 30.0).abs() < 1e-3 && (halves[1] - 190.0).abs() < 1e-3, "{halves:?}");
        let more = averaged(Luma { width: 1, height: 1, samples: &[200] }, 3, 2);
        assert!(more.iter().all(|mean| (mean - 200.0).abs() < 1e-3), "{more:?}");
    }
}
