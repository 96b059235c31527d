//! A copy for browsers that was made in segments: as long, as many frames and as unbroken a sound as if it had been made in one go.

use std::{
    fs::File,
    io::Write as _,
    path::Path,
    time::{Duration, Instant},
};

use ffmpeg_next::{Packet, codec, format, frame, media};
use photovault_domain::{Format, Rendition, Video, When};
use photovault_movie::{Part, Span, cut, join, segment, show};
use photovault_tests::film::Film;

const POLICY: Rendition = Rendition { when: When::Required, lines: 240, kbps: 1000 };

struct Case {
    file: tempfile::NamedTempFile,
    format: Format,
    video: Video,
}

fn soon() -> Instant {
    Instant::now() + Duration::from_mins(1)
}

impl Case {
    fn of(made: &Film, format: Format) -> Self {
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
        file.write_all(&made.bytes()).expect("room for it");
        let video = show(File::open(file.path()).unwrap(), format, (POLICY, Some(0)), soon()).expect("it is sound").video;
        Self { file, format, video }
    }

    fn opened(&self) -> File {
        File::open(self.file.path()).expect("it is there")
    }

    fn spans(&self, seconds: u32) -> Vec<Span> {
        cut(self.opened(), (self.format, &self.video), POLICY, seconds, soon()).expect("it is read").expect("it is encoded").spans
    }

    /// The copy, made in segments, and how many frames it is said to have.
    fn joined(&self, spans: &[Span]) -> (tempfile::NamedTempFile, u64) {
        let (mut all, mut parts) = (tempfile::tempfile().expect("a temporary file"), Vec::new());
        let mut at = 0;
        for span in spans {
            let made = segment(self.opened(), (self.format, &self.video), POLICY, *span, soon()).expect("it is made");
            all.write_all(&made.bytes).expect("room for it");
            parts.push(Part { at, bytes: made.bytes.len() as u64, from: span.from });
            at += made.bytes.len() as u64;
        }
        let output = tempfile::NamedTempFile::new().expect("a temporary file");
        let written = output.reopen().expect("it is there");
        let joined = join(self.opened(), (self.format, &self.video), (&parts, &all), written, soon()).expect("they fit");
        (output, joined.frames)
    }
}

/// Seconds at which pictures are shown with their brightness, rows without a gap, and the samples of the sound.
fn decoded(path: &Path) -> (Vec<(f64, Vec<u8>)>, Vec<f32>) {
    let mut input = format::input(path).expect("it opens");
    let of = |kind| {
        let stream = input.streams().best(kind)?;
        let decoder = codec::context::Context::from_parameters(stream.parameters()).ok()?.decoder();
        Some((stream.index(), f64::from(stream.time_base()), decoder))
    };
    let (picture, unit, decoder) = of(media::Type::Video).expect("it has pictures");
    let mut pictures = decoder.video().expect("they can be decoded");
    let mut sound = of(media::Type::Audio).map(|(index, _, decoder)| (index, decoder.audio().expect("it can be decoded")));
    let (mut shown, mut samples) = (Vec::new(), Vec::new());
    let mut packet = Packet::empty();
    loop {
        let is_over = packet.read(&mut input).is_err();
        if is_over || packet.stream() == picture {
            let _ = if is_over { pictures.send_eof() } else { pictures.send_packet(&packet) };
            let mut frame = frame::Video::empty();
            while pictures.receive_frame(&mut frame).is_ok() {
                let rows = frame.data(0).chunks(frame.stride(0)).take(frame.height() as usize);
                let brightness = rows.flat_map(|row| &row[..frame.width() as usize]).copied().collect();
                shown.push((frame.timestamp().expect("it has a time") as f64 * unit, brightness));
            }
        }
        if let Some((index, sound)) = &mut sound
            && (is_over || packet.stream() == *index)
        {
            let _ = if is_over { sound.send_eof() } else { sound.send_packet(&packet) };
            let mut frame = frame::Audio::empty();
            while sound.receive_frame(&mut frame).is_ok() {
                samples.extend_from_slice(frame.plane::<f32>(0));
            }
        }
        if is_over {
            return (shown, samples);
        }
    }
}

#[test]
fn joined_segments_are_as_one_piece() {
    for (container, format) in [("mov", Format::Mov), ("matroska", Format::Mkv), ("mpegts", Format::Ts)] {
        let film = Film {
            container,
            frames: 150,
            tone: container != "mpegts",
            rotation: if container == "mov" { 90 } else { 0 },
            ..Film::default()
        };
        let case = Case::of(&film, format);
        let spans = case.spans(1);
        assert!((4..=6).contains(&spans.len()), "{container}: {spans:?}");
        let (copy, frames) = case.joined(&spans);
        let (shown, samples) = decoded(copy.path());
        assert_eq!((frames, shown.len()), (150, 150), "{container}");
        for (number, (at, _)) in shown.iter().enumerate() {
            assert!((at - number as f64 / 25.0).abs() < 0.002, "{container}: frame {number} at {at} s");
        }
        let bytes = std::fs::read(copy.path()).unwrap();
        let place = |kind: &[u8]| bytes.windows(4).position(|it| it == kind);
        assert!(place(b"moov") < place(b"mdat"), "{container}: the index is in front");
        let again = show(File::open(copy.path()).unwrap(), Format::Mp4, (POLICY, None), soon()).expect("it is sound");
        assert!(again.playable.is_none(), "{container}: it plays as it is");
        assert_eq!((again.video.picture.codec.as_str(), again.video.picture.rotation), ("h264", 0));
        if film.tone {
            is_unbroken(&samples, container);
        }
    }
}

/// A tone of 440 Hz for six seconds: every hundredth of a second is as loud as the others, but where the encoder begins and ends.
fn is_unbroken(samples: &[f32], container: &str) {
    let seconds = samples.len() as f64 / 48_000.0;
    assert!((5.95..=6.1).contains(&seconds), "{container}: {seconds} s of sound");
    let loud = |piece: &[f32]| (piece.iter().map(|it| it * it).sum::<f32>() / piece.len() as f32).sqrt();
    let pieces: Vec<f32> = samples[4800..5 * 48_000 + 40_000].chunks(480).map(loud).collect();
    let mean = pieces.iter().sum::<f32>() / pieces.len() as f32;
    assert!(mean > 0.2, "{container}: it is heard: {mean}");
    for (number, piece) in pieces.iter().enumerate() {
        assert!((piece / mean - 1.0).abs() < 0.1, "{container}: {} ms: {piece} of {mean}", 100 + number * 10);
    }
}

#[test]
fn segments_do_not_depend_on_each_other() {
    let case = Case::of(&Film { frames: 100, ..Film::default() }, Format::Mov);
    let spans = case.spans(1);
    let make = |span: &Span| segment(case.opened(), (case.format, &case.video), POLICY, *span, soon()).expect("it is made");
    // Pictures and not bytes: on some processors libx264 does not write the same bytes twice, whatever it is given.
    let pictures = || {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().write_all(&make(&spans[1]).bytes).unwrap();
        decoded(file.path()).0
    };
    for ((at, first), (at_again, again)) in pictures().iter().zip(&pictures()) {
        let apart: u64 = first.iter().zip(again).map(|(one, other)| u64::from(one.abs_diff(*other))).sum();
        assert!((at - at_again).abs() < 1e-9 && apart < first.len() as u64, "the frame at {at} s is {apart} apart");
    }
    let frames: u32 = spans.iter().map(|span| make(span).frames).sum();
    assert_eq!(frames, 100);
}

#[test]
fn a_video_that_needs_no_copy_is_not_cut() {
    let case = Case::of(&Film { frames: 30, ..Film::default() }, Format::Mov);
    let (copy, _) = case.joined(&case.spans(1));
    let video = show(File::open(copy.path()).unwrap(), Format::Mp4, (POLICY, Some(0)), soon()).expect("it is sound").video;
    assert_eq!(video.work_s, 0);
    assert_eq!(cut(File::open(copy.path()).unwrap(), (Format::Mp4, &video), POLICY, 1, soon()), Ok(None));
}

#[test]
fn what_is_too_much_is_left_to_the_worker() {
    let film = Film { frames: 50, ..Film::default() };
    let left = Case::of(&film, Format::Mov).video;
    assert!(left.work_s > 0);
    let stored = tempfile::NamedTempFile::new().unwrap();
    stored.as_file().write_all(&film.bytes()).unwrap();
    for most_work_s in [None, Some(600)] {
        let shown = show(File::open(stored.path()).unwrap(), Format::Mov, (POLICY, most_work_s), soon()).expect("it is sound");
        assert!(shown.playable.is_some() && shown.video.work_s == 0, "{most_work_s:?}");
    }
}
