//! A full-size JPEG of a photo that browsers cannot show. Its pixels keep the colours that they have, and how they are held: the
//! profile and the orientation stand in the file, which every browser heeds, so that nothing wide is clipped and nothing large turned.

use photovault_domain::{FULL_SIZE, Format, limits::MAX_FULL_PIXELS};

use super::{Frame, Layout, Packed, Picture, RenderedFile, Unreadable, colour, encode, orient, raw};
use crate::container::jpeg;

/// Bytes of a profile in one segment (ICC.1:2010, annex B.4).
const PROFILE_PART_BYTES: usize = 65_519;

/// The file of a frame that was decoded at full size, or of a raw photo's preview. Where none can be made, the frame's warnings say
/// why: there are other derivatives.
pub(super) fn file(photo: &[u8], format: Format, frame: &mut Frame) -> Option<RenderedFile> {
    let (width, height) = frame.full;
    if u64::from(width) * u64::from(height) > MAX_FULL_PIXELS {
        frame.warnings.push(format!(
            "No full-size JPEG was made: {width} × {height} pixels are past the limit of {MAX_FULL_PIXELS}; the large one is there."
        ));
        return None;
    }
    let profile = colour::to_carry(&frame.colours);
    let bare = if format.is_raw() {
        // The camera's own JPEG, not one bit of its picture changed.
        raw::preview(photo, format).ok().and_then(|(_, preview)| jpeg::without_metadata(preview))
    } else {
        match encoded(frame, profile.is_some()) {
            Ok(jpeg) => Some(jpeg),
            Err(unreadable) => {
                frame.warnings.push(unreadable.reason);
                None
            }
        }
    }?;
    let (width, height) = orient::turned(frame.full, frame.orientation);
    let bytes = dressed(&bare, frame.orientation, profile.as_deref());
    Some(RenderedFile { name: FULL_SIZE.name, mime: Format::Jpeg.mime(), width, height, bytes })
}

fn encoded(frame: &Frame, has_profile: bool) -> Result<Vec<u8>, Unreadable> {
    if has_profile || !colour::converts(&frame.colours) {
        return encode::jpeg(&frame.picture, FULL_SIZE.quality);
    }
    // What has no profile that a JPEG could carry, such as that of a higher range, is brought to sRGB.
    let Packed { size, layout, pixels } = frame.picture.clone().into_packed()?;
    let pixels = colour::to_srgb(pixels, layout, &frame.colours, &mut Vec::new());
    encode::jpeg(&Picture::Packed(Packed { size, layout: Layout::Rgb, pixels }), FULL_SIZE.quality)
}

/// A JPEG with these in front of it.
fn dressed(jpeg: &[u8], orientation: u8, profile: Option<&[u8]>) -> Vec<u8> {
    let mut dressed = jpeg[..2].to_vec();
    if orientation != 1 {
        // One entry: tag 0x0112, a short.
        let exif = [b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".as_slice(), &[orientation], &[0; 6]].concat();
        push_segment(&mut dressed, 0xE1, &exif);
    }
    let parts: Vec<&[u8]> = profile.map(|profile| profile.chunks(PROFILE_PART_BYTES).collect()).unwrap_or_default();
    for (number, part) in (1..).zip(&parts) {
        push_segment(&mut dressed, 0xE2, &[b"ICC_PROFILE\0", [number, parts.len() as u8].as_slice(), part].concat());
    }
    dressed.extend_from_slice(&jpeg[2..]);
    dressed
}

/// Appends a marker segment, of at most 65,533 bytes.
pub(super) fn push_segment(file: &mut Vec<u8>, marker: u8, body: &[u8]) {
    file.extend([0xFF, marker]);
    file.extend((body.len() as u16 + 2).to_be_bytes());
    file.extend_from_slice(body);
}
