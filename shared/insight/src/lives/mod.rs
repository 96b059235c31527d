//! Lives that never were: years of somebody's photos out of a seed, with the truth of what belongs together.
//!
//! Three kinds, each with all that makes the one before it hard and more: what rules about moments are fitted on and measured with.

mod camera;
mod day;

use photovault_domain::{Point, UtcMs};

use crate::{moments::Shot, random::Random};
use camera::Cameras;
use day::{Day, With};

/// Whose life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One person with one phone: days around home, bursts, parties over midnight.
    Phone,
    /// Who travels as well: road trips with their stops, photos without a position, screenshots.
    Traveller,
    /// Several people and cameras: another pace each, cameras without positions, clocks that go wrong or were set to another zone.
    Family,
}

impl Kind {
    /// All of them, the simplest first.
    pub const ALL: [Self; 3] = [Self::Phone, Self::Traveller, Self::Family];

    /// In one word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Traveller => "traveller",
            Self::Family => "family",
        }
    }
}

/// One photo of a life.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Taken {
    /// What the vault knows of it: the time by the camera's clock, and the position if the camera writes one.
    pub shot: Shot,
    /// When it was taken.
    pub truly_at: UtcMs,
    /// Where it was taken.
    pub truly_where: Point,
    /// What it belongs to: two photos of one moment have one number.
    pub moment: u32,
    /// The days away that it belongs to.
    pub trip: Option<u32>,
    /// The burst that it belongs to.
    pub burst: Option<u32>,
    /// Which of the household's cameras took it; 0 is a phone.
    pub camera: u8,
    /// Whether it is a picture of a screen.
    pub screenshot: bool,
}

/// A life of so many days, in the order of the cameras' clocks.
pub fn life(kind: Kind, seed: u64, days: u32) -> Vec<Taken> {
    let mut random = Random::new(seed, 0x11fe + kind as u64);
    let day = Day::of(kind, &mut random);
    lived(day, kind, random, days)
}

/// The same life, of somebody who is at home there.
pub fn life_from(home: Point, kind: Kind, seed: u64, days: u32) -> Vec<Taken> {
    let mut random = Random::new(seed, 0x11fe + kind as u64);
    let day = Day::of(kind, &mut random).at(home);
    lived(day, kind, random, days)
}

fn lived(mut day: Day, kind: Kind, mut random: Random, days: u32) -> Vec<Taken> {
    let mut with = With { cameras: Cameras::of(kind, &mut random), random, taken: Vec::new() };
    while day.number < days {
        day.live(&mut with);
    }
    let mut taken = with.taken;
    taken.sort_by_key(|taken| (taken.shot.at, taken.camera));
    taken
}

/// Where moments begin in truth, by the order of `life`.
pub fn truth(life: &[Taken]) -> Vec<bool> {
    (0..life.len()).map(|at| at == 0 || life[at - 1].moment != life[at].moment).collect()
}

#[cfg(test)]
mod tests {
    use photovault_domain::DAY_MS;

    use super::*;

    #[test]
    fn a_life_is_decided_by_its_seed_and_has_what_its_kind_promises() {
        for kind in Kind::ALL {
            assert_eq!(life(kind, 3, 60), life(kind, 3, 60));
            assert_ne!(life(kind, 3, 60), life(kind, 4, 60));
            let lives: Vec<Taken> = (0..10).flat_map(|seed| life(kind, seed, 365)).collect();
            let any = |has: fn(&Taken) -> bool| lives.iter().any(has);
            let over_midnight = |pair: &[Taken]| {
                let day = |taken: &Taken| taken.truly_at.0.div_euclid(DAY_MS);
                pair[0].moment == pair[1].moment && day(&pair[0]) != day(&pair[1])
            };
            assert!(any(|taken| taken.burst.is_some()), "{kind:?}: a burst");
            assert!(lives.windows(2).any(over_midnight), "{kind:?}: a party over midnight");
            let travels = kind != Kind::Phone;
            assert_eq!(any(|taken| taken.trip.is_some()), travels, "{kind:?}: a trip");
            assert_eq!(any(|taken| taken.screenshot), travels, "{kind:?}: a screenshot");
            assert_eq!(any(|taken| taken.shot.position.is_none()), travels, "{kind:?}: a photo without a position");
            assert_eq!(any(|taken| taken.shot.at != taken.truly_at), kind == Kind::Family, "{kind:?}: a wrong clock");
            assert_eq!(any(|taken| taken.camera > 0), kind == Kind::Family, "{kind:?}: a second camera");
        }
    }

    #[test]
    fn moments_are_in_order_where_the_clocks_are_right() {
        for kind in [Kind::Phone, Kind::Traveller] {
            let moments: Vec<u32> = life(kind, 7, 365).iter().map(|taken| taken.moment).collect();
            assert!(moments.len() > 500 && moments.is_sorted(), "{kind:?}");
        }
    }
}
