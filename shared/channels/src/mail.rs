//! An e-mail as text: a few headers and the notice in UTF-8, as base64.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use jiff::{Timestamp, fmt::rfc2822};
use photovault_domain::Notice;

/// Characters of a line of base64.
const LINE: usize = 76;

/// The message for a mail server, lines ending in CRLF (RFC 5322, RFC 2045). Addresses and the title are plain ASCII without line ends:
/// they were checked when they were set.
pub fn message(from: &str, to: &str, notice: &Notice) -> String {
    let date = Timestamp::from_millisecond(notice.at.0)
        .ok()
        .and_then(|at| rfc2822::to_string(&at.to_zoned(jiff::tz::TimeZone::UTC)).ok());
    let domain = from.rsplit('@').next().unwrap_or_default().trim_end_matches('>');
    let headers = [
        format!("From: {from}"),
        format!("To: {to}"),
        format!("Subject: {}", notice.title),
        format!("Date: {}", date.unwrap_or_default()),
        format!("Message-ID: <{}@{domain}>", notice.id),
        "Auto-Submitted: auto-generated".to_owned(),
        "MIME-Version: 1.0".to_owned(),
        "Content-Type: text/plain; charset=utf-8".to_owned(),
        "Content-Transfer-Encoding: base64".to_owned(),
    ];
    let body = BASE64_STANDARD.encode(notice.text.replace('\n', "\r\n"));
    let lines = body.as_bytes().chunks(LINE).map(|line| String::from_utf8_lossy(line).into_owned());
    let all: Vec<String> = headers.into_iter().chain([String::new()]).chain(lines).collect();
    all.join("\r\n") + "\r\n"
}
