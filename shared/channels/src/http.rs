//! One POST over HTTP/1.1, without redirects, cookies or anything else that leads elsewhere.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use photovault_vault::seams::{Answer, SeamResult};

use crate::{NotSent, reach::Host};

/// From the request to the end of its answer. A function has 30 s for its batch, and connecting may take 16 of them.
const ANSWER: Duration = Duration::from_secs(8);
/// What of an answer is read.
const MAX_ANSWER: usize = 64 * 1024;

/// Where a URL leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    uri: Uri,
    host: Host,
    secure: bool,
}

impl Target {
    /// Reads `https://host[:port]/path`; `http://` only where private addresses are allowed.
    pub fn parse(url: &str, private: bool) -> Result<Self, String> {
        let uri: Uri = url.parse().map_err(|_| format!("'{url}' is no URL"))?;
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") if private => false,
            Some("http") => return Err(format!("'{url}' is not safe from eyes on the way: it begins with https:// here")),
            _ => return Err(format!("'{url}' begins neither with https:// nor with http://")),
        };
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'));
        let authority = authority.ok_or_else(|| format!("'{url}' names no host, or a user besides"))?;
        let name = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = authority.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let host = Host { name, port, private };
        Ok(Self { uri, host, secure })
    }

    /// Sends a body with these headers; gives the answer's status and what it says.
    pub async fn post(&self, headers: &[(&str, String)], body: Vec<u8>) -> Result<(StatusCode, Bytes), NotSent> {
        let path = self.uri.path_and_query().map_or("/", |path| path.as_str());
        let authority = self.uri.authority().map(ToString::to_string).unwrap_or_default();
        let mut request = Request::post(path).header(header::HOST, authority).header(header::USER_AGENT, "photovault");
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let request = request.body(Full::new(Bytes::from(body)));
        let request = request.map_err(|error| NotSent::Never(format!("the request cannot be written: {error}")))?;
        let mut stream = self.host.connect().await?;
        if self.secure {
            stream = self.host.secure(stream).await?;
        }
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| perhaps(&error))?;
        let answered = async {
            let answer = sender.send_request(request).await.map_err(|error| perhaps(&error))?;
            let status = answer.status();
            let body = Limited::new(answer.into_body(), MAX_ANSWER).collect().await;
            // The status is the answer; who says too much is not listened to.
            Ok((status, body.map(http_body_util::Collected::to_bytes).unwrap_or_default()))
        };
        let both = async {
            tokio::pin!(answered);
            tokio::select! {
                answer = &mut answered => answer,
                // The connection ends when it has given its answer, or without one.
                _ = connection => answered.await,
            }
        };
        let in_time = tokio::time::timeout(ANSWER, both).await;
        in_time.unwrap_or_else(|_| Err(NotSent::Perhaps(format!("{} gave no answer in time", self.host.name))))
    }
}

/// What a status says, of a request that may be repeated where its receiver can tell.
pub(crate) fn answer_of(status: StatusCode) -> Answer {
    let why = format!("it answered {status}");
    match status.as_u16() {
        200..=299 => Answer::Taken,
        408 | 429 | 500..=599 => Answer::NotTaken(why),
        300..=399 => Answer::Refused(format!("{why}, and redirects are not followed")),
        _ => Answer::Refused(why),
    }
}

/// The answer to a POST, by `answer_of` for its status.
pub(crate) async fn send(
    url: &str,
    private: bool,
    headers: &[(&str, String)],
    body: Vec<u8>,
    answer_of: impl Fn(StatusCode) -> Result<Answer, NotSent>,
) -> SeamResult<Answer> {
    let target = match Target::parse(url, private) {
        Ok(target) => target,
        Err(why) => return Ok(Answer::Refused(why)),
    };
    let answer = target.post(headers, body).await.and_then(|(status, _)| answer_of(status));
    answer.or_else(|not_sent| not_sent.answer(&format!("POST to {}", target.host.name)))
}

fn perhaps(error: &hyper::Error) -> NotSent {
    NotSent::Perhaps(format!("the connection broke: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_judged_by_their_form() {
        for good in ["https://example.org/hook?x=1", "https://example.org:8443/", "https://[2606:4700::1111]/x"] {
            assert!(Target::parse(good, false).is_ok(), "{good}");
        }
        for bad in
            ["http://example.org/", "ftp://example.org/", "example.org", "https://ann@example.org/", "https:///x", "", "/x"]
        {
            assert!(Target::parse(bad, false).is_err(), "{bad}");
        }
        assert_eq!(Target::parse("http://[::1]:8080/x", true).unwrap().host.name, "::1");
    }
}
