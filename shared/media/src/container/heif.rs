//! What the description of a HEIF file (its `meta` box, ISO 23008-12) asks of a decoder, held against the limits.

use std::io::{Read, Seek};

use super::{Damage, Source, bmff, u32_be, within};
use bmff::{Item, Numbers, children};
use photovault_domain::limits::{MAX_EXTENTS, MAX_ITEMS, MAX_PIXELS, MAX_SIDE, MAX_TILES};

/// Holds items, pieces, pictures and grids against their limits. `description` is the body of `meta`.
pub(crate) fn check<R: Read + Seek>(source: &mut Source<R>, description: &[u8]) -> Result<(), Damage> {
    let inside = description.get(4..).unwrap_or_default();
    bmff::check_nesting(inside)?;
    let child = |kind: &[u8; 4]| children(inside).find(|(found, _)| found == kind).map(|(_, body)| body);
    let iinf = child(b"iinf").unwrap_or_default();
    let items = if iinf.first() == Some(&0) { super::u16_be(iinf, 4).map(u32::from) } else { u32_be(iinf, 4) };
    within(items.unwrap_or(0), MAX_ITEMS, "items")?;
    for (kind, property) in
        child(b"iprp").into_iter().flat_map(children).filter(|(kind, _)| kind == b"ipco").flat_map(|(_, ipco)| children(ipco))
    {
        if let (b"ispe", Some(width), Some(height)) = (&kind, u32_be(property, 4), u32_be(property, 8)) {
            picture(width, height)?;
        }
    }
    let grids: Vec<u32> = bmff::items(iinf).filter(|item| item.kind == *b"grid").map(|item| item.id).collect();
    locations(source, child(b"iloc").unwrap_or_default(), child(b"idat").unwrap_or_default(), &grids)
}

fn picture(width: u32, height: u32) -> Result<(), Damage> {
    within(width.max(height), MAX_SIDE, "pixels on one side of a picture in it")?;
    within(u64::from(width) * u64::from(height), MAX_PIXELS, "pixels in a picture in it")
}

/// Walks `iloc`; looks into the items that are grids.
fn locations<R: Read + Seek>(source: &mut Source<R>, iloc: &[u8], idat: &[u8], grids: &[u32]) -> Result<(), Damage> {
    let Some((mut table, count)) = Numbers::of_iloc(iloc) else { return Ok(()) };
    within(count, MAX_ITEMS, "items")?;
    for _ in 0..count {
        let Some(item) = table.item() else { return Ok(()) };
        within(item.pieces, MAX_EXTENTS, "pieces of one item")?;
        let Some(extents) = table.extents(&item) else { return Ok(()) };
        if let (true, Some((at, _))) = (grids.contains(&item.id), extents.first()) {
            let Some(grid) = grid_at(source, &item, *at, idat)? else { continue };
            within(u32::from(grid[2]).saturating_add(1) * u32::from(grid[3]).saturating_add(1), MAX_TILES, "tiles")?;
            let side = |at: usize| {
                if grid[1] & 1 == 1 { u32_be(&grid, at * 2) } else { super::u16_be(&grid, at + 2).map(u32::from) }
            };
            picture(side(2).unwrap_or(0), side(4).unwrap_or(0))?;
        }
    }
    Ok(())
}

/// The twelve bytes of a grid: version, flags, rows − 1, columns − 1, width, height (ISO 23008-12, 6.6.2.3).
fn grid_at<R: Read + Seek>(source: &mut Source<R>, item: &Item, at: u64, idat: &[u8]) -> Result<Option<[u8; 12]>, Damage> {
    let found = if item.method == 1 {
        idat.get(usize::try_from(at).unwrap_or(usize::MAX).min(idat.len())..).unwrap_or_default()
    } else {
        source.up_to(at, 12)?
    };
    let mut grid = [0; 12];
    let length = found.len().min(12);
    grid[..length].copy_from_slice(&found[..length]);
    Ok((length >= 8).then_some(grid))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(kind: [u8; 4], body: &[u8]) -> Vec<u8> {
        [&(body.len() as u32 + 8).to_be_bytes()[..], &kind, body].concat()
    }

    struct Plan {
        items: u16,
        rows: u8,
        columns: u8,
        side: u32,
        pieces: u16,
    }

    fn described(plan: &Plan) -> Vec<u8> {
        let ispe = [&[0; 4][..], &plan.side.to_be_bytes(), &1_u32.to_be_bytes()].concat();
        let infe = boxed(*b"infe", b"\x02\0\0\0\0\x01\0\0grid\0");
        let extents = [0, 0, 0, 0, 0, 0, 0, 8].repeat(usize::from(plan.pieces));
        let iloc = [b"\x01\0\0\0\x44\0\0\x01\0\x01\0\x01\0\0", &plan.pieces.to_be_bytes()[..], &extents].concat();
        let parts = [
            boxed(*b"iinf", &[&[0; 4], &plan.items.to_be_bytes()[..], &infe].concat()),
            boxed(*b"iprp", &boxed(*b"ipco", &boxed(*b"ispe", &ispe))),
            boxed(*b"iloc", &iloc),
            boxed(*b"idat", &[0, 0, plan.rows, plan.columns, 0, 9, 0, 9]),
        ];
        [vec![0; 4], parts.concat()].concat()
    }

    #[test]
    fn every_limit_is_named() {
        let sound = Plan { items: 1, rows: 63, columns: 63, side: 9, pieces: 1 };
        let check = |plan: &Plan| check(&mut Source::of_bytes(&[]), &described(plan)).map_err(|damage| damage.words().to_owned());
        assert_eq!(check(&sound), Ok(()));
        for (plan, words) in [
            (Plan { rows: 64, ..sound }, "has 4160 tiles; the limit is 4096"),
            (Plan { items: 9000, ..sound }, "has 9000 items; the limit is 8192"),
            (Plan { side: 70_000, ..sound }, "has 70000 pixels on one side of a picture in it; the limit is 65535"),
            (Plan { pieces: 300, ..sound }, "has 300 pieces of one item; the limit is 256"),
        ] {
            assert_eq!(check(&plan), Err(words.to_owned()));
        }
    }
}
