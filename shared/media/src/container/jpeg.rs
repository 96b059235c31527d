//! JPEG's marker segments (ITU-T T.81, annex B) up to the first scan.

use std::io::{Read, Seek};

use super::{Damage, Source, u16_be};
use photovault_domain::limits::MAX_METADATA_BYTES;

/// Segments before the first scan; real files have a few dozen, a large colour profile or Extended XMP some hundreds.
const MAX_SEGMENTS: usize = 4096;
/// Stray bytes between segments that are skipped, as libjpeg does.
const MAX_STRAY_BYTES: u64 = 64 * 1024;

/// What stands before a JPEG's pixels.
#[derive(Debug, Default)]
pub(crate) struct Header {
    /// Pixels, as stored.
    pub(crate) width: u32,
    /// Pixels, as stored.
    pub(crate) height: u32,
    /// Bits per sample.
    pub(crate) precision: u8,
    /// 1 for grey, 3 for colour, 4 for CMYK or YCCK.
    pub(crate) components: u8,
    /// The frame marker's low nibble: 0 baseline, 1 extended, 2 progressive, 3 lossless, 9 and up arithmetic.
    pub(crate) process: u8,
    /// The application segments: marker, place of the payload, its length.
    segments: Vec<(u8, u64, usize)>,
}

/// Reads the segments up to the first scan.
pub(crate) fn header<R: Read + Seek>(source: &mut Source<R>) -> Result<Header, Damage> {
    let mut header = Header::default();
    let mut at = 2;
    for _ in 0..MAX_SEGMENTS {
        let (marker, payload_at) = next_marker(source, at)?;
        match marker {
            0x01 | 0xD0..=0xD8 => at = payload_at,
            0xD9 => return Err(Damage::new("its JPEG data ends before the picture begins")),
            _ => {
                let Some(length) = u16_be(source.up_to(payload_at, 2)?, 0) else {
                    return Err(no_size(source));
                };
                let Some(length) = length.checked_sub(2) else {
                    return Err(Damage(format!("the JPEG segment at byte {payload_at} has no length")));
                };
                let (body_at, length) = (payload_at + 2, usize::from(length));
                match marker {
                    0xDA if header.components == 0 => return Err(Damage::new("its JPEG data has no picture size")),
                    0xDA => return Ok(header),
                    0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF if header.components == 0 => {
                        let Ok(frame) = source.exact(body_at, 6) else { return Err(no_size(source)) };
                        header.precision = frame[0];
                        header.height = u32::from(u16::from_be_bytes([frame[1], frame[2]]));
                        header.width = u32::from(u16::from_be_bytes([frame[3], frame[4]]));
                        header.components = frame[5];
                        header.process = marker & 0x0F;
                    }
                    0xE1 | 0xE2 | 0xED | 0xEE => header.segments.push((marker, body_at, length)),
                    _ => {}
                }
                at = body_at + length as u64;
            }
        }
        if at >= source.size_bytes() {
            break;
        }
    }
    if header.components == 0 { Err(no_size(source)) } else { Ok(header) }
}

impl Header {
    /// The Exif block, without its `Exif\0\0`.
    pub(crate) fn exif<R: Read + Seek>(&self, source: &mut Source<R>) -> Option<Vec<u8>> {
        self.segments.iter().filter(|(marker, ..)| *marker == 0xE1).find_map(|(_, at, length)| {
            let body = source.up_to(*at, *length).ok()?;
            body.strip_prefix(b"Exif\0").and_then(|rest| rest.get(1..)).map(<[u8]>::to_vec)
        })
    }

    /// The embedded ICC profile, put together from its parts (ICC.1:2010, annex B.4).
    pub(crate) fn profile<R: Read + Seek>(&self, source: &mut Source<R>) -> Option<Vec<u8>> {
        let mut parts: Vec<(u8, Vec<u8>)> = Vec::new();
        let mut total = 0;
        for (_, at, length) in self.segments.iter().filter(|(marker, ..)| *marker == 0xE2) {
            let body = source.up_to(*at, *length).ok()?;
            if let Some([number, _, part @ ..]) = body.strip_prefix(b"ICC_PROFILE\0") {
                total += part.len();
                parts.push((*number, part.to_vec()));
            }
        }
        parts.sort_by_key(|(number, _)| *number);
        (total > 0 && total <= MAX_METADATA_BYTES).then(|| parts.into_iter().flat_map(|(_, part)| part).collect())
    }

    /// Whether Adobe's marker is there: its CMYK is stored inverted.
    pub(crate) fn has_adobe_marker<R: Read + Seek>(&self, source: &mut Source<R>) -> bool {
        self.segments.iter().any(|(marker, at, _)| *marker == 0xEE && source.up_to(*at, 5).is_ok_and(|body| body == b"Adobe"))
    }
}

fn no_size<R: Read + Seek>(source: &Source<R>) -> Damage {
    Damage(format!("it ends after {} bytes, before its JPEG header says how large the picture is", source.size_bytes()))
}

/// The next marker from `at` on, and where it ends.
fn next_marker<R: Read + Seek>(source: &mut Source<R>, at: u64) -> Result<(u8, u64), Damage> {
    let mut cursor = at;
    let mut after_ff = false;
    while cursor - at < MAX_STRAY_BYTES {
        match source.up_to(cursor, 1)?.first() {
            None => return Err(no_size(source)),
            Some(0xFF) => after_ff = true,
            Some(0) => after_ff = false,
            Some(marker) if after_ff => return Ok((*marker, cursor + 1)),
            Some(_) => {}
        }
        cursor += 1;
    }
    Err(Damage(format!("after byte {at} nothing is JPEG")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A JPEG header with these segments before the scan.
    fn file(segments: &[(u8, &[u8])]) -> Vec<u8> {
        let mut bytes = vec![0xFF, 0xD8];
        for (marker, body) in segments {
            bytes.extend([0xFF, *marker]);
            bytes.extend((body.len() as u16 + 2).to_be_bytes());
            bytes.extend(*body);
        }
        bytes
    }

    const FRAME: &[u8] = &[8, 0, 5, 0, 7, 3];

    #[test]
    fn the_frame_tells_the_size() {
        let bytes = file(&[(0xE0, b"JFIF\0"), (0xC2, FRAME), (0xDA, &[])]);
        let header = header(&mut Source::of_bytes(&bytes)).unwrap();
        assert_eq!((header.width, header.height, header.precision, header.components, header.process), (7, 5, 8, 3, 2));
    }

    #[test]
    fn every_cut_before_the_frame_is_damage() {
        let bytes = file(&[(0xE0, b"JFIF\0"), (0xC0, FRAME), (0xDA, &[])]);
        for length in 2..17 {
            assert!(header(&mut Source::of_bytes(&bytes[..length])).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn profile_parts_are_put_in_order() {
        let bytes = file(&[(0xE2, b"ICC_PROFILE\0\x02\x02cd"), (0xE2, b"ICC_PROFILE\0\x01\x02ab"), (0xC0, FRAME), (0xDA, &[])]);
        let mut source = Source::of_bytes(&bytes);
        let header = header(&mut source).unwrap();
        assert_eq!(header.profile(&mut source).unwrap(), b"abcd");
        assert_eq!(header.exif(&mut source), None);
    }
}
