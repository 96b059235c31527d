//! ntfy: a push message by a topic of an ntfy server, as a POST of plain text. It has no idempotency: what may have been taken is not
//! sent again.
//!
//! Source: <https://docs.ntfy.sh/publish/>.

use http::StatusCode;
use photovault_domain::Notice;
use photovault_vault::seams::{Answer, SeamResult};

use crate::{
    NotSent,
    http::{answer_of, send as post},
};

/// Sends a notice to `https://server/topic`, with an access token where there is one. `private`: see [`crate::reach`].
pub async fn send(url: &str, token: Option<&str>, private: bool, notice: &Notice) -> SeamResult<Answer> {
    let mut headers = vec![("title", notice.title.clone()), ("content-type", "text/plain; charset=utf-8".to_owned())];
    headers.extend(token.map(|token| ("authorization", format!("Bearer {token}"))));
    post(url, private, &headers, notice.text.clone().into_bytes(), taken).await
}

/// Who stands before the server may have handed the message on when it says that something went wrong.
fn taken(status: StatusCode) -> Result<Answer, NotSent> {
    match status {
        StatusCode::SERVICE_UNAVAILABLE => Ok(answer_of(status)),
        status if status.is_server_error() => Err(NotSent::Perhaps(format!("it answered {status}"))),
        status => Ok(answer_of(status)),
    }
}
