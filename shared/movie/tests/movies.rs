//! Videos of every kind that the tests can make, and what is seen of them.

use std::{
    fs::File,
    io::Write as _,
    time::{Duration, Instant},
};

use ffmpeg_next::util::color::TransferCharacteristic;
use photovault_domain::{Format, Hdr, Rendition, When};
use photovault_movie::{Picture, Shown, Unplayable, show};
use photovault_tests::film::Film;

/// Renditions have tests of their own.
const NEVER: Rendition = Rendition { when: When::Never, lines: 720, kbps: 4000 };

fn look(bytes: &[u8], format: Format) -> Result<Shown, Unplayable> {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.as_file().write_all(bytes).expect("room for it");
    show(File::open(file.path()).expect("it is there"), format, (NEVER, None), Instant::now() + Duration::from_secs(30))
}

fn shown(film: &Film, format: Format) -> Shown {
    look(&film.bytes(), format).unwrap_or_else(|error| panic!("{film:?}: {error}"))
}

fn place(bytes: &[u8], kind: [u8; 4]) -> usize {
    bytes.windows(4).position(|it| it == kind).expect("the film has this box")
}

fn refused(bytes: &[u8], format: Format) -> String {
    look(bytes, format).map_or_else(|error| error.reason, |_| panic!("{} bytes are shown", bytes.len()))
}

/// The colours of the four fields, from the upper left by rows.
fn fields(picture: &Picture) -> [char; 4] {
    let at = |x: u32, y: u32| {
        let at = ((picture.height * y / 8) * picture.width + picture.width * x / 8) as usize * 3;
        match picture.pixels[at..at + 3] {
            [r, g, b] if r > 150 && g > 150 && b > 150 => 'w',
            [r, g, b] if r > g && r > b => 'r',
            [r, g, b] if g > r && g > b => 'g',
            _ => 'b',
        }
    };
    // The bar moves: it hides a corner's middle at times, and not its border.
    [at(1, 1), at(7, 1), at(1, 7), at(7, 7)]
}

#[test]
fn every_container_is_read() {
    for (container, format, name) in [
        ("mov", Format::Mov, "mov"),
        ("mp4", Format::Mp4, "mov"),
        ("matroska", Format::Mkv, "matroska"),
        ("avi", Format::Avi, "avi"),
        ("mpegts", Format::Ts, "mpegts"),
    ] {
        let it = shown(&Film { container, ..Film::default() }, format);
        assert_eq!((it.video.container.as_str(), it.video.picture.codec.as_str()), (name, "mpeg4"));
        assert_eq!((it.video.picture.width, it.video.picture.height), (320, 240), "{container}");
        assert!((1900..=2100).contains(&it.video.duration_ms), "{container}: {} ms", it.video.duration_ms);
        assert!(
            it.video.picture.frame_rate.is_some_and(|rate| (24.9..25.1).contains(&rate)),
            "{container}: {:?}",
            it.video.picture
        );
        assert!(!it.video.picture.is_variable, "{container}");
        assert_eq!(fields(&it.poster), ['r', 'g', 'b', 'w'], "{container}");
    }
}

#[test]
fn a_stream_with_one_key_frame_is_begun_at_it() {
    // The key frame is black, so frames behind it are looked at, and none of them is complete without it.
    let film = Film { container: "mpegts", every: 250, black: 1, reordered: 2, ..Film::default() };
    assert_eq!(fields(&shown(&film, Format::Ts).poster), ['r', 'g', 'b', 'w']);
}

#[test]
fn a_turned_video_is_upright() {
    for (rotation, size, want) in [
        (0, (320, 240), ['r', 'g', 'b', 'w']),
        (90, (240, 320), ['b', 'r', 'w', 'g']),
        (180, (320, 240), ['w', 'b', 'g', 'r']),
        (270, (240, 320), ['g', 'w', 'r', 'b']),
    ] {
        let it = shown(&Film { rotation, ..Film::default() }, Format::Mov);
        let picture = &it.video.picture;
        assert_eq!((picture.rotation, picture.width, picture.height), (rotation, size.0, size.1));
        assert_eq!((it.poster.width, it.poster.height), size);
        assert_eq!(fields(&it.poster), want, "{rotation}");
    }
}

#[test]
fn a_video_that_begins_black_has_a_poster_that_is_not() {
    // One key frame only: what is not black can be reached through what is black.
    for every in [12, 500] {
        let it = shown(&Film { frames: 100, black: 60, every, ..Film::default() }, Format::Mov);
        assert!(it.video.poster_ms >= 2400, "{} ms", it.video.poster_ms);
        assert_eq!(fields(&it.poster), ['r', 'g', 'b', 'w']);
        assert!(it.notes.is_empty());
    }
    let black = shown(&Film { black: 50, ..Film::default() }, Format::Mov);
    assert!(black.notes[0].contains("black"), "{:?}", black.notes);
}

#[test]
fn high_dynamic_range_is_neither_washed_out_nor_dark() {
    let luminance = |picture: &Picture| {
        let mut all: Vec<u8> = picture.pixels.chunks_exact(3).map(|pixel| pixel[1]).collect();
        all.sort_unstable();
        (all[all.len() / 50], all[all.len() - all.len() / 50])
    };
    for (transfer, hdr) in [(TransferCharacteristic::SMPTE2084, Hdr::Pq), (TransferCharacteristic::ARIB_STD_B67, Hdr::Hlg)] {
        let film = Film { encoder: "prores_ks", transfer, frames: 4, ..Film::default() };
        let it = shown(&film, Format::Mov);
        assert_eq!((it.video.picture.hdr, it.video.picture.bits), (Some(hdr), 10));
        assert_eq!(fields(&it.poster), ['r', 'g', 'b', 'w']);
        let (dark, bright) = luminance(&it.poster);
        assert!(dark < 60 && bright > 215, "{hdr:?}: from {dark} to {bright}");
    }
}

#[test]
fn tags_are_facts() {
    let tags = vec![
        ("com.apple.quicktime.creationdate", "2024-05-01T12:30:00+0200"),
        ("com.apple.quicktime.location.ISO6709", "+48.8577+002.2950+035.000/"),
        ("com.apple.quicktime.make", "Apple"),
        ("com.apple.quicktime.model", "iPhone 15"),
        ("com.apple.quicktime.content.identifier", "6F9619FF-8B86-D011-B42D-00C04FC964FF"),
    ];
    let it = shown(&Film { tags, ..Film::default() }, Format::Mov);
    let captured = it.facts.captured.expect("it says when");
    assert_eq!((captured.local.as_str(), captured.offset.as_deref()), ("2024-05-01T12:30:00", Some("+02:00")));
    let place = it.facts.position.expect("it says where");
    assert!((place.latitude - 48.8577).abs() < 1e-4 && place.altitude_m == Some(35.0), "{place:?}");
    assert_eq!(it.facts.camera.and_then(|camera| camera.model).as_deref(), Some("iPhone 15"));
    assert_eq!(it.video.content_identifier.as_deref(), Some("6F9619FF-8B86-D011-B42D-00C04FC964FF"));
}

#[test]
fn what_cannot_be_shown_says_why() {
    let film = Film::default().bytes();
    for (bytes, format, words) in [
        (&film[..], Format::Avi, "container is not what its first bytes say"),
        (b"no video at all", Format::Mp4, "damaged"),
        (&film[..film.len() / 2], Format::Mov, "damaged"),
    ] {
        let reason = refused(bytes, format);
        assert!(reason.contains(words) && reason.len() > 30, "{reason}");
    }
    // The index is there, and nothing behind it.
    let (data, index) = (place(&film, *b"mdat") + 4, place(&film, *b"moov") - 4);
    let mut emptied = film.clone();
    emptied[data..index].fill(0);
    let reason = refused(&emptied, Format::Mov);
    assert!(reason.contains("nothing in it says how large its picture is"), "{reason}");
    let large = Film { width: 8000, height: 4600, frames: 1, ..Film::default() }.bytes();
    let reason = refused(&large, Format::Mov);
    assert!(reason.contains("36800000 pixels; the limit for a video is 36000000"), "{reason}");
}

#[test]
fn a_deadline_ends_it() {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.as_file().write_all(&Film::default().bytes()).expect("room for it");
    let shown = show(File::open(file.path()).unwrap(), Format::Mov, (NEVER, None), Instant::now());
    let error = shown.map(|shown| shown.notes).expect_err("no time is left");
    assert!(error.reason.contains("too long"), "{error}");
}
