//! Whose life the sample library tells: outings near home and trips, moments within them, shots and bursts within those.
//!
//! Pure and decided by the seed alone. What is planned here is the ground truth.

use photovault_domain::DAY_MS;
use photovault_insight::random::Random;

use super::world::{CAMERAS, CameraModel, HOME, PLACES, Place};

/// One photo of the plan.
#[derive(Clone, Debug)]
pub(crate) struct Shot {
    /// Counts the photos from 0, in order of time.
    pub(crate) number: usize,
    /// Where it is written, relative to the library's folder, with `/`.
    pub(crate) path: String,
    /// When it was taken by the camera's clock, in milliseconds since 1970 UTC.
    pub(crate) utc_ms: i64,
    /// When it was taken.
    pub(crate) truly_utc_ms: i64,
    /// Minutes east of UTC where it was taken.
    pub(crate) offset_minutes: i64,
    /// What took it.
    pub(crate) camera: &'static CameraModel,
    /// Thousandths of an arc second, north and east positive, and metres.
    pub(crate) position: ArcPosition,
    /// Whether its file says where.
    pub(crate) has_position: bool,
    /// Whether it is a picture of a screen.
    pub(crate) is_screenshot: bool,
    /// Exif orientation, 1..=8.
    pub(crate) orientation: u8,
    /// Groups of the ground truth, numbered from 1.
    pub(crate) moment: usize,
    pub(crate) trip: Option<usize>,
    pub(crate) burst: Option<usize>,
    /// What is in the picture.
    pub(crate) view: View,
}

/// A position in the units that Exif can hold exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ArcPosition {
    pub(crate) latitude_mas: i64,
    pub(crate) longitude_mas: i64,
    pub(crate) altitude_m: i64,
}

/// What decides the pixels: the place's palette, the direction looked at, and how far the hand moved within a burst.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View {
    pub(crate) palette: u64,
    pub(crate) direction: u64,
    pub(crate) grain: u64,
    /// Fractions of the picture's width and height.
    pub(crate) shift: (f64, f64),
    /// Local hour of the day, 0..24.
    pub(crate) hour: f64,
}

/// Plans `photos` photos.
pub(crate) fn plan(seed: u64, photos: usize) -> Vec<Shot> {
    let mut planner = Planner { random: Random::new(seed, 1), wanted: photos, shots: vec![], moments: 0, trips: 0, bursts: 0 };
    // 2024-03-02T00:00:00Z, a Saturday.
    let mut day = 19_784;
    let mut outing = 0;
    while !planner.is_full() {
        let is_trip = outing % 3 == 1;
        day += if is_trip { planner.trip(day) } else { planner.outing(&HOME, day, None) };
        day += planner.random.whole(3, 16);
        outing += 1;
    }
    orient(&mut planner.shots);
    planner.shots
}

struct Planner {
    random: Random,
    wanted: usize,
    shots: Vec<Shot>,
    moments: usize,
    trips: usize,
    bursts: usize,
}

impl Planner {
    fn is_full(&self) -> bool {
        self.shots.len() >= self.wanted
    }

    /// Some days somewhere else; returns how many.
    fn trip(&mut self, first_day: i64) -> i64 {
        let place = &PLACES[(self.trips + self.random.whole(0, 1) as usize * 5) % PLACES.len()];
        self.trips += 1;
        let trip = Some(self.trips);
        let days = self.random.whole(2, 3);
        for day in 0..days {
            self.outing(place, first_day + day, trip);
        }
        days
    }

    /// One or two moments of a day; returns 1.
    fn outing(&mut self, place: &'static Place, day: i64, trip: Option<usize>) -> i64 {
        let moments = if trip.is_some() { self.random.whole(1, 2) } else { 1 };
        let mut hour = self.random.between(7.5, 10.0);
        for _ in 0..moments {
            if !self.is_full() {
                hour = self.moment(place, day, hour, trip);
            }
            hour += self.random.between(2.2, 3.5);
        }
        1
    }

    /// Photos that belong together; returns the local hour at which the moment ends.
    fn moment(&mut self, place: &'static Place, day: i64, begins: f64, trip: Option<usize>) -> f64 {
        self.moments += 1;
        let offset_minutes = place.offset_minutes(day);
        let centre = self.near(place, 9_000.0);
        let palette = self.random.bits();
        let cameras = [self.random.pick(CAMERAS), &CAMERAS[0]];
        let mut hour = begins;
        for _ in 0..self.random.whole(3, 8) {
            hour += self.random.between(0.008, 0.12);
            let camera = cameras[self.random.whole(0, 1) as usize];
            let burst = self.random.chance(0.15).then(|| self.random.whole(3, 5));
            let position = self.around(centre);
            let view = View { palette, direction: self.random.bits(), grain: 0, shift: (0.0, 0.0), hour };
            self.bursts += usize::from(burst.is_some());
            for frame in 0..burst.unwrap_or(1) {
                let utc_ms = day * DAY_MS + (hour * 3_600_000.0) as i64 - offset_minutes * 60_000 + frame * 137;
                let view = self.handheld(view, frame);
                let burst = burst.map(|_| self.bursts);
                self.shoot(place, Taken { utc_ms, offset_minutes, camera, position, trip, burst, view });
            }
        }
        hour
    }

    fn shoot(&mut self, place: &Place, taken: Taken) {
        if self.is_full() {
            return;
        }
        let Taken { utc_ms, offset_minutes, camera, position, trip, burst, view } = taken;
        let number = self.shots.len();
        let date = super::truth::local_time(utc_ms, offset_minutes);
        let path = format!("{}/{} {}/{}{:04}.jpg", &date[..4], &date[..7], place.name, camera.file_prefix, number + 1);
        let moment = self.moments;
        self.shots.push(Shot {
            number,
            path,
            utc_ms,
            truly_utc_ms: utc_ms,
            offset_minutes,
            camera,
            position,
            has_position: camera.writes_position,
            is_screenshot: false,
            orientation: 1,
            moment,
            trip,
            burst,
            view,
        });
    }

    /// A hand moves a little between two frames, and the sensor's noise is new in each.
    fn handheld(&mut self, view: View, frame: i64) -> View {
        let step = 0.004 * frame as f64;
        let shift = (step * self.random.between(0.5, 1.5), step * self.random.between(-0.7, 0.7));
        View { grain: self.random.bits(), shift, ..view }
    }

    fn near(&mut self, place: &Place, metres: f64) -> ArcPosition {
        // One arc second of latitude is 30.9 m; a degree of longitude shrinks towards the poles, which does not matter here.
        let spread_mas = (metres / 30.9 * 1000.0) as i64;
        ArcPosition {
            latitude_mas: (place.latitude * 3_600_000.0) as i64 + self.random.whole(-spread_mas, spread_mas),
            longitude_mas: (place.longitude * 3_600_000.0) as i64 + self.random.whole(-spread_mas, spread_mas),
            altitude_m: place.altitude_m + self.random.whole(0, 60),
        }
    }

    fn around(&mut self, centre: ArcPosition) -> ArcPosition {
        let mut step = || self.random.whole(-4_000, 4_000);
        ArcPosition { latitude_mas: centre.latitude_mas + step(), longitude_mas: centre.longitude_mas + step(), ..centre }
    }
}

#[derive(Clone, Copy)]
struct Taken {
    utc_ms: i64,
    offset_minutes: i64,
    camera: &'static CameraModel,
    position: ArcPosition,
    trip: Option<usize>,
    burst: Option<usize>,
    view: View,
}

/// Turns the camera now and then, all eight ways in turn, and never within a burst.
pub(crate) fn orient(shots: &mut [Shot]) {
    const TURNS: [u8; 7] = [6, 8, 3, 5, 7, 2, 4];
    let stride = (shots.len() / 12).clamp(1, 4);
    let (mut held, mut turns) = (0, 0);
    for i in 0..shots.len() {
        if i > 0 && shots[i].burst.is_some() && shots[i].burst == shots[i - 1].burst {
            shots[i].orientation = shots[i - 1].orientation;
            continue;
        }
        held += 1;
        if held % stride == 0 && i > 0 {
            shots[i].orientation = TURNS[turns % TURNS.len()];
            turns += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_decided_by_its_seed() {
        assert_eq!(format!("{:?}", plan(7, 60)), format!("{:?}", plan(7, 60)));
        assert_ne!(format!("{:?}", plan(7, 60)), format!("{:?}", plan(8, 60)));
    }

    #[test]
    fn a_library_has_all_that_is_promised() {
        for seed in 0..40 {
            let shots = plan(seed, 60);
            assert_eq!(shots.len(), 60);
            for orientation in 1..=8 {
                assert!(shots.iter().any(|shot| shot.orientation == orientation), "seed {seed}: orientation {orientation}");
            }
            assert!(shots.iter().any(|shot| shot.burst.is_some()), "seed {seed}: no burst");
            assert!(shots.iter().any(|shot| shot.trip.is_some()) && shots.iter().any(|shot| shot.trip.is_none()));
            assert!(shots.is_sorted_by_key(|shot| shot.utc_ms), "seed {seed}: out of order");
        }
    }

    #[test]
    fn moments_are_apart_and_bursts_are_close() {
        for pair in plan(3, 300).windows(2) {
            let gap_ms = pair[1].utc_ms - pair[0].utc_ms;
            if pair[0].moment != pair[1].moment {
                assert!(gap_ms > 2 * 3_600_000, "{gap_ms} ms between moments");
            } else if pair[0].burst.is_some() && pair[0].burst == pair[1].burst {
                assert!(gap_ms < 1000, "{gap_ms} ms within a burst");
                assert_eq!(pair[0].orientation, pair[1].orientation);
            } else {
                assert!(gap_ms < 3_600_000, "{gap_ms} ms within a moment");
            }
        }
    }
}
