//! What a household takes photos with, and how far its clocks can be trusted.

use photovault_domain::{Point, UtcMs};

use super::{Kind, Taken};
use crate::{moments::Shot, random::Random};

const HOUR_MS: i64 = 3_600_000;
/// What a camera says whose battery was empty: 2018-01-01T00:00:00Z.
const RESET: i64 = 1_514_764_800_000;

/// One camera.
struct Camera {
    writes_position: bool,
    /// How often a position is missing although the camera writes them: indoors, or just switched on.
    position_fails: f64,
    /// Milliseconds that its clock is ahead.
    ahead_ms: i64,
    /// How often a day it forgets the time.
    forgets: f64,
}

/// A household's cameras; the first is a phone.
pub(super) struct Cameras {
    all: Vec<Camera>,
    bursts: u32,
    /// Burst photos are a camera's own: a chance for each shot.
    burst_chance: f64,
}

/// What is being photographed.
#[derive(Clone, Copy)]
pub(super) struct Scene {
    pub(super) at: UtcMs,
    pub(super) place: Point,
    pub(super) moment: u32,
    pub(super) trip: Option<u32>,
    pub(super) indoors: bool,
}

impl Cameras {
    pub(super) fn of(kind: Kind, random: &mut Random) -> Self {
        let phone = |random: &mut Random| Camera {
            writes_position: true,
            position_fails: if kind == Kind::Phone { 0.0 } else { random.between(0.02, 0.15) },
            ahead_ms: 0,
            forgets: 0.0,
        };
        let mut all = vec![phone(random)];
        if kind == Kind::Family {
            all.push(phone(random));
            // A camera's clock is minutes off, or was left in another zone.
            let ahead_ms = match random.whole(0, 3) {
                0 | 1 => random.whole(-180, 180) * 1000,
                2 => random.whole(-15, 15) * 60_000,
                _ => *random.pick(&[-1, 1, 1, 2, -6]) * HOUR_MS,
            };
            all.push(Camera { writes_position: false, position_fails: 0.0, ahead_ms, forgets: 0.01 });
        }
        Self { all, bursts: 0, burst_chance: random.between(0.02, 0.12) }
    }

    /// A new day, on which a camera may have forgotten the time.
    pub(super) fn wake(&mut self, now: UtcMs, random: &mut Random) {
        for camera in &mut self.all {
            if camera.forgets > 0.0 && random.chance(camera.forgets) {
                camera.ahead_ms = RESET - now.0;
            } else if camera.ahead_ms.abs() > 24 * HOUR_MS && random.chance(0.2) {
                camera.ahead_ms = random.whole(-120, 120) * 1000;
            }
        }
    }

    /// How many people take photos.
    pub(super) fn count(&self) -> usize {
        self.all.len()
    }

    /// One photo, or a burst.
    pub(super) fn shoot(&mut self, number: usize, scene: Scene, random: &mut Random, taken: &mut Vec<Taken>) {
        let frames = if random.chance(self.burst_chance) { random.whole(3, 8) } else { 1 };
        self.bursts += u32::from(frames > 1);
        let camera = &self.all[number];
        let fails = if scene.indoors { camera.position_fails * 2.0 } else { camera.position_fails };
        let has_position = camera.writes_position && !random.chance(fails);
        for frame in 0..frames {
            let truly_at = UtcMs(scene.at.0 + frame * 150);
            taken.push(Taken {
                shot: Shot { at: UtcMs(truly_at.0 + camera.ahead_ms), position: has_position.then_some(scene.place) },
                truly_at,
                truly_where: scene.place,
                moment: scene.moment,
                trip: scene.trip,
                burst: (frames > 1).then_some(self.bursts),
                camera: number as u8,
                screenshot: false,
            });
        }
    }
}

/// A picture of the phone's screen.
pub(super) fn screenshot(scene: Scene) -> Taken {
    Taken {
        shot: Shot { at: scene.at, position: None },
        truly_at: scene.at,
        truly_where: scene.place,
        moment: scene.moment,
        trip: scene.trip,
        burst: None,
        camera: 0,
        screenshot: true,
    }
}
