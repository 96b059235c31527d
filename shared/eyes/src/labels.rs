//! What a classifier of the user's calls a picture.

use std::{
    fs,
    path::{Path, PathBuf},
};

use image::{RgbImage, imageops};

use crate::{
    name_of,
    network::{ModelError, Network},
};

/// The side of the square that a model looks at which takes any.
const ANY_SIDE: usize = 224;
/// Pixels of a side at most.
const MOST_SIDE: usize = 1_024;
/// How large the middle of a picture is that is looked at, to its shorter side: what classifiers for ImageNet are measured with.
const MIDDLE: f64 = 224.0 / 256.0;
/// Mean and deviation of red, green and blue, of 0 to 1, in ImageNet: what its classifiers are taught with.
const IMAGENET: [[f32; 3]; 2] = [[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]];
/// Bytes of a model at most: ResNet of 152 layers has 240 MB.
const MOST_BYTES: u64 = 512 << 20;

/// Why a classifier cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ClassifierError {
    /// A file cannot be read.
    #[error("{path}: {why}")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// In plain words.
        why: String,
    },
    /// The model is none, or one that cannot be run here.
    #[error("{path}: {why}")]
    Model {
        /// The model's file.
        path: PathBuf,
        /// What is wrong with it.
        why: ModelError,
    },
    /// There are not as many names as numbers come out.
    #[error("{path}: it has {names} names, and the model tells {numbers} things apart")]
    Names {
        /// The file of names.
        path: PathBuf,
        /// Lines in it.
        names: usize,
        /// What comes out of the model.
        numbers: usize,
    },
}

/// A classifier with its names.
pub struct Classifier {
    network: Network,
    names: Vec<String>,
    looks: Looks,
    /// Who classifies: eight digits of the model's hash.
    pub name: String,
}

/// How a model wants a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Looks {
    width: usize,
    height: usize,
    /// Whether red, green and blue of one pixel are beside each other.
    is_by_pixel: bool,
    mean: [f32; 3],
    deviation: [f32; 3],
}

impl Classifier {
    /// Reads a model, and the names beside it: the same path with `.txt`, one name a line. It is tried once, so that what is wrong is
    /// told now.
    pub fn open(path: &Path) -> Result<Self, ClassifierError> {
        let unreadable = |path: &Path, why: String| ClassifierError::Unreadable { path: path.to_owned(), why };
        let size = fs::metadata(path).map_err(|error| unreadable(path, error.to_string()))?.len();
        if size > MOST_BYTES {
            return Err(unreadable(path, format!("it has more than {} MB", MOST_BYTES >> 20)));
        }
        let bytes = fs::read(path).map_err(|error| unreadable(path, error.to_string()))?;
        let beside = path.with_extension("txt");
        let names = fs::read_to_string(&beside).map_err(|error| unreadable(&beside, format!("the names: {error}")))?;
        let names: Vec<String> = names.lines().map(|line| line.trim().to_owned()).collect();
        let wrong = |why| ClassifierError::Model { path: path.to_owned(), why };
        let name = name_of(&bytes);
        let network = Network::read(bytes).map_err(wrong)?;
        let looks = Looks::of(&network).map_err(wrong)?;
        let classifier = Self { network, names, looks, name };
        let numbers = classifier.scores(&RgbImage::new(8, 8)).map_err(wrong)?.len();
        if numbers == classifier.names.len() {
            Ok(classifier)
        } else {
            Err(ClassifierError::Names { path: beside, names: classifier.names.len(), numbers })
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
        let (shape, values) = self.looks.at(picture);
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

impl Looks {
    /// What a model says of its input; mean and deviation it may say in its metadata, as in `mean` = `0.5,0.5,0.5`.
    fn of(network: &Network) -> Result<Self, ModelError> {
        let (is_by_pixel, height, width) = match network.sides()[..] {
            [_, Some(3), height, width] => (false, height, width),
            [_, height, width, Some(3)] => (true, height, width),
            _ => return Err(ModelError::Unfit("its input is no picture in red, green and blue".to_owned())),
        };
        let [height, width] = [height, width].map(|side| side.unwrap_or(ANY_SIDE));
        if height.max(width) > MOST_SIDE {
            return Err(ModelError::Unfit(format!("its input is {width}×{height} pixels, more than {MOST_SIDE}")));
        }
        let told = |name: &str, default: [f32; 3]| match network.note(name) {
            None => Ok(default),
            Some(told) => {
                let numbers: Vec<f32> = told.split(',').filter_map(|number| number.trim().parse().ok()).collect();
                numbers.try_into().map_err(|_| ModelError::Unfit(format!("its metadata say that {name} is {told}")))
            }
        };
        Ok(Self { width, height, is_by_pixel, mean: told("mean", IMAGENET[0])?, deviation: told("std", IMAGENET[1])? })
    }

    /// The middle of a picture, as the model wants it.
    fn at(&self, picture: &RgbImage) -> ([usize; 4], Vec<f32>) {
        let (width, height) = (f64::from(picture.width()), f64::from(picture.height()));
        let scale = (width / self.width as f64).min(height / self.height as f64) * MIDDLE;
        let [across, down] = [self.width, self.height].map(|side| ((side as f64 * scale) as u32).max(1));
        let middle = imageops::crop_imm(picture, (picture.width() - across) / 2, (picture.height() - down) / 2, across, down);
        let filter = imageops::FilterType::Triangle;
        let small = imageops::resize(&*middle, self.width as u32, self.height as u32, filter);
        let count = self.width * self.height;
        let mut values = vec![0.0; 3 * count];
        for (at, pixel) in small.pixels().enumerate() {
            for (channel, value) in pixel.0.iter().enumerate() {
                let place = if self.is_by_pixel { at * 3 + channel } else { channel * count + at };
                values[place] = (f32::from(*value) / 255.0 - self.mean[channel]) / self.deviation[channel];
            }
        }
        let shape = if self.is_by_pixel { [1, self.height, self.width, 3] } else { [1, 3, self.height, self.width] };
        (shape, values)
    }
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
