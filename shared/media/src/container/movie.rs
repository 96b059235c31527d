//! The index of an MP4 or `QuickTime` video, its `moov` box (ISO 14496-12, 8.2): whether it is there, and how much it holds.

use std::io::{Read, Seek};

use super::{Damage, Source, bmff, u32_be, within};
use photovault_domain::limits::{MAX_DURATION_S, MAX_INDEX_BYTES};

/// Holds the index against its limits.
pub(crate) fn check<R: Read + Seek>(source: &mut Source<R>) -> Result<(), Damage> {
    let Some((at, length)) = bmff::body_of(source, *b"moov")? else {
        return Err(Damage::new("it has no index of its pictures (no 'moov' box), as when a recording or a copy was cut off"));
    };
    within(length, MAX_INDEX_BYTES as u64, "bytes in its index")?;
    let index = source.up_to(at, length as usize)?;
    bmff::check_nesting(index)?;
    let header = bmff::children(index).find(|(kind, _)| kind == b"mvhd");
    if let Some(seconds) = header.and_then(|(_, body)| duration_s(body)) {
        within(seconds, MAX_DURATION_S, "seconds")?;
    }
    Ok(())
}

/// Whole seconds of `mvhd`; absent where it says "unknown" (all bits set) or has no time scale.
fn duration_s(mvhd: &[u8]) -> Option<u64> {
    let (scale, duration) = if mvhd.first() == Some(&0) {
        (u32_be(mvhd, 12)?, u32_be(mvhd, 16).filter(|duration| *duration != u32::MAX).map(u64::from)?)
    } else {
        let wide = u64::from_be_bytes(*mvhd.get(24..)?.first_chunk()?);
        (u32_be(mvhd, 20)?, Some(wide).filter(|duration| *duration != u64::MAX)?)
    };
    duration.checked_div(u64::from(scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(kind: [u8; 4], body: &[u8]) -> Vec<u8> {
        [&(body.len() as u32 + 8).to_be_bytes()[..], &kind, body].concat()
    }

    fn with_header(scale: u32, duration: u32) -> Vec<u8> {
        let mvhd = [&[0; 12][..], &scale.to_be_bytes(), &duration.to_be_bytes(), &[0; 80]].concat();
        boxed(*b"moov", &boxed(*b"mvhd", &mvhd))
    }

    #[test]
    fn the_index_is_held_against_its_limits() {
        let check = |bytes: &[u8]| check(&mut Source::of_bytes(bytes)).map_err(|damage| damage.words().to_owned());
        assert_eq!(check(&with_header(600, 600 * 60)), Ok(()));
        assert_eq!(check(&with_header(600, u32::MAX)), Ok(()));
        assert_eq!(check(&with_header(0, 7)), Ok(()));
        assert_eq!(check(&with_header(1, 90_000)), Err("has 90000 seconds; the limit is 86400".to_owned()));
        let nested = (0..20).fold(Vec::new(), |inner, _| boxed(*b"trak", &inner));
        assert!(check(&boxed(*b"moov", &nested)).unwrap_err().contains("nested; the limit is 16"));
        let wide = boxed(*b"moov", &boxed(*b"free", &[]).repeat(70_000));
        assert!(check(&wide).unwrap_err().contains("the limit is 65536"));
        assert!(check(&boxed(*b"mdat", &[])).unwrap_err().contains("moov"));
    }
}
