//! Where the sample library's photos are taken, and with what.

use photovault_domain::Point;

/// Somewhere.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) name: &'static str,
    /// Degrees, north and east positive (WGS 84).
    pub(crate) latitude: f64,
    pub(crate) longitude: f64,
    pub(crate) altitude_m: i64,
    standard_minutes: i64,
    has_summer_time: bool,
}

impl Place {
    const fn new(name: &'static str, at: (f64, f64, i64), standard_minutes: i64, has_summer_time: bool) -> Self {
        Self { name, latitude: at.0, longitude: at.1, altitude_m: at.2, standard_minutes, has_summer_time }
    }

    /// Where it is.
    pub(crate) const fn point(&self) -> Point {
        Point { latitude: self.latitude, longitude: self.longitude }
    }

    /// Minutes east of UTC on a day (counted from 1970). Summer time is April to October here: close enough to be told.
    pub(crate) fn offset_minutes(&self, day: i64) -> i64 {
        let day_of_year = (day * 100).rem_euclid(36_525) / 100;
        self.standard_minutes + if self.has_summer_time && (91..=300).contains(&day_of_year) { 60 } else { 0 }
    }
}

/// What took a photo.
#[derive(Debug)]
pub(crate) struct CameraModel {
    pub(crate) make: &'static str,
    pub(crate) model: &'static str,
    pub(crate) lens: &'static str,
    pub(crate) software: &'static str,
    pub(crate) file_prefix: &'static str,
    /// Tenths of a millimetre, and millimetres on 35 mm film.
    pub(crate) focal_tenths_mm: u32,
    pub(crate) focal_35mm_mm: u16,
    /// Tenths.
    pub(crate) f_number_tenths: u32,
    /// A phone writes its position; most cameras do not.
    pub(crate) writes_position: bool,
    /// Exif 2.31 and later; older cameras leave the time floating.
    pub(crate) writes_offset: bool,
}

/// Where the family lives.
pub(crate) const HOME: Place = Place::new("Freiburg", (47.9990, 7.8421, 278), 60, true);

/// Where it goes.
pub(crate) const PLACES: &[Place] = &[
    Place::new("Tromsø", (69.6492, 18.9553, 10), 60, true),
    Place::new("Kyoto", (35.0116, 135.7681, 50), 540, false),
    Place::new("Lago di Como", (46.0160, 9.2572, 199), 60, true),
    Place::new("Reykjavík", (64.1466, -21.9426, 20), 0, false),
    Place::new("Cusco", (-13.5320, -71.9675, 3399), -300, false),
    Place::new("São Miguel", (37.7804, -25.4970, 120), -60, true),
    Place::new("Kathmandu", (27.7172, 85.3240, 1400), 345, false),
    Place::new("Queenstown", (-45.0312, 168.6626, 310), 720, false),
    Place::new("Banff", (51.1784, -115.5708, 1383), -420, true),
    Place::new("Cape Town", (-33.9249, 18.4241, 25), 120, false),
];

/// The first is in everybody's pocket.
pub(crate) const CAMERAS: &[CameraModel] = &[
    CameraModel {
        make: "Google",
        model: "Pixel 8",
        lens: "Pixel 8 back camera 6.9mm f/1.68",
        software: "HDR+ 1.0.592",
        file_prefix: "PXL_",
        focal_tenths_mm: 69,
        focal_35mm_mm: 25,
        f_number_tenths: 17,
        writes_position: true,
        writes_offset: true,
    },
    CameraModel {
        make: "Apple",
        model: "iPhone 13",
        lens: "iPhone 13 back dual wide camera 5.1mm f/1.6",
        software: "17.4.1",
        file_prefix: "IMG_",
        focal_tenths_mm: 51,
        focal_35mm_mm: 26,
        f_number_tenths: 16,
        writes_position: true,
        writes_offset: true,
    },
    CameraModel {
        make: "FUJIFILM",
        model: "X-T4",
        lens: "XF35mmF2 R WR",
        software: "Digital Camera X-T4 Ver1.80",
        file_prefix: "DSCF",
        focal_tenths_mm: 350,
        focal_35mm_mm: 53,
        f_number_tenths: 56,
        writes_position: false,
        writes_offset: true,
    },
    CameraModel {
        make: "NIKON CORPORATION",
        model: "NIKON D90",
        lens: "AF-S DX 18-105mm f/3.5-5.6G ED VR",
        software: "Ver.1.00",
        file_prefix: "DSC_",
        focal_tenths_mm: 240,
        focal_35mm_mm: 36,
        f_number_tenths: 80,
        writes_position: false,
        writes_offset: false,
    },
];
