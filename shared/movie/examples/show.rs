//! What is made of a video, a part at a time, for `make bench`:
//!
//! - `show look FILE` opens it, reads its facts, chooses and converts its poster frame, and prints its facts as JSON.
//! - `show all FILE` makes the preview and the sprite too.
//! - `show copy FILE FACTS LINES COPY` makes the pictures of its copy for browsers alone, by the facts that `look` printed.
//! - `show predict FACTS LINES` prints how many seconds of work that copy is predicted to take a function.

use std::{
    error::Error,
    fs::File,
    time::{Duration, Instant},
};

use photovault_domain::{Format, Rendition, Video, When, predicted_work_s};
use photovault_movie::{Span, poster, segment, show};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let deadline = Instant::now() + Duration::from_hours(1);
    match words.as_slice() {
        ["look", file] => {
            let shown = poster(File::open(file)?, format_of(file), deadline)?;
            println!("{}", serde_json::to_string(&shown.video)?);
        }
        ["all", file] => {
            let policy = Rendition { when: When::Never, ..Rendition::default() };
            show(File::open(file)?, format_of(file), (policy, None), deadline)?;
        }
        ["copy", file, facts, lines, copy] => {
            let video: Video = serde_json::from_str(facts)?;
            let whole = Span { from: 0, until: i64::MAX };
            let made = segment(File::open(file)?, (format_of(file), &video), policy_of(lines)?, whole, deadline)?;
            std::fs::write(copy, &made.bytes)?;
        }
        ["predict", facts, lines] => println!("{}", predicted_work_s(&serde_json::from_str(facts)?, policy_of(lines)?)),
        _ => return Err("show look FILE | all FILE | copy FILE FACTS LINES COPY | predict FACTS LINES".into()),
    }
    Ok(())
}

fn policy_of(lines: &str) -> Result<Rendition, Box<dyn Error>> {
    Ok(Rendition { when: When::Always, lines: lines.parse()?, ..Rendition::default() })
}

fn format_of(file: &str) -> Format {
    match file.rsplit('.').next() {
        Some("mkv") => Format::Mkv,
        Some("webm") => Format::Webm,
        Some("mp4") => Format::Mp4,
        Some("ts") => Format::Ts,
        _ => Format::Mov,
    }
}
