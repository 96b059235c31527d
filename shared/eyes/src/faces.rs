//! Where faces are, by YuNet.
//!
//! YuNet (Wu, Peng and Yu, "YuNet: A Tiny Millisecond-level Face Detector", Machine Intelligence Research 2023) is the detector of OpenCV;
//! its model of March 2023 is in this program, 232 KB, as OpenCV's model zoo has it, but that the sides of its input are left open. It
//! was taught faces of 10 to 300 pixels, so a picture is looked at in two sizes: what is too large in one is not in the other.

use std::collections::BTreeMap;

use image::{RgbImage, imageops};

use crate::{
    model_file::name_of,
    network::{ModelError, Network},
};

const MODEL: &[u8] = include_bytes!("../models/face_detection_yunet_2023mar_any_side.onnx");
/// Pixels between the places that each of the three heads looks at.
const STRIDES: [usize; 3] = [8, 16, 32];
/// Sides of a picture must be multiples of the largest of them.
const MULTIPLE: u32 = 32;
/// The longer side of a picture as it is looked at.
const SIDES: [u32; 2] = [1_024, 320];
/// What counts as a face; docs/insight.md has the figures.
const LEAST_SCORE: f32 = 0.7;
/// From how much in common two boxes are one face's: their intersection in their union (the value of OpenCV's example).
const ONE_FACE: f32 = 0.3;

/// A face: parts of the picture's width and height.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SeenFace {
    /// Left edge, upper edge, width, height; it may reach beyond the picture.
    pub area: [f32; 4],
    /// How certain it is, 0 to 1: the geometric mean of what the network says of the place and of the face, as YuNet defines it.
    pub score: f32,
    /// The eye on the left of the picture, the one on its right, the tip of the nose, the corners of the mouth from left to right.
    pub landmarks: [[f32; 2]; 5],
}

/// Finds faces.
pub struct FaceFinder {
    network: Network,
    /// Who finds them: `yunet-` and eight digits of the model's hash.
    pub name: String,
}

impl FaceFinder {
    /// By the model that is in this program.
    pub fn built_in() -> Result<Self, ModelError> {
        Ok(Self { network: Network::read(MODEL.to_vec())?, name: format!("yunet-{}", name_of(MODEL)) })
    }

    /// Faces of a picture, the largest first.
    pub fn find(&self, picture: &RgbImage) -> Result<Vec<SeenFace>, ModelError> {
        self.find_at(picture, &SIDES, LEAST_SCORE)
    }

    /// The same, looking at the picture in other sizes, from another score.
    pub fn find_at(&self, picture: &RgbImage, sides: &[u32], least_score: f32) -> Result<Vec<SeenFace>, ModelError> {
        let mut faces = Vec::new();
        let longest = picture.width().max(picture.height());
        for (at, side) in sides.iter().enumerate() {
            // What is small is not made larger: it would be looked at twice.
            if at > 0 && *side >= longest {
                continue;
            }
            faces.extend(self.find_in(picture, (*side).min(longest), least_score)?);
        }
        let mut faces = once(faces);
        faces.sort_by(|one, other| size(other).total_cmp(&size(one)));
        Ok(faces)
    }

    fn find_in(&self, picture: &RgbImage, side: u32, least_score: f32) -> Result<Vec<SeenFace>, ModelError> {
        let factor = f64::from(side) / f64::from(picture.width().max(picture.height()));
        let sides = [picture.width(), picture.height()].map(|side| ((f64::from(side) * factor).round() as u32).max(1));
        let small = if factor < 1.0 { &imageops::thumbnail(picture, sides[0], sides[1]) } else { picture };
        let (shape, values) = input(small);
        let outputs = self.network.run(shape, values)?;
        let mut faces = Vec::new();
        for stride in STRIDES {
            faces.extend(of_head(&outputs, stride, shape[3] / stride, least_score));
        }
        let [width, height] = sides.map(|side| side as f32);
        for face in &mut faces {
            let [left, top, across, down] = face.area;
            face.area = [left / width, top / height, across / width, down / height];
            face.landmarks = face.landmarks.map(|[x, y]| [x / width, y / height]);
        }
        Ok(faces)
    }
}

/// Blue, green and red as they are, with black to the right and below up to whole multiples.
fn input(picture: &RgbImage) -> ([usize; 4], Vec<f32>) {
    let [width, height] = [picture.width(), picture.height()].map(|side| side.next_multiple_of(MULTIPLE) as usize);
    let mut values = vec![0.0; 3 * width * height];
    for (channel, plane) in values.chunks_exact_mut(width * height).enumerate() {
        for (row, pixels) in plane.chunks_exact_mut(width).zip(picture.rows()) {
            for (value, pixel) in row.iter_mut().zip(pixels) {
                *value = f32::from(pixel.0[2 - channel]);
            }
        }
    }
    ([1, 3, height, width], values)
}

/// Faces that one head of the network sees, in pixels.
fn of_head(outputs: &BTreeMap<&str, Vec<f32>>, stride: usize, columns: usize, least_score: f32) -> Vec<SeenFace> {
    let output = |name: &str| outputs.get(&*format!("{name}_{stride}")).map_or(&[][..], Vec::as_slice);
    let (classes, places) = (output("cls").iter(), output("obj").iter());
    let (boxes, points) = (output("bbox").as_chunks::<4>().0.iter(), output("kps").as_chunks::<10>().0.iter());
    let seen = classes.zip(places).zip(boxes.zip(points)).enumerate();
    let mut faces = Vec::new();
    for (at, ((class, place), (bounds, points))) in seen {
        let score = (class.clamp(0.0, 1.0) * place.clamp(0.0, 1.0)).sqrt();
        if score < least_score {
            continue;
        }
        let (row, column, stride) = ((at / columns) as f32, (at % columns) as f32, stride as f32);
        let (width, height) = (bounds[2].exp() * stride, bounds[3].exp() * stride);
        let (x, y) = ((column + bounds[0]) * stride, (row + bounds[1]) * stride);
        let landmarks = std::array::from_fn(|at| [(points[2 * at] + column) * stride, (points[2 * at + 1] + row) * stride]);
        faces.push(SeenFace { area: [x - width / 2.0, y - height / 2.0, width, height], score, landmarks });
    }
    faces
}

/// Of boxes that are one face's, the most certain.
fn once(mut faces: Vec<SeenFace>) -> Vec<SeenFace> {
    faces.sort_by(|one, other| other.score.total_cmp(&one.score));
    let mut kept: Vec<SeenFace> = Vec::new();
    for face in faces {
        if kept.iter().all(|other| in_common(&face, other) <= ONE_FACE) {
            kept.push(face);
        }
    }
    kept
}

fn size(face: &SeenFace) -> f32 {
    face.area[2] * face.area[3]
}

/// The intersection of two boxes as a part of their union.
fn in_common(one: &SeenFace, other: &SeenFace) -> f32 {
    let along = |at: usize| {
        let end = (one.area[at] + one.area[at + 2]).min(other.area[at] + other.area[at + 2]);
        (end - one.area[at].max(other.area[at])).max(0.0)
    };
    let both = along(0) * along(1);
    both / (size(one) + size(other) - both).max(f32::MIN_POSITIVE)
}
