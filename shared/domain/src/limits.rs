//! What the vault takes: one table, enforced from headers before pixels are decoded. What exceeds it is `rejected`
//! with the limit named. `docs/limits.md` shows the same table.

/// Bytes of one upload. S3 copies up to 5 GiB in one request, and the copy is what stores an original.
pub const MAX_UPLOAD_BYTES: u64 = 5 * 1024 * 1024 * 1024;
/// Bytes of one photo; videos have the limit above.
pub const MAX_PHOTO_BYTES: u64 = 256 * 1024 * 1024;
/// Pixels of one photo: a 100-megapixel camera, with room for panoramas.
pub const MAX_PIXELS: u64 = 150_000_000;
/// Pixels on one side: what JPEG can address.
pub const MAX_SIDE: u32 = 65_535;
/// Bytes that one decode may allocate: a 150-megapixel frame as RGBA of 8 bits.
pub const MAX_DECODE_BYTES: u64 = 640 * 1024 * 1024;
/// Bytes of one metadata block (Exif, XMP, ICC) after inflation.
pub const MAX_METADATA_BYTES: usize = 16 * 1024 * 1024;
/// Tiles of one HEIF grid.
pub const MAX_TILES: u32 = 4_096;
