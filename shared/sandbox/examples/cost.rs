//! What the decoder's process costs a photo, in CPU time of both processes: the same photo decoded here and there, in turn.
//! What is spent outside of the decoding itself is the cost: the photo handed over, the derivatives handed back, the waiting.
//!
//! `cargo run --release -p photovault-sandbox --example cost [PHOTO.jpg]`, on Linux.

use std::{fs, io, io::Cursor, time::Instant};

use photovault_domain::{Format, Outputs};
use photovault_media::cpu_ns;
use photovault_sandbox::{Decoder, Input};
use rustix::time::{ClockId, clock_gettime};

const ROUNDS: usize = 40;

fn main() -> io::Result<()> {
    if photovault_sandbox::is_decoder() {
        return photovault_sandbox::serve();
    }
    let photo = match std::env::args_os().nth(1) {
        Some(path) => fs::read(path)?,
        None => twelve_megapixels(),
    };
    let begun = Instant::now();
    let decoder = Decoder::start()?;
    println!("start of a decoder  {:6.2} ms", begun.elapsed().as_secs_f64() * 1e3);
    println!("protections         {}", decoder.protections());
    let (mut here, mut there, mut cost) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let before = spent_ns(&decoder)?;
        photovault_media::derive(&photo, Format::Jpeg).map_err(io::Error::other)?;
        here.push(spent_ns(&decoder)? - before);

        // Receiving a photo costs one copy either way: it is part of both.
        let input = Input::of(&photo)?;
        let (before, decoding) = (spent_ns(&decoder)?, cpu_ns());
        decoder.derive(&input, Format::Jpeg, Outputs::JPEG)?.map_err(io::Error::other)?;
        let spent = spent_ns(&decoder)? - before;
        there.push(spent);
        cost.push(spent.saturating_sub(cpu_ns() - decoding));
    }
    println!("a photo of {} bytes, {ROUNDS} times; least and median, ms", photo.len());
    for (what, times) in [
        ("decoded in this process, CPU", &mut here),
        ("decoded in the decoder, CPU of both", &mut there),
        ("beside the decoding itself, CPU of both", &mut cost),
    ] {
        times.sort_unstable();
        println!("  {what:<42} {:8.3} {:8.3}", times[0] as f64 / 1e6, times[times.len() / 2] as f64 / 1e6);
    }
    Ok(())
}

/// CPU nanoseconds that this process and the decoder have used. The decoder's come from proc(5), `schedstat`: the first number of
/// each thread, which is exact while it waits.
fn spent_ns(decoder: &Decoder) -> io::Result<u64> {
    let own = clock_gettime(ClockId::ProcessCPUTime);
    let mut total = own.tv_sec as u64 * 1_000_000_000 + own.tv_nsec as u64;
    if let Some(process) = decoder.process() {
        for thread in fs::read_dir(format!("/proc/{process}/task"))? {
            let text = fs::read_to_string(thread?.path().join("schedstat"))?;
            total += text.split(' ').next().and_then(|spent| spent.parse::<u64>().ok()).unwrap_or(0);
        }
    }
    Ok(total)
}

/// Noise over a gradient, as hard to compress as a photograph.
fn twelve_megapixels() -> Vec<u8> {
    let mut seed = 1_u32;
    let picture = image::RgbImage::from_fn(4000, 3000, |x, y| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let noise = (seed >> 27) as u8;
        image::Rgb([(x / 20) as u8 ^ noise, (y / 16) as u8 ^ noise, ((x + y) / 32) as u8 ^ noise])
    });
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Jpeg).expect("a picture can be written");
    bytes.into_inner()
}
