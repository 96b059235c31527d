//! Random bytes from the system, for credentials and request ids.

use std::{fs::File, io::Read as _};

use anyhow::Context as _;

/// `bytes` random bytes as hexadecimal digits.
pub(crate) fn random_hex(bytes: usize) -> anyhow::Result<String> {
    let mut buffer = vec![0; bytes];
    File::open("/dev/urandom").and_then(|mut it| it.read_exact(&mut buffer)).context("reading /dev/urandom")?;
    Ok(hex::encode(buffer))
}

/// An id in the shape of a UUID.
pub(crate) fn request_id() -> String {
    let hex = random_hex(16).unwrap_or_else(|_| format!("{:032x}", crate::clock::now_ms()));
    uuid(&hex)
}

/// 32 hexadecimal digits and more as an id in the shape of a UUID.
pub(crate) fn uuid(hex: &str) -> String {
    format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}
