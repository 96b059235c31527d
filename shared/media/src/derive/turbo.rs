//! `TurboJPEG`'s decompressor. The safe crate takes a warning for a failure even in the header, so this speaks to the
//! library itself. Each picture has its own: Huffman tables of a broken one would be kept for the next.
#![expect(unsafe_code, reason = "a C library")]

use std::ffi::CStr;

use photovault_domain::limits::{MAX_DECODE_BYTES, MAX_PIXELS, MAX_SCANS};
use turbojpeg::{PixelFormat, ScalingFactor, raw};

/// What a call said.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The picture is there; something about it was odd.
    Warning(String),
    /// Nothing more comes.
    Fatal(String),
}

/// The frame that a header announces.
#[derive(Clone, Copy, Debug)]
pub(super) struct Announced {
    pub(super) width: usize,
    pub(super) height: usize,
    /// CMYK or YCCK.
    pub(super) is_cmyk: bool,
    pub(super) is_lossless: bool,
}

/// A decompressor for one picture.
pub(super) struct Decompressor<'a> {
    handle: raw::tjhandle,
    jpeg: &'a [u8],
}

impl<'a> Decompressor<'a> {
    pub(super) fn new(jpeg: &'a [u8]) -> Result<Self, Trouble> {
        // SAFETY: no arguments to uphold; null is checked.
        let handle = unsafe { raw::tj3Init(raw::TJINIT_TJINIT_DECOMPRESS as std::ffi::c_int) };
        if handle.is_null() {
            return Err(Trouble::Fatal("there is no memory for a decoder".to_owned()));
        }
        let new = Self { handle, jpeg };
        for (parameter, value) in [
            (raw::TJPARAM_TJPARAM_SCANLIMIT, MAX_SCANS as i32),
            (raw::TJPARAM_TJPARAM_MAXPIXELS, MAX_PIXELS as i32),
            (raw::TJPARAM_TJPARAM_MAXMEMORY, (MAX_DECODE_BYTES >> 20) as i32),
        ] {
            // SAFETY: the handle is alive.
            let status = unsafe { raw::tj3Set(handle, parameter as std::ffi::c_int, value) };
            new.outcome(status)?;
        }
        Ok(new)
    }

    /// Reads the header; what is only odd about it shows again when pixels are decoded.
    pub(super) fn header(&mut self) -> Result<Announced, Trouble> {
        // SAFETY: the handle is alive, and the pointer and length are those of a slice.
        let status = unsafe { raw::tj3DecompressHeader(self.handle, self.jpeg.as_ptr(), self.jpeg.len() as raw::size_t) };
        match self.outcome(status) {
            Err(Trouble::Fatal(words)) => return Err(Trouble::Fatal(words)),
            Ok(()) | Err(Trouble::Warning(_)) => {}
        }
        // SAFETY: the handle is alive.
        let parameter = |parameter: raw::TJPARAM| unsafe { raw::tj3Get(self.handle, parameter as std::ffi::c_int) };
        let side = |length: std::ffi::c_int| usize::try_from(length).ok().filter(|length| *length > 0);
        let (width, height) = (parameter(raw::TJPARAM_TJPARAM_JPEGWIDTH), parameter(raw::TJPARAM_TJPARAM_JPEGHEIGHT));
        let (Some(width), Some(height)) = (side(width), side(height)) else {
            return Err(Trouble::Fatal("its header is incomplete".to_owned()));
        };
        let colours = parameter(raw::TJPARAM_TJPARAM_COLORSPACE) as u32;
        Ok(Announced {
            width,
            height,
            is_cmyk: colours == raw::TJCS_TJCS_CMYK || colours == raw::TJCS_TJCS_YCCK,
            is_lossless: parameter(raw::TJPARAM_TJPARAM_LOSSLESS) != 0,
        })
    }

    /// Decodes all of it, at `scale`, to rows without gaps. On a warning, `pixels` holds the picture as well.
    pub(super) fn pixels(
        &mut self,
        announced: Announced,
        scale: ScalingFactor,
        format: PixelFormat,
        pixels: &mut [u8],
    ) -> Result<(), Trouble> {
        let (width, height) = (scale.scale(announced.width), scale.scale(announced.height));
        assert_eq!(pixels.len(), width * height * format.size(), "the buffer is exactly the frame's");
        let factor = raw::tjscalingfactor { num: scale.num() as std::ffi::c_int, denom: scale.denom() as std::ffi::c_int };
        // SAFETY: the handle is alive.
        let status = unsafe { raw::tj3SetScalingFactor(self.handle, factor) };
        self.outcome(status)?;
        // SAFETY: the handle is alive; the source is a slice; the buffer has the frame's size, which is that of the same
        // bytes' header at the same scale.
        let status = unsafe {
            raw::tj3Decompress8(
                self.handle,
                self.jpeg.as_ptr(),
                self.jpeg.len() as raw::size_t,
                pixels.as_mut_ptr(),
                (width * format.size()) as std::ffi::c_int,
                format as std::ffi::c_int,
            )
        };
        self.outcome(status)
    }

    fn outcome(&self, status: std::ffi::c_int) -> Result<(), Trouble> {
        if status == 0 {
            return Ok(());
        }
        // SAFETY: the handle is alive, and its message ends with a NUL and lives as long.
        let words = unsafe { CStr::from_ptr(raw::tj3GetErrorStr(self.handle)) }.to_string_lossy().into_owned();
        // SAFETY: the handle is alive.
        let code = unsafe { raw::tj3GetErrorCode(self.handle) };
        Err(if code == raw::TJERR_TJERR_WARNING as std::ffi::c_int { Trouble::Warning(words) } else { Trouble::Fatal(words) })
    }
}

impl Drop for Decompressor<'_> {
    fn drop(&mut self) {
        // SAFETY: the handle is alive until here and not used behind.
        unsafe { raw::tj3Destroy(self.handle) };
    }
}
