//! JPEG's marker segments (ITU-T T.81, annex B) up to the first scan.

use std::io::{Read, Seek};

use super::{Damage, Source, u16_be, u32_be, within};
use photovault_domain::limits::{MAX_FRAME_PIXELS, MAX_METADATA_BYTES, MAX_PARTS, MAX_SCANS};

/// Bytes looked through at once for scans.
const SCAN_WINDOW_BYTES: usize = 64 * 1024;
/// Stray bytes between segments that are skipped, as libjpeg does.
const MAX_STRAY_BYTES: u64 = 64 * 1024;

/// What begins XMP (XMP part 3, 1.1.3).
pub(crate) const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";

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
    /// Where the first scan's data begins.
    scan_at: u64,
    /// The application segments: marker, place of the payload, its length.
    segments: Vec<(u8, u64, usize)>,
}

/// Reads the segments up to the first scan.
pub(crate) fn header<R: Read + Seek>(source: &mut Source<R>) -> Result<Header, Damage> {
    let mut header = Header::default();
    let mut at = 2;
    for _ in 0..MAX_PARTS {
        let (marker, payload_at) = next_marker(source, at)?;
        match marker {
            0x01 | 0xD0..=0xD8 => at = payload_at,
            0xD9 => return Err(Damage::new("its JPEG data ends before the picture begins")),
            _ => {
                let Some(length) = u16_be(source.up_to(payload_at, 2)?, 0) else {
                    return Err(no_size(source));
                };
                let Some(length) = length.checked_sub(2) else {
                    return Err(Damage::Broken(format!("the JPEG segment at byte {payload_at} has no length")));
                };
                let (body_at, length) = (payload_at + 2, usize::from(length));
                match marker {
                    0xDA if header.components == 0 => return Err(Damage::new("its JPEG data has no picture size")),
                    0xDA => {
                        header.scan_at = body_at;
                        return Ok(header);
                    }
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
            return if header.components == 0 { Err(no_size(source)) } else { Ok(header) };
        }
    }
    within(MAX_PARTS + 1, MAX_PARTS, "segments before its picture, or more").map(|()| header)
}

impl Header {
    /// Holds the passes over the picture against their limits.
    pub(crate) fn check_scans<R: Read + Seek>(&self, source: &mut Source<R>) -> Result<(), Damage> {
        // Only the progressive processes (T.81, table B.1) have more scans than components.
        if self.process & 0b11 != 2 || self.scan_at == 0 {
            return Ok(());
        }
        let scans = 1 + further_scans(source, self.scan_at)?;
        within(scans, MAX_SCANS, "scans")?;
        within(scans * u64::from(self.width) * u64::from(self.height), MAX_FRAME_PIXELS, "pixels in all its scans")
    }

    /// The Exif block, without its `Exif\0\0`.
    pub(crate) fn exif<R: Read + Seek>(&self, source: &mut Source<R>) -> Option<Vec<u8>> {
        let mut blocks = self.bodies(source, 0xE1, b"Exif\0").into_iter();
        blocks.find_map(|block| block.get(1..).map(<[u8]>::to_vec))
    }

    /// The XMP packet, and behind it the extended one that it names (XMP part 3, 1.1.3.1).
    pub(crate) fn xmp<R: Read + Seek>(&self, source: &mut Source<R>) -> Vec<Vec<u8>> {
        let mut packets = self.bodies(source, 0xE1, XMP);
        packets.truncate(1);
        let Some(packet) = packets.first() else { return packets };
        // Each piece: the packet's name of 32 digits, its length, and the piece's place in it.
        let mut pieces = self.bodies(source, 0xE1, b"http://ns.adobe.com/xmp/extension/\0");
        pieces.retain(|piece| piece.get(..32).is_some_and(|name| packet.windows(32).any(|part| part == name)));
        pieces.sort_by_key(|piece| u32_be(piece, 36));
        let extended = pieces.iter().try_fold(Vec::new(), |mut extended, piece| {
            let is_next = u32_be(piece, 36) == Some(extended.len() as u32);
            extended.extend(piece.get(40..).filter(|_| is_next)?);
            Some(extended)
        });
        packets.extend(extended.filter(|extended| !extended.is_empty()));
        packets
    }

    /// Photoshop's resources, put together.
    pub(crate) fn resources<R: Read + Seek>(&self, source: &mut Source<R>) -> Vec<u8> {
        self.bodies(source, 0xED, b"Photoshop 3.0\0").concat()
    }

    /// Where the segments of this marker lie that begin so, and how long they are, without that beginning.
    pub(crate) fn places<R: Read + Seek>(
        &self,
        source: &mut Source<R>,
        marker: u8,
        beginning: &[u8],
    ) -> impl Iterator<Item = (u64, usize)> {
        let of_it = self.segments.iter().filter(move |(known, ..)| *known == marker);
        of_it.filter_map(move |(_, at, length)| {
            let begins = source.up_to(*at, beginning.len()).is_ok_and(|head| head == beginning);
            Some((at + beginning.len() as u64, length.checked_sub(beginning.len()).filter(|_| begins)?))
        })
    }

    /// What stands there, as many as metadata may have bytes.
    pub(crate) fn bodies<R: Read + Seek>(&self, source: &mut Source<R>, marker: u8, beginning: &[u8]) -> Vec<Vec<u8>> {
        let places: Vec<_> = self.places(source, marker, beginning).collect();
        let (mut bodies, mut total) = (Vec::new(), 0);
        for (at, length) in places {
            if let Ok(body) = source.up_to(at, length) {
                total += body.len();
                bodies.extend((total <= MAX_METADATA_BYTES).then(|| body.to_vec()));
            }
        }
        bodies
    }

    /// The embedded ICC profile, put together from its parts (ICC.1:2010, annex B.4).
    pub(crate) fn profile<R: Read + Seek>(&self, source: &mut Source<R>) -> Option<Vec<u8>> {
        let places: Vec<_> = self.places(source, 0xE2, b"ICC_PROFILE\0").collect();
        let mut parts: Vec<(u8, Vec<u8>)> = Vec::new();
        let mut total = 0;
        for (at, length) in places {
            if let [number, _, part @ ..] = source.up_to(at, length).ok()? {
                total += part.len();
                parts.push((*number, part.to_vec()));
            }
        }
        parts.sort_by_key(|(number, _)| *number);
        (total > 0 && total <= MAX_METADATA_BYTES).then(|| parts.into_iter().flat_map(|(_, part)| part).collect())
    }

    /// Whether Adobe's marker is there: its CMYK is stored inverted.
    pub(crate) fn has_adobe_marker<R: Read + Seek>(&self, source: &mut Source<R>) -> bool {
        self.places(source, 0xEE, b"Adobe").next().is_some()
    }
}

/// The same JPEG without what is not its picture: of the segments before it, only those stay that say how its colours are stored.
pub(crate) fn without_metadata(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut source = Source::of_bytes(bytes);
    let (mut bare, mut at) = (bytes.get(..2)?.to_vec(), 2);
    for _ in 0..MAX_PARTS {
        let (marker, payload_at) = next_marker(&mut source, at).ok()?;
        let from = usize::try_from(payload_at).ok()?;
        match marker {
            0x01 | 0xD0..=0xD8 => at = payload_at,
            0xD9 => return None,
            0xDA => {
                bare.extend([0xFF, marker]);
                bare.extend_from_slice(bytes.get(from..)?);
                return Some(bare);
            }
            _ => {
                let segment = bytes.get(from..from + usize::from(u16_be(bytes, from)?))?;
                // JFIF's and Adobe's stay.
                if !matches!(marker, 0xE1..=0xED | 0xEF | 0xFE) {
                    bare.extend([0xFF, marker]);
                    bare.extend_from_slice(segment);
                }
                at = payload_at + segment.len() as u64;
            }
        }
    }
    None
}

/// Scans that begin from `at` on. Within a scan's data 0xFF is always followed by 0 (T.81, B.1.1.5).
fn further_scans<R: Read + Seek>(source: &mut Source<R>, mut at: u64) -> Result<u64, Damage> {
    let mut scans = 0;
    loop {
        let window = source.up_to(at, SCAN_WINDOW_BYTES)?;
        for pair in window.windows(2).filter(|pair| pair[0] == 0xFF) {
            match pair[1] {
                0xDA => scans += 1,
                0xD9 => return Ok(scans),
                _ => {}
            }
        }
        if window.len() < SCAN_WINDOW_BYTES {
            return Ok(scans);
        }
        // The last byte may be the first half of a marker.
        at += SCAN_WINDOW_BYTES as u64 - 1;
    }
}

fn no_size<R: Read + Seek>(source: &Source<R>) -> Damage {
    Damage::Broken(format!("it ends after {} bytes, before its JPEG header says how large the picture is", source.size_bytes()))
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
    Err(Damage::Broken(format!("after byte {at} nothing is JPEG")))
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
    fn scans_are_counted() {
        let scans = |count: usize, process: u8| {
            let first = file(&[(process, FRAME), (0xDA, &[])]);
            let bytes = [first, [0x12, 0xFF, 0x00, 0xFF, 0xDA, 0, 2].repeat(count - 1), vec![0xFF, 0xD9, 0xFF, 0xDA]].concat();
            let mut source = Source::of_bytes(&bytes);
            header(&mut source).unwrap().check_scans(&mut source)
        };
        assert_eq!(scans(128, 0xC2), Ok(()));
        assert_eq!(scans(129, 0xC2), Err(Damage::Exceeds("has 129 scans; the limit is 128".to_owned())));
        assert!(scans(20_000, 0xC2).is_err());
        assert_eq!(scans(129, 0xC0), Ok(()));
    }

    #[test]
    fn every_cut_before_the_frame_is_damage() {
        let bytes = file(&[(0xE0, b"JFIF\0"), (0xC0, FRAME), (0xDA, &[])]);
        for length in 2..17 {
            assert!(header(&mut Source::of_bytes(&bytes[..length])).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn metadata_are_left_out() {
        let bytes = [
            file(&[(0xE0, b"JFIF\0"), (0xE1, b"Exif\0\0"), (0xEE, b"Adobe"), (0xFE, b"words"), (0xC0, FRAME), (0xDA, &[])]),
            vec![1, 2, 0xFF, 0xD9],
        ]
        .concat();
        let want = [file(&[(0xE0, b"JFIF\0"), (0xEE, b"Adobe"), (0xC0, FRAME), (0xDA, &[])]), vec![1, 2, 0xFF, 0xD9]].concat();
        assert_eq!(without_metadata(&bytes), Some(want));
        for length in 0..bytes.len() - 6 {
            assert_eq!(without_metadata(&bytes[..length]), None, "{length} bytes");
        }
    }

    #[test]
    fn extended_xmp_is_put_together_if_it_is_the_named_one() {
        let (name, other) = ([b'A'; 32], [b'B'; 32]);
        let packet = [&b"http://ns.adobe.com/xap/1.0/\0<x HasExtendedXMP='"[..], &name, b"'/>"].concat();
        let piece = |name: &[u8], at: u32, text: &[u8]| {
            [b"http://ns.adobe.com/xmp/extension/\0", name, &6_u32.to_be_bytes(), &at.to_be_bytes(), text].concat()
        };
        let xmp = |pieces: &[Vec<u8>]| {
            let segments = pieces.iter().map(|piece| (0xE1, piece.as_slice()));
            let bytes =
                file(&[(0xE1, &packet[..])].into_iter().chain(segments).chain([(0xC0, FRAME), (0xDA, &[])]).collect::<Vec<_>>());
            let mut source = Source::of_bytes(&bytes);
            header(&mut source).unwrap().xmp(&mut source)
        };
        assert_eq!(xmp(&[piece(&name, 3, b"def"), piece(&other, 0, b"???"), piece(&name, 0, b"abc")])[1], b"abcdef");
        assert_eq!(xmp(&[piece(&name, 3, b"def")]).len(), 1, "its beginning is missing");
        assert_eq!(xmp(&[piece(&other, 0, b"???")]).len(), 1);
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
