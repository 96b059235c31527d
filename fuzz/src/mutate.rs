//! Hurts inputs in the ways that break parsers. What is hurt, and how, is chosen elsewhere: by a seed or by a fuzzing engine.

/// Values at which lengths, counts and signs turn over.
const EDGES: [u32; 12] = [0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFE, 0xFFFF_FFFF];
/// How many wounds one input gets at most.
const MOST_WOUNDS: usize = 8;

/// A hurt copy of `bytes`; parts of `other` may come into it. `choose` gives a number below the one that it is given; of
/// nothing it gives 0.
pub(crate) fn mutated(bytes: &[u8], other: &[u8], choose: &mut impl FnMut(usize) -> usize) -> Vec<u8> {
    let mut hurt = bytes.to_vec();
    for _ in 0..=choose(MOST_WOUNDS) {
        wound(&mut hurt, other, choose);
    }
    hurt
}

fn wound(hurt: &mut Vec<u8>, other: &[u8], choose: &mut impl FnMut(usize) -> usize) {
    let kind = choose(9);
    // Half of the wounds go where headers are.
    let reach = if choose(2) == 0 { hurt.len().min(512) } else { hurt.len() };
    let at = choose(reach);
    match kind {
        0 => {
            if let Some(byte) = hurt.get_mut(at) {
                *byte ^= 1 << choose(8);
            }
        }
        1 => {
            if let Some(byte) = hurt.get_mut(at) {
                *byte = choose(256) as u8;
            }
        }
        2 => overwrite(hurt, at, &EDGES[choose(EDGES.len())].to_be_bytes()),
        3 => overwrite(hurt, at, &EDGES[choose(EDGES.len())].to_le_bytes()),
        4 => overwrite(hurt, at, &(EDGES[choose(EDGES.len())] as u16).to_be_bytes()),
        5 => hurt.truncate(at),
        6 => {
            let end = at + choose((hurt.len() - at).min(256));
            hurt.drain(at..end);
        }
        7 => {
            let end = at + choose((hurt.len() - at).min(256));
            let twice = hurt[at..end].to_vec();
            hurt.splice(at..at, twice);
        }
        _ => {
            let from = choose(other.len());
            let end = from + choose((other.len() - from).min(4096));
            overwrite(hurt, at, &other[from..end]);
        }
    }
}

fn overwrite(hurt: &mut [u8], at: usize, with: &[u8]) {
    let room = hurt.len().saturating_sub(at).min(with.len());
    hurt[at..at + room].copy_from_slice(&with[..room]);
}

#[cfg(test)]
mod tests {
    use photovault_sim::Random;

    use super::*;

    fn hurt(bytes: &[u8], seed: u64) -> Vec<u8> {
        let mut random = Random::new(seed);
        mutated(bytes, b"other bytes", &mut |end| random.below(end as u64) as usize)
    }

    #[test]
    fn choices_decide_and_others_hurt_otherwise() {
        let bytes: Vec<u8> = (0..=255).collect();
        assert_eq!(hurt(&bytes, 1), hurt(&bytes, 1));
        let kinds: std::collections::BTreeSet<_> = (0..200).map(|seed| hurt(&bytes, seed)).collect();
        assert!(kinds.len() > 190, "only {} different ones", kinds.len());
        assert_eq!(hurt(&[], 3), [0; 0]);
    }
}
