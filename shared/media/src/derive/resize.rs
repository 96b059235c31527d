//! Makes frames smaller, never larger.

use std::cell::RefCell;

use fast_image_resize::{
    FilterType, PixelTrait, ResizeAlg, ResizeOptions, Resizer,
    images::{TypedCroppedImage, TypedCroppedImageMut, TypedImage, TypedImageRef},
    pixels::{U8, U8x3, U8x4},
};

#[cfg(target_arch = "x86_64")]
use super::lanczos::Filter;
use super::{Layout, Packed, Unreadable, planes::Plane};

thread_local! {
    /// Its buffers are used again for the next picture.
    static RESIZER: RefCell<Resizer> = RefCell::new(Resizer::new());
}

/// Resizes packed pixels; a frame that has the wanted size already is passed through.
pub(super) fn packed(picture: Packed, to: (u32, u32)) -> Result<Packed, Unreadable> {
    if picture.size == to {
        return Ok(picture);
    }
    let pixels = match picture.layout {
        Layout::Rgb => convolve::<U8x3>(picture.size, &picture.pixels, to),
        Layout::Cmyk => convolve::<U8x4>(picture.size, &picture.pixels, to),
    };
    let pixels = pixels.map_err(|cause| failed(picture.size, to, &*cause))?;
    Ok(Packed { size: to, pixels, ..picture })
}

/// By the kind of pixel: the library's own choice at run time would be compiled for all of its thirteen.
fn convolve<P: PixelTrait>(from: (u32, u32), pixels: &[u8], to: (u32, u32)) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let mut resized = vec![0; to.0 as usize * to.1 as usize * P::size()];
    let source = TypedImageRef::<P>::from_buffer(from.0, from.1, pixels)?;
    let mut target = TypedImage::<P>::from_buffer(to.0, to.1, &mut resized)?;
    RESIZER.with_borrow_mut(|resizer| resizer.resize_typed(&source, &mut target, &lanczos()))?;
    Ok(resized)
}

/// From planes of one size to planes of another.
pub(super) struct Scaling {
    from: (u32, u32),
    covered: (f64, f64),
    to: (u32, u32),
    #[cfg(target_arch = "x86_64")]
    filter: Option<Filter>,
}

impl Scaling {
    /// Makes `to` of what `covered` takes of planes of the size `from`, counted from their first sample.
    pub(super) fn new(from: (u32, u32), covered: (f64, f64), to: (u32, u32)) -> Self {
        let covered = (covered.0.min(f64::from(from.0)), covered.1.min(f64::from(from.1)));
        #[cfg(target_arch = "x86_64")]
        let filter = if is_same(from, covered, to) { None } else { Filter::new(from, covered, to) };
        Self {
            from,
            covered,
            to,
            #[cfg(target_arch = "x86_64")]
            filter,
        }
    }

    /// Resizes a plane.
    pub(super) fn apply<S: AsRef<[u8]> + Into<Vec<u8>>>(&self, plane: Plane<S>) -> Result<Plane, Unreadable> {
        assert_eq!((plane.width, plane.height), self.from, "the plane has the size that was asked for");
        if is_same(self.from, self.covered, self.to) {
            return Ok(plane.owned());
        }
        let mut resized = Plane::blank(self.to.0, self.to.1);
        #[cfg(target_arch = "x86_64")]
        if let Some(filter) = &self.filter {
            filter.resize(&plane, &mut resized);
            return Ok(resized.pad());
        }
        self.convolve(plane.stride, plane.samples.as_ref(), &mut resized).map_err(|cause| failed(self.from, self.to, &*cause))?;
        Ok(resized.pad())
    }

    fn convolve(&self, stride: usize, samples: &[u8], resized: &mut Plane) -> Result<(), Box<dyn std::error::Error>> {
        let whole = TypedImageRef::<U8>::from_buffer(stride as u32, (samples.len() / stride) as u32, samples)?;
        let source = TypedCroppedImage::new(whole, 0, 0, self.from.0, self.from.1)?;
        let (stride, rows) = (resized.stride as u32, resized.samples.len() / resized.stride);
        let whole = TypedImage::<U8>::from_buffer(stride, rows as u32, &mut resized.samples)?;
        let mut target = TypedCroppedImageMut::new(whole, 0, 0, self.to.0, self.to.1)?;
        let options = lanczos().crop(0.0, 0.0, self.covered.0, self.covered.1);
        RESIZER.with_borrow_mut(|resizer| resizer.resize_typed(&source, &mut target, &options))?;
        Ok(())
    }
}

fn is_same(from: (u32, u32), covered: (f64, f64), to: (u32, u32)) -> bool {
    from == to && covered == (f64::from(to.0), f64::from(to.1))
}

/// A Lanczos filter of three lobes.
fn lanczos() -> ResizeOptions {
    ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3)).use_alpha(false)
}

fn failed(from: (u32, u32), to: (u32, u32), cause: &dyn std::error::Error) -> Unreadable {
    Unreadable::new(format!(
        "This photo could not be made smaller, from {} × {} to {} × {}: {cause}.",
        from.0, from.1, to.0, to.1
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_picture_stays_flat() {
        let flat = Packed { size: (40, 30), layout: Layout::Rgb, pixels: vec![77; 40 * 30 * 3] };
        assert_eq!(packed(flat, (7, 5)).unwrap().pixels, vec![77; 7 * 5 * 3]);
        let mut flat = Plane::blank(41, 31);
        flat.samples.fill(77);
        let small = Scaling::new((41, 31), (40.5, 30.25), (7, 5)).apply(flat).unwrap();
        assert_eq!((small.stride, small.samples), (8, vec![77; 8 * 6]));
    }

    #[test]
    fn samples_beyond_the_picture_are_not_seen() {
        let mut half = Plane::blank(33, 1);
        half.samples.fill(10);
        half.samples[33..].fill(255);
        let small = Scaling::new((33, 1), (33.0, 1.0), (11, 1)).apply(half).unwrap();
        assert_eq!(small.samples, [10; 24]);
    }
}
