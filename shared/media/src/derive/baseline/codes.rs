//! Huffman codes, looked up together with the bits that follow them (T.81, annexes C and F.2).

use super::bits::Bits;

/// Bits that are looked up at once.
const WINDOW: u32 = 11;
const ENTRIES: usize = 1 << WINDOW;
/// How far an end of block steps: further than any block is long.
pub(super) const END: usize = 128;

/// A step through a block.
///
/// Bits 0..4: how many bits it takes, 0 if they are more than the window. 4..8: those of the code alone, 0 if they are more.
/// 8..16: how many coefficients it advances. 16..32: the value of the last of them, or how many bits it has where they are
/// not all within the window.
#[derive(Clone, Copy, Default)]
pub(super) struct Step(u32);

impl Step {
    fn new(length: u32, code_length: u32, advance: u32, value: i32) -> Self {
        Self(value.cast_unsigned() << 16 | advance << 8 | code_length << 4 | length)
    }

    fn length(self) -> u32 {
        self.0 & 0xF
    }

    fn code_length(self) -> u32 {
        self.0 >> 4 & 0xF
    }

    /// Coefficients up to and with the value; [`END`] at the end of the block.
    #[inline(always)]
    pub(super) fn advance(self) -> usize {
        (self.0 >> 8 & 0xFF) as usize
    }

    #[inline(always)]
    pub(super) fn value(self) -> i32 {
        self.0.cast_signed() >> 16
    }
}

/// Steps over values that nobody wants. Bits 0..5: how many bits they take, 0 if the first code is longer than the window;
/// 5..13: how many coefficients they advance; 13: whether the block ends behind them. Small, so that all tables stay in the
/// processor's first cache.
#[derive(Clone, Copy, Default)]
pub(super) struct Leap(u16);

impl Leap {
    #[inline(always)]
    pub(super) fn length(self) -> u32 {
        u32::from(self.0 & 0x1F)
    }

    #[inline(always)]
    pub(super) fn advance(self) -> usize {
        usize::from(self.0 >> 5 & 0xFF)
    }

    #[inline(always)]
    pub(super) fn ends(self) -> bool {
        self.0 >> 13 != 0
    }
}

/// The codes of one table.
pub(super) struct Codes {
    steps: [Step; ENTRIES],
    leaps: [Leap; ENTRIES],
    symbols: [u8; 256],
    /// By length, 1..=16: behind the last code, aligned to 16 bits; and what to add to a code for its symbol.
    ends: [u32; 17],
    offsets: [i32; 17],
}

impl Codes {
    /// Of the numbers of codes by length and their symbols, for first coefficients or for the others; nothing if they are broken.
    pub(super) fn new(counts: &[u8; 16], symbols: &[u8], is_first: bool) -> Option<Box<Self>> {
        let is_valid = |symbol: u8| match symbol {
            _ if is_first => symbol <= 11,
            0x00 | 0xF0 => true,
            _ => symbol & 0x0F != 0,
        };
        if symbols.len() > 256 || !symbols.iter().all(|symbol| is_valid(*symbol)) {
            return None;
        }
        let mut codes = Box::new(Self {
            steps: [Step::default(); ENTRIES],
            leaps: [Leap::default(); ENTRIES],
            symbols: [0; 256],
            ends: [0; 17],
            offsets: [0; 17],
        });
        codes.symbols[..symbols.len()].copy_from_slice(symbols);
        let (mut code, mut index) = (0_u32, 0_usize);
        for (count, length) in counts.iter().zip(1_u32..) {
            codes.offsets[length as usize] = index as i32 - code.cast_signed();
            for _ in 0..*count {
                if code >> length != 0 {
                    return None;
                }
                codes.enter(code, length, symbols[index], is_first);
                code += 1;
                index += 1;
            }
            codes.ends[length as usize] = code << (16 - length);
            code <<= 1;
        }
        if !is_first {
            codes.chain();
        }
        Some(codes)
    }

    /// Enters a code under all windows that begin with it.
    fn enter(&mut self, code: u32, length: u32, symbol: u8, is_first: bool) {
        let Some(free) = WINDOW.checked_sub(length) else { return };
        let advance = if symbol == 0 && !is_first { END as u32 } else { u32::from(symbol >> 4) + 1 };
        let size = u32::from(symbol & 0x0F);
        for rest in 0..1 << free {
            self.steps[((code << free) | rest) as usize] = match free.checked_sub(size) {
                Some(beyond) => Step::new(length + size, length, advance, extended(u64::from(rest >> beyond), size)),
                None => Step::new(0, length, advance, size.cast_signed()),
            };
        }
    }

    /// Joins the steps that follow each other within a window. Of the last one its code is enough.
    fn chain(&mut self) {
        for window in 0..ENTRIES {
            let (mut length, mut advance, mut ends) = (0, 0, false);
            while length < WINDOW && !ends {
                let step = self.steps[window << length & (ENTRIES - 1)];
                let code_length = step.code_length();
                if code_length == 0 || length + code_length > WINDOW {
                    break;
                }
                length += match step.length() {
                    0 => code_length + step.value().cast_unsigned(),
                    whole => whole,
                };
                ends = step.advance() == END;
                advance += if ends { 0 } else { step.advance() };
            }
            self.leaps[window] = Leap(u16::from(ends) << 13 | (advance << 5) as u16 | length as u16);
        }
    }

    /// The next step, if it is no longer than the window.
    #[inline(always)]
    pub(super) fn short_step(&self, bits: &mut Bits) -> Option<Step> {
        let step = self.steps[bits.peek::<WINDOW>()];
        bits.drop(step.length());
        (step.length() != 0).then_some(step)
    }

    /// The next step, of 31 bits at most; nothing if there is no such code.
    #[cold]
    pub(super) fn long_step(&self, mut bits: Bits) -> Option<(Step, Bits)> {
        let step = self.steps[bits.peek::<WINDOW>()];
        if let Some(step) = self.short_step(&mut bits) {
            return Some((step, bits));
        }
        let (code_length, advance, size) = match step.code_length() {
            0 => {
                let code = bits.peek::<16>() as u32;
                let length = (WINDOW + 1..=16).find(|length| code < self.ends[*length as usize])?;
                let index = (code >> (16 - length)).cast_signed() + self.offsets[length as usize];
                let symbol = *self.symbols.get(usize::try_from(index).ok()?)?;
                let advance = if symbol == 0 { END as u32 } else { u32::from(symbol >> 4) + 1 };
                (length, advance, u32::from(symbol & 0x0F))
            }
            code_length => (code_length, step.advance() as u32, step.value().cast_unsigned()),
        };
        bits.drop(code_length);
        let value = extended(bits.take(size), size);
        Some((Step::new(0, 0, advance, value), bits))
    }

    /// As many steps as the window shows. They are not taken.
    #[inline(always)]
    pub(super) fn leap(&self, bits: Bits) -> Leap {
        self.leaps[bits.peek::<WINDOW>()]
    }
}

/// A value from its bits: the lower half of each size's range is negative (T.81, F.2.2.1).
fn extended(bits: u64, size: u32) -> i32 {
    let bits = bits as i32;
    if size == 0 || bits >> (size - 1) != 0 { bits } else { bits + 1 - (1 << size) }
}
