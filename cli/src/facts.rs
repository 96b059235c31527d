//! `photovault facts`: what files say of themselves, without a vault.

use std::{io::Cursor, path::Path};

use anyhow::Context as _;
use photovault_domain::{Facts, Format, Kind, limits::MAX_PHOTO_BYTES};
use photovault_media::{SNIFF_BYTES, Sniffed, inspect, sniff};
use serde::Serialize;

use crate::{arguments::FactsArguments, shown};

/// One file's line.
#[derive(Debug, Serialize)]
struct Line {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    mime: Option<&'static str>,
    /// Pixels as stored, before orientation.
    #[serde(skip_serializing_if = "Option::is_none")]
    width: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<u32>,
    #[serde(flatten)]
    facts: Facts,
    /// Why the vault would refuse the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
}

/// `facts`.
pub(crate) fn run(arguments: &FactsArguments) -> anyhow::Result<()> {
    let mut unread = 0;
    for path in &arguments.files {
        match line(path) {
            Ok(line) if arguments.json => println!("{}", serde_json::to_string(&line)?),
            Ok(line) => print!("{}", page(&line)),
            Err(error) => {
                unread += 1;
                eprintln!("{}: {error:#}", path.display());
            }
        }
    }
    anyhow::ensure!(unread == 0, "{unread} of {} files could not be read", arguments.files.len());
    Ok(())
}

fn line(path: &Path) -> anyhow::Result<Line> {
    let size_bytes = std::fs::metadata(path).context("cannot be found")?.len();
    if size_bytes > MAX_PHOTO_BYTES {
        let file = std::fs::File::open(path).context("cannot be read")?;
        let inspected = inspect(std::io::BufReader::new(file), size_bytes);
        let mime = inspected.as_ref().ok().map(|inspected| inspected.format.mime());
        let refused = inspected.err().map(|refused| refused.reason);
        return Ok(Line { path: path.display().to_string(), mime, width: None, height: None, facts: Facts::default(), refused });
    }
    let bytes = std::fs::read(path).context("cannot be read")?;
    Ok(line_of(path, &bytes))
}

/// A damaged photo still says what it can: its kind and its facts do not wait for its size.
fn line_of(path: &Path, bytes: &[u8]) -> Line {
    let format = match sniff(&bytes[..bytes.len().min(SNIFF_BYTES)]) {
        Sniffed::Media(format) => Some(format),
        Sniffed::Other(_) => None,
    };
    let inspected = inspect(Cursor::new(bytes), bytes.len() as u64);
    let (width, height) = inspected.as_ref().map_or((None, None), |inspected| (inspected.width, inspected.height));
    let still = format.filter(|format| format.kind() == Kind::Photo);
    let facts =
        still.map(|format| photovault_media::facts(Cursor::new(bytes), bytes.len() as u64, format).facts).unwrap_or_default();
    let refused = inspected.err().map(|refused| refused.reason);
    Line { path: path.display().to_string(), mime: format.map(Format::mime), width, height, facts, refused }
}

fn page(line: &Line) -> String {
    let mut lines = vec![("format", line.mime.unwrap_or_default().to_owned())];
    lines.extend(line.width.zip(line.height).map(|(width, height)| ("pixels", format!("{width}×{height}"))));
    lines.extend(shown::facts(&line.facts));
    lines.extend(line.refused.iter().map(|reason| ("refused", reason.clone())));
    format!("{}\n{}", line.path, shown::written(&lines, "  "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use photovault_domain::{Camera, Captured};

    #[test]
    fn a_line_has_the_shape_that_others_read() {
        let captured =
            Captured { local: "2019-07-04T12:30:05".into(), source: "Exif DateTimeOriginal".into(), ..Default::default() };
        let camera = Camera { make: Some("Make".into()), ..Default::default() };
        let facts = Facts { orientation: Some(6), captured: Some(captured), camera: Some(camera), ..Default::default() };
        let line =
            Line { path: "a/b.jpg".into(), mime: Some("image/jpeg"), width: Some(4), height: Some(3), facts, refused: None };
        assert_eq!(
            serde_json::to_string(&line).unwrap(),
            r#"{"path":"a/b.jpg","mime":"image/jpeg","width":4,"height":3,"orientation":6,"#.to_owned()
                + r#""captured":{"local":"2019-07-04T12:30:05","source":"Exif DateTimeOriginal","confidence":"low"},"camera":{"make":"Make"}}"#
        );
    }

    #[test]
    fn what_is_no_photo_says_so() {
        let line = line_of(Path::new("x.txt"), b"hello, this is a text and not a photo at all");
        assert_eq!((line.mime, line.width), (None, None));
        assert!(line.refused.is_some_and(|reason| !reason.is_empty()));
    }
}
