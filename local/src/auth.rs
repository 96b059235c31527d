//! Signature Version 4 for the JSON and query services; S3 has s3s's own check of the same key.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

use hmac::{Hmac, KeyInit as _, Mac as _};
use http::request::Parts;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use s3s::{
    S3Result,
    auth::{S3Auth, SecretKey},
    s3_error,
};
use sha2::{Digest as _, Sha256};

/// How far a request's clock may be off, as on AWS.
const SKEW_MAX_S: i64 = 15 * 60;

/// All but RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The one key pair that the engine accepts.
#[derive(Clone)]
pub struct Credentials {
    /// Access key id, as in `AWS_ACCESS_KEY_ID`.
    pub access_key: String,
    /// Secret key, as in `AWS_SECRET_ACCESS_KEY`.
    pub secret_key: String,
}

#[async_trait::async_trait]
impl S3Auth for Credentials {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        if access_key == self.access_key {
            return Ok(self.secret_key.clone().into());
        }
        Err(s3_error!(InvalidAccessKeyId, "{}", Unauthorized::UnknownKey))
    }
}

/// Why a request is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unauthorized {
    #[error("the request has no signature: give the access key and the secret key that the engine printed")]
    Missing,
    #[error("the Authorization header cannot be read: {0}")]
    Incomplete(&'static str),
    #[error("the access key is not this engine's")]
    UnknownKey,
    #[error("the request's time is more than 15 minutes off this machine's")]
    Skewed,
    #[error("the signature does not match: check the secret key")]
    Mismatch,
}

/// Verifies the `Authorization` header of a request with this body.
pub(crate) fn verify(request: &Parts, body: &[u8], credentials: &Credentials, now_s: i64) -> Result<(), Unauthorized> {
    let header = text(request, "authorization").ok_or(Unauthorized::Missing)?;
    let fields = header.strip_prefix("AWS4-HMAC-SHA256").ok_or(Unauthorized::Incomplete("not AWS4-HMAC-SHA256"))?;
    let field = |name: &'static str| {
        let mut all = fields.split(',').map(str::trim);
        all.find_map(|field| field.strip_prefix(name)?.strip_prefix('=')).ok_or(Unauthorized::Incomplete(name))
    };
    let scope: Vec<_> = field("Credential")?.split('/').collect();
    let [access_key, day, region, service, "aws4_request"] = scope[..] else {
        return Err(Unauthorized::Incomplete("Credential"));
    };
    if access_key != credentials.access_key {
        return Err(Unauthorized::UnknownKey);
    }
    let at = text(request, "x-amz-date").ok_or(Unauthorized::Incomplete("X-Amz-Date"))?;
    let at_s = epoch_s(at).filter(|_| at.starts_with(day)).ok_or(Unauthorized::Incomplete("X-Amz-Date"))?;
    if (at_s - now_s).abs() > SKEW_MAX_S {
        return Err(Unauthorized::Skewed);
    }
    let signed = field("SignedHeaders")?;
    if !signed.split(';').any(|name| name == "host") {
        return Err(Unauthorized::Incomplete("SignedHeaders: host is not among them"));
    }
    let canonical = canonical_request(request, body, signed);
    let to_sign = format!("AWS4-HMAC-SHA256\n{at}\n{day}/{region}/{service}/aws4_request\n{}", hex_sha256(canonical.as_bytes()));
    let mut key = format!("AWS4{}", credentials.secret_key).into_bytes();
    for part in [day, region, service, "aws4_request"] {
        key = keyed(&key, part).finalize().into_bytes().to_vec();
    }
    let signature = hex::decode(field("Signature")?).map_err(|_| Unauthorized::Incomplete("Signature"))?;
    // Compares in constant time.
    keyed(&key, &to_sign).verify_slice(&signature).map_err(|_| Unauthorized::Mismatch)
}

fn canonical_request(request: &Parts, body: &[u8], signed: &str) -> String {
    // Every service but S3 encodes the path as sent once more.
    let path: Vec<_> = request.uri.path().split('/').map(encode).collect();
    let mut query: Vec<_> =
        request.uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()).map(pair).collect();
    query.sort();
    let query: Vec<_> = query.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    let headers: Vec<_> = signed.split(';').map(|name| format!("{name}:{}", header_values(request, name))).collect();
    let headers = headers.join("\n");
    format!("{}\n{}\n{}\n{headers}\n\n{signed}\n{}", request.method, path.join("/"), query.join("&"), hex_sha256(body))
}

fn header_values(request: &Parts, name: &str) -> String {
    let values = request.headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    let trimmed: Vec<_> = values.map(|value| value.split_ascii_whitespace().collect::<Vec<_>>().join(" ")).collect();
    trimmed.join(",")
}

fn pair(pair: &str) -> (String, String) {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    let again = |part: &str| encode(&percent_decode_str(part).decode_utf8_lossy());
    (again(name), again(value))
}

fn encode(part: &str) -> String {
    utf8_percent_encode(part, RESERVED).to_string()
}

fn text<'a>(request: &'a Parts, name: &str) -> Option<&'a str> {
    request.headers.get(name)?.to_str().ok()
}

fn keyed(key: &[u8], message: &str) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message.as_bytes());
    mac
}

fn hex_sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Seconds since 1970 of `20261123T101500Z`.
fn epoch_s(at: &str) -> Option<i64> {
    if at.len() != 16 || !at.is_ascii() || at.as_bytes()[8] != b'T' || !at.ends_with('Z') {
        return None;
    }
    let number = |range: std::ops::Range<usize>| at[range].parse::<i64>().ok();
    let (year, month, day) = (number(0..4)?, number(4..6)?, number(6..8)?);
    // Days from the civil date: https://howardhinnant.github.io/date_algorithms.html#days_from_civil
    let shifted = if month <= 2 { year - 1 } else { year };
    let (era, month) = (shifted.div_euclid(400), (month + 9) % 12);
    let of_era = shifted.rem_euclid(400);
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + (153 * month + 2) / 5 + day - 1 - 719_468;
    Some(days * 86_400 + number(9..11)? * 3600 + number(11..13)? * 60 + number(13..15)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The GET example of AWS's Signature Version 4 test suite, `get-vanilla-query-order-key-case`.
    fn request(signature: &str, query: &str) -> Parts {
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature={signature}"
        );
        let builder = http::Request::get(format!("/?{query}")).header("host", "example.amazonaws.com");
        let request = builder.header("x-amz-date", "20150830T123600Z").header("authorization", authorization).body(()).unwrap();
        request.into_parts().0
    }

    fn credentials() -> Credentials {
        Credentials { access_key: "AKIDEXAMPLE".to_owned(), secret_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned() }
    }

    const GOOD: &str = "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500";
    const THEN_S: i64 = 1_440_938_160;

    #[test]
    fn accepts_the_published_example_and_nothing_near_it() {
        let query = "Param2=value2&Param1=value1";
        assert_eq!(verify(&request(GOOD, query), b"", &credentials(), THEN_S), Ok(()));
        assert_eq!(verify(&request(GOOD, query), b"x", &credentials(), THEN_S), Err(Unauthorized::Mismatch));
        assert_eq!(verify(&request(GOOD, "Param2=value2"), b"", &credentials(), THEN_S), Err(Unauthorized::Mismatch));
        assert_eq!(verify(&request(GOOD, query), b"", &credentials(), THEN_S + 901), Err(Unauthorized::Skewed));
        assert_eq!(verify(&request(&GOOD[2..], query), b"", &credentials(), THEN_S), Err(Unauthorized::Mismatch));
        let other = Credentials { secret_key: "other".to_owned(), ..credentials() };
        assert_eq!(verify(&request(GOOD, query), b"", &other, THEN_S), Err(Unauthorized::Mismatch));
        let other = Credentials { access_key: "other".to_owned(), ..credentials() };
        assert_eq!(verify(&request(GOOD, query), b"", &other, THEN_S), Err(Unauthorized::UnknownKey));
        let bare = http::Request::get("/").body(()).unwrap().into_parts().0;
        assert_eq!(verify(&bare, b"", &credentials(), THEN_S), Err(Unauthorized::Missing));
    }

    #[test]
    fn reads_times() {
        assert_eq!(epoch_s("20150830T123600Z"), Some(THEN_S));
        assert_eq!(epoch_s("20240229T000000Z"), Some(1_709_164_800));
        assert_eq!(epoch_s("20150830 123600Z"), None);
    }
}
