//! Fractal value noise: one tile that wraps around, looked up smoothly or sharply, and the line of a range of hills.

use photovault_insight::random::{Random, mix};

const SIDE: usize = 512;
const SPECKLES: usize = 1 << 16;

/// The tile and a table of Gaussian speckles.
pub(crate) struct Noise {
    tile: Vec<f32>,
    speckles: Vec<f32>,
}

impl Noise {
    /// The noise of one library.
    pub(crate) fn new(seed: u64) -> Self {
        let mut tile = vec![0.0f32; SIDE * SIDE];
        let (mut cells, mut weight) = (4, 0.5);
        while cells <= SIDE {
            add_octave(&mut tile, mix(seed ^ cells as u64), cells, weight);
            cells *= 2;
            weight *= 0.55;
        }
        let (low, high) = tile.iter().fold((f32::MAX, f32::MIN), |(low, high), v| (low.min(*v), high.max(*v)));
        for value in &mut tile {
            *value = (*value - low) / (high - low);
        }
        let mut random = Random::new(seed, 4);
        // The sum of four uniform numbers is close enough to Gaussian for a sensor.
        let speckles = (0..SPECKLES).map(|_| (0..4).map(|_| random.unit() as f32 - 0.5).sum()).collect();
        Self { tile, speckles }
    }

    /// 0..1, bilinear; one unit of `u` and `v` is half a tile.
    pub(crate) fn smooth(&self, u: f32, v: f32, seed: u64) -> f32 {
        let (x, y) = (u * 256.0 + (seed & 511) as f32, v * 256.0 + (seed >> 9 & 511) as f32);
        let (x, y) = (x.max(0.0), y.max(0.0));
        let (left, top) = (x as usize, y as usize);
        let (fx, fy) = (x - left as f32, y - top as f32);
        let at = |x: usize, y: usize| self.tile[(y % SIDE) * SIDE + x % SIDE];
        let upper = at(left, top) + (at(left + 1, top) - at(left, top)) * fx;
        let lower = at(left, top + 1) + (at(left + 1, top + 1) - at(left, top + 1)) * fx;
        upper + (lower - upper) * fy
    }

    /// 0..1, nearest and fine: leaves, waves, plaster.
    pub(crate) fn sharp(&self, u: f32, v: f32, seed: u64) -> f32 {
        let x = (u * 1400.0) as usize + (seed >> 18 & 511) as usize;
        let y = (v * 1400.0) as usize + (seed >> 27 & 511) as usize;
        self.tile[(y % SIDE) * SIDE + x % SIDE]
    }

    /// Where a row of speckles begins.
    pub(crate) fn offset(&self, bits: u64) -> usize {
        (bits % self.speckles.len() as u64) as usize
    }

    /// The next speckle: about −1..1, mean 0.
    pub(crate) fn speckle(&self, at: &mut usize) -> f32 {
        *at = (*at + 1) % SPECKLES;
        self.speckles[*at]
    }
}

/// The height of a range of hills at `u`, 0..1.
pub(crate) fn ridge(seed: u64, u: f32) -> f32 {
    let (mut sum, mut weight, mut scale) = (0.0, 0.5, 1.0);
    for octave in 0..7 {
        let x = (u + 8.0) * scale;
        let cell = x.floor();
        let at = |cell: f32| (mix(seed.wrapping_add(octave << 32).wrapping_add(cell as u64)) >> 40) as f32 / (1 << 24) as f32;
        sum += weight * ease(at(cell), at(cell + 1.0), x - cell);
        weight *= 0.5;
        scale *= 2.0;
    }
    sum
}

/// Adds one octave of value noise: random values on a wrapping grid, eased between.
fn add_octave(tile: &mut [f32], seed: u64, cells: usize, weight: f32) {
    let mut random = Random::new(seed, 7);
    let grid: Vec<f32> = (0..cells * cells).map(|_| random.unit() as f32).collect();
    let step = cells as f32 / SIDE as f32;
    for y in 0..SIDE {
        for x in 0..SIDE {
            let (gx, gy) = (x as f32 * step, y as f32 * step);
            let (left, top) = (gx as usize % cells, gy as usize % cells);
            let (right, below) = ((left + 1) % cells, (top + 1) % cells);
            let upper = ease(grid[top * cells + left], grid[top * cells + right], gx.fract());
            let lower = ease(grid[below * cells + left], grid[below * cells + right], gx.fract());
            tile[y * SIDE + x] += weight * ease(upper, lower, gy.fract());
        }
    }
}

fn ease(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t * t * (3.0 - 2.0 * t)
}
