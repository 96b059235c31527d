//! The scan's bits: stuffed bytes taken out, restart markers found (T.81, B.1.1.5 and F.1.2.3).

/// More than the longest unit takes: six blocks of 63 codes with 31 bits and a first one of 27 have 1,485 bytes.
const MARGIN: usize = 2_048;
/// What is unstuffed at once.
const BUFFER: usize = 32 * 1024;

/// Unstuffed data, and zeros behind it.
pub(super) type Buffer = [u8; BUFFER + MARGIN + 16];

/// Where the next code begins. It is small and copied about, so that it can stay in registers.
#[derive(Clone, Copy, Default)]
pub(super) struct Bits {
    /// The next bits, from the highest down; below `count` they are also right or zero.
    window: u64,
    count: u32,
    /// The next byte of the buffer.
    at: usize,
}

impl Bits {
    /// Makes at least 56 bits visible.
    #[inline(always)]
    pub(super) fn fill(&mut self, buffer: &Buffer) {
        let Some(next) = buffer[self.at..].first_chunk() else { return };
        self.window |= u64::from_be_bytes(*next) >> self.count;
        self.at += ((63 - self.count) >> 3) as usize;
        // 56 and what is left of a byte.
        self.count |= 0x38;
    }

    #[inline(always)]
    pub(super) fn peek<const COUNT: u32>(self) -> usize {
        (self.window >> (64 - COUNT)) as usize
    }

    #[inline(always)]
    pub(super) fn drop(&mut self, count: u32) {
        self.window <<= count;
        self.count = self.count.wrapping_sub(count);
    }

    pub(super) fn take(&mut self, count: u32) -> u64 {
        let bits = self.window.checked_shr(64 - count).unwrap_or(0);
        self.drop(count);
        bits
    }
}

/// The scan's data.
pub(super) struct Data<'a> {
    pub(super) buffer: Box<Buffer>,
    /// Bytes in the buffer.
    end: usize,
    rest: &'a [u8],
    /// The data ended, with a marker or without.
    is_over: bool,
}

impl<'a> Data<'a> {
    pub(super) fn new(data: &'a [u8]) -> Self {
        let buffer = vec![0; size_of::<Buffer>()].into_boxed_slice().try_into().expect("it has that size");
        Self { buffer, end: 0, rest: data, is_over: false }
    }

    /// Has a whole unit ready, or what there is of it and zeros.
    #[inline(always)]
    pub(super) fn prepare(&mut self, bits: Bits) -> Bits {
        if self.is_over || bits.at + MARGIN <= self.end { bits } else { self.unstuff(bits) }
    }

    /// Goes past a restart marker; nothing if the data before it was not just used up, or another marker is there.
    pub(super) fn restart(&mut self, bits: Bits, number: usize) -> Option<Bits> {
        self.finish(bits, 0xD0 | (number & 7) as u8)?;
        (self.end, self.rest, self.is_over) = (0, &self.rest[2..], false);
        Some(Bits::default())
    }

    /// Whether the data was just used up, and `marker` follows.
    pub(super) fn finish(&mut self, mut bits: Bits, marker: u8) -> Option<()> {
        if !self.is_over {
            bits = self.unstuff(bits);
        }
        // Fewer bits than a byte has may be left, to fill it up.
        let left = (self.end * 8 + bits.count as usize).checked_sub(bits.at * 8);
        let is_used_up = self.is_over && left.is_some_and(|left| left < 8);
        (is_used_up && self.rest.starts_with(&[0xFF, marker])).then_some(())
    }

    /// Moves what is left to the front of the buffer and fills it.
    #[cold]
    fn unstuff(&mut self, mut bits: Bits) -> Bits {
        let from = bits.at.min(self.end);
        self.buffer.copy_within(from..self.end, 0);
        bits.at -= from;
        self.end -= from;
        while self.end < BUFFER {
            let most = &self.rest[..self.rest.len().min(BUFFER - self.end)];
            let (plain, rest) = self.rest.split_at(memchr::memchr(0xFF, most).unwrap_or(most.len()));
            self.buffer[self.end..self.end + plain.len()].copy_from_slice(plain);
            self.end += plain.len();
            self.rest = rest;
            if self.end == BUFFER {
                break;
            }
            // There was room for more: what stands here is a stuffed 0xFF, a marker or the end.
            if !self.rest.starts_with(&[0xFF, 0]) {
                self.is_over = true;
                break;
            }
            self.buffer[self.end] = 0xFF;
            self.end += 1;
            self.rest = &self.rest[2..];
        }
        self.buffer[self.end..].fill(0);
        bits
    }
}
