//! XMP (ISO 16684-1): a packet's properties, read from its RDF.

mod typed;
mod xml;

pub(super) use typed::{facts, motion};

use xml::Element;

/// A property's value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Text(String),
    /// A bag, a sequence, or alternatives with the default first.
    List(Vec<Value>),
    Struct(Properties),
}

/// Names with the prefixes of [`xml`], and values.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Properties(Vec<(String, Value)>);

/// The properties of a packet, and what was broken in it.
pub(crate) fn read(packet: &[u8]) -> (Properties, Option<String>) {
    let text = decoded(packet);
    // Programs pad a packet with blanks, and some with NULs, which no XML may have.
    let (root, trouble) = xml::read(text.trim_matches(['\0', '\u{FEFF}', ' ', '\r', '\n', '\t']));
    let mut properties = Properties::default();
    describe(&root, &mut properties);
    (properties, trouble)
}

/// UTF-8, or UTF-16 where a byte order mark says so.
fn decoded(packet: &[u8]) -> String {
    let wide = |from: fn([u8; 2]) -> u16| -> Vec<u16> { packet[2..].as_chunks().0.iter().map(|pair| from(*pair)).collect() };
    match packet {
        [0xFE, 0xFF, ..] => String::from_utf16_lossy(&wide(u16::from_be_bytes)),
        [0xFF, 0xFE, ..] => String::from_utf16_lossy(&wide(u16::from_le_bytes)),
        _ => String::from_utf8_lossy(packet).into_owned(),
    }
}

/// Collects the properties of every `rdf:Description` on the outermost level of the RDF.
fn describe(element: &Element, properties: &mut Properties) {
    for child in &element.children {
        if element.name == "rdf:RDF" && child.name == "rdf:Description" {
            properties.0.extend(fields(child).0);
        } else if element.name != "rdf:RDF" {
            describe(child, properties);
        }
    }
}

/// Attributes and elements of a description or a structure; what RDF and XML say for themselves is none.
fn fields(element: &Element) -> Properties {
    let own = |name: &str| !name.starts_with("rdf:") && !name.starts_with("xml:") && !name.starts_with('?');
    let attributes = element.attributes.iter().map(|(name, text)| (name.clone(), Value::Text(text.clone())));
    let children = element.children.iter().map(|child| (child.name.clone(), value(child)));
    Properties(attributes.chain(children).filter(|(name, _)| own(name)).collect())
}

fn value(element: &Element) -> Value {
    match element.children.first() {
        Some(list) if matches!(list.name.as_str(), "rdf:Bag" | "rdf:Seq" | "rdf:Alt") => {
            let items = list.children.iter().filter(|item| item.name == "rdf:li");
            let (default, others): (Vec<_>, Vec<_>) =
                items.partition(|item| item.attribute("xml:lang").is_some_and(|language| language == "x-default"));
            Value::List(default.into_iter().chain(others).map(value).collect())
        }
        Some(description) if description.name == "rdf:Description" => Value::Struct(fields(description)),
        Some(_) => Value::Struct(fields(element)),
        None if element.attribute("rdf:resource").is_some() => {
            Value::Text(element.attribute("rdf:resource").unwrap_or_default().to_owned())
        }
        None => match fields(element) {
            empty if empty.0.is_empty() => Value::Text(element.text.trim().to_owned()),
            fields => Value::Struct(fields),
        },
    }
}

impl Properties {
    /// The value of that name; of several, the first.
    pub(crate) fn value(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The text of that name: of a list its first one. Absent if blank.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.texts(name).next()
    }

    /// The texts of a list, or the only one.
    pub(super) fn texts<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let items = match self.value(name) {
            Some(Value::List(items)) => items.as_slice(),
            Some(single) => std::slice::from_ref(single),
            None => &[],
        };
        items.iter().filter_map(|value| match value {
            Value::Text(text) => Some(text.trim()).filter(|text| !text.is_empty()),
            Value::List(_) | Value::Struct(_) => None,
        })
    }

    /// The structures of a list, or the only one.
    pub(super) fn structs<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a Properties> + use<'a> {
        let items = match self.value(name) {
            Some(Value::List(items)) => items.as_slice(),
            Some(single) => std::slice::from_ref(single),
            None => &[],
        };
        items.iter().filter_map(|value| match value {
            Value::Struct(fields) => Some(fields),
            Value::Text(_) | Value::List(_) => None,
        })
    }

    /// Every text with its name, for people; of lists and structures the parts, joined.
    pub(super) fn readable(&self) -> impl Iterator<Item = (&str, String)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.readable()))
    }
}

impl Value {
    fn readable(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::List(items) => items.iter().map(Self::readable).collect::<Vec<_>>().join("; "),
            Self::Struct(fields) => {
                let parts = fields.readable().map(|(name, text)| format!("{name}: {text}"));
                ["{", &parts.collect::<Vec<_>>().join(", "), "}"].concat()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(body: &str) -> Vec<u8> {
        format!(
            r#"<?xpacket begin="﻿" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
            xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dc="http://purl.org/dc/elements/1.1/"
            xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:s="http://ns.adobe.com/xmp/sType/Area#">{body}</rdf:RDF></x:xmpmeta><?xpacket end="w"?>"#
        )
        .into_bytes()
    }

    #[test]
    fn every_way_to_write_a_property_is_read() {
        let (properties, trouble) = read(&packet(
            r#"<rdf:Description rdf:about="" xmp:Rating="4" xmp:Label="Red">
                <dc:title><rdf:Alt><rdf:li xml:lang="de">Strand</rdf:li><rdf:li xml:lang="x-default">Beach</rdf:li></rdf:Alt></dc:title>
                <dc:subject><rdf:Bag><rdf:li>sea</rdf:li><rdf:li> </rdf:li><rdf:li>sand &amp; sun</rdf:li></rdf:Bag></dc:subject>
            </rdf:Description>
            <rdf:Description rdf:about=""><xmp:BaseURL rdf:resource="urn:x"/>
                <s:one s:x="1" s:y="2"/><s:two rdf:parseType="Resource"><s:x>3</s:x></s:two>
                <s:three><rdf:Description s:x="5"/></s:three></rdf:Description>"#,
        ));
        assert_eq!(trouble, None);
        assert_eq!((properties.text("xmp:Rating"), properties.text("xmp:Label")), (Some("4"), Some("Red")));
        assert_eq!(properties.text("dc:title"), Some("Beach"));
        assert_eq!(properties.texts("dc:subject").collect::<Vec<_>>(), ["sea", "sand & sun"]);
        assert_eq!(properties.text("xmp:BaseURL"), Some("urn:x"));
        let x = |name: &str| properties.structs(name).next().and_then(|fields| fields.text("stArea:x"));
        assert_eq!((x("stArea:one"), x("stArea:two"), x("stArea:three")), (Some("1"), Some("3"), Some("5")));
    }

    #[test]
    fn both_widths_of_unicode_are_read() {
        let text = String::from_utf8(packet(r#"<rdf:Description xmp:Label="Grün"/>"#)).unwrap();
        let units: Vec<u16> = text.encode_utf16().collect();
        let big: Vec<u8> = [0xFEFF].iter().chain(&units).flat_map(|unit| unit.to_be_bytes()).collect();
        let little: Vec<u8> = [0xFEFF].iter().chain(&units).flat_map(|unit| unit.to_le_bytes()).collect();
        for bytes in [text.into_bytes(), big, little] {
            assert_eq!(read(&bytes).0.text("xmp:Label"), Some("Grün"));
        }
    }

    #[test]
    fn no_cut_panics() {
        let whole = packet(r#"<rdf:Description xmp:Rating="4"><dc:title>x</dc:title></rdf:Description>"#);
        for length in 0..whole.len() {
            read(&whole[..length]);
        }
    }
}
