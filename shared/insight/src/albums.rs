//! Albums that never were: some days of photos out of a seed, each with what was measured on it and what is true of it.
//!
//! The truth is made of blur in pixels, exposure in stops and how interesting a view is; what is measured follows from the first two with
//! noise, and nothing measures the third. Selection is measured with these.

use photovault_domain::{DAY_MS, Hex, Look, UtcMs};

use crate::{random::Random, select::Candidate};

/// 2024-07-01T00:00:00Z.
const START_MS: i64 = 1_719_792_000_000;
const MINUTE_MS: f64 = 60_000.0;

/// Photos and their truth, in the order of time.
#[derive(Clone, Debug, Default)]
pub struct Album {
    /// What the vault knows.
    pub candidates: Vec<Candidate>,
    /// What is true.
    pub truth: Vec<Truth>,
}

/// What is true of one photo.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Truth {
    /// 0..=1.
    pub quality: f64,
    /// Photos of one view have one number: one of them is enough.
    pub view: usize,
    /// Nobody wants to see it: blurred, or no photo.
    pub is_bad: bool,
}

/// What all photos of a view share.
struct View {
    number: usize,
    hash: [u8; 32],
    edges: f64,
    exposure_stops: f64,
    interest: f64,
    people: Vec<u64>,
    part: u64,
    day: i64,
}

/// The album of a seed: one to four days of two to six parts, each of a few to dozens of views, some of them taken several times.
pub fn album(seed: u64) -> Album {
    let mut random = Random::new(seed, 0xa1b);
    let mut album = Album::default();
    let (cast, mut part, mut view) = (random.whole(2, 7) as u64, 0, 0);
    for day in 0..random.whole(1, 4) {
        let mut at_ms = START_MS + day * DAY_MS + (random.between(8.0, 10.0) * 60.0 * MINUTE_MS) as i64;
        for _ in 0..random.whole(2, 6) {
            let present: Vec<u64> = (0..cast).filter(|_| random.chance(0.5)).collect();
            for _ in 0..(random.lognormal(6.0, 0.7) as i64).clamp(2, 40) {
                at_ms += (random.lognormal(1.5, 0.9) * MINUTE_MS) as i64 + 61_000;
                let people: Vec<u64> = present.iter().copied().filter(|_| random.chance(0.35)).collect();
                let interest = random.unit() * if people.is_empty() { 0.8 } else { 1.0 };
                let shown = View {
                    number: view,
                    hash: std::array::from_fn(|_| random.bits() as u8),
                    edges: random.lognormal(900.0, 0.7),
                    exposure_stops: spread(&mut random, 0.5),
                    interest,
                    people,
                    part,
                    day: START_MS / DAY_MS + day,
                };
                at_ms = album.take(&shown, at_ms, &mut random);
                view += 1;
            }
            part += 1;
            at_ms += (random.between(75.0, 150.0) * MINUTE_MS) as i64;
        }
    }
    album
}

impl Album {
    /// Takes a view once, in a burst, or again after some seconds; returns when the last was taken.
    fn take(&mut self, view: &View, at_ms: i64, random: &mut Random) -> i64 {
        let (frames, gap_ms, bits) = match random.whole(0, 9) {
            0 | 1 => (random.whole(3, 8), random.whole(120, 350), 24),
            2 | 3 => (random.whole(2, 3), random.whole(3_000, 15_000), 40),
            _ => (1, 0, 0),
        };
        for frame in 0..frames {
            self.shoot(view, at_ms + frame * gap_ms, bits, random);
        }
        at_ms + (frames - 1) * gap_ms
    }

    fn shoot(&mut self, view: &View, at_ms: i64, bits: i64, random: &mut Random) {
        let is_screenshot = random.chance(0.02);
        let blur = if random.chance(0.12) { random.between(2.5, 7.0) } else { spread(random, 0.5).abs() };
        let stops = view.exposure_stops + spread(random, 0.15);
        let mut hash = view.hash;
        for _ in 0..random.whole(0, bits) / 2 {
            hash[random.whole(0, 31) as usize] ^= 1 << random.whole(0, 7);
        }
        let noise = random.lognormal(1.0, 0.05);
        let look = Look {
            phash: Hex(hash),
            phash_quality: 90,
            sharpness: (view.edges * (1.0 + blur * blur).powf(-1.5) * noise) as u32,
            brightness: (118.0 * (0.7 * stops).exp2()).clamp(0.0, 255.0) as u8,
            contrast: (48.0 * random.lognormal(1.0, 0.1) * (1.0 - 0.1 * stops.abs()).max(0.2)) as u8,
            dark_percent: (6.0 * (-1.2 * stops).exp()).min(100.0) as u8,
            bright_percent: (3.0 * (1.2 * stops).exp()).min(100.0) as u8,
            ..Look::default()
        };
        let sharp = 1.0 / (1.0 + blur * blur);
        let exposed = (1.0 - (stops / 2.0).powi(2)).max(0.0);
        self.truth.push(Truth {
            quality: if is_screenshot { 0.0 } else { 0.55 * sharp + 0.25 * exposed + 0.2 * view.interest },
            view: view.number,
            is_bad: is_screenshot || blur > 2.0,
        });
        self.candidates.push(Candidate {
            at: UtcMs(at_ms),
            look,
            pixels: 12_000_000,
            faces: Some(view.people.len() as u32),
            rating: 0,
            is_screenshot,
            is_archived: false,
            burst: None,
            part: view.part,
            day: view.day,
            people: view.people.clone(),
            place: Some(view.part),
        });
    }
}

/// Around 0, with about this deviation: the sum of three (Irwin and Hall).
fn spread(random: &mut Random, deviation: f64) -> f64 {
    (random.unit() + random.unit() + random.unit() - 1.5) * 2.0 * deviation
}
