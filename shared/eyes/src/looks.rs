//! How a network wants a picture.

use image::RgbImage;

use crate::network::{ModelError, Network};

/// Pixels of a side at most.
const MOST_SIDE: usize = 1_024;

/// What goes into a network that looks at a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Looks {
    pub(crate) width: usize,
    pub(crate) height: usize,
    /// Whether red, green and blue of one pixel are beside each other.
    is_by_pixel: bool,
    mean: [f32; 3],
    deviation: [f32; 3],
}

impl Looks {
    /// What a model says of its input: sides that it leaves open are `any_side`. Mean and deviation of red, green and blue, of 0 to 1, it may
    /// say in its metadata, as in `mean` = `0.5,0.5,0.5` and `std`; else they are `usual`.
    pub(crate) fn of(network: &Network, any_side: usize, usual: [[f32; 3]; 2]) -> Result<Self, ModelError> {
        let (is_by_pixel, height, width) = match network.sides()[..] {
            [_, Some(3), height, width] => (false, height, width),
            [_, height, width, Some(3)] => (true, height, width),
            _ => return Err(ModelError::Unfit("its input is no picture in red, green and blue".to_owned())),
        };
        let [height, width] = [height, width].map(|side| side.unwrap_or(any_side));
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
        Ok(Self { width, height, is_by_pixel, mean: told("mean", usual[0])?, deviation: told("std", usual[1])? })
    }

    /// A picture of just that width and height, as shape and numbers.
    pub(crate) fn at(&self, picture: &RgbImage) -> ([usize; 4], Vec<f32>) {
        let count = self.width * self.height;
        let mut values = vec![0.0; 3 * count];
        for (at, pixel) in picture.pixels().enumerate() {
            for (channel, value) in pixel.0.iter().enumerate() {
                let place = if self.is_by_pixel { at * 3 + channel } else { channel * count + at };
                values[place] = (f32::from(*value) / 255.0 - self.mean[channel]) / self.deviation[channel];
            }
        }
        let shape = if self.is_by_pixel { [1, self.height, self.width, 3] } else { [1, 3, self.height, self.width] };
        (shape, values)
    }
}
