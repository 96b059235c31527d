//! Sharpness: variance of the Laplacian (Pech-Pacheco et al., ICPR 2000) where the picture is sharpest, so that a soft
//! background does not count against a sharp subject.

use super::Luma;

/// Pixels: large enough for a face's edges, small enough to leave the background out.
const TILE: usize = 64;
/// The tiles that count: one of so many.
const SHARPEST_ONE_IN: usize = 10;

/// Mean variance over the sharpest tiles, in squared steps of brightness; 0 where there is nothing to compare.
pub(crate) fn sharpness(luma: Luma<'_>) -> u32 {
    if luma.width < 3 || luma.height < 3 {
        return 0;
    }
    let across = (luma.width - 2).div_ceil(TILE);
    let mut tiles: Vec<f64> = Vec::new();
    for first_row in (1..luma.height - 1).step_by(TILE) {
        let mut sums = vec![Sums::default(); across];
        for row in first_row..(first_row + TILE).min(luma.height - 1) {
            for (tile, sums) in sums.iter_mut().enumerate() {
                let from = 1 + tile * TILE;
                sums.add(luma, row, from, (from + TILE).min(luma.width - 1));
            }
        }
        tiles.extend(sums.iter().map(Sums::variance));
    }
    tiles.sort_by(|one, other| other.total_cmp(one));
    let sharpest = &tiles[..tiles.len().div_ceil(SHARPEST_ONE_IN)];
    (sharpest.iter().sum::<f64>() / sharpest.len() as f64).round() as u32
}

#[derive(Clone, Copy, Default)]
struct Sums {
    count: u32,
    sum: i64,
    squares: u64,
}

impl Sums {
    /// Adds the Laplacians of a tile's part of a row: 64 squares of at most 1,020² fit 32 bits.
    fn add(&mut self, luma: Luma<'_>, row: usize, from: usize, to: usize) {
        let line = |row: usize, shift: usize| &luma.samples[row * luma.width + from + shift - 1..][..to - from];
        let (above, below) = (line(row - 1, 1), line(row + 1, 1));
        let (left, here, right) = (line(row, 0), line(row, 1), line(row, 2));
        let (mut sum, mut squares) = (0_i32, 0_u32);
        for at in 0..to - from {
            let around = i32::from(above[at]) + i32::from(below[at]) + i32::from(left[at]) + i32::from(right[at]);
            let laplacian = around - 4 * i32::from(here[at]);
            sum = sum.wrapping_add(laplacian);
            squares = squares.wrapping_add((laplacian * laplacian) as u32);
        }
        self.count += (to - from) as u32;
        self.sum += i64::from(sum);
        self.squares += u64::from(squares);
    }

    fn variance(&self) -> f64 {
        let count = f64::from(self.count.max(1));
        let mean = self.sum as f64 / count;
        (self.squares as f64 / count - mean * mean).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: usize, height: usize, sample: impl Fn(usize, usize) -> u8) -> Vec<u8> {
        (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).map(|(x, y)| sample(x, y)).collect()
    }

    fn measured(width: usize, height: usize, samples: &[u8]) -> u32 {
        sharpness(Luma { width, height, samples })
    }

    #[test]
    fn flat_and_tiny_pictures_have_no_edges() {
        assert_eq!(measured(200, 150, &vec![90; 200 * 150]), 0);
        assert_eq!(measured(2, 2, &[0, 255, 255, 0]), 0);
        assert_eq!(measured(3, 3, &[0; 9]), 0);
    }

    #[test]
    fn a_ramp_has_none_either_and_a_chessboard_all() {
        assert_eq!(measured(200, 150, &picture(200, 150, |x, _| x as u8)), 0);
        let chessboard = picture(66, 66, |x, y| if (x + y).is_multiple_of(2) { 0 } else { 255 });
        assert_eq!(measured(66, 66, &chessboard), 1020 * 1020);
    }

    #[test]
    fn blur_lowers_it_and_a_soft_background_does_not() {
        let stripes = |x: usize| if (x / 4).is_multiple_of(2) { 40 } else { 200 };
        let sharp = picture(640, 640, |x, _| stripes(x));
        let blurred = picture(640, 640, |x, _| ((0..5).map(|by| u32::from(stripes(x + by))).sum::<u32>() / 5) as u8);
        let subject = picture(640, 640, |x, y| if x < 200 && y < 200 { stripes(x) } else { 120 });
        let (sharp, blurred, subject) = (measured(640, 640, &sharp), measured(640, 640, &blurred), measured(640, 640, &subject));
        assert!(blurred * 4 < sharp, "{blurred} against {sharp}");
        assert!(subject * 10 > sharp * 7, "{subject} against {sharp}");
    }
}
