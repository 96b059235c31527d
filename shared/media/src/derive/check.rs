//! Holds a decoded picture against the small one that its file carries: a decoder that goes wrong without saying so shows rows that
//! are shifted, colours that are swapped, or grey where nothing came. Such a picture is shown all the same, with a warning.

use photovault_domain::Format;

use super::{Layout, Packed, Picture, heif, jpeg, orient};
use crate::container::{Source, exif, jpeg as segments};

/// Cells across and down that the two are compared by.
const CELLS: usize = 16;
/// How far apart one of three channels of a cell's mean must be to count: far more than a profile, a sharpening or a small
/// picture of poor quality make.
const FAR: f64 = 40.0;
/// Of all cells, how many must be far apart. `docs/stills.md` says what was measured.
const MOST_FAR_PERCENT: usize = 20;
/// A small picture says nothing if it has less than this many pixels on a side.
const LEAST_SIDE: u32 = CELLS as u32 * 2;

/// What to tell of an upright picture in sRGB, if it does not look like the small one in its file.
pub(super) fn warning(bytes: &[u8], format: Format, orientation: u8, picture: &Packed) -> Option<String> {
    let carried = match format {
        Format::Jpeg => jpeg_thumbnail(bytes)?,
        Format::Heic | Format::Avif => heif::thumbnail(bytes)?,
        _ => return None,
    };
    if carried.size.0.min(carried.size.1) < LEAST_SIDE || picture.size.0.min(picture.size.1) < LEAST_SIDE {
        return None;
    }
    // Most cameras leave both as the sensor lay; programs turn one and forget the other.
    let mut percent = 100;
    for turn in [orientation, 1, 3, 6, 8] {
        percent = percent.min(far_percent(&orient::packed(carried.clone(), turn), picture));
        if percent <= MOST_FAR_PERCENT {
            return None;
        }
    }
    Some(format!(
        "The picture does not look like the small one that its file carries ({percent} % of it is different): it may be decoded \
         wrongly, or have been edited by a program that left the small one as it was."
    ))
}

/// The JPEG in the second directory of the Exif block.
fn jpeg_thumbnail(bytes: &[u8]) -> Option<Packed> {
    let mut source = Source::of_bytes(bytes);
    let block = segments::header(&mut source).ok()?.exif(&mut source)?;
    let frame = jpeg::decode(exif::thumbnail(&block)?).ok()?;
    rgb(frame.picture)
}

fn rgb(picture: Picture) -> Option<Packed> {
    let size = picture.size();
    let packed = picture.shrink(size).ok()?.into_packed().ok()?;
    (packed.layout == Layout::Rgb).then_some(packed)
}

/// How much of the picture is far from the small one, by the first way of fitting one into the other that suits, or the best: a
/// small picture of fixed size has bars beside the picture, or lacks what did not fit.
fn far_percent(carried: &Packed, picture: &Packed) -> usize {
    let (small, large) = (Area::whole(carried), Area::whole(picture));
    let barred = [0.5, 0.0, 1.0].map(|place| (small.within(large, place), large));
    let ways = [(small, large)].into_iter().chain(barred).chain([(small, large.within(small, 0.5))]);
    let mut least = 100;
    for (small, large) in ways {
        let pairs = cells(carried, small).into_iter().zip(cells(picture, large));
        let far = pairs.filter(|(a, b)| a.iter().zip(b).any(|(a, b)| (a - b).abs() > FAR)).count();
        least = least.min(far * 100 / (CELLS * CELLS));
        if least <= MOST_FAR_PERCENT {
            break;
        }
    }
    least
}

/// A part of a picture.
#[derive(Clone, Copy)]
struct Area {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
}

impl Area {
    fn whole(picture: &Packed) -> Self {
        Self { left: 0.0, top: 0.0, width: f64::from(picture.size.0), height: f64::from(picture.size.1) }
    }

    /// The largest part with the proportions of the other; `place` is 0 for the beginning, 0.5 for the middle, 1 for the end.
    fn within(self, other: Self, place: f64) -> Self {
        let scale = (self.width / other.width).min(self.height / other.height);
        let (width, height) = (other.width * scale, other.height * scale);
        Self { left: (self.width - width) * place, top: (self.height - height) * place, width, height }
    }
}

/// The mean colour of every cell.
fn cells(picture: &Packed, area: Area) -> Vec<[f64; 3]> {
    let bounds = |from: f64, length: f64, cell: usize, most: u32| {
        let at = |cell: usize| (from + length * cell as f64 / CELLS as f64).round() as usize;
        let first = at(cell).min(most as usize - 1);
        first..at(cell + 1).clamp(first + 1, most as usize)
    };
    let mut means = Vec::with_capacity(CELLS * CELLS);
    for row in 0..CELLS {
        for column in 0..CELLS {
            let (rows, columns) =
                (bounds(area.top, area.height, row, picture.size.1), bounds(area.left, area.width, column, picture.size.0));
            let count = (rows.len() * columns.len()) as f64;
            let mut sums = [0_u32; 3];
            for y in rows {
                let from = y * picture.size.0 as usize;
                for pixel in picture.pixels[(from + columns.start) * 3..(from + columns.end) * 3].chunks_exact(3) {
                    sums.iter_mut().zip(pixel).for_each(|(sum, channel)| *sum += u32::from(*channel));
                }
            }
            means.push(sums.map(|sum| f64::from(sum) / count));
        }
    }
    means
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Soft shapes in strong colours, as a photo has.
    fn scene(width: u32, height: u32) -> Packed {
        let pixel = |x: u32, y: u32| {
            let (x, y) = (f64::from(x) / f64::from(width) * 6.3, f64::from(y) / f64::from(height) * 6.3);
            [(x + y * 0.7).sin(), (x * 1.7 - y).cos(), (y * 2.1 + x * 0.3).sin()].map(|wave| (127.5 + wave * 110.0) as u8)
        };
        let pixels = (0..height).flat_map(|y| (0..width).flat_map(move |x| pixel(x, y))).collect();
        Packed { size: (width, height), layout: Layout::Rgb, pixels }
    }

    fn changed(picture: &Packed, change: impl Fn(&mut [u8])) -> Packed {
        let mut changed = picture.clone();
        change(&mut changed.pixels);
        changed
    }

    #[test]
    fn a_sound_decode_is_near() {
        let (carried, picture) = (scene(160, 120), scene(320, 240));
        assert_eq!(far_percent(&carried, &picture), 0);
        let brighter = changed(&picture, |pixels| pixels.iter_mut().for_each(|value| *value = value.saturating_add(25)));
        assert_eq!(far_percent(&carried, &brighter), 0, "another rendering");
        // Three by two in a frame of four by three: bars above and below.
        let wide = scene(320, 213);
        let fitted = scene(160, 107);
        let mut barred = vec![0; 160 * 120 * 3];
        barred[160 * 6 * 3..160 * 113 * 3].copy_from_slice(&fitted.pixels);
        assert!(far_percent(&Packed { pixels: barred.clone(), ..carried.clone() }, &wide) <= MOST_FAR_PERCENT, "bars");
        barred.rotate_right(160 * 7 * 3);
        assert!(far_percent(&Packed { pixels: barred, ..carried.clone() }, &wide) <= MOST_FAR_PERCENT, "a bar above alone");
        // The middle of three by two.
        let middle: Vec<u8> = wide.pixels.chunks_exact(320 * 3).flat_map(|row| &row[18 * 3..302 * 3]).copied().collect();
        assert!(
            far_percent(&Packed { size: (284, 213), layout: Layout::Rgb, pixels: middle }, &wide) <= MOST_FAR_PERCENT,
            "cropped"
        );
    }

    /// Does to the pixels, whose rows have so many bytes, what a decoder might.
    type Wrong = fn(&mut [u8], usize);

    #[test]
    fn what_decoders_get_wrong_is_far() {
        let (carried, picture) = (scene(160, 120), scene(320, 240));
        let row_bytes = 320 * 3;
        let wrongs: [(&str, Wrong); 4] = [
            ("rows shifted more and more", |pixels, row| {
                pixels.chunks_exact_mut(row).enumerate().for_each(|(y, line)| line.rotate_left(y * 3 % row));
            }),
            ("red and blue swapped", |pixels, _| pixels.chunks_exact_mut(3).for_each(|pixel| pixel.swap(0, 2))),
            ("half grey", |pixels, _| {
                let half = pixels.len() / 2;
                pixels[half..].fill(128);
            }),
            ("tiles in the wrong order", |pixels, row| {
                let middle = row / 2;
                pixels.chunks_exact_mut(row).for_each(|line| line.rotate_left(middle));
            }),
        ];
        for (what, wrong) in wrongs {
            let percent = far_percent(&carried, &changed(&picture, |pixels| wrong(pixels, row_bytes)));
            assert!(percent > MOST_FAR_PERCENT, "{what}: only {percent} %");
        }
    }
}
