//! Single values of Exif fields, with the mistakes that cameras make in them.

use exif::{Exif, Field, In, Tag, Value};

/// Characters of one raw value.
const MAX_RAW_CHARACTERS: usize = 1024;

/// The field, of the primary picture.
pub(super) fn field(exif: &Exif, tag: Tag) -> Option<&Field> {
    exif.get_field(tag, In::PRIMARY)
}

/// Text without the padding that cameras add; absent if nothing is left.
pub(super) fn text(exif: &Exif, tag: Tag) -> Option<String> {
    match &field(exif, tag)?.value {
        Value::Ascii(parts) => {
            let parts: Vec<String> = parts.iter().map(|part| trimmed(part)).filter(|part| !part.is_empty()).collect();
            Some(parts.join(" ")).filter(|text| !text.is_empty())
        }
        Value::Byte(bytes) | Value::Undefined(bytes, _) => Some(trimmed(bytes)).filter(|text| !text.is_empty()),
        _ => None,
    }
}

/// UTF-8 where it is that, else Latin-1, as old cameras wrote.
fn trimmed(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let bytes = &bytes[..end];
    let text = std::str::from_utf8(bytes).map_or_else(|_| bytes.iter().map(|byte| char::from(*byte)).collect(), str::to_owned);
    text.trim().to_owned()
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
