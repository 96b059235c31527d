//! `TurboJPEG`'s decompressor. The safe crate takes a warning for a failure even in the header, so this speaks to the
//! library itself. Each picture has its own: Huffman tables of a broken one would be kept for the next.
#![expect(unsafe_code, reason = "a C library")]

use std::ffi::CStr;

use photovault_domain::limits::{MAX_DECODE_BYTES, MAX_PIXELS, MAX_SCANS};
use turbojpeg::{PixelFormat, ScalingFactor, raw};

use super::{
    Layout, Packed, Unreadable,
    planes::{Planar, Plane},
};

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
    /// How it comes in planes, if it is grey or YCbCr.
    pub(super) sampling: Option<Sampling>,
}

/// How many samples of brightness one of colour stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sampling {
    Grey,
    /// Across and down.
    Colour(u8, u8),
}

impl Sampling {
    fn of(colours: raw::TJCS, subsampling: raw::TJSAMP) -> Option<Self> {
        if !matches!(colours, raw::TJCS_TJCS_YCbCr | raw::TJCS_TJCS_GRAY) {
            return None;
        }
        Some(match subsampling {
            raw::TJSAMP_TJSAMP_GRAY => Self::Grey,
            raw::TJSAMP_TJSAMP_444 => Self::Colour(1, 1),
            raw::TJSAMP_TJSAMP_422 => Self::Colour(2, 1),
            raw::TJSAMP_TJSAMP_420 => Self::Colour(2, 2),
            raw::TJSAMP_TJSAMP_440 => Self::Colour(1, 2),
            _ => return None,
        })
    }

    fn subsampling(self) -> std::ffi::c_int {
        match self {
            Self::Grey => raw::TJSAMP_TJSAMP_GRAY,
            Self::Colour(1, 1) => raw::TJSAMP_TJSAMP_444,
            Self::Colour(2, 1) => raw::TJSAMP_TJSAMP_422,
            Self::Colour(1, _) => raw::TJSAMP_TJSAMP_440,
            Self::Colour(..) => raw::TJSAMP_TJSAMP_420,
        }
    }
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
        new.set(raw::TJPARAM_TJPARAM_SCANLIMIT, MAX_SCANS as i32)?;
        new.set(raw::TJPARAM_TJPARAM_MAXPIXELS, MAX_PIXELS as i32)?;
        new.set(raw::TJPARAM_TJPARAM_MAXMEMORY, (MAX_DECODE_BYTES >> 20) as i32)?;
        Ok(new)
    }

    fn set(&self, parameter: raw::TJPARAM, value: i32) -> Result<(), Trouble> {
        // SAFETY: the handle is alive.
        let status = unsafe { raw::tj3Set(self.handle, parameter as std::ffi::c_int, value) };
        self.outcome(status)
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
            sampling: Sampling::of(colours, parameter(raw::TJPARAM_TJPARAM_SUBSAMP)),
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
        self.set_scale(scale)?;
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

    /// Decodes all of it, at `scale`, without making RGB of it. On a warning, `planar` holds the picture as well.
    pub(super) fn planes(&mut self, scale: ScalingFactor, sampling: Sampling, planar: &mut Planar) -> Result<(), Trouble> {
        self.set_scale(scale)?;
        let (width, height) = planar.size();
        let mut planes: Vec<&mut Plane> = vec![&mut planar.brightness];
        planes.extend(planar.colour.iter_mut().flatten());
        for (plane, component) in planes.iter().zip(0..) {
            // SAFETY: no pointers.
            let wanted = unsafe {
                (
                    raw::tj3YUVPlaneWidth(component, width as std::ffi::c_int, sampling.subsampling()),
                    raw::tj3YUVPlaneHeight(component, height as std::ffi::c_int, sampling.subsampling()),
                )
            };
            assert!(wanted.0 as usize <= plane.stride, "a row of the plane {component} has room for {}", wanted.0);
            assert!(wanted.1 as usize * plane.stride <= plane.samples.len(), "the plane {component} has {} rows", wanted.1);
        }
        let mut strides = [0; 3];
        let mut pointers = [std::ptr::null_mut(); 3];
        for (at, plane) in planes.iter_mut().enumerate() {
            strides[at] = plane.stride as std::ffi::c_int;
            pointers[at] = plane.samples.as_mut_ptr();
        }
        // SAFETY: the handle is alive; the source is a slice; each plane has room for what the same bytes' header announces at
        // the same scale.
        let status = unsafe {
            raw::tj3DecompressToYUVPlanes8(
                self.handle,
                self.jpeg.as_ptr(),
                self.jpeg.len() as raw::size_t,
                pointers.as_mut_ptr(),
                strides.as_mut_ptr(),
            )
        };
        self.outcome(status)
    }

    fn set_scale(&self, scale: ScalingFactor) -> Result<(), Trouble> {
        let factor = raw::tjscalingfactor { num: scale.num() as std::ffi::c_int, denom: scale.denom() as std::ffi::c_int };
        // SAFETY: the handle is alive.
        let status = unsafe { raw::tj3SetScalingFactor(self.handle, factor) };
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

/// Planes whose colours have half of the resolution as RGB.
pub(super) fn rgb(planar: &Planar) -> Result<Packed, Unreadable> {
    convert(planar).map_err(|trouble| {
        let (Trouble::Warning(words) | Trouble::Fatal(words)) = trouble;
        Unreadable::new(format!("The colours of this photo could not be converted: {words}."))
    })
}

fn convert(planar: &Planar) -> Result<Packed, Trouble> {
    let size = planar.size();
    let (width, height) = (size.0 as usize, size.1 as usize);
    let converter = Decompressor::new(&[])?;
    let mut planes = vec![&planar.brightness];
    planes.extend(planar.colour.iter().flatten());
    let sampling = if planar.colour.is_some() { Sampling::Colour(2, 2) } else { Sampling::Grey };
    converter.set(raw::TJPARAM_TJPARAM_SUBSAMP, sampling.subsampling())?;
    let (mut strides, mut pointers) = ([0; 3], [std::ptr::null(); 3]);
    for (at, plane) in planes.iter().enumerate() {
        let halves = if at == 0 { 1 } else { 2 };
        assert_eq!((plane.width, plane.height), (size.0.div_ceil(halves), size.1.div_ceil(halves)), "the plane {at}");
        assert!(plane.stride >= width.div_ceil(2) * 2 / halves as usize);
        assert!(plane.samples.len() >= height.div_ceil(2) * 2 / halves as usize * plane.stride);
        strides[at] = plane.stride as std::ffi::c_int;
        pointers[at] = plane.samples.as_ptr();
    }
    let mut pixels = vec![0; width * height * 3];
    // SAFETY: the handle is alive; the planes have the size that belongs to the picture's, which was just looked at, and so has
    // the target.
    let status = unsafe {
        raw::tj3DecodeYUVPlanes8(
            converter.handle,
            pointers.as_ptr(),
            strides.as_ptr(),
            pixels.as_mut_ptr(),
            width as std::ffi::c_int,
            (width * 3) as std::ffi::c_int,
            height as std::ffi::c_int,
            PixelFormat::RGB as std::ffi::c_int,
        )
    };
    converter.outcome(status)?;
    Ok(Packed { size, layout: Layout::Rgb, pixels })
}
