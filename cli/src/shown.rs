//! Facts as a person reads them.

use photovault_domain::{Captured, Exposure, Facts, Located, Motion, Position, Region};

use crate::table::bytes;

/// Names and values below one another; what is empty is left out.
pub(crate) fn written(lines: &[(&str, String)], indent: &str) -> String {
    let full = lines.iter().filter(|(_, value)| !value.is_empty());
    full.map(|(name, value)| [indent, &format!("{name:<12}"), value, "\n"].concat()).collect()
}

/// Facts as lines of name and value; some values are empty.
pub(crate) fn facts(facts: &Facts) -> Vec<(&'static str, String)> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let joined = |parts: &[&Option<String>], between: &str| {
        let parts: Vec<&str> = parts.iter().filter_map(|part| part.as_deref()).collect();
        parts.join(between)
    };
    let camera = facts.camera.as_ref().map(|camera| joined(&[&camera.make, &camera.model, &camera.software], " "));
    let lens = facts.lens.as_ref().map(|lens| joined(&[&lens.make, &lens.model], " "));
    let place = facts.place.as_ref().map(|place| joined(&[&place.location, &place.city, &place.region, &place.country], ", "));
    vec![
        ("title", text(&facts.title)),
        ("caption", text(&facts.description)),
        ("keywords", facts.keywords.join(", ")),
        ("rating", facts.rating.map(stars).unwrap_or_default()),
        ("label", text(&facts.label)),
        ("shown", facts.regions.iter().map(region).collect::<Vec<_>>().join(", ")),
        ("captured", facts.captured.as_ref().map(captured).unwrap_or_default()),
        ("camera", camera.unwrap_or_default()),
        ("lens", lens.unwrap_or_default()),
        ("exposure", facts.exposure.as_ref().map(exposure).unwrap_or_default()),
        ("position", facts.position.as_ref().map(position).unwrap_or_default()),
        ("place", place.unwrap_or_default()),
        ("located", facts.located.as_ref().map(located).unwrap_or_default()),
        ("orientation", facts.orientation.map(|orientation| orientation.to_string()).unwrap_or_default()),
        ("kind", kinds(facts).join(", ")),
        ("motion", facts.motion.as_ref().map(motion).unwrap_or_default()),
        ("live photo", text(&facts.live)),
        ("burst", text(&facts.burst)),
        ("artist", text(&facts.artist)),
        ("copyright", text(&facts.copyright)),
    ]
}

/// `2019-07-04 12:30:05.12 +02:00 by GPS time, from Exif DateTimeOriginal (high confidence)`.
fn captured(at: &Captured) -> String {
    let time = if at.day_only { at.local.split('T').next().unwrap_or_default().to_owned() } else { at.local.replace('T', " ") };
    let fraction = at.subsec.as_ref().map(|digits| format!(".{digits}")).unwrap_or_default();
    let zone = match (&at.offset, &at.offset_source) {
        (Some(offset), Some(source)) => format!("{offset} by {source}"),
        (Some(offset), None) => offset.clone(),
        (None, _) => "floating (no time zone)".to_owned(),
    };
    let doubt = at.doubt.as_ref().map(|doubt| format!(": {doubt}")).unwrap_or_default();
    format!("{time}{fraction} {zone}, from {} ({} confidence{doubt})", at.source, at.confidence.as_str())
}

fn exposure(exposure: &Exposure) -> String {
    let parts = [
        exposure.time_s.map(shutter),
        exposure.f_number.map(|f| format!("f/{f}")),
        exposure.iso.map(|iso| format!("ISO {iso}")),
        exposure.focal_mm.map(|mm| format!("{mm} mm")),
        exposure.flash_fired.filter(|fired| *fired).map(|_| "flash".to_owned()),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn shutter(seconds: f64) -> String {
    if seconds > 0.0 && seconds < 0.3 { format!("1/{:.0} s", 1.0 / seconds) } else { format!("{seconds} s") }
}

fn position(at: &Position) -> String {
    let part = |value: Option<f64>, words: &dyn Fn(f64) -> String| value.map(words).unwrap_or_default();
    [
        format!("{:.6}, {:.6}", at.latitude, at.longitude),
        part(at.altitude_m, &|metres| format!(", {metres:.0} m")),
        part(at.direction_deg, &|degrees| format!(", looking to {degrees:.0}°")),
        part(at.speed_m_s, &|speed| format!(", moving at {speed:.1} m/s")),
    ]
    .concat()
}

/// `1.2 km from Wien, Vienna, AT`.
fn located(located: &Located) -> String {
    let town = located.town.iter().flat_map(|town| [Some(&town.name), town.region.as_ref()]);
    let words: Vec<&str> = town.chain([located.country.as_ref()]).flatten().map(String::as_str).collect();
    let distance = located.town.as_ref().map(|town| format!("{:.1} km from ", f64::from(town.distance_m) / 1000.0));
    distance.unwrap_or_default() + &words.join(", ")
}

fn stars(rating: i8) -> String {
    match rating {
        ..0 => "rejected".to_owned(),
        0 => "no stars".to_owned(),
        stars => "★".repeat(stars.unsigned_abs().into()),
    }
}

/// `Ann (Face at 40 % 20 %)`.
fn region(region: &Region) -> String {
    let kind = region.kind.as_deref().unwrap_or("area");
    let place = format!("{kind} at {:.0} % {:.0} %", region.x * 100.0, region.y * 100.0);
    region.name.as_ref().map_or(place.clone(), |name| format!("{name} ({place})"))
}

fn kinds(facts: &Facts) -> Vec<String> {
    let panorama = facts.panorama.as_ref().map(|projection| format!("panorama ({projection})"));
    let screenshot = facts.screenshot.then(|| "screenshot".to_owned());
    panorama.into_iter().chain(screenshot).collect()
}

fn motion(motion: &Motion) -> String {
    let still = motion.still_at_us.map(|us| format!(", the still at {:.1} s", us as f64 / 1e6)).unwrap_or_default();
    format!("video of {} at byte {} ({}){still}", bytes(motion.length), motion.at, motion.source)
}

#[cfg(test)]
mod tests {
    use super::*;
    use photovault_domain::{Confidence, Place};

    #[test]
    fn everything_that_is_known_has_a_line() {
        let text = |text: &str| Some(text.to_owned());
        let captured = Captured {
            local: "2019-07-04T12:30:05".into(),
            subsec: text("12"),
            source: "Exif DateTimeOriginal".into(),
            confidence: Confidence::High,
            ..Captured::default()
        };
        let region = Region { name: text("Ann"), kind: text("Face"), x: 0.4, y: 0.2, width: 0.2, height: 0.1 };
        let known = Facts {
            title: text("Beach"),
            keywords: vec!["sea".into(), "sand".into()],
            rating: Some(4),
            regions: vec![region.clone(), Region { name: None, kind: None, ..region }],
            captured: Some(captured.clone()),
            place: Some(Place { city: text("Wien"), country: text("Austria"), ..Place::default() }),
            motion: Some(Motion { at: 5, length: 2_000_000, source: "XMP Container".into(), still_at_us: Some(1_500_000) }),
            panorama: text("wide"),
            screenshot: true,
            description: text(""),
            ..Facts::default()
        };
        let lines = [
            "title       Beach",
            "keywords    sea, sand",
            "rating      ★★★★",
            "shown       Ann (Face at 40 % 20 %), area at 40 % 20 %",
            "captured    2019-07-04 12:30:05.12 floating (no time zone), from Exif DateTimeOriginal (high confidence)",
            "place       Wien, Austria",
            "kind        panorama (wide), screenshot",
            "motion      video of 2.0 MB at byte 5 (XMP Container), the still at 1.5 s",
        ];
        assert_eq!(written(&facts(&known), "").lines().collect::<Vec<_>>(), lines);
        let by_gps = Captured { offset: text("+02:00"), offset_source: text("GPS time"), ..captured };
        assert!(super::captured(&by_gps).contains("+02:00 by GPS time, from"));
    }
}
