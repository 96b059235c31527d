//! Single values of Exif fields, with the mistakes that cameras make in them.

use exif::{Exif, Field, In, Tag, Value};

/// Characters of one raw value.
const MAX_RAW_CHARACTERS: usize = 1024;

/// The field, of the primary picture.
pub(super) fn field(exif: &Exif, tag: Tag) -> Option<&Field> {
    exif.get_field(tag, In::PRIMARY)
}

/// Text up to its first NUL, without the blanks that cameras pad it with; absent if nothing is left.
pub(super) fn text(exif: &Exif, tag: Tag) -> Option<String> {
    parts(exif, tag).into_iter().next().filter(|text| !text.is_empty())
}

/// The same where the tag's being there says something by itself: empty if it is blank.
pub(super) fn text_or_blank(exif: &Exif, tag: Tag) -> Option<String> {
    parts(exif, tag).into_iter().next()
}

/// Text of several parts with NULs between them, such as photographer and editor in a copyright; empty if all are blank.
pub(super) fn joined_text(exif: &Exif, tag: Tag) -> Option<String> {
    let parts = parts(exif, tag);
    let full: Vec<&str> = parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
    (!parts.is_empty()).then(|| full.join(" "))
}

fn parts(exif: &Exif, tag: Tag) -> Vec<String> {
    match field(exif, tag).map(|field| &field.value) {
        Some(Value::Ascii(parts)) => parts.iter().map(|part| shown(part)).collect(),
        Some(Value::Byte(bytes) | Value::Undefined(bytes, _)) => vec![shown(bytes)],
        _ => Vec::new(),
    }
}

/// The text of a tag that holds UTF-16, as Windows writes its own (`XPKeywords`).
pub(super) fn wide_text(exif: &Exif, tag: Tag) -> Option<String> {
    let bytes = bytes(exif, tag)?;
    let units: Vec<u16> =
        bytes.as_chunks().0.iter().map(|pair| u16::from_le_bytes(*pair)).take_while(|unit| *unit != 0).collect();
    Some(String::from_utf16_lossy(&units).trim().to_owned()).filter(|text| !text.is_empty())
}

/// A comment behind the eight bytes that name its character set (Exif 3.0, 4.6.5.1.12).
pub(super) fn comment(exif: &Exif, tag: Tag) -> Option<String> {
    bytes(exif, tag)?.get(8..).map(shown).filter(|text| !text.is_empty())
}

/// The bytes of a tag that has no other type.
pub(super) fn bytes(exif: &Exif, tag: Tag) -> Option<&[u8]> {
    match &field(exif, tag)?.value {
        Value::Byte(bytes) | Value::Undefined(bytes, _) => Some(bytes),
        _ => None,
    }
}

/// UTF-8 where it is that, else Windows-1252, as old programs wrote; control characters are left out.
pub(super) fn shown(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let bytes = &bytes[..end];
    let text = std::str::from_utf8(bytes).map_or_else(|_| bytes.iter().map(|byte| windows_1252(*byte)).collect(), str::to_owned);
    let shown: String = text.chars().filter(|letter| !letter.is_control() || letter.is_whitespace()).collect();
    shown.trim().to_owned()
}

/// The letter of a byte in Windows-1252.
pub(super) fn windows_1252(byte: u8) -> char {
    const FROM_128: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8D}', 'Ž', '\u{8F}', '\u{90}', '‘', '’', '“',
        '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9D}', 'ž', 'Ÿ',
    ];
    byte.checked_sub(128).and_then(|index| FROM_128.get(usize::from(index))).copied().unwrap_or(char::from(byte))
}

/// The first number; absent if it is not one, such as a fraction with denominator 0.
pub(super) fn number(exif: &Exif, tag: Tag) -> Option<f64> {
    nth(&field(exif, tag)?.value, 0)
}

/// The number at `index`.
pub(super) fn nth(value: &Value, index: usize) -> Option<f64> {
    let number = match value {
        Value::Rational(list) => list.get(index)?.to_f64(),
        Value::SRational(list) => list.get(index)?.to_f64(),
        Value::Float(list) => f64::from(*list.get(index)?),
        Value::Double(list) => *list.get(index)?,
        Value::SByte(list) => f64::from(*list.get(index)?),
        Value::SShort(list) => f64::from(*list.get(index)?),
        Value::SLong(list) => f64::from(*list.get(index)?),
        other => f64::from(other.get_uint(index)?),
    };
    number.is_finite().then_some(number)
}

/// A value as text for people, cut where it is long.
pub(super) fn readable(field: &Field, exif: &Exif) -> String {
    match &field.value {
        Value::Undefined(bytes, _) if bytes.len() > 64 => format!("({} bytes)", bytes.len()),
        _ => cut(&field.display_value().with_unit(exif).to_string()),
    }
}

/// A raw value, cut where it is long.
pub(super) fn cut(text: &str) -> String {
    text.chars().take(MAX_RAW_CHARACTERS).collect()
}
