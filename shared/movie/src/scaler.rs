//! Conversions of frames: making one costs as much as converting a small frame, so it is kept for the next frame of its kind.

use ffmpeg_next::{
    Error,
    format::Pixel,
    frame,
    software::scaling::{Context, Flags},
};

use crate::raw;

/// Matrix coefficients by H.273's number, and whether samples use the whole range: of the input, and of the output.
pub(crate) type Colours = ((i32, bool), (i32, bool));

/// A conversion, made for the first frame, and anew for one of another kind.
#[derive(Default)]
pub(crate) struct Scaler(Option<(Kind, Context)>);

#[derive(PartialEq, Eq)]
struct Kind {
    from: (Pixel, u32, u32),
    to: (Pixel, (u32, u32)),
    flags: Flags,
    colours: Colours,
}

impl Scaler {
    /// A frame in another size and another kind of pixel.
    pub(crate) fn run(
        &mut self,
        frame: &frame::Video,
        to: (Pixel, (u32, u32)),
        flags: Flags,
        colours: Colours,
    ) -> Result<frame::Video, Error> {
        let kind = Kind { from: (frame.format(), frame.width(), frame.height()), to, flags, colours };
        let context = match &mut self.0 {
            Some((kept, context)) if *kept == kind => context,
            other => {
                let (pixel, (width, height)) = to;
                let mut context = Context::get(frame.format(), frame.width(), frame.height(), pixel, width, height, flags)?;
                raw::set_colours(&mut context, colours.0, colours.1);
                &mut other.insert((kind, context)).1
            }
        };
        let mut made = frame::Video::empty();
        context.run(frame, &mut made)?;
        Ok(made)
    }
}
