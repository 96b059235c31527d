//! Points on the globe, and how far apart they are.

use serde::{Deserialize, Serialize};

/// Kilometres: the mean radius of the Earth (IUGG).
const RADIUS_KM: f64 = 6371.009;

/// A point on the WGS 84 ellipsoid.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Degrees, north positive.
    pub latitude: f64,
    /// Degrees, east positive.
    pub longitude: f64,
}

impl Point {
    /// Kilometres along the great circle, by the haversine formula: half a per cent off at most, since the Earth is no sphere.
    pub fn distance_km(self, other: Self) -> f64 {
        let half_chord = |degrees: f64| (degrees.to_radians() / 2.0).sin().powi(2);
        let across = self.latitude.to_radians().cos() * other.latitude.to_radians().cos();
        let squared = half_chord(other.latitude - self.latitude) + across * half_chord(other.longitude - self.longitude);
        2.0 * RADIUS_KM * squared.sqrt().min(1.0).asin()
    }

    /// The point so many kilometres to the north and to the east: for distances far smaller than the Earth.
    #[must_use]
    pub fn moved_km(self, north: f64, east: f64) -> Self {
        let degree_km = std::f64::consts::PI * RADIUS_KM / 180.0;
        let shrink = self.latitude.to_radians().cos().max(0.01);
        Self { latitude: self.latitude + north / degree_km, longitude: self.longitude + east / (degree_km * shrink) }
    }
}

/// `47.99, 7.84`: to about a kilometre.
impl std::fmt::Display for Point {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.2}, {:.2}", self.latitude, self.longitude)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_the_map() {
        let point = |latitude, longitude| Point { latitude, longitude };
        let (paris, lisbon, suva, apia) =
            (point(48.8566, 2.3522), point(38.7223, -9.1393), point(-18.1416, 178.4419), point(-13.8333, -171.7667));
        for (from, to, km) in [(paris, lisbon, 1453.0), (lisbon, paris, 1453.0), (suva, apia, 1146.0), (paris, paris, 0.0)] {
            assert!((from.distance_km(to) - km).abs() <= km * 0.006, "{from:?} {to:?}: {}", from.distance_km(to));
        }
        assert!((paris.distance_km(paris.moved_km(3.0, 4.0)) - 5.0).abs() < 0.01);
    }
}
