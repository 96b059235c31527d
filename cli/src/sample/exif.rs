//! Writes the Exif block of a sample photo: TIFF 6.0 with the tags of Exif 2.32, little-endian, in an APP1 segment.

use super::plan::{ArcPosition, Shot};
use super::truth::{local_time, offset_text, subsecond};

/// Puts the shot's Exif into a JPEG file, right after its start (Exif 2.32, 4.5.4).
pub(crate) fn insert(jpeg: &[u8], shot: &Shot, width: u32, height: u32) -> Vec<u8> {
    let block = block(shot, width, height);
    let length = u16::try_from(block.len() + 8).expect("a sample's Exif is a few hundred bytes");
    let mut file = Vec::with_capacity(jpeg.len() + block.len() + 10);
    file.extend_from_slice(&jpeg[..2]);
    file.extend_from_slice(&[0xff, 0xe1]);
    file.extend_from_slice(&length.to_be_bytes());
    file.extend_from_slice(b"Exif\0\0");
    file.extend_from_slice(&block);
    file.extend_from_slice(&jpeg[2..]);
    file
}

fn block(shot: &Shot, width: u32, height: u32) -> Vec<u8> {
    let camera = shot.camera;
    let exif = exif_directory(shot, width, height);
    let gps = shot.has_position.then(|| gps_directory(shot.position));
    let stamp = stamp(shot);
    let first = |exif_at: u32, gps_at: u32| {
        let mut fields = vec![
            text(0x010f, camera.make),
            text(0x0110, camera.model),
            short(0x0112, u16::from(shot.orientation)),
            rational(0x011a, &[(72, 1)]),
            rational(0x011b, &[(72, 1)]),
            short(0x0128, 2),
            text(0x0131, camera.software),
            text(0x0132, &stamp),
            long(0x8769, exif_at),
        ];
        fields.extend(gps.iter().map(|_| long(0x8825, gps_at)));
        fields
    };
    // The directories' places do not change their sizes: measure with zeros, then write.
    let exif_at = 8 + directory(&first(0, 0), 8).len() as u32;
    let gps_at = exif_at + directory(&exif, exif_at).len() as u32;
    let mut block = b"II*\0\x08\0\0\0".to_vec();
    block.extend(directory(&first(exif_at, gps_at), 8));
    block.extend(directory(&exif, exif_at));
    block.extend(gps.iter().flat_map(|gps| directory(gps, gps_at)));
    block
}

fn exif_directory(shot: &Shot, width: u32, height: u32) -> Vec<Field> {
    let camera = shot.camera;
    let (iso, shutter) = exposure(shot);
    let stamp = stamp(shot);
    let mut fields = vec![
        rational(0x829a, &[(1, shutter)]),
        rational(0x829d, &[(camera.f_number_tenths, 10)]),
        short(0x8827, iso),
        bytes(0x9000, 7, b"0232"),
        text(0x9003, &stamp),
        text(0x9004, &stamp),
        signed_rational(0x9204, 0, 1),
        short(0x9209, 16),
        rational(0x920a, &[(camera.focal_tenths_mm, 10)]),
        text(0x9291, &subsecond(shot.utc_ms)),
        short(0xa001, 1),
        long(0xa002, width),
        long(0xa003, height),
        short(0xa405, camera.focal_35mm_mm),
        text(0xa434, camera.lens),
    ];
    if camera.writes_offset {
        fields.push(text(0x9011, &offset_text(shot.offset_minutes)));
    }
    if shot.is_screenshot {
        // As iPhones mark them: a comment in ASCII (Exif 2.32, 4.6.5).
        fields.push(bytes(0x9286, 7, b"ASCII\0\0\0Screenshot"));
    }
    fields.sort_by_key(|field| field.tag);
    fields
}

/// ISO and shutter speed (one over seconds) by daylight.
fn exposure(shot: &Shot) -> (u16, u32) {
    match shot.view.hour {
        hour if (9.0..17.0).contains(&hour) => (100, 500),
        hour if (7.0..19.0).contains(&hour) => (200, 125),
        _ => (1600, 30),
    }
}

fn gps_directory(at: ArcPosition) -> Vec<Field> {
    let arc = |mas: i64| {
        let mas = mas.unsigned_abs() as u32;
        [(mas / 3_600_000, 1), (mas / 60_000 % 60, 1), (mas % 60_000, 1000)]
    };
    vec![
        bytes(0, 1, &[2, 3, 0, 0]),
        text(1, if at.latitude_mas < 0 { "S" } else { "N" }),
        rational(2, &arc(at.latitude_mas)),
        text(3, if at.longitude_mas < 0 { "W" } else { "E" }),
        rational(4, &arc(at.longitude_mas)),
        bytes(5, 1, &[0]),
        rational(6, &[(at.altitude_m.unsigned_abs() as u32, 1)]),
    ]
}

/// `2024:07:04 12:30:05`.
fn stamp(shot: &Shot) -> String {
    local_time(shot.utc_ms, shot.offset_minutes).replacen('-', ":", 2).replace('T', " ")
}

/// One TIFF field: its tag, its type (TIFF 6.0, section 2), how many values, and their bytes.
struct Field {
    tag: u16,
    kind: u16,
    count: u32,
    value: Vec<u8>,
}

/// A directory at `at`, its larger values behind it.
fn directory(fields: &[Field], at: u32) -> Vec<u8> {
    let mut entries = (fields.len() as u16).to_le_bytes().to_vec();
    let mut values = Vec::new();
    let values_at = at + 2 + 12 * fields.len() as u32 + 4;
    for field in fields {
        entries.extend_from_slice(&field.tag.to_le_bytes());
        entries.extend_from_slice(&field.kind.to_le_bytes());
        entries.extend_from_slice(&field.count.to_le_bytes());
        if field.value.len() <= 4 {
            let mut inline = field.value.clone();
            inline.resize(4, 0);
            entries.extend_from_slice(&inline);
        } else {
            entries.extend_from_slice(&(values_at + values.len() as u32).to_le_bytes());
            values.extend_from_slice(&field.value);
            // Values begin on a word boundary.
            values.resize(values.len().next_multiple_of(2), 0);
        }
    }
    entries.extend_from_slice(&[0; 4]);
    entries.extend_from_slice(&values);
    entries
}

fn bytes(tag: u16, kind: u16, value: &[u8]) -> Field {
    Field { tag, kind, count: value.len() as u32, value: value.to_vec() }
}

fn text(tag: u16, value: &str) -> Field {
    let mut value = value.as_bytes().to_vec();
    value.push(0);
    Field { tag, kind: 2, count: value.len() as u32, value }
}

fn short(tag: u16, value: u16) -> Field {
    Field { tag, kind: 3, count: 1, value: value.to_le_bytes().to_vec() }
}

fn long(tag: u16, value: u32) -> Field {
    Field { tag, kind: 4, count: 1, value: value.to_le_bytes().to_vec() }
}

fn rational(tag: u16, values: &[(u32, u32)]) -> Field {
    let value = values.iter().flat_map(|(n, d)| [n.to_le_bytes(), d.to_le_bytes()].concat()).collect();
    Field { tag, kind: 5, count: values.len() as u32, value }
}

fn signed_rational(tag: u16, numerator: i32, denominator: i32) -> Field {
    Field { tag, kind: 10, count: 1, value: [numerator.to_le_bytes(), denominator.to_le_bytes()].concat() }
}
