//! How long a Matroska or WebM video says that it is (RFC 9559; elements as in RFC 8794). Of the file only its head is read:
//! what stands behind the first pictures is not looked for.

use std::io::{Read, Seek};

use super::{Damage, Source, within};
use photovault_domain::limits::{MAX_DURATION_S, MAX_PARTS};

const SEGMENT: u32 = 0x1853_8067;
const INFO: u32 = 0x1549_A966;
const TIMESTAMP_SCALE: u32 = 0x2A_D7B1;
const DURATION: u32 = 0x4489;
/// Pictures and sound: every header stands before them.
const CLUSTER: u32 = 0x1F43_B675;
/// Nanoseconds of one tick where the file does not say (RFC 9559, 5.1.2.9).
const DEFAULT_SCALE_NS: u64 = 1_000_000;

/// An element's place.
#[derive(Clone, Copy, Debug)]
struct Element {
    id: u32,
    body_at: u64,
    /// Behind the element; far away where its size is unknown, as in a live stream.
    end: u64,
}

/// Holds the duration against its limit, where the head states one.
pub(crate) fn check<R: Read + Seek>(source: &mut Source<R>) -> Result<(), Damage> {
    within(duration_s(source)?.unwrap_or(0), MAX_DURATION_S, "seconds")
}

fn duration_s<R: Read + Seek>(source: &mut Source<R>) -> Result<Option<u64>, Damage> {
    let whole = Element { id: 0, body_at: 0, end: u64::MAX };
    let Some(segment) = child(source, whole, SEGMENT)? else { return Ok(None) };
    let Some(info) = child(source, segment, INFO)? else { return Ok(None) };
    let Some(duration) = child(source, info, DURATION)? else { return Ok(None) };
    let ticks = match body(source, duration)? {
        bytes if bytes.len() == 4 => f64::from(f32::from_bits(number(bytes) as u32)),
        bytes if bytes.len() == 8 => f64::from_bits(number(bytes)),
        _ => return Ok(None),
    };
    let scale_ns = match child(source, info, TIMESTAMP_SCALE)? {
        Some(scale) => number(body(source, scale)?),
        None => DEFAULT_SCALE_NS,
    };
    // What is no number becomes 0, and infinity the largest number.
    Ok(Some((ticks * scale_ns as f64 / 1e9) as u64))
}

/// The first element of this kind inside another one.
fn child<R: Read + Seek>(source: &mut Source<R>, parent: Element, id: u32) -> Result<Option<Element>, Damage> {
    let mut at = parent.body_at;
    for _ in 0..MAX_PARTS {
        if at >= parent.end {
            break;
        }
        let Some(found) = element(source, at)?.filter(|found| found.id != CLUSTER) else { break };
        if found.id == id {
            return Ok(Some(found));
        }
        at = found.end;
    }
    Ok(None)
}

/// The element at `at`: an id of one to four bytes, a size of one to eight (RFC 8794, 4 to 6).
fn element<R: Read + Seek>(source: &mut Source<R>, at: u64) -> Result<Option<Element>, Damage> {
    let head = source.up_to(at, 12)?;
    let Some(id) = head.first().and_then(|first| head.get(..first.leading_zeros() as usize + 1)).filter(|id| id.len() <= 4)
    else {
        return Ok(None);
    };
    let rest = &head[id.len()..];
    let Some(size) = rest.first().and_then(|first| rest.get(..first.leading_zeros() as usize + 1)).filter(|it| it.len() <= 8)
    else {
        return Ok(None);
    };
    let mask = (1 << (7 * size.len())) - 1;
    let size_bytes = Some(number(size) & mask).filter(|size| *size != mask).unwrap_or(u64::MAX);
    let body_at = at + (id.len() + size.len()) as u64;
    Ok(Some(Element { id: number(id) as u32, body_at, end: body_at.saturating_add(size_bytes) }))
}

/// The bytes of a number; what is longer than one has none.
fn body<R: Read + Seek>(source: &mut Source<R>, element: Element) -> Result<&[u8], Damage> {
    let length = element.end - element.body_at;
    if length > 8 { Ok(&[]) } else { source.up_to(element.body_at, length as usize) }
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(id: &[u8], body: &[u8]) -> Vec<u8> {
        [id, &[0x01], &(body.len() as u64).to_be_bytes()[1..], body].concat()
    }

    /// The header, then a segment with these parts; its size is unknown.
    fn video(parts: &[Vec<u8>]) -> Vec<u8> {
        let header = element(b"\x1A\x45\xDF\xA3", &element(b"\x42\x82", b"matroska"));
        [&header, &b"\x18\x53\x80\x67\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF"[..], &parts.concat()].concat()
    }

    fn info(parts: &[Vec<u8>]) -> Vec<u8> {
        element(b"\x15\x49\xA9\x66", &parts.concat())
    }

    #[test]
    fn the_head_tells_the_duration() {
        let void = || element(b"\xEC", &[0; 90]);
        let scale = |scale_ns: u32| element(b"\x2A\xD7\xB1", &scale_ns.to_be_bytes());
        let long = |ticks: f64| element(b"\x44\x89", &ticks.to_be_bytes());
        let cluster = || element(b"\x1F\x43\xB6\x75", b"pictures");
        for (bytes, seconds) in [
            (video(&[info(&[scale(1_000_000), long(90_500.0)])]), Some(90)),
            (video(&[void(), info(&[void(), long(90_500.0), void()]), cluster()]), Some(90)),
            (video(&[info(&[scale(1_000_000_000), element(b"\x44\x89", &7.5_f32.to_be_bytes())])]), Some(7)),
            (video(&[info(&[long(f64::NAN)])]), Some(0)),
            (video(&[info(&[long(-5.0)])]), Some(0)),
            (video(&[info(&[long(f64::INFINITY)])]), Some(u64::MAX)),
            (video(&[info(&[element(b"\x44\x89", &[1; 3])])]), None),
            (video(&[info(&[scale(1)])]), None),
            (video(&[cluster(), info(&[long(1.0)])]), None),
            (video(&[]), None),
            (b"\x1A\x45\xDF\xA3\0".to_vec(), None),
        ] {
            assert_eq!(duration_s(&mut Source::of_bytes(&bytes)), Ok(seconds));
        }
        let too_long = video(&[info(&[long(86_401_000.0)])]);
        let refused = check(&mut Source::of_bytes(&too_long)).unwrap_err();
        assert_eq!(refused, Damage::Exceeds("has 86401 seconds; the limit is 86400".to_owned()));
        for length in 0..too_long.len() {
            let _ = check(&mut Source::of_bytes(&too_long[..length]));
        }
    }
}
