//! What a picture's size tells: panoramas, and screenshots that say nothing of themselves.

use photovault_domain::{Camera, Facts, Format};

/// How many times longer than wide a picture is that a phone calls a panorama: cinema formats end at 2.4.
const PANORAMA_RATIO: f64 = 2.5;
/// Pixels of a panorama's long side: a strip cut out of an old photo has fewer.
const PANORAMA_PIXELS: u32 = 3000;

/// Screens of phones and tablets, upright, in pixels. Sizes that pictures of other kinds have as well (768 × 1024) are not among them.
const SCREENS: &[(u32, u32)] = &[
    // iPhone and iPad.
    (640, 960),
    (640, 1136),
    (750, 1334),
    (828, 1792),
    (1125, 2436),
    (1170, 2532),
    (1179, 2556),
    (1206, 2622),
    (1242, 2208),
    (1242, 2688),
    (1284, 2778),
    (1290, 2796),
    (1320, 2868),
    (1488, 2266),
    (1536, 2048),
    (1620, 2160),
    (1640, 2360),
    (1668, 2224),
    (1668, 2388),
    (2048, 2732),
    // Android.
    (720, 1280),
    (720, 1520),
    (720, 1560),
    (720, 1600),
    (1008, 2244),
    (1080, 1920),
    (1080, 2160),
    (1080, 2220),
    (1080, 2240),
    (1080, 2280),
    (1080, 2310),
    (1080, 2340),
    (1080, 2376),
    (1080, 2400),
    (1080, 2408),
    (1080, 2412),
    (1080, 2424),
    (1220, 2712),
    (1240, 2772),
    (1260, 2800),
    (1280, 2772),
    (1280, 2856),
    (1344, 2992),
    (1440, 2560),
    (1440, 2880),
    (1440, 2960),
    (1440, 3040),
    (1440, 3088),
    (1440, 3120),
    (1440, 3168),
    (1440, 3200),
];

/// Adds what the size tells.
pub(super) fn judge(facts: &mut Facts, format: Format, size: (u32, u32)) {
    let (short, long) = (size.0.min(size.1), size.0.max(size.1));
    let has_camera = facts.camera.as_ref().is_some_and(|Camera { make, model, .. }| make.is_some() || model.is_some());
    if facts.panorama.is_none() && has_camera && long >= PANORAMA_PIXELS && f64::from(long) >= f64::from(short) * PANORAMA_RATIO {
        facts.panorama = Some("wide".to_owned());
    }
    facts.screenshot |= format == Format::Png && !has_camera && SCREENS.contains(&(short, long));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_tell_screens_and_panoramas() {
        let judged = |format: Format, size: (u32, u32), make: Option<&str>| {
            let camera = make.map(|make| Camera { make: Some(make.to_owned()), ..Camera::default() });
            let mut facts = Facts { camera, ..Facts::default() };
            judge(&mut facts, format, size);
            (facts.panorama.is_some(), facts.screenshot)
        };
        for (format, size, make, want) in [
            (Format::Png, (1170, 2532), None, (false, true)),
            (Format::Png, (2532, 1170), None, (false, true)),
            (Format::Png, (1170, 2532), Some("Acme"), (false, false)),
            (Format::Jpeg, (1170, 2532), None, (false, false)),
            (Format::Png, (1171, 2532), None, (false, false)),
            (Format::Jpeg, (10_000, 3000), Some("Acme"), (true, false)),
            (Format::Jpeg, (3000, 10_000), Some("Acme"), (true, false)),
            (Format::Jpeg, (10_000, 3000), None, (false, false)),
            (Format::Jpeg, (4000, 3000), Some("Acme"), (false, false)),
            (Format::Jpeg, (1000, 100), Some("Acme"), (false, false)),
        ] {
            assert_eq!(judged(format, size, make), want, "{format:?} {size:?} {make:?}");
        }
    }
}
