//! A photo's derivatives on their way: what describes them apart from their bytes.

use std::io;

use photovault_domain::{DerivativeSize, Format, GainMap, Look};
use photovault_media::{Rendered, RenderedFile};
use serde::{Deserialize, Serialize};

/// What derivatives are written as.
const WRITTEN: [Format; 3] = [Format::Jpeg, Format::Webp, Format::Avif];

/// Derivatives without their bytes.
#[derive(Debug, Serialize, Deserialize)]
pub struct RenderedHeader {
    files: Vec<FileHeader>,
    thumbhash: Vec<u8>,
    look: Look,
    gain_map: Option<GainMap>,
    warnings: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct FileHeader {
    size: String,
    format: Format,
    width: u32,
    height: u32,
}

impl RenderedHeader {
    /// Takes the bytes out.
    pub fn split(rendered: Rendered) -> (Self, Vec<Vec<u8>>) {
        let Rendered { files, thumbhash, look, gain_map, warnings } = rendered;
        let headers = files.iter().map(FileHeader::of).collect();
        (Self { files: headers, thumbhash, look, gain_map, warnings }, files.into_iter().map(|file| file.bytes).collect())
    }

    /// Puts them back. Who sent the header decodes foreign bytes and is not trusted.
    pub fn join(self, bytes: Vec<Vec<u8>>) -> io::Result<Rendered> {
        if bytes.len() != self.files.len() {
            return Err(io::Error::other("derivatives that are not described"));
        }
        let join = |(file, bytes): (FileHeader, Vec<u8>)| {
            let size = DerivativeSize::named(&file.size).ok_or_else(|| io::Error::other("a derivative of no known size"))?;
            if !WRITTEN.contains(&file.format) {
                return Err(io::Error::other("a derivative of a format that none has"));
            }
            Ok(RenderedFile { name: size.name, mime: file.format.mime(), width: file.width, height: file.height, bytes })
        };
        let files = self.files.into_iter().zip(bytes).map(join).collect::<io::Result<_>>()?;
        let Self { thumbhash, look, gain_map, warnings, .. } = self;
        Ok(Rendered { files, thumbhash, look, gain_map, warnings })
    }
}

impl FileHeader {
    fn of(file: &RenderedFile) -> Self {
        let format = WRITTEN.into_iter().find(|format| format.mime() == file.mime).expect("derivatives are of these");
        Self { size: file.name.to_owned(), format, width: file.width, height: file.height }
    }
}
