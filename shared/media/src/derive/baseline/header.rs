//! The segments before the scan: sizes, quantisation, codes.

use super::codes::Codes;

/// One of the picture's components.
pub(super) struct Component {
    id: u8,
    /// Blocks of it in a unit of the scan.
    pub(super) across: u8,
    /// Blocks of it in a unit of the scan.
    pub(super) down: u8,
    quantisation: usize,
    /// Which codes its first coefficients have.
    pub(super) first: usize,
    /// Which codes its other coefficients have.
    pub(super) others: usize,
}

/// What the scan needs to be read.
pub(super) struct Header<'a> {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) components: Vec<Component>,
    quantisation: [Option<[f32; 64]>; 4],
    first: [Option<Box<Codes>>; 4],
    others: [Option<Box<Codes>>; 4],
    /// Units between restart markers, 0 for none.
    pub(super) restart: usize,
    /// The scan's data, and what follows it.
    pub(super) data: &'a [u8],
}

/// Reads up to the scan; nothing if this is another kind of JPEG.
pub(super) fn read(bytes: &[u8]) -> Option<Header<'_>> {
    let mut header = Header {
        width: 0,
        height: 0,
        components: Vec::new(),
        quantisation: [None; 4],
        first: [const { None }; 4],
        others: [const { None }; 4],
        restart: 0,
        data: &[],
    };
    let mut rest = bytes.strip_prefix(&[0xFF, 0xD8])?;
    loop {
        let [0xFF, marker, high, low, ..] = *rest else { return None };
        let body = rest.get(4..2 + usize::from(u16::from_be_bytes([high, low])))?;
        rest = &rest[4 + body.len()..];
        match marker {
            0xDB => header.quantisation(body)?,
            0xC4 => header.codes(body)?,
            0xC0 | 0xC1 => header.frame(body)?,
            0xDD => header.restart = usize::from(u16::from_be_bytes(*body.first_chunk()?)),
            0xDA => {
                header.scan(body)?;
                header.data = rest;
                return Some(header);
            }
            // What belongs to no baseline picture.
            0xC2..=0xCF | 0xD0..=0xD9 | 0xDC | 0xFF | 0x00..=0x01 => return None,
            _ => {}
        }
    }
}

impl Header<'_> {
    /// Blocks of brightness in a unit.
    pub(super) fn across(&self) -> u8 {
        self.components[0].across
    }

    /// Blocks of brightness in a unit.
    pub(super) fn down(&self) -> u8 {
        self.components[0].down
    }

    /// Units across and down.
    pub(super) fn units(&self) -> (usize, usize) {
        (self.width.div_ceil(8 * usize::from(self.across())), self.height.div_ceil(8 * usize::from(self.down())))
    }

    /// A component's quantisation in the order of the scan, and its codes.
    pub(super) fn tables(&self, component: &Component) -> Option<(&[f32; 64], &Codes, &Codes)> {
        Some((
            self.quantisation[component.quantisation].as_ref()?,
            self.first[component.first].as_deref()?,
            self.others[component.others].as_deref()?,
        ))
    }

    fn quantisation(&mut self, mut body: &[u8]) -> Option<()> {
        while let [kind, rest @ ..] = body {
            let table = self.quantisation.get_mut(usize::from(kind & 0x0F))?.insert([0.0; 64]);
            let wide = match kind >> 4 {
                0 => false,
                1 => true,
                _ => return None,
            };
            let (values, after) = rest.split_at_checked(if wide { 128 } else { 64 })?;
            for (at, factor) in table.iter_mut().enumerate() {
                *factor = if wide {
                    f32::from(u16::from_be_bytes([values[2 * at], values[2 * at + 1]]))
                } else {
                    f32::from(values[at])
                };
            }
            body = after;
        }
        Some(())
    }

    fn codes(&mut self, mut body: &[u8]) -> Option<()> {
        while let [kind, rest @ ..] = body {
            let (counts, rest) = rest.split_first_chunk::<16>()?;
            let (symbols, after) = rest.split_at_checked(counts.iter().map(|count| usize::from(*count)).sum())?;
            let (tables, is_first) = if kind >> 4 == 0 { (&mut self.first, true) } else { (&mut self.others, false) };
            *tables.get_mut(usize::from(kind & 0x0F))? = Some(Codes::new(counts, symbols, is_first)?);
            body = after;
        }
        Some(())
    }

    fn frame(&mut self, body: &[u8]) -> Option<()> {
        let ([8, h1, h0, w1, w0, count], rest) = body.split_first_chunk::<6>()? else { return None };
        if !self.components.is_empty() || !matches!(count, 1 | 3) || rest.len() != usize::from(*count) * 3 {
            return None;
        }
        self.height = usize::from(u16::from_be_bytes([*h1, *h0]));
        self.width = usize::from(u16::from_be_bytes([*w1, *w0]));
        for part in rest.chunks_exact(3) {
            // In a scan of one component, blocks follow each other row by row whatever its factors are.
            let sampling = if *count == 1 { 0x11 } else { part[1] };
            self.components.push(Component {
                id: part[0],
                across: sampling >> 4,
                down: sampling & 0x0F,
                quantisation: usize::from(part[2] & 3),
                first: 0,
                others: 0,
            });
        }
        let [brightness, colour @ ..] = self.components.as_slice() else { return None };
        let is_common = matches!((brightness.across, brightness.down), (1 | 2, 1 | 2))
            && colour.iter().all(|component| (component.across, component.down) == (1, 1));
        (is_common && self.width > 0 && self.height > 0).then_some(())
    }

    fn scan(&mut self, body: &[u8]) -> Option<()> {
        let (count, rest) = body.split_first()?;
        let count = usize::from(*count);
        // All components in one scan, all coefficients, all bits.
        if count == 0 || count != self.components.len() || rest.len() != count * 2 + 3 || rest[count * 2..] != [0, 63, 0] {
            return None;
        }
        for (component, part) in self.components.iter_mut().zip(rest.chunks_exact(2)) {
            if component.id != part[0] {
                return None;
            }
            component.first = usize::from(part[1] >> 4 & 3);
            component.others = usize::from(part[1] & 3);
        }
        Some(())
    }
}
