//! Decodes common JPEG straight to small planes: one scan of Huffman codes, grey or YCbCr (ITU-T T.81, baseline).
//!
//! A picture at n/8 of its size needs n × n of each block's 64 coefficients, and the rest only has to be stepped over, several
//! codes at a time. That, and codes looked up together with their values, makes it faster than a general decoder, and it is
//! safe Rust. It takes sound files alone: for anything else it gives nothing, and libjpeg-turbo shows what can be shown.

#![expect(
    clippy::inline_always,
    reason = "what is inlined is compiled for the processor's features that the caller has asked for; calls are not"
)]

mod bits;
mod codes;
mod header;
mod scan;
mod transform;

use super::planes::{Planar, Plane};

/// Decodes at `eighths`/8 of the full size, 1..=8; nothing if the file is not of the common kind, or not sound.
pub(super) fn decode(bytes: &[u8], eighths: usize) -> Option<Planar> {
    let header = header::read(bytes)?;
    let units = header.units();
    let mut planes: Vec<Plane> = header
        .components
        .iter()
        .map(|component| {
            let (across, down) = (usize::from(component.across), usize::from(component.down));
            let exact = |length: usize, part: usize, whole: u8| (length * part * eighths).div_ceil(usize::from(whole) * 8) as u32;
            // Rows are even, as encoders want them, and hold whole blocks.
            let stride = (units.0 * across * eighths).next_multiple_of(2);
            let rows = (units.1 * down * eighths).next_multiple_of(2);
            Plane {
                width: exact(header.width, across, header.across()),
                height: exact(header.height, down, header.down()),
                stride,
                samples: vec![0; stride * rows],
            }
        })
        .collect();
    scan::decode(&header, eighths, &mut planes)?;
    let ratio = (header.across(), header.down());
    let exact = |length: usize| (length * eighths) as f64 / 8.0;
    let extent = (exact(header.width), exact(header.height));
    let mut planes = planes.into_iter();
    let brightness = planes.next()?;
    let colour = planes.next().zip(planes.next()).map(|(blue, red)| [blue, red]);
    Some(Planar { brightness, colour, ratio, extent })
}
