//! Paints a sample photo: sky, sun and clouds, ranges of hills in the haze, and water, a meadow, sand or a town in front.
//!
//! Noise comes from one tile of fractal value noise; a picture is a few look-ups a pixel. The sensor's grain is what
//! makes a JPEG of it as large as a camera's.

use photovault_insight::random::Random;

use super::noise::{Noise, ridge};
use super::plan::View;

/// An upright picture, RGB of 8 bits.
pub(crate) struct Picture {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) pixels: Vec<u8>,
}

type Colour = [f32; 3];

/// Paints a view upright.
pub(crate) fn paint(view: &View, noise: &Noise, width: usize, height: usize) -> Picture {
    let scene = Scene::of(view, width as f32 / height as f32);
    let columns: Vec<Column> = (0..width).map(|x| scene.column(x as f32 / height as f32)).collect();
    let mut grain = Random::new(view.grain, 3);
    let mut pixels = vec![0; width * height * 3];
    let unit = 1.0 / height as f32;
    for (y, row) in pixels.chunks_exact_mut(width * 3).enumerate() {
        let v = y as f32 * unit + scene.shift.1;
        let mut speckles = (noise.offset(grain.bits()), noise.offset(grain.bits()));
        for (x, pixel) in row.chunks_exact_mut(3).enumerate() {
            let u = x as f32 * unit + scene.shift.0;
            let colour = scene.colour(noise, &columns[x], u, v);
            let light = noise.speckle(&mut speckles.0);
            let tint = noise.speckle(&mut speckles.1) * 0.35;
            for (channel, value) in pixel.iter_mut().enumerate() {
                let chroma = if channel == 1 { -tint } else { tint };
                *value = (colour[channel] * 255.0 + (light + chroma) * GRAIN).clamp(0.0, 255.0) as u8;
            }
        }
    }
    Picture { width, height, pixels }
}

/// Puts an upright picture into the order in which a camera held that way stores it (Exif orientation, tag 0x0112).
pub(crate) fn store(upright: &Picture, orientation: u8) -> Picture {
    let (w, h) = if orientation >= 5 { (upright.height, upright.width) } else { (upright.width, upright.height) };
    let mut pixels = Vec::with_capacity(w * h * 3);
    for y in 0..h {
        for x in 0..w {
            let (u, v) = match orientation {
                2 => (w - 1 - x, y),
                3 => (w - 1 - x, h - 1 - y),
                4 => (x, h - 1 - y),
                5 => (y, x),
                6 => (h - 1 - y, x),
                7 => (h - 1 - y, w - 1 - x),
                8 => (y, w - 1 - x),
                _ => (x, y),
            };
            let at = (v * upright.width + u) * 3;
            pixels.extend_from_slice(&upright.pixels[at..at + 3]);
        }
    }
    Picture { width: w, height: h, pixels }
}

/// How strong the sensor's noise is, in steps of 8 bits: JPEG files of 0.3 to 0.4 bytes a pixel at quality 90.
const GRAIN: f32 = 10.5;
const RANGES: usize = 4;

#[derive(Clone, Copy)]
enum Ground {
    Water,
    Meadow,
    Sand,
    Town,
}

/// What one view looks like; lengths are fractions of the picture's height.
struct Scene {
    shift: (f32, f32),
    zenith: Colour,
    low: Colour,
    sun: (f32, f32),
    sun_light: Colour,
    horizon: f32,
    clouds: f32,
    hills: Colour,
    ground: Ground,
    ground_colour: Colour,
    seed: u64,
}

/// What one column of pixels shares: how high each range of hills stands there, and the town's roofs.
struct Column {
    ridges: [f32; RANGES],
    roof: f32,
    house: u64,
}

impl Scene {
    fn of(view: &View, aspect: f32) -> Self {
        let mut place = Random::new(view.palette, 1);
        let mut look = Random::new(view.direction, 2);
        let between = |random: &mut Random, low: f64, high: f64| random.between(low, high) as f32;
        let evening = (((view.hour - 13.0).abs() - 3.0) / 5.0).clamp(0.0, 1.0) as f32;
        let green = between(&mut place, 0.0, 1.0);
        let ground = *place.pick(&[Ground::Water, Ground::Meadow, Ground::Sand, Ground::Town]);
        let ground_colour = match ground {
            Ground::Water => [0.08, 0.22, 0.30],
            Ground::Meadow => mix([0.20, 0.34, 0.10], [0.42, 0.42, 0.16], green),
            Ground::Sand => [0.72, 0.62, 0.46],
            Ground::Town => [0.30, 0.29, 0.29],
        };
        Self {
            shift: (view.shift.0 as f32, view.shift.1 as f32),
            zenith: mix([0.16, 0.38, 0.74], [0.20, 0.22, 0.45], evening),
            low: mix([0.72, 0.83, 0.93], [0.97, 0.66, 0.42], evening),
            sun: (between(&mut look, 0.1, 0.9) * aspect, between(&mut look, 0.08, 0.30) + 0.12 * evening),
            sun_light: mix([1.0, 0.98, 0.90], [1.0, 0.74, 0.45], evening),
            horizon: between(&mut look, 0.48, 0.62),
            clouds: between(&mut place, 0.35, 0.75),
            hills: mix([0.13, 0.22, 0.12], [0.30, 0.24, 0.18], green),
            ground,
            ground_colour,
            seed: look.bits(),
        }
    }

    fn column(&self, u: f32) -> Column {
        let u = u + self.shift.0;
        let ridges = std::array::from_fn(|range| {
            let nearness = range as f32 / RANGES as f32;
            let height = ridge(self.seed.wrapping_add(range as u64), u * (1.6 + 1.4 * nearness));
            self.horizon + 0.02 + 0.06 * nearness - height * (0.30 - 0.20 * nearness)
        });
        let house = (u * 14.0) as u64 ^ self.seed;
        let roof = self.horizon - 0.02 - 0.22 * Random::new(house, 5).unit() as f32;
        Column { ridges, roof, house }
    }

    fn colour(&self, noise: &Noise, column: &Column, u: f32, v: f32) -> Colour {
        if let Ground::Town = self.ground
            && v > column.roof
        {
            return self.town(noise, column, u, v);
        }
        if v > self.horizon + 0.09 {
            return self.foreground(noise, u, v);
        }
        for range in (0..RANGES).rev() {
            if v > column.ridges[range] {
                return self.hill(noise, range, column.ridges[range], u, v);
            }
        }
        self.sky(noise, u, v)
    }

    fn sky(&self, noise: &Noise, u: f32, v: f32) -> Colour {
        let height = (v / self.horizon).clamp(0.0, 1.0);
        let clear = mix(self.zenith, self.low, height * height);
        let distance = (u - self.sun.0) * (u - self.sun.0) + (v - self.sun.1) * (v - self.sun.1);
        let glow = 0.0035 / (0.0035 + distance) + if distance < 0.0009 { 1.0 } else { 0.0 };
        let cover = noise.smooth(u * 0.8, v * 1.7 + 0.3, self.seed) * 0.7 + noise.smooth(u * 3.1, v * 6.0, self.seed >> 9) * 0.3;
        let cloud = ((cover - self.clouds) * 5.0).clamp(0.0, 0.85);
        let shade = 0.78 + 0.25 * noise.smooth(u * 4.0, v * 7.0 + 0.05, self.seed >> 5);
        let white = mix([shade, shade, shade * 1.02], self.sun_light, 0.25);
        mix(mix(clear, white, cloud), self.sun_light, glow.min(1.0) * (1.0 - 0.6 * cloud))
    }

    /// Hills fade into the air's colour with distance (aerial perspective).
    fn hill(&self, noise: &Noise, range: usize, ridge: f32, u: f32, v: f32) -> Colour {
        let haze = 0.78 - 0.22 * range as f32;
        let trees = noise.smooth(u * 9.0, v * 9.0, self.seed >> 3) * 0.6 + noise.sharp(u, v, self.seed) * 0.7;
        let lit = 0.55 + 0.9 * trees - (v - ridge) * 0.6;
        mix(scale(self.hills, lit.max(0.15)), mix(self.low, self.zenith, 0.35), haze)
    }

    fn foreground(&self, noise: &Noise, u: f32, v: f32) -> Colour {
        let depth = (v - self.horizon) / (1.0 - self.horizon);
        let texture = noise.sharp(u, v, self.seed);
        if let Ground::Water = self.ground {
            let wave = noise.smooth(u * 2.0 / (0.2 + depth), 9.0 / (0.08 + depth), self.seed >> 7);
            let mirrored = mix(self.low, self.zenith, (depth + 0.5 * (wave - 0.5)).clamp(0.0, 1.0));
            let glitter = if wave + 0.4 * texture > 0.98 && (u - self.sun.0).abs() < 0.05 + 0.2 * depth { 0.7 } else { 0.0 };
            let water = mix(self.ground_colour, mirrored, 0.62 - 0.3 * depth);
            return mix(scale(water, 0.72 + 0.45 * wave + 0.12 * texture), self.sun_light, glitter);
        }
        let patch = noise.smooth(u * 5.0, v * 14.0, self.seed >> 11);
        let blades = noise.sharp(u * 0.9 / (0.3 + depth), v / (0.3 + depth), self.seed >> 4);
        scale(self.ground_colour, 0.45 + 0.5 * patch + 0.55 * blades + 0.25 * texture)
    }

    /// Houses side by side, each with its colour, its roof and its windows.
    fn town(&self, noise: &Noise, column: &Column, u: f32, v: f32) -> Colour {
        let mut house = Random::new(column.house, 6);
        let warm = house.unit() as f32;
        let wall = mix([0.80, 0.72, 0.58], [0.62, 0.36, 0.28], warm);
        let texture = 0.75 + 0.4 * noise.sharp(u, v, self.seed);
        let street = self.horizon + 0.30;
        if v > street {
            return scale(self.ground_colour, texture * (0.6 + 0.6 * noise.smooth(u * 6.0, v * 20.0, self.seed)));
        }
        if v < column.roof + 0.035 {
            return scale([0.45, 0.22, 0.16], texture);
        }
        let (across, up) = ((u * 14.0 * 3.0).fract(), ((v - column.roof) * 18.0).fract());
        let is_window = (0.3..0.7).contains(&across) && (0.3..0.75).contains(&up);
        if is_window { scale([0.16, 0.20, 0.26], 0.6 + 0.8 * texture) } else { scale(wall, texture) }
    }
}

fn mix(a: Colour, b: Colour, share: f32) -> Colour {
    std::array::from_fn(|i| a[i] + (b[i] - a[i]) * share)
}

fn scale(colour: Colour, by: f32) -> Colour {
    colour.map(|value| value * by)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_orientation_comes_back_upright() {
        let upright = Picture { width: 3, height: 2, pixels: (0..18).collect() };
        for orientation in 1..=8u8 {
            let stored = store(&upright, orientation);
            let mut image = image::DynamicImage::from(
                image::RgbImage::from_raw(stored.width as u32, stored.height as u32, stored.pixels).unwrap(),
            );
            image.apply_orientation(image::metadata::Orientation::from_exif(orientation).unwrap());
            assert_eq!((image.width(), image.height()), (3, 2), "orientation {orientation}");
            assert_eq!(image.into_rgb8().into_raw(), upright.pixels, "orientation {orientation}");
        }
    }

    #[test]
    fn the_sky_is_above_the_ground() {
        let noise = Noise::new(1);
        for seed in 0..12 {
            let view = View { palette: seed, direction: seed, grain: seed, shift: (0.0, 0.0), hour: 12.0 };
            let picture = paint(&view, &noise, 160, 120);
            let mean = |rows: std::ops::Range<usize>| {
                let part = &picture.pixels[rows.start * 480..rows.end * 480];
                part.iter().skip(2).step_by(3).map(|blue| u32::from(*blue)).sum::<u32>() / (part.len() as u32 / 3)
            };
            assert!(mean(0..30) > mean(90..120) + 20, "scene {seed}: {} above, {} below", mean(0..30), mean(90..120));
        }
    }
}
