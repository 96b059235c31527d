//! Shows a raw photo by the largest JPEG that the camera put into it: developing the sensor's data is a matter of taste, and the
//! camera's picture is what its owner saw when it was taken.

use photovault_domain::Format;

use super::{Colours, Frame, Unreadable, colour, jpeg};
use crate::{
    container::{
        Source,
        raw::{self, Raw},
    },
    inspect::inspect,
};

/// Decodes the preview, held and coloured as the raw photo says.
pub(super) fn decode(bytes: &[u8], format: Format) -> Result<Frame, Unreadable> {
    let (raw, jpeg) = preview(bytes, format)?;
    // The preview is a file of its own, and the limits hold for it as well.
    inspect(std::io::Cursor::new(jpeg), jpeg.len() as u64).map_err(|refused| Unreadable::new(refused.reason))?;
    let mut frame = jpeg::decode(jpeg)?;
    if let Some(orientation) = raw.orientation {
        frame.orientation = orientation;
    }
    if raw.is_adobe_rgb && frame.colours == Colours::Srgb {
        frame.colours = colour::adobe_rgb();
    }
    Ok(frame)
}

/// What the raw photo says, and its largest preview.
pub(super) fn preview(bytes: &[u8], format: Format) -> Result<(Raw, &[u8]), Unreadable> {
    let name = format!("{format:?}").to_uppercase();
    let raw = raw::read(&mut Source::of_bytes(bytes), format)
        .map_err(|damage| Unreadable::new(format!("This raw photo ({name}) is damaged: {}.", damage.words())))?;
    let Some(preview) = raw.preview else {
        let reason = format!("This raw photo ({name}) holds no preview that could be shown; the original is kept as it is.");
        return Err(Unreadable::new(reason));
    };
    let jpeg = &bytes[preview.at as usize..(preview.at + preview.length) as usize];
    Ok((raw, jpeg))
}
