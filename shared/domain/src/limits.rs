//! What the vault takes: one table, enforced from headers before pixels are decoded. What exceeds it is `rejected`
//! with the limit named. `docs/limits.md` shows the same table; a test writes and compares it.

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The constant's name.
    pub name: &'static str,
    /// Its value.
    pub value: u64,
    /// What is counted.
    pub unit: &'static str,
    /// What it is a limit of, and why it is this high.
    pub why: &'static str,
}

macro_rules! limits {
    ($($name:ident: $type:ty = $value:expr, $unit:literal, $why:literal;)+) => {
        $(#[doc = $why] pub const $name: $type = $value;)+

        /// Every limit, in the order of the documentation.
        pub const LIMITS: &[Limit] = &[$(Limit { name: stringify!($name), value: $name as u64, unit: $unit, why: $why }),+];
    };
}

limits! {
    MAX_UPLOAD_BYTES: u64 = 5 * 1024 * 1024 * 1024, "bytes",
        "Of one upload: S3 copies up to 5 GiB in one request, and the copy is what stores an original.";
    MAX_PHOTO_BYTES: u64 = 256 * 1024 * 1024, "bytes", "Of one photo; a video has the limit above.";
    MAX_PIXELS: u64 = 150_000_000, "pixels", "Of one photo: a 100-megapixel camera, with room for panoramas.";
    MAX_FULL_PIXELS: u64 = 64_000_000, "pixels",
        "Of one photo that a full-size JPEG is made of: a larger one is shown by the other derivatives.";
    MAX_SIDE: u32 = 65_535, "pixels", "Of one side: what JPEG can address.";
    MAX_FRAME_PIXELS: u64 = 2_000_000_000, "pixels",
        "Of all frames of an animation, or all passes of a progressive JPEG, together: a minute of 1080p at 15 frames a second.";
    MAX_FRAMES: u32 = 10_000, "frames", "Of one animation, or pages of one TIFF.";
    MAX_SCANS: u32 = 128, "scans", "Of one progressive JPEG: encoders write about ten, and each costs a pass over the picture.";
    MAX_METADATA_BYTES: usize = 16 * 1024 * 1024, "bytes",
        "Of metadata after inflation: one Exif, ICC, XMP or HEIF description, and all compressed chunks of one PNG together.";
    MAX_DIRECTORIES: u32 = 64, "directories", "Of one raw photo that are searched for its preview: cameras write up to ten.";
    MAX_XMP_ELEMENTS: usize = 65_536, "elements", "Of one XMP packet: an edited photo has some thousand.";
    MAX_XMP_NESTING: usize = 32, "levels", "Of elements in XMP: face regions need twelve.";
    MAX_TEXT_BYTES: usize = 8_192, "bytes", "Of one title, caption, name of an author or right that is kept; the rest is cut off.";
    MAX_WORD_BYTES: usize = 256, "bytes", "Of one keyword, label, place or name of a person that is kept; the rest is cut off.";
    MAX_KEYWORDS: usize = 256, "keywords", "Kept of one photo.";
    MAX_REGIONS: usize = 128, "regions", "Kept of one photo: with all texts at their limits an item stays within the 400 KB that DynamoDB takes.";
    MAX_TILES: u32 = 4_096, "tiles", "Of one HEIF grid.";
    MAX_ITEMS: u32 = 8_192, "items", "Of one HEIF file: a grid has one for each tile.";
    MAX_EXTENTS: u32 = 256, "pieces", "That one HEIF item is stored in.";
    MAX_PARTS: u32 = 65_536, "parts",
        "Chunks of a PNG or WebP, segments of a JPEG header, strips of a TIFF, boxes on one level of a video: 256 MiB of PNG in pieces of 4 KiB.";
    MAX_NESTING: u32 = 16, "levels", "Of boxes within boxes in MP4, QuickTime and HEIF: real files have eight.";
    MAX_INDEX_BYTES: usize = 64 * 1024 * 1024, "bytes",
        "Of a video's index (its 'moov' box): ten hours of video with sound have some 30 MB.";
    MAX_VIDEO_PIXELS: u64 = 36_000_000, "pixels", "Of one frame of a video: 8K UHD has 33.2 million.";
    MAX_DURATION_S: u64 = 24 * 60 * 60, "seconds", "Of one MP4, QuickTime, Matroska, WebM or AVI video, as its index or header states it.";
    MAX_DECODE_BYTES: u64 = 640 * 1024 * 1024, "bytes", "That one decode may allocate: a 150-megapixel frame as RGBA of 8 bits.";
    MAX_DECODER_BYTES: u64 = 1280 * 1024 * 1024, "bytes",
        "Of address space for the decoder's process: the two limits for a decode and a photo, its program and its threads.";
    MAX_DECODE_S: u64 = 40, "seconds", "For one photo in the decoder, waiting included: less than the function's time-out.";
    MAX_VIDEO_ALLOC_BYTES: usize = 512 * 1024 * 1024, "bytes", "That FFmpeg may allocate at once.";
    MAX_VIDEO_DECODER_BYTES: u64 = 2560 * 1024 * 1024, "bytes",
        "Of address space for the process that reads videos: the frames that an 8K codec refers to, and what is made of them.";
    MAX_VIDEO_SHOW_S: u64 = 110, "seconds", "For facts, poster frame, preview and sprite of one video.";
    MAX_VIDEO_DECODE_S: u64 = 840, "seconds",
        "For one video in its decoder, or one segment of it for the worker, waiting included: less than the function's time-out.";
    MAX_RENDITION_BYTES: u64 = 256 * 1024 * 1024, "bytes", "Of a video's copy for browsers: nine minutes at four megabits a second.";
    MAX_JOINED_BYTES: u64 = 4 * 1024 * 1024 * 1024, "bytes",
        "Of a copy for browsers that the worker joins: S3 takes 5 GiB in one request.";
    MAX_SEGMENTS: usize = 3_000, "segments", "Of a video that the worker encodes: a day in pieces of 30 seconds has 2,880.";
    MAX_VIDEO_FILES_BYTES: usize = 320 * 1024 * 1024, "bytes", "Of all files that are made of one video.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decode_fits_into_its_decoder() {
        const { assert!(MAX_DECODE_BYTES + MAX_PHOTO_BYTES < MAX_DECODER_BYTES) };
        assert!(LIMITS.iter().all(|limit| limit.value > 0 && limit.why.ends_with('.')));
    }
}
