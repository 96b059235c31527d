//! XML as far as XMP needs it: elements, attributes and text. No entity but the five of XML itself is replaced, and a document type
//! ends the reading: nothing can grow or be fetched.

use photovault_domain::limits::{MAX_XMP_ELEMENTS, MAX_XMP_NESTING};
use quick_xml::{
    NsReader, XmlVersion,
    escape::resolve_predefined_entity,
    events::{BytesStart, Event},
    name::{NamespaceResolver, QName, ResolveResult},
};

/// Namespace declarations of one element: Adobe's programs write twenty.
const MAX_DECLARATIONS: usize = 64;

/// The namespaces that are read, and what they are called here whatever a file calls them.
const NAMESPACES: &[(&str, &str)] = &[
    ("http://www.w3.org/1999/02/22-rdf-syntax-ns#", "rdf"),
    ("http://www.w3.org/XML/1998/namespace", "xml"),
    ("http://purl.org/dc/elements/1.1/", "dc"),
    ("http://ns.adobe.com/xap/1.0/", "xmp"),
    ("http://ns.adobe.com/xmp/note/", "xmpNote"),
    ("http://ns.adobe.com/photoshop/1.0/", "photoshop"),
    ("http://ns.adobe.com/exif/1.0/", "exif"),
    ("http://cipa.jp/exif/1.0/", "exifEX"),
    ("http://ns.adobe.com/exif/1.0/aux/", "aux"),
    ("http://ns.adobe.com/tiff/1.0/", "tiff"),
    ("http://ns.adobe.com/lightroom/1.0/", "lr"),
    ("http://www.digikam.org/ns/1.0/", "digiKam"),
    ("http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/", "Iptc4xmpCore"),
    ("http://www.metadataworkinggroup.com/schemas/regions/", "mwg-rs"),
    ("http://ns.adobe.com/xmp/sType/Area#", "stArea"),
    ("http://ns.microsoft.com/photo/1.0/", "MicrosoftPhoto"),
    ("http://ns.microsoft.com/photo/1.2/", "MP"),
    ("http://ns.microsoft.com/photo/1.2/t/RegionInfo#", "MPRI"),
    ("http://ns.microsoft.com/photo/1.2/t/Region#", "MPReg"),
    ("http://ns.google.com/photos/1.0/camera/", "GCamera"),
    ("http://ns.google.com/photos/1.0/container/", "Container"),
    ("http://ns.google.com/photos/1.0/container/item/", "Item"),
    ("http://ns.google.com/photos/1.0/panorama/", "GPano"),
    ("http://ns.adobe.com/hdr-gain-map/1.0/", "hdrgm"),
];

/// An element with everything inside it.
#[derive(Debug, Default)]
pub(super) struct Element {
    /// Its name, with the prefix of [`NAMESPACES`]; elements of other namespaces have `?`.
    pub(super) name: String,
    pub(super) attributes: Vec<(String, String)>,
    pub(super) children: Vec<Element>,
    pub(super) text: String,
}

impl Element {
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// What holds all the elements, and what is wrong with them where the reading had to end early.
pub(super) fn read(text: &str) -> (Element, Option<String>) {
    let mut reader = NsReader::from_str(text);
    reader.resolver_mut().set_max_declarations_per_element(MAX_DECLARATIONS);
    let mut open = vec![Element::default()];
    let trouble = read_into(&mut reader, &mut open).err();
    while open.len() > 1 {
        close(&mut open);
    }
    (open.remove(0), trouble)
}

fn read_into(reader: &mut NsReader<&[u8]>, open: &mut Vec<Element>) -> Result<(), String> {
    let mut left = MAX_XMP_ELEMENTS;
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(start) => open.push(element(&start, reader.resolver(), &mut left)?),
            Event::Empty(start) => {
                open.push(element(&start, reader.resolver(), &mut left)?);
                close(open);
            }
            Event::End(_) => close(open),
            Event::Text(text) => append(open, &text.xml10_content().map_err(|error| error.to_string())?),
            Event::CData(text) => append(open, &text.decode().map_err(|error| error.to_string())?),
            Event::GeneralRef(reference) => {
                let name = reference.decode().map_err(|error| error.to_string())?;
                match reference.resolve_char_ref().map_err(|error| error.to_string())? {
                    Some(letter) => append(open, letter.encode_utf8(&mut [0; 4])),
                    None => append(open, resolve_predefined_entity(&name).unwrap_or_default()),
                }
            }
            Event::DocType(_) => return Err("it has a document type, which XMP must not have".to_owned()),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => return Ok(()),
        }
        if open.len() > MAX_XMP_NESTING {
            return Err(format!("its elements are nested deeper than {MAX_XMP_NESTING} levels"));
        }
    }
}

/// The element that begins; `left` is how many more elements and attributes may come.
fn element(start: &BytesStart, resolver: &NamespaceResolver, left: &mut usize) -> Result<Element, String> {
    let mut next = || {
        *left = left.checked_sub(1).ok_or_else(|| format!("it has more than {MAX_XMP_ELEMENTS} elements and attributes"))?;
        Ok::<_, String>(())
    };
    next()?;
    let mut element = Element { name: named(start.name(), resolver, true), ..Element::default() };
    // Looking for attributes that stand twice takes the square of their number.
    for attribute in start.attributes().with_checks(false) {
        next()?;
        let attribute = attribute.map_err(|error| error.to_string())?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|error| error.to_string())?;
        element.attributes.push((named(attribute.key, resolver, false), value.into_owned()));
    }
    Ok(element)
}

fn named(name: QName, resolver: &NamespaceResolver, is_element: bool) -> String {
    let (space, local) = if is_element { resolver.resolve_element(name) } else { resolver.resolve_attribute(name) };
    let known = |uri: &[u8]| NAMESPACES.iter().find(|(known, _)| known.as_bytes() == uri).map(|(_, prefix)| *prefix);
    let prefix = match space {
        ResolveResult::Bound(space) => known(space.into_inner()),
        ResolveResult::Unbound | ResolveResult::Unknown(_) => None,
    };
    format!("{}:{}", prefix.unwrap_or("?"), String::from_utf8_lossy(local.into_inner()))
}

fn append(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

/// Puts the element that was opened last into the one around it.
fn close(open: &mut Vec<Element>) {
    if open.len() > 1
        && let (Some(element), Some(around)) = (open.pop(), open.last_mut())
    {
        around.children.push(element);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_by_their_namespace_and_not_by_their_prefix() {
        let (root, trouble) = read(
            r#"<a:b xmlns:a="http://purl.org/dc/elements/1.1/" xmlns:dc="urn:x" dc:c="1" a:d="2 &amp; &#x41;">x<y/>z</a:b>"#,
        );
        assert_eq!(trouble, None);
        let element = &root.children[0];
        assert_eq!((element.name.as_str(), element.text.as_str()), ("dc:b", "xz"));
        assert_eq!(
            (element.attribute("dc:c"), element.attribute("dc:d"), element.attribute("?:c")),
            (None, Some("2 & A"), Some("1"))
        );
        assert_eq!(element.children[0].name, "?:y");
    }

    #[test]
    fn what_could_grow_ends_the_reading() {
        let bomb = r#"<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>"#;
        assert!(read(bomb).1.is_some_and(|trouble| trouble.contains("document type")));
        let (root, _) = read("<x>&b;&lt;</x>");
        assert_eq!(root.children[0].text, "<", "an entity that nobody defined is nothing");
        assert!(read(&"<x>".repeat(40)).1.is_some_and(|trouble| trouble.contains("32 levels")));
        let wide = ["<x>", &"<y a='1'/>".repeat(40_000), "</x>"].concat();
        assert!(read(&wide).1.is_some_and(|trouble| trouble.contains("65536 elements")));
    }

    #[test]
    fn what_was_read_before_the_damage_is_kept() {
        let (root, trouble) = read("<x><y>good</y><z>cut");
        assert_eq!(root.children[0].children[0].text, "good");
        assert!(trouble.is_none_or(|trouble| !trouble.is_empty()));
        let (root, trouble) = read("<x><y>good</y></z>");
        assert_eq!((root.children[0].children[0].text.as_str(), trouble.is_some()), ("good", true));
    }
}
