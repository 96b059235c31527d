//! A face as embedding models are taught faces: upright, of one size, eyes and mouth where they always are.
//!
//! The places are those of [ArcFace](https://arxiv.org/abs/1801.07698) (Deng et al., CVPR 2019), which most later models share. What moves a
//! face there is turning, scaling and shifting that leaves the least squares of distances (Umeyama, "Least-squares estimation of
//! transformation parameters between two point patterns", PAMI 1991). In a plane that is one complex factor: its solution has no mirror
//! image to rule out.

use image::{Rgb, RgbImage, imageops};

/// The side of the picture that [`PLACES`] are on.
const SIDE: f32 = 112.0;
/// Where eyes, nose and corners of the mouth go, from left to right as one looks at the picture, in pixels.
const PLACES: [[f32; 2]; 5] =
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]];
/// Points across and down that make one pixel at most, where a face is larger than the model wants it.
const MOST_POINTS: f32 = 8.0;

/// Turns and scales by one complex number, and shifts by another.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Similarity {
    turn: [f32; 2],
    shift: [f32; 2],
}

impl Similarity {
    /// What brings points nearest to others; nothing where they are all in one place.
    fn between(from: &[[f32; 2]; 5], to: &[[f32; 2]; 5]) -> Option<Self> {
        let middle = |points: &[[f32; 2]; 5]| [0, 1].map(|axis| points.iter().map(|point| point[axis]).sum::<f32>() / 5.0);
        let (own, other) = (middle(from), middle(to));
        let (mut along, mut across, mut spread) = (0.0, 0.0, 0.0);
        for (from, to) in from.iter().zip(to) {
            let ([x, y], [u, v]) = ([from[0] - own[0], from[1] - own[1]], [to[0] - other[0], to[1] - other[1]]);
            along += x * u + y * v;
            across += x * v - y * u;
            spread += x * x + y * y;
        }
        let turn = [along / spread, across / spread];
        let turned = Self { turn, shift: [0.0; 2] }.at(own);
        let found = Self { turn, shift: [other[0] - turned[0], other[1] - turned[1]] };
        found.scale().is_normal().then_some(found)
    }

    fn at(&self, [x, y]: [f32; 2]) -> [f32; 2] {
        let [along, across] = self.turn;
        [along * x - across * y + self.shift[0], across * x + along * y + self.shift[1]]
    }

    /// The way back.
    fn inverse(&self) -> Self {
        let square = self.scale().powi(2);
        let turn = [self.turn[0] / square, -self.turn[1] / square];
        let [x, y] = Self { turn, shift: [0.0; 2] }.at(self.shift);
        Self { turn, shift: [-x, -y] }
    }

    fn scale(&self) -> f32 {
        self.turn[0].hypot(self.turn[1])
    }
}

/// The face with these landmarks, in pixels, on a square of its own; what is beyond the picture is black. Nothing where the landmarks are no
/// face's.
pub(crate) fn aligned(picture: &RgbImage, landmarks: &[[f32; 2]; 5], side: usize) -> Option<RgbImage> {
    let places = PLACES.map(|place| place.map(|at| at * side as f32 / SIDE));
    let back = Similarity::between(landmarks, &places)?.inverse();
    // A face that is made smaller is looked at between the pixels' middles too: else one pixel in many would stand for all.
    let points = back.scale().ceil().clamp(1.0, MOST_POINTS) as u32;
    let offset = |at: u32| (at as f32 + 0.5) / points as f32 - 0.5;
    let pixel = |x: u32, y: u32| {
        let mut sum = [0.0; 3];
        for point in 0..points * points {
            let from = [x as f32 + offset(point % points), y as f32 + offset(point / points)];
            let [column, row] = back.at(from);
            if let Some(Rgb(seen)) = imageops::interpolate_bilinear(picture, column, row) {
                for (sum, part) in sum.iter_mut().zip(seen) {
                    *sum += f32::from(part);
                }
            }
        }
        Rgb(sum.map(|sum| (sum / (points * points) as f32).round() as u8))
    };
    Some(RgbImage::from_fn(side as u32, side as u32, pixel))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_turned_scaled_and_shifted_is_told() {
        for (turn, shift) in [([1.0, 0.0], [0.0, 0.0]), ([0.0, 3.5], [-40.0, 900.0]), ([-0.2, 0.1], [7.0, 3.0])] {
            let made = Similarity { turn, shift };
            let found = Similarity::between(&PLACES, &PLACES.map(|place| made.at(place))).unwrap();
            for (found, made) in found.turn.iter().chain(&found.shift).zip(made.turn.iter().chain(&made.shift)) {
                assert!((found - made).abs() < 1e-3 * (1.0 + made.abs()), "{found} is not {made}");
            }
        }
        // Least squares: errors that cancel out leave the rest as it is.
        let mut moved = PLACES;
        (moved[0][1], moved[1][1]) = (moved[0][1] - 3.0, moved[1][1] - 3.0);
        (moved[3][1], moved[4][1]) = (moved[3][1] + 3.0, moved[4][1] + 3.0);
        let found = Similarity::between(&PLACES, &moved).unwrap();
        assert!(found.scale() > 1.0 && found.turn[1].abs() < 0.01, "{found:?}");
        assert_eq!(Similarity::between(&PLACES, &[[5.0, 5.0]; 5]), None);
        assert_eq!(Similarity::between(&PLACES, &[[f32::NAN; 2]; 5]), None);
    }

    #[test]
    fn a_face_is_upright_wherever_it_was() {
        // A dot of its own colour at each of the five places, on a picture that is turned, larger and elsewhere.
        let colours = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0], [0, 255, 255]];
        for scale in [0.8, 2.0, 9.0] {
            let made = Similarity { turn: [scale * 0.8, scale * 0.6], shift: [scale * 60.0, 5.0] };
            let landmarks = PLACES.map(|place| made.at(place));
            let size = (scale * 200.0) as u32;
            let picture = RgbImage::from_fn(size, size, |x, y| {
                let near = |at: &[f32; 2]| (at[0] - x as f32).hypot(at[1] - y as f32) < scale * 4.0;
                Rgb(landmarks.iter().position(near).map_or([90, 90, 90], |at| colours[at]))
            });
            for side in [112, 64] {
                let face = aligned(&picture, &landmarks, side).unwrap();
                for (place, colour) in PLACES.iter().zip(colours) {
                    let [x, y] = place.map(|at| (at * side as f32 / SIDE).round() as u32);
                    let seen = face.get_pixel(x, y).0;
                    assert!(seen.iter().zip(colour).all(|(seen, want)| seen.abs_diff(want) < 40), "{scale}, {side}: {seen:?}");
                }
            }
        }
    }
}
