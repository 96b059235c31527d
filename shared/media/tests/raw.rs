//! Raw photos as each maker lays them out, generated with little more than a preview in them: the right preview is found, held
//! and coloured as the camera says, and what there is nothing to show of says so.

use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage};
use photovault_domain::{Format, Refusal};
use photovault_media::{Rendered, derive, facts, inspect};

const RED: [u8; 3] = [220, 30, 30];
const GREEN: [u8; 3] = [30, 200, 30];
const BLUE: [u8; 3] = [30, 30, 220];
const GREY: [u8; 3] = [200, 200, 200];

/// Red and green above, blue and grey below.
fn quarters(width: u32, height: u32) -> Vec<u8> {
    let picture = RgbImage::from_fn(width, height, |x, y| {
        Rgb(match (x < width / 2, y < height / 2) {
            (true, true) => RED,
            (false, true) => GREEN,
            (true, false) => BLUE,
            (false, false) => GREY,
        })
    });
    jpeg(&picture)
}

fn jpeg(picture: &RgbImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Jpeg).expect("the picture can be written");
    bytes.into_inner()
}

/// A thumbnail that must not be taken for the preview: it is all black.
fn thumbnail() -> Vec<u8> {
    jpeg(&RgbImage::new(16, 8))
}

/// The sensor's data, in the lossless process that no viewer shows, larger than any preview.
const SENSOR: &[u8] = b"\xFF\xD8\xFF\xC3\0\x0b\x0e\x0f\xa0\x17\x70\x01\x01\x11\0\xFF\xDA\0\x08\x01\x01\0\x01\0\0\x55\x55\xFF\xD9";

/// A file of the TIFF family under construction, little-endian.
struct File(Vec<u8>);

/// An entry: tag, type, count, values.
type Entry = (u16, u16, u32, Vec<u8>);

fn long(tag: u16, value: u32) -> Entry {
    (tag, 4, 1, value.to_le_bytes().to_vec())
}

fn longs(tag: u16, values: &[u32]) -> Entry {
    (tag, 4, values.len() as u32, values.iter().flat_map(|value| value.to_le_bytes()).collect())
}

fn short(tag: u16, value: u16) -> Entry {
    (tag, 3, 1, value.to_le_bytes().to_vec())
}

fn text(tag: u16, value: &str) -> Entry {
    let bytes = [value.as_bytes(), b"\0"].concat();
    (tag, 2, bytes.len() as u32, bytes)
}

impl File {
    fn new(head: &[u8]) -> Self {
        Self(head.to_vec())
    }

    /// Adds these bytes; gives where they lie.
    fn put(&mut self, bytes: &[u8]) -> u32 {
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        let at = self.0.len() as u32;
        self.0.extend_from_slice(bytes);
        at
    }

    /// Adds a directory whose places count from `base`; gives where it lies.
    fn directory_from(&mut self, base: u32, mut entries: Vec<Entry>, next: u32) -> u32 {
        entries.sort_by_key(|(tag, ..)| *tag);
        let mut directory = (entries.len() as u16).to_le_bytes().to_vec();
        for (tag, kind, count, mut value) in entries {
            if value.len() > 4 {
                value = (self.put(&value) - base).to_le_bytes().to_vec();
            }
            value.resize(4, 0);
            directory.extend([&tag.to_le_bytes()[..], &kind.to_le_bytes(), &count.to_le_bytes(), &value].concat());
        }
        directory.extend(next.to_le_bytes());
        self.put(&directory)
    }

    fn directory(&mut self, entries: Vec<Entry>, next: u32) -> u32 {
        self.directory_from(0, entries, next)
    }

    /// The file, whose first directory is this.
    fn beginning_at(mut self, first: u32) -> Vec<u8> {
        self.0[4..8].copy_from_slice(&first.to_le_bytes());
        self.0
    }
}

/// A JPEG's place as TIFF/EP says it.
fn interchange(at: u32, jpeg: &[u8]) -> [Entry; 2] {
    [long(513, at), long(514, jpeg.len() as u32)]
}

/// A JPEG's place as a strip.
fn strip(at: u32, jpeg: &[u8]) -> [Entry; 2] {
    [long(273, at), long(279, jpeg.len() as u32)]
}

fn sensor(at: u32) -> Vec<Entry> {
    [vec![long(256, 6000), long(257, 4000), short(259, 7), short(262, 32803)], strip(at, SENSOR).to_vec()].concat()
}

/// Upright by a turn to the right, made by this maker.
fn held(maker: &str) -> Vec<Entry> {
    vec![short(274, 6), text(271, maker), text(272, "Model 1")]
}

fn cr2(preview: &[u8]) -> Vec<u8> {
    let mut file = File::new(b"II*\0\0\0\0\0CR\x02\0\0\0\0\0");
    let (at, small, raw) = (file.put(preview), file.put(&thumbnail()), file.put(SENSOR));
    let fourth = file.directory([vec![short(259, 6)], strip(raw, SENSOR).to_vec()].concat(), 0);
    let third = file.directory(vec![long(256, 40), long(257, 30), short(259, 1), long(273, raw), long(279, 9)], fourth);
    let second = file.directory(interchange(small, &thumbnail()).to_vec(), third);
    let first = [held("Canon"), vec![long(256, 6000), long(257, 4000), short(259, 6)], strip(at, preview).to_vec()].concat();
    let first = file.directory(first, second);
    file.beginning_at(first)
}

fn nef(preview: &[u8]) -> Vec<u8> {
    let mut file = File::new(b"II*\0\0\0\0\0");
    let (at, raw) = (file.put(preview), file.put(SENSOR));
    let inner =
        [file.directory([vec![short(259, 6)], interchange(at, preview).to_vec()].concat(), 0), file.directory(sensor(raw), 0)];
    let first = file.directory([held("NIKON CORPORATION"), vec![long(256, 160), long(257, 120), longs(330, &inner)]].concat(), 0);
    file.beginning_at(first)
}

/// Sony's, with Samsung's and Pentax's alike but for the maker: the preview in the first directory or behind it.
fn chained(maker: &str, preview: &[u8]) -> Vec<u8> {
    let mut file = File::new(b"II*\0\0\0\0\0");
    let (at, small, raw) = (file.put(preview), file.put(&thumbnail()), file.put(SENSOR));
    let inner = file.directory(sensor(raw), 0);
    let third = file.directory(interchange(at, preview).to_vec(), 0);
    let second = file.directory(interchange(small, &thumbnail()).to_vec(), third);
    let first = file.directory([held(maker), vec![long(330, inner)]].concat(), second);
    file.beginning_at(first)
}

fn dng(preview: &[u8]) -> Vec<u8> {
    let mut file = File::new(b"II*\0\0\0\0\0");
    let (at, raw) = (file.put(preview), file.put(SENSOR));
    let inner = [
        file.directory(sensor(raw), 0),
        file.directory([vec![short(259, 7), short(262, 6)], strip(at, preview).to_vec()].concat(), 0),
    ];
    let version = (50706, 1, 4, vec![1, 4, 0, 0]);
    let first = file.directory([held("Google"), vec![long(256, 256), long(257, 171), version, longs(330, &inner)]].concat(), 0);
    file.beginning_at(first)
}

fn rw2(preview: &[u8]) -> Vec<u8> {
    let mut file = File::new(b"IIU\0\0\0\0\0");
    let at = file.put(preview);
    let borders = vec![short(4, 8), short(5, 8), short(6, 4008), short(7, 6008)];
    let jpeg = (0x2E, 7, preview.len() as u32, at.to_le_bytes().to_vec());
    // Its values are four bytes: where they lie.
    let first = file.directory([held("Panasonic"), borders, vec![jpeg]].concat(), 0);
    file.beginning_at(first)
}

fn orf(preview: &[u8]) -> Vec<u8> {
    let mut file = File::new(b"IIRO\0\0\0\0");
    let note = file.put(b"OLYMPUS\0II\x03\0");
    let main = file.directory_from(note, vec![long(0x2020, 0)], 0);
    let at = file.put(preview);
    let settings = file.directory_from(note, vec![long(0x0101, at - note), long(0x0102, preview.len() as u32)], 0);
    let value = main as usize + 2 + 8;
    file.0[value..value + 4].copy_from_slice(&(settings - note).to_le_bytes());
    let exif = file.directory(vec![(37500, 7, 1000, note.to_le_bytes().to_vec())], 0);
    let first =
        file.directory([held("OLYMPUS CORPORATION"), vec![long(256, 6000), long(257, 4000), long(34665, exif)]].concat(), 0);
    file.beginning_at(first)
}

fn raf(preview: &[u8]) -> Vec<u8> {
    let mut exif = File::new(b"II*\0\0\0\0\0");
    let first = exif.directory(held("FUJIFILM"), 0);
    let block = [b"Exif\0\0", exif.beginning_at(first).as_slice()].concat();
    let segment = [&b"\xFF\xE1"[..], &(block.len() as u16 + 2).to_be_bytes(), &block].concat();
    let jpeg = [&preview[..2], &segment, &preview[2..]].concat();
    let mut head = b"FUJIFILMCCD-RAW 0201FF383501X-T5".to_vec();
    head.resize(84, 0);
    head.extend(128_u32.to_be_bytes());
    head.extend((jpeg.len() as u32).to_be_bytes());
    head.resize(128, 0);
    [head, jpeg, SENSOR.to_vec()].concat()
}

fn boxed(kind: [u8; 4], body: &[&[u8]]) -> Vec<u8> {
    let body = body.concat();
    [&(body.len() as u32 + 8).to_be_bytes()[..], &kind, &body].concat()
}

fn cr3(preview: &[u8], in_track: bool) -> Vec<u8> {
    let block = |entries: Vec<Entry>| {
        let mut file = File::new(b"II*\0\0\0\0\0");
        let first = file.directory(entries, 0);
        file.beginning_at(first)
    };
    let first = block([held("Canon"), vec![long(256, 6000), long(257, 4000)]].concat());
    let exif = block(vec![text(36867, "2024:05:06 07:08:09"), short(0xA001, 1)]);
    let gps = block(vec![text(1, "N"), text(3, "E")]);
    let canon = boxed(
        *b"uuid",
        &[
            b"\x85\xC0\xB6\x87\x82\x0F\x11\xE0\x81\x11\xF4\xCE\x46\x2B\x6A\x48",
            &boxed(*b"CMT1", &[&first]),
            &boxed(*b"CMT2", &[&exif]),
            &boxed(*b"CMT4", &[&gps]),
        ],
    );
    let track = |at: u32, length: usize| {
        let sizes = boxed(*b"stsz", &[&[0; 4], &(length as u32).to_be_bytes(), &1_u32.to_be_bytes()]);
        let places = boxed(*b"co64", &[&[0; 4], &1_u32.to_be_bytes(), &u64::from(at).to_be_bytes()]);
        boxed(*b"trak", &[&boxed(*b"mdia", &[&boxed(*b"minf", &[&boxed(*b"stbl", &[&sizes, &places])])])])
    };
    let ftyp = boxed(*b"ftyp", &[b"crx \0\0\0\x01crx isom"]);
    // One preview is the right one, the other the thumbnail.
    let (tracked, boxed_one) = if in_track { (preview.to_vec(), thumbnail()) } else { (thumbnail(), preview.to_vec()) };
    let prvw = boxed(*b"PRVW", &[&[0, 0, 0, 0, 0, 1, 0, 96, 0, 64, 0, 1], &(boxed_one.len() as u32).to_be_bytes(), &boxed_one]);
    let marker = b"\xEA\xF4\x2B\x5E\x1C\x98\x4B\x88\xB9\xFB\xB7\xDC\x40\x6E\x4D\x16";
    let seen = boxed(*b"uuid", &[marker, &[0, 0, 0, 0, 0, 0, 0, 1], &prvw]);
    let index = |at: u32| boxed(*b"moov", &[&canon, &track(at, tracked.len()), &track(at + tracked.len() as u32, SENSOR.len())]);
    let data_at = (ftyp.len() + index(0).len() + seen.len() + 8) as u32;
    [ftyp, index(data_at), seen, boxed(*b"mdat", &[&tracked, SENSOR])].concat()
}

fn corners(rendered: &Rendered) -> [[u8; 3]; 4] {
    let picture = image::load_from_memory(&rendered.files[2].bytes).expect("a derivative is a picture").into_rgb8();
    let (width, height) = picture.dimensions();
    [(8, 8), (width - 8, 8), (8, height - 8), (width - 8, height - 8)].map(|(x, y)| picture.get_pixel(x, y).0)
}

fn all(preview: &[u8]) -> Vec<(Format, Vec<u8>)> {
    vec![
        (Format::Cr2, cr2(preview)),
        (Format::Cr3, cr3(preview, true)),
        (Format::Cr3, cr3(preview, false)),
        (Format::Nef, nef(preview)),
        (Format::Arw, chained("SONY", preview)),
        (Format::Pef, chained("PENTAX", preview)),
        (Format::Srw, chained("SAMSUNG", preview)),
        (Format::Dng, dng(preview)),
        (Format::Raf, raf(preview)),
        (Format::Rw2, rw2(preview)),
        (Format::Orf, orf(preview)),
    ]
}

#[test]
fn every_makers_preview_is_found_and_turned() {
    for (format, bytes) in all(&quarters(96, 64)) {
        let found = inspect(Cursor::new(&bytes), bytes.len() as u64).unwrap_or_else(|refused| panic!("{format:?}: {refused}"));
        assert_eq!(found.format, format);
        let size = if format == Format::Raf { (96, 64) } else { (6000, 4000) };
        assert_eq!((found.width, found.height), (Some(size.0), Some(size.1)), "{format:?}");
        let rendered = derive(&bytes, format).unwrap_or_else(|unreadable| panic!("{format:?}: {unreadable}"));
        assert_eq!((rendered.files[2].width, rendered.files[2].height), (64, 96), "{format:?}");
        for (found, wanted) in corners(&rendered).iter().zip([BLUE, RED, GREY, GREEN]) {
            let near = found.iter().zip(&wanted).all(|(a, b)| a.abs_diff(*b) < 14);
            assert!(near, "{format:?}: {found:?} instead of {wanted:?}");
        }
        let read = facts(Cursor::new(&bytes), bytes.len() as u64, format);
        assert_eq!(read.facts.orientation, Some(6), "{format:?}: {:?}", read.warnings);
        assert!(read.facts.camera.is_some_and(|camera| camera.make.is_some()), "{format:?} names its maker");
    }
}

#[test]
fn every_cut_comes_to_an_end() {
    for (format, bytes) in all(&quarters(96, 64)) {
        for length in (0..bytes.len()).step_by(7) {
            let cut = &bytes[..length];
            if inspect(Cursor::new(cut), length as u64).is_ok() {
                // A reason or a picture, and no panic behind it.
                let reason = derive(cut, format).err().map(|unreadable| unreadable.reason);
                assert!(reason.is_none_or(|reason| !reason.contains("gave up")), "{format:?} cut to {length}");
            }
            facts(Cursor::new(cut), length as u64, format);
        }
    }
}

#[test]
fn canons_blocks_become_one() {
    let bytes = cr3(&quarters(96, 64), true);
    let read = facts(Cursor::new(&bytes), bytes.len() as u64, Format::Cr3);
    let captured = read.facts.captured.expect("the second block says when");
    assert_eq!(captured.local, "2024-05-06T07:08:09");
    assert_eq!(read.facts.camera.expect("the first block says what").model.as_deref(), Some("Model 1"));
}

#[test]
fn the_colours_that_the_camera_was_set_to_count() {
    let green = jpeg(&RgbImage::from_pixel(64, 64, Rgb([80, 180, 80])));
    let with_colours = |space: u16, index: &str| {
        let mut file = File::new(b"II*\0\0\0\0\0");
        let (at, raw) = (file.put(&green), file.put(SENSOR));
        let inner = file.directory(sensor(raw), 0);
        let interoperability = file.directory(vec![text(1, index)], 0);
        let exif = file.directory(vec![short(0xA001, space), long(0xA005, interoperability)], 0);
        let first = [held("SONY"), vec![long(330, inner), long(34665, exif)], interchange(at, &green).to_vec()].concat();
        let first = file.directory(first, 0);
        file.beginning_at(first)
    };
    let middle = |bytes: &[u8]| corners(&derive(bytes, Format::Arw).expect("it is sound"))[0];
    let [red, ..] = middle(&with_colours(1, "R98"));
    assert!(red.abs_diff(80) < 4, "sRGB is left alone: {red}");
    // Adobe RGB's green is further out: what it calls 80 of red is none in sRGB. By its matrix, 0.
    for (space, index) in [(0xFFFF, "R03"), (2, "R98")] {
        let [red, green, _] = middle(&with_colours(space, index));
        assert!(red < 12 && green.abs_diff(181) < 6, "Adobe RGB: {red} {green}");
    }
    let [red, ..] = middle(&with_colours(0xFFFF, "R98"));
    assert!(red.abs_diff(80) < 4, "uncalibrated and not named: {red}");
}

#[test]
fn what_has_no_preview_is_kept_and_says_so() {
    let mut file = File::new(b"II*\0\0\0\0\0");
    let raw = file.put(SENSOR);
    let inner = file.directory(sensor(raw), 0);
    let first = file.directory([held("NIKON CORPORATION"), vec![long(330, inner)]].concat(), 0);
    let bytes = file.beginning_at(first);
    let found = inspect(Cursor::new(&bytes), bytes.len() as u64).expect("it is taken");
    assert_eq!((found.format, found.width), (Format::Nef, Some(6000)));
    let reason = derive(&bytes, Format::Nef).expect_err("there is nothing to show").reason;
    assert!(reason.contains("no preview") && reason.contains("original is kept"), "{reason}");
}

#[test]
fn a_header_that_is_cut_off_is_damage() {
    let refused = inspect(Cursor::new(b"FUJIFILMCCD-RAW 02"), 18).expect_err("it is cut off");
    assert_eq!((refused.refusal, refused.format), (Refusal::Quarantined, Some(Format::Raf)));
}
