//! Checksums: what an upload promised is compared before anything becomes visible, and what S3 would keep is kept.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use s3s::{
    S3Result, TrailingHeaders,
    checksum::ChecksumHasher,
    crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Sha1, Sha256},
    dto::{Checksum, ChecksumType},
    s3_error,
};

use crate::store::Incoming;

/// S3's five algorithms, by their names in the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Algorithm {
    Crc32,
    Crc32c,
    Crc64nvme,
    Sha1,
    Sha256,
}

const ALL: [Algorithm; 5] = [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64nvme, Algorithm::Sha1, Algorithm::Sha256];

/// A checksum that S3 keeps with an object.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Kept {
    pub(super) algorithm: Algorithm,
    /// Base64; a composite one ends in `-` and the number of parts.
    pub(super) value: String,
    /// Whether it covers the object's bytes, and not the checksums of its parts.
    pub(super) full_object: bool,
}

/// What an upload promises about its body.
pub(super) struct Promise {
    pub(super) given: Checksum,
    pub(super) md5: Option<String>,
    pub(super) wanted: Option<Algorithm>,
    pub(super) trailers: Option<TrailingHeaders>,
    /// Names of the trailers that were announced.
    pub(super) announced: Option<String>,
}

/// A body that kept its promise.
pub(super) struct Checked {
    pub(super) kept: Kept,
    /// SHA-256 of the body in hex.
    pub(super) sha256: String,
}

impl Algorithm {
    pub(super) fn parse(name: &str) -> Option<Self> {
        ALL.into_iter().find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    pub(super) fn of(self, checksum: &Checksum) -> Option<&String> {
        match self {
            Self::Crc32 => checksum.checksum_crc32.as_ref(),
            Self::Crc32c => checksum.checksum_crc32c.as_ref(),
            Self::Crc64nvme => checksum.checksum_crc64nvme.as_ref(),
            Self::Sha1 => checksum.checksum_sha1.as_ref(),
            Self::Sha256 => checksum.checksum_sha256.as_ref(),
        }
    }

    pub(super) fn enable(self, hasher: &mut ChecksumHasher) {
        match self {
            Self::Crc32 => hasher.crc32 = Some(Crc32::new()),
            Self::Crc32c => hasher.crc32c = Some(Crc32c::new()),
            Self::Crc64nvme => hasher.crc64nvme = Some(Crc64Nvme::new()),
            Self::Sha1 => hasher.sha1 = Some(Sha1::new()),
            Self::Sha256 => hasher.sha256 = Some(Sha256::new()),
        }
    }
}

impl Kept {
    /// In the shape of the API's answers.
    pub(super) fn shown(&self) -> Checksum {
        let value = Some(self.value.clone());
        let kind = if self.full_object { ChecksumType::FULL_OBJECT } else { ChecksumType::COMPOSITE };
        let mut shown = Checksum { checksum_type: Some(ChecksumType::from_static(kind)), ..Checksum::default() };
        match self.algorithm {
            Algorithm::Crc32 => shown.checksum_crc32 = value,
            Algorithm::Crc32c => shown.checksum_crc32c = value,
            Algorithm::Crc64nvme => shown.checksum_crc64nvme = value,
            Algorithm::Sha1 => shown.checksum_sha1 = value,
            Algorithm::Sha256 => shown.checksum_sha256 = value,
        }
        shown
    }
}

impl Promise {
    /// The algorithm whose value is kept: the promised one; S3's own default is CRC64NVME.
    fn algorithm(&self) -> Algorithm {
        let announced = self
            .announced
            .as_deref()
            .and_then(|names| names.split(',').find_map(|name| Algorithm::parse(name.trim().strip_prefix("x-amz-checksum-")?)));
        let given = ALL.into_iter().find(|algorithm| algorithm.of(&self.given).is_some());
        given.or(announced).or(self.wanted).unwrap_or(Algorithm::Crc64nvme)
    }

    /// A hasher for all that must be compared or kept.
    pub(super) fn hasher(&self) -> ChecksumHasher {
        let mut hasher = ChecksumHasher::default();
        let given = ALL.into_iter().filter(|algorithm| algorithm.of(&self.given).is_some());
        given.chain([self.algorithm()]).for_each(|algorithm| algorithm.enable(&mut hasher));
        hasher
    }

    /// Compares the arrived body with every promise.
    pub(super) fn check(self, incoming: &mut Incoming) -> S3Result<Checked> {
        let algorithm = self.algorithm();
        let (computed, md5) = incoming.checksums();
        for promised in ALL {
            if let Some(value) = promised.of(&self.given) {
                compare(promised.name(), value, promised.of(&computed))?;
            }
        }
        if let Some(promised) = &self.md5 {
            compare("Content-MD5", promised, md5.as_ref())?;
        }
        let arrived = self.trailers.and_then(|trailers| trailers.take());
        if self.announced.is_some() {
            let name = format!("x-amz-checksum-{}", algorithm.name().to_ascii_lowercase());
            let value = arrived.as_ref().and_then(|trailers| trailers.get(&name)?.to_str().ok());
            let value = value.ok_or_else(|| s3_error!(InvalidRequest, "the announced trailer {name} did not arrive"))?;
            compare(algorithm.name(), value, algorithm.of(&computed))?;
        }
        let value = algorithm.of(&computed).cloned().unwrap_or_default();
        Ok(Checked { kept: Kept { algorithm, value, full_object: true }, sha256: sha256_hex(&computed) })
    }
}

/// SHA-256 of what a hasher saw, in hex.
pub(super) fn sha256_hex(computed: &Checksum) -> String {
    let bytes = computed.checksum_sha256.as_deref().and_then(|value| STANDARD.decode(value).ok());
    hex::encode(bytes.unwrap_or_default())
}

/// A checksum over the checksums of parts, as S3 makes it: over their raw bytes, with the number of parts behind it.
pub(super) fn composite(algorithm: Algorithm, parts: &[&str]) -> Kept {
    let mut hasher = ChecksumHasher::default();
    algorithm.enable(&mut hasher);
    for part in parts {
        hasher.update(&STANDARD.decode(part).unwrap_or_default());
    }
    let computed = hasher.finalize();
    let value = algorithm.of(&computed).cloned().unwrap_or_default();
    Kept { algorithm, value: format!("{value}-{}", parts.len()), full_object: false }
}

/// `ETags` are not MD5 here: a pass of MD5 over every upload would cost more than SHA-256 does. They are the first half of the SHA-256
/// with a number of parts behind it, a form that clients know from multipart uploads and do not compare with an MD5.
pub(super) fn etag(sha256: &str, parts: usize) -> String {
    format!("{}-{parts}", sha256.get(..32).unwrap_or(sha256))
}

fn compare(name: &str, promised: &str, computed: Option<&String>) -> S3Result<()> {
    if computed.is_some_and(|computed| computed == promised) {
        return Ok(());
    }
    let arrived = computed.map_or("nothing", String::as_str);
    Err(s3_error!(BadDigest, "{name}: the sender promised {promised} and {arrived} arrived; nothing was stored"))
}
