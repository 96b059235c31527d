//! What the decoder's process costs a photo: the same photo decoded here and there, in turn.
//!
//! `cargo run --release -p photovault-sandbox --example cost [PHOTO.jpg]`

use std::{io::Cursor, path::PathBuf, time::Instant};

use photovault_domain::{Format, Outputs};
use photovault_sandbox::{Decoder, Input};

const ROUNDS: usize = 20;

fn main() -> std::io::Result<()> {
    if photovault_sandbox::is_decoder() {
        return photovault_sandbox::serve();
    }
    let photo = match std::env::args_os().nth(1).map(PathBuf::from) {
        Some(path) => std::fs::read(path)?,
        None => twelve_megapixels(),
    };
    let begun = Instant::now();
    let decoder = Decoder::start()?;
    println!("start of a decoder  {:6.2} ms", begun.elapsed().as_secs_f64() * 1e3);
    println!("protections         {}", decoder.protections());
    let (mut here, mut there) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        photovault_media::derive(&photo, Format::Jpeg).map_err(std::io::Error::other)?;
        here.push(begun.elapsed());
        // Receiving a photo costs one copy either way: it is part of both.
        let input = Input::of(&photo)?;
        let begun = Instant::now();
        decoder.derive(&input, Format::Jpeg, Outputs::JPEG)?.map_err(std::io::Error::other)?;
        there.push(begun.elapsed());
    }
    let least = |times: &[std::time::Duration]| times.iter().min().map_or(0.0, |least| least.as_secs_f64() * 1e3);
    let (here, there) = (least(&here), least(&there));
    println!("in this process     {here:6.2} ms a photo of {} bytes (least of {ROUNDS})", photo.len());
    println!("in the decoder      {there:6.2} ms, {:+.2} ms, ratio {:.3}", there - here, there / here);
    Ok(())
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
