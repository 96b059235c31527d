//! What the vault knows of an item as an XMP packet (ISO 16684-1): what other programs read beside an original.

use std::fmt::Write as _;

use photovault_domain::{Media, local_of_seconds};

/// The packet. Properties: Dublin Core title, description, creator and subject; the capture time, the position, stars and the label.
pub(super) fn packet(media: &Media) -> String {
    let mut properties = String::new();
    let mut add = |name: &str, value: &str| _ = write!(properties, "\n   <{name}>{}</{name}>", escaped(value));
    let facts = media.facts.as_deref();
    match (&media.moved, facts.and_then(|facts| facts.captured.as_ref())) {
        // What its user says comes before what the file says.
        (Some(moved), _) => add("exif:DateTimeOriginal", &format!("{}Z", local_of_seconds(moved.at.0.div_euclid(1000)))),
        (None, Some(captured)) => {
            add("exif:DateTimeOriginal", &format!("{}{}", captured.local, captured.offset.as_deref().unwrap_or_default()));
        }
        (None, None) => {}
    }
    if let Some(at) = media.taken().position {
        add("exif:GPSLatitude", &coordinate(at.latitude, 'N', 'S'));
        add("exif:GPSLongitude", &coordinate(at.longitude, 'E', 'W'));
    }
    if let Some(facts) = facts {
        if let Some(rating) = facts.rating {
            add("xmp:Rating", &rating.to_string());
        }
        if let Some(label) = &facts.label {
            add("xmp:Label", label);
        }
        let alternative = |text: &str| format!("<rdf:Alt><rdf:li xml:lang=\"x-default\">{}</rdf:li></rdf:Alt>", escaped(text));
        let named = [("dc:title", &facts.title), ("dc:description", &facts.description), ("dc:rights", &facts.copyright)];
        for (name, text) in named.into_iter().filter_map(|(name, text)| Some((name, text.as_ref()?))) {
            _ = write!(properties, "\n   <{name}>{}</{name}>", alternative(text));
        }
        if let Some(artist) = &facts.artist {
            _ = write!(properties, "\n   <dc:creator><rdf:Seq><rdf:li>{}</rdf:li></rdf:Seq></dc:creator>", escaped(artist));
        }
        if !facts.keywords.is_empty() {
            let words = facts.keywords.iter().map(|word| escaped(word)).collect::<Vec<_>>().join("</rdf:li><rdf:li>");
            _ = write!(properties, "\n   <dc:subject><rdf:Bag><rdf:li>{words}</rdf:li></rdf:Bag></dc:subject>");
        }
    }
    format!(
        "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\n \
         <rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\n  <rdf:Description rdf:about=\"\" \
         xmlns:dc=\"http://purl.org/dc/elements/1.1/\" xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\" \
         xmlns:exif=\"http://ns.adobe.com/exif/1.0/\">{properties}\n  </rdf:Description>\n </rdf:RDF>\n</x:xmpmeta>\n<?xpacket end=\"w\"?>\n"
    )
}

/// `47,59.400000N`: degrees, and minutes with a fraction (ISO 16684-1, `GPSCoordinate`).
fn coordinate(degrees: f64, positive: char, negative: char) -> String {
    let (angle, side) = (degrees.abs(), if degrees < 0.0 { negative } else { positive });
    format!("{},{:.6}{side}", angle.trunc(), angle.fract() * 60.0)
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // What XML 1.0 cannot hold.
            c if c.is_control() && !matches!(c, '\n' | '\t') => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use photovault_domain::{Captured, Facts, Format, MediaId, Position, UtcMs};
    use photovault_media::with_sidecar;

    use super::*;

    #[test]
    fn the_vault_reads_its_own_packets() {
        let facts = Facts {
            captured: Some(Captured {
                local: "2024-05-01T12:30:00".into(),
                offset: Some("+02:00".into()),
                ..Captured::default()
            }),
            position: Some(Position { latitude: -33.8568, longitude: 151.2153, ..Position::default() }),
            title: Some("Over & out <1>".into()),
            keywords: vec!["sea".into(), "ünï".into()],
            rating: Some(4),
            ..Facts::default()
        };
        let id = MediaId::of_upload(&"ann".parse().unwrap(), "b", "k", "v");
        let media = Media {
            facts: Some(Box::new(facts)),
            format: Some(Format::Jpeg),
            ..Media::new("ann".parse().unwrap(), id, UtcMs(0))
        };
        let read = with_sidecar(photovault_media::Read::default(), packet(&media).as_bytes()).facts;
        let captured = read.captured.expect("a time");
        assert_eq!((captured.local.as_str(), captured.offset.as_deref()), ("2024-05-01T12:30:00", Some("+02:00")));
        let position = read.position.expect("a position");
        assert!((position.latitude + 33.8568).abs() < 1e-6 && (position.longitude - 151.2153).abs() < 1e-6, "{position:?}");
        assert_eq!((read.title.as_deref(), read.rating), (Some("Over & out <1>"), Some(4)));
        assert_eq!(read.keywords, ["sea", "ünï"]);
    }
}
