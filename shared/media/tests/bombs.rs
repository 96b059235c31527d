//! What small files cost that would unpack to something enormous: each is refused with the limit named, before pixels and with
//! little memory. `cargo test --release -p photovault-media --test bombs -- --nocapture` shows the table.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    io::{Cursor, Write as _},
    sync::atomic::{AtomicUsize, Ordering},
};

use photovault_media::{cpu_ns, derive, inspect};

/// Counts what is allocated: unlike resident memory it is the same on every machine.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

#[expect(unsafe_code, reason = "what is allocated can be counted only here")]
// SAFETY: every call is passed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(now, Ordering::Relaxed);
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What one kind of bomb may cost.
struct Class {
    name: &'static str,
    /// Milliseconds of CPU that are promised.
    cpu_ms: f64,
    /// Megabytes that are promised.
    megabytes: f64,
}

const HEADER: Class = Class { name: "header", cpu_ms: 5.0, megabytes: 10.0 };
const METADATA: Class = Class { name: "metadata", cpu_ms: 100.0, megabytes: 32.0 };
const FLOOD: Class = Class { name: "flood", cpu_ms: 50.0, megabytes: 10.0 };
/// A busy machine is slower than the promise, which is for an idle one.
const BUSY: f64 = 4.0;

#[test]
fn bombs_are_refused_cheaply_and_by_name() {
    let bombs: Vec<(&str, Class, Vec<u8>, &str)> = vec![
        ("PNG of 65,535²", HEADER, png(65_535, 65_535, &[]), "the limit is 150000000 pixels"),
        ("PNG, one side of 2³¹", HEADER, png(1 << 31, 1, &[]), "the limit for one side is 65535"),
        ("PNG of 16 bits RGBA, 12,200²", HEADER, deep_png(), "bytes of pixels"),
        ("JPEG of 65,500²", HEADER, jpeg(65_500, &[]), "the limit is 150000000 pixels"),
        ("GIF of 65,535²", HEADER, gif(65_535, 1), "the limit is 150000000 pixels"),
        ("BMP of 60,000²", HEADER, bmp(60_000), "the limit is 150000000 pixels"),
        ("TIFF of 60,000²", HEADER, tiff(60_000), "the limit is 150000000 pixels"),
        ("WebP of 16,384²", HEADER, webp(), "the limit is 150000000 pixels"),
        ("HEIC of 60,000²", HEADER, heic(60_000, 1), "the limit is 150000000"),
        ("HEIC of 65,536 tiles", HEADER, heic(64, 256), "has 65536 tiles; the limit is 4096"),
        ("PNG, iCCP of 1 GiB", METADATA, png(8, 8, &[(b"iCCP", b"p\0\0")]), "the limit"),
        ("PNG, zTXt of 1 GiB", METADATA, png(8, 8, &[(b"zTXt", b"words\0\0")]), "the limit"),
        ("PNG, iTXt of 1 GiB", METADATA, png(8, 8, &[(b"iTXt", b"words\0\x01\0en\0w\0")]), "the limit"),
        (
            "PNG, three of 1 GiB",
            METADATA,
            png(8, 8, &[(b"iCCP", b"p\0\0"), (b"zTXt", b"w\0\0"), (b"zTXt", b"v\0\0")]),
            "the limit",
        ),
        ("GIF, 300 frames of 4,000²", FLOOD, gif(4_000, 300), "has 4800000000 pixels in all its frames"),
        ("JPEG of 10,000 scans", FLOOD, jpeg(64, &[0xFF, 0xDA, 0, 2].repeat(10_000)), "has 10001 scans; the limit is 128"),
    ];
    println!("{:<30} {:>9} {:<9} {:>9} {:>9}", "bomb", "bytes", "promise", "CPU ms", "MB");
    for (name, class, bytes, words) in bombs {
        let (before, base) = (cpu_ns(), NOW.load(Ordering::Relaxed));
        PEAK.store(base, Ordering::Relaxed);
        let refused = inspect(Cursor::new(&bytes), bytes.len() as u64).expect_err(name);
        let cpu_ms = (cpu_ns() - before) as f64 / 1e6;
        let megabytes = (PEAK.load(Ordering::Relaxed) - base) as f64 / 1e6;
        println!("{name:<30} {:>9} {:<9} {cpu_ms:>9.2} {megabytes:>9.2}", bytes.len(), class.name);
        assert!(refused.reason.contains(words), "{name}: {}", refused.reason);
        assert_eq!(refused.refusal, photovault_domain::Refusal::Rejected, "{name}: {}", refused.reason);
        assert!(cpu_ms < class.cpu_ms * BUSY, "{name}: {cpu_ms} ms");
        assert!(megabytes < class.megabytes, "{name}: {megabytes} MB");
        let format = refused.format.expect(name);
        assert_eq!(derive(&bytes, format).expect_err(name).reason, refused.reason, "whoever decodes asks first");
    }
}

/// A PNG header, with chunks whose packed part is a gibibyte of zeros.
fn png(width: u32, height: u32, packed: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    let mut bytes = [b"\x89PNG\r\n\x1a\n".to_vec(), chunk(*b"IHDR", &header)].concat();
    for (kind, prefix) in packed {
        bytes.extend(chunk(**kind, &[*prefix, &gibibyte()].concat()));
    }
    bytes.extend(chunk(*b"IDAT", b"x"));
    bytes
}

fn deep_png() -> Vec<u8> {
    let mut bytes = png(12_200, 12_200, &[]);
    bytes[24] = 16;
    bytes[25] = 6;
    bytes
}

fn chunk(kind: [u8; 4], data: &[u8]) -> Vec<u8> {
    [&(data.len() as u32).to_be_bytes()[..], &kind, data, &[0; 4]].concat()
}

/// 2³⁰ zeros, packed: one packed mebibyte again and again, since a full flush ends on a whole byte and forgets what was before.
fn gibibyte() -> Vec<u8> {
    let mut encoder = flate2::Compress::new(flate2::Compression::best(), true);
    let mut mebibyte = |flush| {
        let mut out = Vec::with_capacity(64 * 1024);
        encoder.compress_vec(&vec![0; 1 << 20], &mut out, flush).expect("zeros can be packed");
        out
    };
    let (first, next) = (mebibyte(flate2::FlushCompress::Full), mebibyte(flate2::FlushCompress::Full));
    [first, next.repeat(1023)].concat()
}

fn jpeg(side: u16, scans: &[u8]) -> Vec<u8> {
    let side = side.to_be_bytes();
    let frame = [&[0xFF, 0xC2, 0, 17, 8][..], &side, &side, &[3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0]].concat();
    [&[0xFF, 0xD8][..], &frame, &[0xFF, 0xDA, 0, 2], scans, &[0xFF, 0xD9]].concat()
}

fn gif(side: u16, frames: usize) -> Vec<u8> {
    let side = side.to_le_bytes();
    let frame = [&[0x2C, 0, 0, 0, 0][..], &side, &side, &[0, 2, 1, 0, 0]].concat();
    [[b"GIF89a", &side[..], &side, &[0x80, 0, 0], &[0; 6]].concat(), frame.repeat(frames), vec![0x3B]].concat()
}

fn bmp(side: u32) -> Vec<u8> {
    let mut bytes = [b"BM", &[0; 12][..], &40_u32.to_le_bytes(), &side.to_le_bytes(), &side.to_le_bytes()].concat();
    bytes.extend([1, 0, 24, 0]);
    bytes.resize(100, 0);
    bytes
}

fn tiff(side: u32) -> Vec<u8> {
    let entry = |tag: u16| [&tag.to_le_bytes()[..], &[4, 0, 1, 0, 0, 0], &side.to_le_bytes()].concat();
    [b"II*\0\x08\0\0\0\x02\0".to_vec(), entry(256), entry(257), vec![0; 4]].concat()
}

fn webp() -> Vec<u8> {
    [&b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xFF\x3F\0\xFF\x3F\0"[..], &[0; 8]].concat()
}

/// A HEIF description of a picture of this side, with a grid of tiles × tiles.
fn heic(side: u32, tiles: u16) -> Vec<u8> {
    let boxed = |kind: &[u8; 4], body: &[&[u8]]| {
        let body = body.concat();
        [&(body.len() as u32 + 8).to_be_bytes()[..], kind, &body].concat()
    };
    let ispe = boxed(b"ispe", &[&[0; 4], &side.to_be_bytes(), &side.to_be_bytes()]);
    let ipma = boxed(b"ipma", &[&[0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 1, 0x81]]);
    let infe = boxed(b"infe", &[b"\x02\0\0\0\0\x01\0\0grid\0"]);
    let iloc = boxed(b"iloc", &[b"\x01\0\0\0\x44\0\0\x01\0\x01\0\x01\0\0\0\x01\0\0\0\0\0\0\0\x08"]);
    let less = (tiles - 1) as u8;
    let parts = [
        boxed(b"pitm", &[&[0, 0, 0, 0, 0, 1]]),
        boxed(b"iinf", &[&[0, 0, 0, 0, 0, 1], &infe]),
        boxed(b"iprp", &[&boxed(b"ipco", &[&ispe]), &ipma]),
        iloc,
        boxed(b"idat", &[&[0, 0, less, less, 0, 64, 0, 64]]),
    ];
    let mut bytes = [boxed(b"ftyp", &[b"heic\0\0\0\0mif1"]), boxed(b"meta", &[&[0; 4], &parts.concat()])].concat();
    bytes.write_all(&boxed(b"mdat", &[])).expect("a vector takes everything");
    bytes
}
