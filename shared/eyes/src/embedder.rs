//! What a face looks like to an embedding model of the user's: a vector that is near those of the same person and far from others'.

use std::path::Path;

use image::RgbImage;

use crate::{
    align::aligned,
    looks::Looks,
    model_file::{OpenError, name_of, read},
    network::{ModelError, Network},
};

/// The side of the square that a model looks at which takes any: the usual one.
const ANY_SIDE: usize = 112;
/// Mean and deviation of red, green and blue, of 0 to 1, as ArcFace is taught.
const USUAL: [[f32; 3]; 2] = [[0.5; 3], [0.5; 3]];
/// The same for a model that takes whole bytes, and does that itself.
const WHOLE_BYTES: [[f32; 3]; 2] = [[0.0; 3], [1.0 / 255.0; 3]];
/// Numbers of a vector: ArcFace has 512, SFace 128.
const NUMBERS: std::ops::RangeInclusive<usize> = 2..=4_096;

/// Tells what faces look like.
pub struct Embedder {
    network: Network,
    looks: Looks,
    /// Who tells: eight digits of the model's hash.
    pub name: String,
}

impl Embedder {
    /// Reads a model. It is tried once, so that what is wrong is told now.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let wrong = |why| OpenError::Model { path: path.to_owned(), why };
        let bytes = read(path)?;
        let name = name_of(&bytes);
        let network = Network::read(bytes).map_err(wrong)?;
        let usual = if network.normalises { WHOLE_BYTES } else { USUAL };
        let looks = Looks::of(&network, ANY_SIDE, usual).map_err(wrong)?;
        let embedder = Self { network, looks, name };
        embedder.tried().map_err(wrong)?;
        Ok(embedder)
    }

    fn tried(&self) -> Result<(), ModelError> {
        let Looks { width, height, .. } = self.looks;
        if width != height {
            return Err(ModelError::Unfit(format!("its input is {width}×{height} pixels, and a face is put on a square")));
        }
        let numbers = self.numbers(&RgbImage::new(width as u32, height as u32))?.len();
        if NUMBERS.contains(&numbers) {
            return Ok(());
        }
        Err(ModelError::Unfit(format!(
            "it gives {numbers} numbers of a face, and {} to {} are taken",
            NUMBERS.start(),
            NUMBERS.end()
        )))
    }

    /// A face as a vector of length 1; its landmarks are parts of the picture's width and height, as [`SeenFace`](crate::SeenFace) has them.
    /// Nothing where the model says nothing of it.
    pub fn embed(&self, picture: &RgbImage, landmarks: &[[f32; 2]; 5]) -> Result<Option<Vec<f32>>, ModelError> {
        let [width, height] = [picture.width(), picture.height()].map(|side| side as f32);
        let landmarks = landmarks.map(|[x, y]| [x * width, y * height]);
        let Some(face) = aligned(picture, &landmarks, self.looks.width) else { return Ok(None) };
        let mut looks = self.numbers(&face)?;
        let length = looks.iter().map(|number| number * number).sum::<f32>().sqrt();
        for number in &mut looks {
            *number /= length;
        }
        Ok(length.is_normal().then_some(looks))
    }

    fn numbers(&self, face: &RgbImage) -> Result<Vec<f32>, ModelError> {
        let (shape, values) = self.looks.at(face);
        let mut outputs = self.network.run(shape, values)?.into_values();
        match (outputs.next(), outputs.next()) {
            (Some(numbers), None) => Ok(numbers),
            _ => Err(ModelError::Unfit("it has more than one output, so it is no embedding model".to_owned())),
        }
    }
}
