//! How long an AVI video says that it is: frames times the time of one (Microsoft, "AVI RIFF File Reference"; the frames of
//! files past 1 GB stand in the header of "OpenDML AVI File Format Extensions", 1.02).

use std::io::{Read, Seek};

use super::{Damage, Source, u32_le, within};
use photovault_domain::limits::{MAX_DURATION_S, MAX_PARTS};

/// Where the first chunk lies: behind `RIFF`, a size and `AVI `.
const FIRST_CHUNK: u64 = 12;

/// Where the body of a chunk or list begins and ends.
type Place = (u64, u64);

/// Holds the duration against its limit, where the head states one.
pub(crate) fn check<R: Read + Seek>(source: &mut Source<R>) -> Result<(), Damage> {
    within(duration_s(source)?.unwrap_or(0), MAX_DURATION_S, "seconds")
}

fn duration_s<R: Read + Seek>(source: &mut Source<R>) -> Result<Option<u64>, Damage> {
    let Some(headers) = chunk(source, (FIRST_CHUNK, u64::MAX), *b"hdrl")? else { return Ok(None) };
    let Some((main, _)) = chunk(source, headers, *b"avih")? else { return Ok(None) };
    let header = source.up_to(main, 20)?;
    let (Some(frame_us), Some(mut frames)) = (u32_le(header, 0), u32_le(header, 16)) else { return Ok(None) };
    if let Some(extended) = chunk(source, headers, *b"odml")?
        && let Some((at, _)) = chunk(source, extended, *b"dmlh")?
    {
        frames = frames.max(u32_le(source.up_to(at, 4)?, 0).unwrap_or(0));
    }
    Ok(Some(u64::from(frames) * u64::from(frame_us) / 1_000_000))
}

/// The first chunk or list of this kind inside another one.
fn chunk<R: Read + Seek>(source: &mut Source<R>, (mut at, end): Place, kind: [u8; 4]) -> Result<Option<Place>, Damage> {
    for _ in 0..MAX_PARTS {
        let head = source.up_to(at, 12)?;
        let (Some(name), Some(size)) = (head.get(..4), u32_le(head, 4).map(u64::from)) else { return Ok(None) };
        let is_list = name == b"LIST";
        let found = if is_list { head.get(8..12) } else { Some(name) };
        if at >= end {
            return Ok(None);
        }
        if found == Some(&kind) {
            return Ok(Some((at + if is_list { 12 } else { 8 }, at + 8 + size)));
        }
        // Chunks begin at even places.
        at += 8 + size + (size & 1);
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(kind: [u8; 4], body: &[u8]) -> Vec<u8> {
        [&kind[..], &(body.len() as u32).to_le_bytes(), body, &[0][..body.len() % 2]].concat()
    }

    fn list(kind: [u8; 4], parts: &[Vec<u8>]) -> Vec<u8> {
        chunk(*b"LIST", &[&kind[..], &parts.concat()].concat())
    }

    fn video(headers: &[Vec<u8>]) -> Vec<u8> {
        chunk(*b"RIFF", &[&b"AVI "[..], &chunk(*b"JUNK", b"odd"), &list(*b"hdrl", headers)].concat())
    }

    fn avih(frame_us: u32, frames: u32) -> Vec<u8> {
        chunk(*b"avih", &[&frame_us.to_le_bytes()[..], &[0; 12], &frames.to_le_bytes(), &[0; 36]].concat())
    }

    #[test]
    fn the_head_tells_the_duration() {
        let stream = || list(*b"strl", &[chunk(*b"strh", &[0; 56])]);
        let extended = |frames: u32| list(*b"odml", &[chunk(*b"dmlh", &frames.to_le_bytes())]);
        for (bytes, seconds) in [
            (video(&[avih(40_000, 2_500), stream()]), Some(100)),
            (video(&[stream(), avih(40_000, 2_500), stream(), extended(25_000)]), Some(1_000)),
            (video(&[avih(0, 2_500)]), Some(0)),
            (video(&[avih(u32::MAX, u32::MAX)]), Some(18_446_744_065_119)),
            (video(&[stream()]), None),
            (video(&[chunk(*b"avih", &[1; 12])]), None),
            (b"RIFF\x04\0\0\0AVI ".to_vec(), None),
        ] {
            assert_eq!(duration_s(&mut Source::of_bytes(&bytes)), Ok(seconds));
        }
        let too_long = video(&[avih(1_000_000, 7), extended(86_401)]);
        let refused = check(&mut Source::of_bytes(&too_long)).unwrap_err();
        assert_eq!(refused, Damage::Exceeds("has 86401 seconds; the limit is 86400".to_owned()));
        for length in 0..too_long.len() {
            let _ = check(&mut Source::of_bytes(&too_long[..length]));
        }
    }
}
