//! CPU seconds of what is made of a video, for `make bench`: `show FILE [LINES [KBPS [COPY]]]`.
//!
//! Prints `show`, all but the copy for browsers, and `copy`, its pictures alone, and what the copy is predicted to take a function.

use std::{
    fs::File,
    time::{Duration, Instant},
};

use photovault_domain::{Format, Rendition, When, predicted_work_s};
use photovault_movie::{Span, segment, show};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, rest @ ..] = arguments.as_slice() else { return Err("show FILE [LINES [KBPS [COPY]]]".into()) };
    let number = |at: usize, default: u32| rest.get(at).map_or(Ok(default), |text| text.parse());
    let policy = Rendition { when: When::Always, lines: number(0, 720)?, kbps: number(1, 4000)? };
    let format = match file.rsplit('.').next() {
        Some("mkv") => Format::Mkv,
        Some("webm") => Format::Webm,
        Some("mp4") => Format::Mp4,
        _ => Format::Mov,
    };
    let deadline = Instant::now() + Duration::from_hours(1);
    let shown = show(File::open(file)?, format, (policy, Some(0)), deadline)?;
    let before = cpu_s()?;
    let whole = Span { from: 0, until: i64::MAX };
    let made = segment(File::open(file)?, (format, &shown.video), policy, whole, deadline)?;
    let after = cpu_s()?;
    if let Some(copy) = rest.get(2) {
        std::fs::write(copy, &made.bytes)?;
    }
    let (picture, predicted_s) = (&shown.video.picture, predicted_work_s(&shown.video, policy));
    println!(
        "{} {} {}x{} show {before:.2} copy {:.2}",
        picture.codec,
        picture.bits,
        picture.width,
        picture.height,
        after - before
    );
    println!("frames {} ms {} predicted {predicted_s}", made.frames, shown.video.duration_ms);
    Ok(())
}

/// User and system time of this process so far (proc(5): fields 14 and 15, a hundredth of a second each).
fn cpu_s() -> Result<f64, Box<dyn std::error::Error>> {
    let text = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    Ok((ticks(11) + ticks(12)) / 100.0)
}
