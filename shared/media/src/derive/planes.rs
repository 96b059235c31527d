//! Pictures as codecs hold them: a plane of brightness and two of colour (ITU-T T.871), which need no conversion to be
//! made smaller and written again.

use std::borrow::Cow;

use super::{Unreadable, resize::Scaling};

/// Samples of one kind, row by row.
///
/// What we make ourselves has rows, and as many of them, of even figures, since encoders read pairs: [`Plane::owned`].
#[derive(Clone)]
pub(super) struct Plane<S = Vec<u8>> {
    pub(super) width: u32,
    pub(super) height: u32,
    /// From one row to the next.
    pub(super) stride: usize,
    pub(super) samples: S,
}

impl Plane {
    /// A plane that is to be written; [`Plane::pad`] completes it.
    pub(super) fn blank(width: u32, height: u32) -> Self {
        let (stride, rows) = (width.next_multiple_of(2) as usize, height.next_multiple_of(2) as usize);
        Self { width, height, stride, samples: vec![0; stride * rows] }
    }

    /// The samples alone, row by row.
    pub(super) fn tight(&self) -> Cow<'_, [u8]> {
        let (width, height) = (self.width as usize, self.height as usize);
        if width == self.stride {
            return self.samples[..width * height].into();
        }
        self.samples.chunks(self.stride).take(height).flat_map(|row| &row[..width]).copied().collect::<Vec<_>>().into()
    }

    /// Repeats the last column and the last row where they have no pair.
    pub(super) fn pad(mut self) -> Self {
        let width = self.width as usize;
        if width < self.stride {
            self.samples.chunks_exact_mut(self.stride).for_each(|row| row[width] = row[width - 1]);
        }
        if self.height % 2 == 1 {
            let last = (self.height as usize - 1) * self.stride;
            self.samples.copy_within(last..last + self.stride, last + self.stride);
        }
        self
    }
}

impl<S: AsRef<[u8]> + Into<Vec<u8>>> Plane<S> {
    /// The same samples, in rows of even figures.
    pub(super) fn owned(self) -> Plane {
        let Self { width, height, stride, samples } = self;
        let rows = height.next_multiple_of(2) as usize;
        if stride >= width.next_multiple_of(2) as usize && samples.as_ref().len() >= rows * stride {
            return Plane { width, height, stride, samples: samples.into() };
        }
        let mut copy = Plane::blank(width, height);
        for (to, from) in copy.samples.chunks_exact_mut(copy.stride).zip(samples.as_ref().chunks(stride)).take(height as usize) {
            to[..width as usize].copy_from_slice(&from[..width as usize]);
        }
        copy.pad()
    }
}

/// A picture in planes of full range.
#[derive(Clone)]
pub(super) struct Planar<S = Vec<u8>> {
    pub(super) brightness: Plane<S>,
    /// Blue's and red's difference; a grey picture has none.
    pub(super) colour: Option<[Plane<S>; 2]>,
    /// How many samples of brightness one of colour stands for, across and down.
    pub(super) ratio: (u8, u8),
    /// What of the plane of brightness is the picture: a fraction of the original's size seldom ends with a whole sample.
    pub(super) extent: (f64, f64),
}

impl<S: AsRef<[u8]> + Into<Vec<u8>>> Planar<S> {
    /// Whole samples across and down.
    pub(super) fn size(&self) -> (u32, u32) {
        (self.brightness.width, self.brightness.height)
    }

    /// Resized, with half of the resolution for colour.
    pub(super) fn shrink(self, to: (u32, u32)) -> Result<Planar, Unreadable> {
        let brightness = Scaling::new(self.size(), self.extent, to).apply(self.brightness)?;
        let extent = (f64::from(to.0), f64::from(to.1));
        let half = (to.0.div_ceil(2), to.1.div_ceil(2));
        // The last sample of an odd row stands for one of brightness beyond the edge as well.
        let covered = (
            self.extent.0 / f64::from(self.ratio.0) * f64::from(2 * half.0) / extent.0,
            self.extent.1 / f64::from(self.ratio.1) * f64::from(2 * half.1) / extent.1,
        );
        let colour = match self.colour {
            Some([blue, red]) => {
                let scaling = Scaling::new((blue.width, blue.height), covered, half);
                Some([scaling.apply(blue)?, scaling.apply(red)?])
            }
            None => None,
        };
        Ok(Planar { brightness, colour, ratio: (2, 2), extent })
    }

    /// Whether turning it upright keeps each sample of colour over its four of brightness: not where an odd side is mirrored.
    pub(super) fn turns(&self, orientation: u8) -> bool {
        let (width, height) = self.size();
        let mirrored = (matches!(orientation, 2 | 3 | 7 | 8), matches!(orientation, 3 | 4 | 6 | 7));
        self.colour.is_none() || !(mirrored.0 && width % 2 == 1 || mirrored.1 && height % 2 == 1)
    }
}
