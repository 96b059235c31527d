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

/// Text of several parts with NULs between them, such as photographer and editor in a copyright; absent if all are blank.
pub(super) fn joined_text(exif: &Exif, tag: Tag) -> Option<String> {
    let parts: Vec<String> = parts(exif, tag).into_iter().filter(|part| !part.is_empty()).collect();
    Some(parts.join(" ")).filter(|text| !text.is_empty())
}

fn parts(exif: &Exif, tag: Tag) -> Vec<String> {
    match field(exif, tag).map(|field| &field.value) {
        Some(Value::Ascii(parts)) => parts.iter().map(|part| trimmed(part)).collect(),
        Some(Value::Byte(bytes) | Value::Undefined(bytes, _)) => vec![trimmed(bytes)],
        _ => Vec::new(),
    }
}

/// UTF-8 where it is that, else Windows-1252, as old programs wrote; control characters are left out.
fn trimmed(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let bytes = &bytes[..end];
    let text = std::str::from_utf8(bytes).map_or_else(|_| bytes.iter().map(|byte| windows_1252(*byte)).collect(), str::to_owned);
    let shown: String = text.chars().filter(|letter| !letter.is_control() || letter.is_whitespace()).collect();
    shown.trim().to_owned()
}

fn windows_1252(byte: u8) -> char {
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
        _ => field.display_value().with_unit(exif).to_string().chars().take(MAX_RAW_CHARACTERS).collect(),
    }
}
