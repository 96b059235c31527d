//! Webhooks: a signed POST of JSON, in the form of the Standard Webhooks specification 1.0.0.
//!
//! Headers `webhook-id`, `webhook-timestamp` (seconds since 1970) and `webhook-signature` (`v1,` and the base64 of HMAC-SHA256 over
//! `id.timestamp.body`). The id stays the same for every attempt: by it a receiver tells that it had a message.
//!
//! Source: <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use photovault_domain::{Notice, UtcMs, local_of_seconds};
use photovault_vault::seams::{Answer, SeamResult};
use serde_json::json;

use crate::http::{answer_of, send as post};

const BASE64_PREFIX: &str = "whsec_";

/// Sends a notice, signed with the secret: `whsec_` and base64, or any text. `private`: see [`crate::reach`].
pub async fn send(url: &str, secret: &str, private: bool, notice: &Notice, now: UtcMs) -> SeamResult<Answer> {
    let body = body(notice);
    let timestamp = now.0.div_euclid(1000);
    let Some(signature) = sign(secret, &notice.id, timestamp, &body) else {
        return Ok(Answer::Refused("the webhook's secret is not base64 behind whsec_".to_owned()));
    };
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("webhook-id", notice.id.clone()),
        ("webhook-timestamp", timestamp.to_string()),
        ("webhook-signature", signature),
    ];
    post(url, private, &headers, body.into_bytes(), |status| Ok(answer_of(status))).await
}

/// A secret of these bytes, as the specification writes it.
pub fn secret_of(bytes: &[u8]) -> String {
    format!("{BASE64_PREFIX}{}", BASE64_STANDARD.encode(bytes))
}

fn body(notice: &Notice) -> String {
    let Notice { user, title, text, at, ends, .. } = notice;
    let timestamp = format!("{}Z", local_of_seconds(at.0.div_euclid(1000)));
    let data = json!({"user": user, "title": title, "text": text, "ends": ends});
    json!({"type": "vault.digest", "timestamp": timestamp, "data": data}).to_string()
}

/// `None` if the secret says that it is base64 and is not.
fn sign(secret: &str, id: &str, timestamp: i64, body: &str) -> Option<String> {
    let key = match secret.strip_prefix(BASE64_PREFIX) {
        Some(encoded) => BASE64_STANDARD.decode(encoded).ok()?,
        None => secret.as_bytes().to_vec(),
    };
    let mac = Hmac::<sha2::Sha256>::new_from_slice(&key).ok()?.chain_update(format!("{id}.{timestamp}.{body}"));
    Some(format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_specification_s_own_libraries() {
        // The example that the reference libraries are tested with.
        let signature = sign(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(signature.as_deref(), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
        assert_eq!(sign("whsec_***", "a", 0, ""), None);
    }
}
