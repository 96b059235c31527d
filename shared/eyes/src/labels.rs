//! What a classifier of the user's calls a picture.

use std::{fs, path::Path};

use image::{RgbImage, imageops};

use crate::{
    looks::Looks,
    model_file::{OpenError, name_of, read},
    network::{ModelError, Network},
};

/// The side of the square that a model looks at which takes any.
const ANY_SIDE: usize = 224;
/// How large the middle of a picture is that is looked at, to its shorter side: what classifiers for ImageNet are measured with.
const MIDDLE: f64 = 224.0 / 256.0;
/// Mean and deviation of red, green and blue, of 0 to 1, in ImageNet: what its classifiers are taught with.
const IMAGENET: [[f32; 3]; 2] = [[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]];

/// A classifier with its names.
pub struct Classifier {
    network: Network,
    names: Vec<String>,
    looks: Looks,
    /// Who classifies: eight digits of the model's hash.
    pub name: String,
}

impl Classifier {
    /// Reads a model, and the names beside it: the same path with `.txt`, one name a line. It is tried once, so that what is wrong is
    /// told now.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let bytes = read(path)?;
        let beside = path.with_extension("txt");
        let unreadable = |why: String| OpenError::Unreadable { path: beside.clone(), why };
        let names = fs::read_to_string(&beside).map_err(|error| unreadable(format!("the names: {error}")))?;
        let names: Vec<String> = names.lines().map(|line| line.trim().to_owned()).collect();
        let wrong = |why| OpenError::Model { path: path.to_owned(), why };
        let name = name_of(&bytes);
        let network = Network::read(bytes).map_err(wrong)?;
        let looks = Looks::of(&network, ANY_SIDE, IMAGENET).map_err(wrong)?;
        let classifier = Self { network, names, looks, name };
        let numbers = classifier.scores(&RgbImage::new(8, 8)).map_err(wrong)?.len();
        if numbers == classifier.names.len() {
            Ok(classifier)
        } else {
            Err(OpenError::Names { path: beside, names: classifier.names.len(), numbers })
        }
    }

    /// What a picture shows, with how probable it is, the most probable first.
    pub fn labels(&self, picture: &RgbImage) -> Result<Vec<(&str, f32)>, ModelError> {
        let scores = self.scores(picture)?;
        let mut labels: Vec<(&str, f32)> = self.names.iter().map(String::as_str).zip(scores).collect();
        labels.sort_by(|one, other| other.1.total_cmp(&one.1));
        Ok(labels)
    }

    /// How probable each is. Where the model says that itself, as it says it.
    fn scores(&self, picture: &RgbImage) -> Result<Vec<f32>, ModelError> {
        let (shape, values) = self.looks.at(&middle(picture, &self.looks));
        let mut outputs = self.network.run(shape, values)?.into_values();
        let (Some(mut scores), None) = (outputs.next(), outputs.next()) else {
            return Err(ModelError::Unfit("it has more than one output, so it is no classifier".to_owned()));
        };
        let is_probable = scores.iter().all(|score| *score >= 0.0) && (scores.iter().sum::<f32>() - 1.0).abs() < 1e-3;
        if !is_probable {
            probabilities(&mut scores);
        }
        Ok(scores)
    }
}

/// The middle of a picture, in the size that the model looks at.
fn middle(picture: &RgbImage, looks: &Looks) -> RgbImage {
    let (width, height) = (f64::from(picture.width()), f64::from(picture.height()));
    let scale = (width / looks.width as f64).min(height / looks.height as f64) * MIDDLE;
    let [across, down] = [looks.width, looks.height].map(|side| ((side as f64 * scale) as u32).max(1));
    let middle = imageops::crop_imm(picture, (picture.width() - across) / 2, (picture.height() - down) / 2, across, down);
    imageops::resize(&*middle, looks.width as u32, looks.height as u32, imageops::FilterType::Triangle)
}

/// Of numbers, how probable each is beside the others: softmax.
fn probabilities(scores: &mut [f32]) {
    let most = scores.iter().copied().fold(f32::MIN, f32::max);
    for score in &mut *scores {
        *score = (*score - most).exp();
    }
    let sum: f32 = scores.iter().sum();
    for score in scores {
        *score /= sum;
    }
}
