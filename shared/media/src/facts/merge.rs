//! One set of facts from several: for each fact the first source that has it, as the order of the merging says.

use photovault_domain::{Camera, Exposure, Facts, Lens, Place, limits::MAX_REGIONS};

use super::kept;

/// Captions that a camera writes into every picture: anybody else's is better.
const STOCK_CAPTIONS: &[&str] = &[
    "OLYMPUS DIGITAL CAMERA",
    "SONY DSC",
    "DCIM",
    "KONICA MINOLTA DIGITAL CAMERA",
    "MINOLTA DIGITAL CAMERA",
    "SAMSUNG CAMERA PICTURES",
];

/// Adds to `facts` what `more` knows and they do not.
pub(super) fn add(facts: &mut Facts, more: Facts) {
    fn fill<T>(fact: &mut Option<T>, more: Option<T>) {
        if fact.is_none() {
            *fact = more;
        }
    }
    if facts.description.as_deref().is_some_and(is_empty_talk)
        && more.description.as_deref().is_some_and(|text| !is_empty_talk(text))
    {
        facts.description = None;
    }
    for (blank, better) in [(&mut facts.artist, &more.artist), (&mut facts.copyright, &more.copyright)] {
        if blank.as_deref() == Some("") && better.is_some() {
            *blank = None;
        }
    }
    facts.times.extend(more.times);
    kept::add_keywords(&mut facts.keywords, more.keywords.iter().map(String::as_str));
    if facts.regions.is_empty() {
        facts.regions = more.regions;
        facts.regions.truncate(MAX_REGIONS);
    }
    fill(&mut facts.orientation, more.orientation);
    fill(&mut facts.position, more.position);
    fill(&mut facts.title, more.title);
    fill(&mut facts.description, more.description);
    fill(&mut facts.artist, more.artist);
    fill(&mut facts.copyright, more.copyright);
    fill(&mut facts.rating, more.rating);
    fill(&mut facts.label, more.label);
    fill(&mut facts.live, more.live);
    fill(&mut facts.burst, more.burst);
    fill(&mut facts.panorama, more.panorama);
    facts.screenshot |= more.screenshot;
    if let Some(Camera { make, model, serial, software }) = more.camera {
        let known = facts.camera.get_or_insert_default();
        fill(&mut known.make, make);
        fill(&mut known.model, model);
        fill(&mut known.serial, serial);
        fill(&mut known.software, software);
    }
    if let Some(Lens { make, model }) = more.lens {
        let known = facts.lens.get_or_insert_default();
        fill(&mut known.make, make);
        fill(&mut known.model, model);
    }
    if let Some(Exposure { time_s, f_number, iso, bias_ev, focal_mm, focal_35mm_mm, flash_fired }) = more.exposure {
        let known = facts.exposure.get_or_insert_default();
        fill(&mut known.time_s, time_s);
        fill(&mut known.f_number, f_number);
        fill(&mut known.iso, iso);
        fill(&mut known.bias_ev, bias_ev);
        fill(&mut known.focal_mm, focal_mm);
        fill(&mut known.focal_35mm_mm, focal_35mm_mm);
        fill(&mut known.flash_fired, flash_fired);
    }
    if let Some(Place { location, city, region, country }) = more.place {
        let known = facts.place.get_or_insert_default();
        fill(&mut known.location, location);
        fill(&mut known.city, city);
        fill(&mut known.region, region);
        fill(&mut known.country, country);
    }
}

fn is_empty_talk(caption: &str) -> bool {
    caption.is_empty() || STOCK_CAPTIONS.contains(&caption)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(description: &str) -> Facts {
        Facts { description: Some(description.to_owned()), ..Facts::default() }
    }

    #[test]
    fn the_first_source_wins_unless_it_says_nothing() {
        for (first, second, want) in [
            ("a caption", "another", "a caption"),
            ("", "another", "another"),
            ("OLYMPUS DIGITAL CAMERA", "another", "another"),
            ("OLYMPUS DIGITAL CAMERA", "", "OLYMPUS DIGITAL CAMERA"),
        ] {
            let mut facts = described(first);
            add(&mut facts, described(second));
            assert_eq!(facts.description.as_deref(), Some(want));
        }
        let mut facts = described("");
        add(&mut facts, Facts::default());
        assert_eq!(facts.description.as_deref(), Some(""), "that a blank one is there is known as well");
    }

    #[test]
    fn parts_are_filled_one_by_one() {
        let camera = |make: Option<&str>, model: Option<&str>| {
            let text = |text: Option<&str>| text.map(str::to_owned);
            Facts { camera: Some(Camera { make: text(make), model: text(model), ..Camera::default() }), ..Facts::default() }
        };
        let mut facts = camera(Some("Acme"), None);
        add(&mut facts, camera(Some("Other"), Some("One")));
        assert_eq!(facts.camera, camera(Some("Acme"), Some("One")).camera);
        let mut facts = Facts { keywords: vec!["sea".to_owned()], ..Facts::default() };
        add(&mut facts, Facts { keywords: vec!["sand".to_owned(), "sea".to_owned()], ..Facts::default() });
        assert_eq!(facts.keywords, ["sea", "sand"]);
    }
}
