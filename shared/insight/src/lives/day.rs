//! The days of a life: what happens on each, one thing after the other, and the photos of it.

use photovault_domain::{DAY_MS, Point, UtcMs};

use super::{
    Kind, Taken,
    camera::{Cameras, Scene, screenshot},
};
use crate::random::Random;

const MINUTE_MS: f64 = 60_000.0;
/// 2022-01-01T00:00:00Z, where the first day begins.
const START: i64 = 1_640_995_200_000;

/// What a life is lived with, and what comes of it.
pub(super) struct With {
    pub(super) random: Random,
    pub(super) cameras: Cameras,
    pub(super) taken: Vec<Taken>,
}

/// Something that is photographed.
struct Happening {
    /// Photos.
    shots: i64,
    /// Minutes between two photos, in the middle.
    gap_min: f64,
    /// Minutes that are never exceeded within it.
    longest_min: f64,
    /// Kilometres that one walks between two photos.
    step_km: f64,
    indoors: bool,
}

/// A life's pace, and where it has come to.
pub(super) struct Day {
    kind: Kind,
    pub(super) number: u32,
    home: Point,
    /// What this person's gaps are, against everybody's.
    pace: f64,
    /// How often something is photographed on an ordinary day.
    eager: f64,
    moments: u32,
    trips: u32,
    /// When the last thing ended.
    free_at: UtcMs,
    place: Point,
}

impl Day {
    pub(super) fn of(kind: Kind, random: &mut Random) -> Self {
        let home = Point { latitude: random.between(-45.0, 60.0), longitude: random.between(-170.0, 170.0) };
        let spread = if kind == Kind::Phone { 0.25 } else { 0.45 };
        Self {
            kind,
            number: 0,
            home,
            pace: random.lognormal(1.0, spread).clamp(0.4, 2.5),
            eager: random.between(0.25, 0.7),
            moments: 0,
            trips: 0,
            free_at: UtcMs(START),
            place: home,
        }
    }

    /// The same life from another home.
    pub(super) fn at(self, home: Point) -> Self {
        Self { home, place: home, ..self }
    }

    /// One day, or the days of a trip.
    pub(super) fn live(&mut self, with: &mut With) {
        if self.kind != Kind::Phone && with.random.chance(0.02) {
            self.trips += 1;
            let mut base = self.home.moved_km(with.random.between(-400.0, 400.0), with.random.between(80.0, 500.0));
            for _ in 0..with.random.whole(2, 9) {
                with.cameras.wake(self.morning(), &mut with.random);
                base = self.on_the_road(base, with);
                self.number += 1;
            }
            self.place = self.home;
            return;
        }
        with.cameras.wake(self.morning(), &mut with.random);
        self.around_home(with);
        self.number += 1;
    }

    fn morning(&self) -> UtcMs {
        UtcMs(START + i64::from(self.number) * DAY_MS)
    }

    fn around_home(&mut self, with: &mut With) {
        let mut hour = with.random.between(7.0, 12.0);
        while with.random.chance(self.eager) {
            // Half of what is photographed is at home; the rest within a town or in the country around it.
            let reach = *with.random.pick(&[0.05, 0.05, 3.0, 12.0]);
            let place = self.home.moved_km(with.random.between(-reach, reach), with.random.between(-reach, reach));
            let happening = Happening::ordinary(&mut with.random);
            self.happen(hour, place, None, &happening, with);
            hour = self.hours_now() + with.random.lognormal(2.5, 0.7).max(0.5);
            if hour > 23.0 {
                return;
            }
        }
        if with.random.chance(0.04) {
            let reach = *with.random.pick(&[0.05, 4.0]);
            let place = self.home.moved_km(with.random.between(-reach, reach), with.random.between(-reach, reach));
            self.happen(with.random.between(18.0, 20.5), place, None, &Happening::party(&mut with.random), with);
        }
        self.look_at_screen(None, with);
    }

    /// A day of stops, each some way from the one before; returns where the night is spent.
    fn on_the_road(&mut self, base: Point, with: &mut With) -> Point {
        let trip = Some(self.trips);
        let (mut place, mut hour) = (base, with.random.between(8.0, 10.5));
        for _ in 0..with.random.whole(2, 6) {
            let happening = Happening::stop(&mut with.random);
            self.happen(hour, place, trip, &happening, with);
            let leg_km = with.random.lognormal(14.0, 0.9).clamp(1.5, 150.0);
            let turn = with.random.between(0.0, std::f64::consts::TAU);
            place = place.moved_km(leg_km * turn.sin(), leg_km * turn.cos());
            hour = self.hours_now() + (leg_km / with.random.between(35.0, 80.0)).max(0.1) + with.random.between(0.05, 0.5);
            if hour > 21.0 {
                break;
            }
        }
        self.look_at_screen(trip, with);
        place
    }

    /// Something happens at that hour, or as soon as one is free.
    fn happen(&mut self, hour: f64, place: Point, trip: Option<u32>, happening: &Happening, with: &mut With) {
        // From one thing to another takes twenty minutes at least, and the way.
        let way_min = self.place.distance_km(place) / 60.0 * 60.0;
        let earliest = self.free_at.0 + ((20.0 + way_min.min(240.0)) * MINUTE_MS) as i64;
        let begins = (self.morning().0 + (hour * 60.0 * MINUTE_MS) as i64).max(earliest);
        self.moments += 1;
        let (mut at, mut here) = (begins, place);
        for _ in 0..happening.shots {
            let scene = Scene { at: UtcMs(at), place: here, moment: self.moments, trip, indoors: happening.indoors };
            // Who has a second camera at hand uses the first for most.
            let camera =
                if with.random.chance(0.65) { 0 } else { with.random.whole(0, with.cameras.count() as i64 - 1) as usize };
            with.cameras.shoot(camera, scene, &mut with.random, &mut with.taken);
            let gap_min = with.random.lognormal(happening.gap_min * self.pace, 1.1).clamp(0.02, happening.longest_min);
            at += (gap_min * MINUTE_MS) as i64 + 2_000;
            let step = happening.step_km * (gap_min / 3.0).min(3.0);
            here = here.moved_km(with.random.between(-step, step), with.random.between(-step, step));
        }
        self.free_at = UtcMs(at);
        self.place = here;
    }

    /// Pictures of the screen, at any time after all else: each is for itself.
    fn look_at_screen(&mut self, trip: Option<u32>, with: &mut With) {
        if self.kind == Kind::Phone || !with.random.chance(0.15) {
            return;
        }
        let at = UtcMs(self.free_at.0.max(self.morning().0) + (with.random.between(25.0, 300.0) * MINUTE_MS) as i64);
        self.moments += 1;
        with.taken.push(screenshot(Scene { at, place: self.place, moment: self.moments, trip, indoors: true }));
        self.free_at = at;
    }

    fn hours_now(&self) -> f64 {
        (self.free_at.0 - self.morning().0) as f64 / MINUTE_MS / 60.0
    }
}

impl Happening {
    fn ordinary(random: &mut Random) -> Self {
        match random.whole(0, 9) {
            // The cat, the dinner, the sunset.
            0..=3 => Self { shots: random.whole(1, 5), gap_min: 0.7, longest_min: 15.0, step_km: 0.0, indoors: true },
            // A visit, children that play.
            4..=6 => Self { shots: random.whole(5, 25), gap_min: 2.8, longest_min: 65.0, step_km: 0.01, indoors: true },
            // A walk, a museum, a town.
            _ => Self { shots: random.whole(8, 50), gap_min: 3.2, longest_min: 45.0, step_km: 0.12, indoors: false },
        }
    }

    fn party(random: &mut Random) -> Self {
        let shots = random.whole(25, 90);
        Self { shots, gap_min: 320.0 / shots as f64 / 2.0, longest_min: 75.0, step_km: 0.01, indoors: true }
    }

    fn stop(random: &mut Random) -> Self {
        match random.whole(0, 2) {
            0 => Self { shots: random.whole(1, 6), gap_min: 1.0, longest_min: 10.0, step_km: 0.05, indoors: false },
            1 => Self { shots: random.whole(4, 20), gap_min: 2.5, longest_min: 30.0, step_km: 0.15, indoors: false },
            _ => Self { shots: random.whole(10, 40), gap_min: 3.5, longest_min: 50.0, step_km: 0.2, indoors: false },
        }
    }
}
