//! Copies for browsers: what is made, and that it is what it says.

use std::{
    fs::File,
    io::Write as _,
    time::{Duration, Instant},
};

use ffmpeg_next::util::color::TransferCharacteristic;
use photovault_domain::{Format, Rendition, When};
use photovault_movie::{Playable, Shown, show};
use photovault_tests::film::Film;

fn look(bytes: &[u8], format: Format, when: When) -> Shown {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.as_file().write_all(bytes).expect("room for it");
    let policy = Rendition { when, lines: 240, kbps: 1000 };
    let opened = File::open(file.path()).expect("it is there");
    show(opened, format, (policy, None), Instant::now() + Duration::from_mins(1)).unwrap_or_else(|error| panic!("{error}"))
}

fn rendition(shown: Shown) -> Playable {
    shown.playable.unwrap_or_else(|| panic!("there is none: {:?}", shown.notes))
}

/// Whether the index comes before what it indexes, so that a browser can begin while it loads.
fn starts_fast(bytes: &[u8]) -> bool {
    let place = |kind: &[u8]| bytes.windows(4).position(|it| it == kind);
    place(b"moov") < place(b"mdat")
}

#[test]
fn what_browsers_do_not_play_is_transcoded_upright() {
    let film = Film { width: 640, height: 480, rotation: 90, ..Film::default() };
    let made = rendition(look(&film.bytes(), Format::Mov, When::Required));
    assert!(made.how.starts_with("transcoded by "), "{}", made.how);
    assert_eq!((made.width, made.height), (240, 320));
    assert!(starts_fast(&made.bytes));
    let again = look(&made.bytes, Format::Mp4, When::Required);
    let picture = &again.video.picture;
    assert_eq!((picture.codec.as_str(), picture.rotation, picture.width, picture.height), ("h264", 0, 240, 320));
    assert!((1990..=2050).contains(&again.video.duration_ms), "{} ms", again.video.duration_ms);
    assert!(again.playable.is_none(), "it plays as it is");
    // The stored picture's lower left corner, blue, is the upper left one now.
    let pixel = &again.poster.pixels[(again.poster.width as usize * 30 + 30) * 3..][..3];
    assert!(pixel[2] > 150 && pixel[0] < 100 && pixel[1] < 100, "{pixel:?}");
}

#[test]
fn high_dynamic_range_becomes_an_ordinary_one() {
    let transfer = TransferCharacteristic::SMPTE2084;
    let film = Film { encoder: "prores_ks", transfer, frames: 6, rotation: 90, ..Film::default() };
    let shown = look(&film.bytes(), Format::Mov, When::Required);
    let poster = shown.poster.clone();
    let made = rendition(shown);
    let again = look(&made.bytes, Format::Mp4, When::Required);
    assert_eq!((again.video.picture.hdr, again.video.picture.bits), (None, 8));
    // The same colours as the poster frame of the original.
    for (x, y) in [(40, 30), (200, 30), (40, 290), (200, 290)] {
        let at = (y * 240 + x) * 3;
        for (was, is) in poster.pixels[at..at + 3].iter().zip(&again.poster.pixels[at..at + 3]) {
            assert!(
                was.abs_diff(*is) < 24,
                "({x}, {y}): {:?} {:?}",
                &poster.pixels[at..at + 3],
                &again.poster.pixels[at..at + 3]
            );
        }
    }
}

#[test]
fn what_is_right_inside_is_copied() {
    let h264 = rendition(look(&Film::default().bytes(), Format::Mov, When::Required)).bytes;
    assert!(look(&h264, Format::Mp4, When::Optimal).playable.is_none());
    let made = rendition(look(&h264, Format::Mov, When::Required));
    assert_eq!(made.how, "remuxed");
    assert!(starts_fast(&made.bytes));
    let (before, after) = (look(&h264, Format::Mp4, When::Never), look(&made.bytes, Format::Mp4, When::Never));
    assert_eq!(before.poster, after.poster);
    assert_eq!(before.video.duration_ms, after.video.duration_ms);
}

#[test]
fn nothing_is_made_where_nothing_is_wanted() {
    assert!(look(&Film::default().bytes(), Format::Mov, When::Never).playable.is_none());
}
