//! A sidecar: the XMP that a program wrote beside a photo instead of into it.

use photovault_domain::Facts;

use super::{Read, capture, merge, xmp};

/// What was read of a photo, with what its sidecar says. In words, stars and marks the sidecar is heard before the file, since people
/// change them there; what the camera wrote stands, and gaps in it are filled.
pub fn with_sidecar(mut read: Read, packet: &[u8]) -> Read {
    let (properties, trouble) = xmp::read(packet);
    read.warnings.extend(trouble.map(|trouble| format!("Part of the sidecar is broken: {trouble}.")));
    let said = xmp::facts(&properties);
    let facts = &mut read.facts;
    prefer(&mut facts.title, said.title.as_ref());
    prefer(&mut facts.description, said.description.as_ref());
    prefer(&mut facts.artist, said.artist.as_ref());
    prefer(&mut facts.copyright, said.copyright.as_ref());
    prefer(&mut facts.rating, said.rating.as_ref());
    prefer(&mut facts.label, said.label.as_ref());
    prefer(&mut facts.place, said.place.as_ref());
    if !said.keywords.is_empty() {
        facts.keywords.clear();
    }
    if !said.regions.is_empty() {
        facts.regions.clear();
    }
    merge::add(facts, Facts { times: said.times.into_iter().map(beside).collect(), ..said });
    capture::settle(facts);
    read
}

fn prefer<T: Clone>(fact: &mut Option<T>, said: Option<&T>) {
    if let Some(said) = said {
        *fact = Some(said.clone());
    }
}

/// The time with a source that says where the tag stood.
fn beside(mut at: photovault_domain::Captured) -> photovault_domain::Captured {
    at.source = format!("sidecar {}", at.source);
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_heard_in_the_sidecar_and_cameras_in_the_file() {
        let own = |local: &str| photovault_domain::Captured {
            local: local.to_owned(),
            source: "Exif DateTimeOriginal".to_owned(),
            confidence: photovault_domain::Confidence::High,
            ..Default::default()
        };
        let facts = Facts {
            title: Some("old".to_owned()),
            description: Some("kept".to_owned()),
            keywords: vec!["wrong".to_owned()],
            times: vec![own("2019-07-04T12:30:05")],
            ..Facts::default()
        };
        let packet = "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns:dc='http://purl.org/dc/elements/1.1/'
            xmlns:exif='http://ns.adobe.com/exif/1.0/' xmlns:xmp='http://ns.adobe.com/xap/1.0/'><rdf:Description xmp:Rating='3' dc:title='new'
            exif:DateTimeOriginal='2020-01-01T12:00:00' exif:FNumber='28/10'><dc:subject><rdf:Bag><rdf:li>sea</rdf:li></rdf:Bag></dc:subject>
            </rdf:Description></rdf:RDF>";
        let read = with_sidecar(Read { facts, ..Read::default() }, packet.as_bytes());
        assert_eq!(
            (read.facts.title.as_deref(), read.facts.description.as_deref(), read.facts.rating),
            (Some("new"), Some("kept"), Some(3))
        );
        assert_eq!(read.facts.keywords, ["sea"]);
        assert_eq!(read.facts.exposure.as_ref().and_then(|exposure| exposure.f_number), Some(2.8));
        assert_eq!(read.facts.captured.as_ref().map(|at| at.local.as_str()), Some("2019-07-04T12:30:05"));
        assert_eq!(read.facts.times[1].source, "sidecar XMP exif:DateTimeOriginal");
        assert!(read.warnings.is_empty());
        let hurt = with_sidecar(read.clone(), b"<x><y></x>");
        assert!(hurt.facts == read.facts && hurt.warnings[0].starts_with("Part of the sidecar is broken"), "{:?}", hurt.warnings);
    }
}
