//! What a video is, from its headers and its first packets.

use ffmpeg_next::{
    Packet, Rational, Stream, codec::packet::side_data, format::context::Input, format::stream::Disposition, media,
};
use photovault_domain::{
    Facts, Format, Hdr, MovingPicture, Sound, Video,
    limits::{MAX_DURATION_S, MAX_VIDEO_PIXELS},
};

use crate::{Unplayable, raw, tags, turn::Turn};

/// Packets of the pictures whose times are compared.
const TIMED_PACKETS: usize = 120;
/// Packets that are read for them at most, those of other streams included.
const MAX_PACKETS_READ: usize = 1200;
/// Frames a second that a header may claim: slow motion is filmed with up to 480 and 960 on phones, and stored at less.
const MAX_RATE: f64 = 480.0;
/// How much further apart than the average frames are where their times are uneven.
const UNEVEN: f64 = 1.25;

/// Reads the headers. Afterwards the input stands somewhere behind its beginning.
pub(crate) fn probe(input: &mut Input, format: Format) -> Result<(Video, Facts), Unplayable> {
    let duration_ms = duration_ms(input);
    let seconds = duration_ms / 1000;
    if seconds > MAX_DURATION_S {
        return Err(Unplayable::new(format!("This video has {seconds} seconds; the limit is {MAX_DURATION_S}.")));
    }
    let stream = picture_stream(input).ok_or_else(|| Unplayable::new("This file has no moving picture."))?;
    let picture = picture(input, &stream)?;
    let (index, time_base) = (stream.index(), stream.time_base());
    let sound = input.streams().best(media::Type::Audio).map(|stream| sound(&stream));
    let facts = tags::facts(&input.metadata());
    let mut video = Video {
        container: container(input, format),
        duration_ms,
        picture,
        sound: sound.filter(|sound| sound.channels > 0),
        content_identifier: tags::content_identifier(&input.metadata()),
        ..Video::default()
    };
    let times = packet_times(input, index, time_base);
    // In the others, times have the clock of the transport.
    let is_timed = matches!(format, Format::Mp4 | Format::Mov | Format::Mkv | Format::Webm);
    video.picture.is_variable = is_timed && is_uneven(&times);
    // Where a header has no rate, FFmpeg takes the unit of time for it.
    if video.picture.frame_rate.is_none_or(|rate| rate > MAX_RATE) {
        video.picture.frame_rate = rate(&times);
    }
    Ok((video, facts))
}

/// The stream of pictures; a cover of an audio file is none.
pub(crate) fn picture_stream(input: &Input) -> Option<Stream<'_>> {
    let best = input.streams().best(media::Type::Video)?;
    (!best.disposition().contains(Disposition::ATTACHED_PIC)).then_some(best)
}

/// Where the file begins, in microseconds.
pub(crate) fn start_us(input: &Input) -> i64 {
    // AV_NOPTS_VALUE where it is not known.
    Some(raw::start_time(input)).filter(|start| *start != i64::MIN).unwrap_or(0)
}

fn container(input: &Input, format: Format) -> String {
    let name = input.format().name().to_owned();
    // FFmpeg calls one demuxer by all of its formats.
    name.split(',').next().map_or_else(|| format!("{format:?}").to_lowercase(), str::to_owned)
}

fn duration_ms(input: &Input) -> u64 {
    // All bits set is how an index says that it does not know; FFmpeg takes it for a number.
    if input.streams().any(|stream| stream.duration() >= i64::from(u32::MAX) - 1) {
        return 0;
    }
    // Microseconds; negative where it is not known.
    let whole = u64::try_from(input.duration()).unwrap_or(0) / 1000;
    let of_stream = |stream: Stream| (stream.duration().max(0) as f64 * f64::from(stream.time_base()) * 1000.0) as u64;
    if whole > 0 { whole } else { picture_stream(input).map_or(0, of_stream) }
}

fn picture(input: &Input, stream: &Stream) -> Result<MovingPicture, Unplayable> {
    let parameters = raw::parameters(stream);
    let (Ok(coded_width), Ok(coded_height)) = (u32::try_from(parameters.width), u32::try_from(parameters.height)) else {
        return Err(Unplayable::new("This video is damaged: its picture has a negative size."));
    };
    let pixels = u64::from(coded_width) * u64::from(coded_height);
    if pixels == 0 {
        return Err(Unplayable::new("This video cannot be shown: nothing in it says how large its picture is."));
    }
    if pixels > MAX_VIDEO_PIXELS {
        let reason = format!(
            "This video's picture is {coded_width} × {coded_height} = {pixels} pixels; the limit for a video is {MAX_VIDEO_PIXELS}."
        );
        return Err(Unplayable::new(reason));
    }
    let turn = Turn::of(stream);
    let (width, height) = turn.size(square((coded_width, coded_height), parameters.sample_aspect));
    let rate = f64::from(stream.avg_frame_rate());
    let bit_rate = if parameters.bit_rate > 0 { parameters.bit_rate } else { input.bit_rate() };
    let dolby_vision = stream.side_data().find(|data| data.kind() == side_data::Type::DOVI_CONF);
    Ok(MovingPicture {
        codec: raw::codec_name(stream),
        profile: parameters.profile,
        coded_width,
        coded_height,
        width,
        height,
        rotation: turn.degrees,
        mirrored: turn.mirrored,
        frame_rate: (rate.is_finite() && rate > 0.0).then(|| (rate * 1000.0).round() / 1000.0),
        is_variable: false,
        bits: u8::try_from(parameters.bits).unwrap_or(0),
        hdr: hdr(parameters.transfer),
        // Version, version, profile (Dolby Vision streams within ISO base media files, 2.2).
        dolby_vision: dolby_vision.and_then(|data| data.data().get(2).copied()),
        bit_rate: u64::try_from(bit_rate).ok().filter(|rate| *rate > 0),
    })
}

/// By the number of the transfer characteristic in ITU-T H.273.
pub(crate) const fn hdr(transfer: u32) -> Option<Hdr> {
    match transfer {
        16 => Some(Hdr::Pq),
        18 => Some(Hdr::Hlg),
        _ => None,
    }
}

/// The size with square pixels: the picture is stretched, not cut.
fn square((width, height): (u32, u32), aspect: Rational) -> (u32, u32) {
    let (across, down) = (f64::from(aspect.numerator()), f64::from(aspect.denominator()));
    let ratio = across / down;
    if across <= 0.0 || down <= 0.0 || !(0.1..=10.0).contains(&ratio) {
        return (width, height);
    }
    let stretched = |length: u32, ratio: f64| (f64::from(length) * ratio).round().max(1.0) as u32;
    if ratio >= 1.0 { (stretched(width, ratio), height) } else { (width, stretched(height, 1.0 / ratio)) }
}

fn sound(stream: &Stream) -> Sound {
    let parameters = raw::parameters(stream);
    Sound {
        codec: raw::codec_name(stream),
        channels: u16::try_from(parameters.channels).unwrap_or(0),
        sample_rate: u32::try_from(parameters.sample_rate).unwrap_or(0),
    }
}

/// Seconds at which the first pictures are decoded.
fn packet_times(input: &mut Input, index: usize, time_base: Rational) -> Vec<f64> {
    let mut times = Vec::with_capacity(TIMED_PACKETS);
    let mut packet = Packet::empty();
    for _ in 0..MAX_PACKETS_READ {
        if times.len() == TIMED_PACKETS || packet.read(input).is_err() {
            break;
        }
        if packet.stream() == index {
            times.extend(packet.pts().map(|at| at as f64 * f64::from(time_base)));
        }
    }
    // Shown in another order than decoded; the last ones may lack those that come between.
    times.sort_by(f64::total_cmp);
    times.truncate(times.len().saturating_sub(4));
    times
}

/// Frames a second, where there are enough to tell.
fn rate(times: &[f64]) -> Option<f64> {
    let (first, last) = (times.first()?, times.last()?);
    let rate = (times.len() - 1) as f64 / (last - first);
    (rate.is_finite() && rate > 0.0).then(|| (rate * 1000.0).round() / 1000.0)
}

fn is_uneven(times: &[f64]) -> bool {
    let steps: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).filter(|step| *step > 0.0).collect();
    if steps.len() < 4 {
        return false;
    }
    let mean = steps.iter().sum::<f64>() / steps.len() as f64;
    // A millisecond is the clock of Matroska.
    steps.iter().any(|step| *step > mean * UNEVEN && step - mean > 0.002)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_become_square() {
        for (aspect, want) in [
            (Rational(1, 1), (720, 576)),
            (Rational(0, 1), (720, 576)),
            (Rational(16, 11), (1047, 576)),
            (Rational(8, 9), (720, 648)),
            (Rational(1, 0), (720, 576)),
            (Rational(1000, 1), (720, 576)),
        ] {
            assert_eq!(square((720, 576), aspect), want, "{aspect:?}");
        }
    }

    #[test]
    fn uneven_times_are_told_from_a_coarse_clock() {
        let at = |step: f64| (0..20).map(|n| f64::from(n) * step).collect::<Vec<_>>();
        assert!(!is_uneven(&at(1.0 / 30.0)));
        let coarse: Vec<f64> = at(1.0 / 29.97).iter().map(|at| (at * 1000.0).round() / 1000.0).collect();
        assert!(!is_uneven(&coarse));
        let mut late = at(1.0 / 30.0);
        late.iter_mut().skip(10).for_each(|at| *at += 1.0 / 30.0);
        assert!(is_uneven(&late), "a frame is missing");
        assert!(!is_uneven(&[0.0, 1.0]));
    }
}
