//! A photo's derivatives on their way: what describes them apart from their bytes.

use std::io;

use photovault_domain::{DerivativeSize, Format, GainMap, Look};
use photovault_media::{Rendered, RenderedFile};
use serde::{Deserialize, Serialize};

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
    webp: bool,
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
            let mime = if file.webp { Format::Webp } else { Format::Jpeg }.mime();
            Ok(RenderedFile { name: size.name, mime, width: file.width, height: file.height, bytes })
        };
        let files = self.files.into_iter().zip(bytes).map(join).collect::<io::Result<_>>()?;
        let Self { thumbhash, look, gain_map, warnings, .. } = self;
        Ok(Rendered { files, thumbhash, look, gain_map, warnings })
    }
}

impl FileHeader {
    fn of(file: &RenderedFile) -> Self {
        let webp = file.mime == Format::Webp.mime();
        Self { size: file.name.to_owned(), webp, width: file.width, height: file.height }
    }
}
