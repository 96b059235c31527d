//! How long derivatives of one photo take in a warm process, for `benches/stills.py`.
//!
//! usage: stills [--outputs jpeg,webp,avif] FILE REPETITIONS [FOLDER] — prints JSON with the least CPU and wall time in milliseconds and the peak of memory in
//! bytes, and writes the derivatives into the folder. `stills --libheif FILE REPETITIONS` only decodes, by libheif alone.

use std::{fs, path::Path, time::Instant};

use libheif_rs::{ColorSpace, HeifContext, LibHeif};
use photovault_domain::Outputs;
use photovault_media::{Rendered, derive_as, sniff};
use rustix::time::{ClockId, clock_gettime};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (is_bare, outputs, arguments) = match arguments.as_slice() {
        [first, rest @ ..] if first == "--libheif" => (true, Outputs::JPEG, rest),
        [first, words, rest @ ..] if first == "--outputs" => (false, words.parse().expect("kinds of derivatives"), rest),
        rest => (false, Outputs::JPEG, rest),
    };
    let [file, repetitions, folder @ ..] = arguments else {
        panic!("usage: stills [--libheif | --outputs WORDS] FILE REPETITIONS [FOLDER]")
    };
    let bytes = fs::read(file).expect("the photo can be read");
    let mut least = (f64::MAX, f64::MAX);
    let mut made = None;
    for _ in 0..repetitions.parse::<u32>().expect("repetitions are a number") {
        let (cpu, wall) = (cpu_ms(), Instant::now());
        if is_bare {
            decode_alone(&bytes);
        } else {
            made = Some(rendered(&bytes, outputs));
        }
        least = (least.0.min(cpu_ms() - cpu), least.1.min(wall.elapsed().as_secs_f64() * 1e3));
    }
    if let ([folder], Some(rendered)) = (folder, made) {
        for derivative in rendered.files {
            fs::write(Path::new(folder).join(derivative.stored_as()), derivative.bytes).expect("the folder can be written to");
        }
    }
    println!(r#"{{"cpu_ms": {:.1}, "wall_ms": {:.1}, "peak_bytes": {}}}"#, least.0, least.1, peak_bytes());
}

fn rendered(bytes: &[u8], outputs: Outputs) -> Rendered {
    let sniffed = sniff(&bytes[..bytes.len().min(photovault_media::SNIFF_BYTES)]);
    let photovault_media::Sniffed::Media(format) = sniffed else { panic!("this is no photo: {sniffed:?}") };
    derive_as(bytes, format, outputs).expect("the photo is sound")
}

/// What nobody who uses libheif can avoid.
fn decode_alone(bytes: &[u8]) {
    let mut context = HeifContext::new().expect("there is memory");
    context.set_max_decoding_threads(0);
    context.read_bytes(bytes).expect("it is a HEIF file");
    let handle = context.primary_image_handle().expect("it has a picture");
    let image = LibHeif::new().decode(&handle, ColorSpace::Undefined, None).expect("it can be decoded");
    assert!(image.width() > 0);
}

/// Of all threads of this process.
fn cpu_ms() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}

/// `VmHWM` of proc(5), in kibibytes there.
fn peak_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok()).unwrap_or_default() * 1024
}
