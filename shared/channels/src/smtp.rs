//! SMTP, as far as one message needs it: `EHLO`, `STARTTLS`, `AUTH PLAIN`, `MAIL`, `RCPT`, `DATA` (RFC 5321, 3207, 4954).
//!
//! Until the message is begun a server has taken nothing. From there to its answer nobody knows.
//!
//! The crate `lettre` does the same. Its TLS turns on a feature of rustls that the AWS SDKs are built without, and all of them
//! would be built again; and it does not say on which side of that a connection broke.

use std::{net::IpAddr, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::Uri;
use percent_encoding::percent_decode_str;
use photovault_domain::Notice;
use photovault_vault::seams::{Answer, SeamResult};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};

use crate::{
    NotSent, mail,
    reach::{Host, Io},
};

/// How long each answer is waited for.
const ANSWER: Duration = Duration::from_secs(5);
/// All that comes before the message: a function has 30 s for its batch.
const PREPARATION: Duration = Duration::from_secs(15);
const HELLO: &str = "EHLO photovault";
/// Bytes of one answer at most.
const MAX_ANSWER: usize = 16 * 1024;

/// A mail server and who asks it.
#[derive(Clone, PartialEq, Eq)]
pub struct Server {
    host: Host,
    implicit_tls: bool,
    login: Option<(String, String)>,
}

impl Server {
    /// Reads `smtp://[user:password@]host[:587]`, or `smtps://…` on port 465. User and password are percent-encoded.
    pub fn parse(url: &str) -> Result<Self, String> {
        // The URL may hold a password: it is not repeated.
        let wrong = || "the mail server is not like smtp://user:password@host:587".to_owned();
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        let (implicit_tls, usual) = match uri.scheme_str() {
            Some("smtp") => (false, 587),
            Some("smtps") => (true, 465),
            _ => return Err(wrong()),
        };
        let authority = uri.authority().ok_or_else(wrong)?;
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let login = authority.as_str().rsplit_once('@').map(|(login, _)| login.split_once(':').ok_or_else(wrong)).transpose()?;
        let login = login.map(|(user, password)| (decoded(user), decoded(password)));
        let name = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        // Who set up the vault says which mail server it has: in its own network, as a rule.
        let host = Host { name, port: authority.port_u16().unwrap_or(usual), private: true };
        Ok(Self { host, implicit_tls, login })
    }

    /// Sends a notice.
    pub async fn send(&self, from: &str, to: &str, notice: &Notice) -> SeamResult<Answer> {
        let asked = format!("mail by {}", self.host.name);
        let prepared = timeout(PREPARATION, self.prepare(bare(from), bare(to))).await;
        let mut talk = match prepared.unwrap_or_else(|_| Err(NotSent::NotNow(format!("{} was too slow", self.host.name)))) {
            Ok(talk) => talk,
            Err(not_sent) => return not_sent.answer(&asked),
        };
        // No line of it begins with a dot: headers do not, and base64 has none.
        let sent = talk.ask(&(mail::message(from, to, notice) + ".")).await;
        let sent = sent.map_err(|error| match error {
            Broken::Connection(why) => NotSent::Perhaps(why),
            Broken::Reply(not_sent) => not_sent,
        });
        // Whether it hears the end of the conversation makes no difference.
        let _ = talk.stream.write_all(b"QUIT\r\n").await;
        sent.map(|_| Answer::Taken).or_else(|not_sent| not_sent.answer(&asked))
    }

    /// The conversation up to where the message is asked for.
    async fn prepare(&self, from: &str, to: &str) -> Result<Talk, NotSent> {
        let mut stream = self.host.connect().await?;
        if self.implicit_tls {
            stream = self.host.secure(stream).await?;
        }
        let mut talk = Talk { stream };
        talk.answer().await?;
        let mut offers = talk.ask(HELLO).await?;
        let mut is_secure = self.implicit_tls;
        if !is_secure && offers.contains("STARTTLS") {
            talk.ask("STARTTLS").await?;
            talk = Talk { stream: self.host.secure(talk.stream).await? };
            offers = talk.ask(HELLO).await?;
            is_secure = true;
        }
        if let Some((user, password)) = &self.login {
            if !is_secure && !self.is_this_machine() {
                let why = format!("{} offers no TLS, and the password is not sent without", self.host.name);
                return Err(NotSent::Never(why));
            }
            if !offers.contains("AUTH") {
                return Err(NotSent::Never(format!("{} takes no password", self.host.name)));
            }
            talk.ask(&format!("AUTH PLAIN {}", BASE64_STANDARD.encode(format!("\0{user}\0{password}")))).await?;
        }
        talk.ask(&format!("MAIL FROM:<{from}>")).await?;
        talk.ask(&format!("RCPT TO:<{to}>")).await?;
        talk.ask("DATA").await?;
        Ok(talk)
    }

    fn is_this_machine(&self) -> bool {
        self.host.name == "localhost" || self.host.name.parse().is_ok_and(|address: IpAddr| address.is_loopback())
    }
}

/// `ann@example.org` of `Ann <ann@example.org>`.
fn bare(address: &str) -> &str {
    address.split_once('<').and_then(|(_, rest)| rest.strip_suffix('>')).unwrap_or(address)
}

struct Talk {
    stream: Box<dyn Io>,
}

/// Why a line had no good answer.
enum Broken {
    /// There was none.
    Connection(String),
    /// It was no.
    Reply(NotSent),
}

impl From<Broken> for NotSent {
    /// Before the message is begun.
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Connection(why) => Self::NotNow(why),
            Broken::Reply(not_sent) => not_sent,
        }
    }
}

impl Talk {
    /// Says a line; gives the good answer to it, in capitals.
    async fn ask(&mut self, line: &str) -> Result<String, Broken> {
        let written = async {
            self.stream.write_all(format!("{line}\r\n").as_bytes()).await?;
            self.stream.flush().await
        };
        match timeout(ANSWER, written).await {
            Ok(Ok(())) => self.answer().await,
            Ok(Err(error)) => Err(Broken::Connection(format!("the mail server went away: {error}"))),
            Err(_) => Err(Broken::Connection("the mail server is too slow".to_owned())),
        }
    }

    /// An answer of one line or more: `250-…` until `250 …`.
    async fn answer(&mut self) -> Result<String, Broken> {
        let (mut text, mut bytes) = (String::new(), [0; 1024]);
        while !is_whole(&text) {
            let read = match timeout(ANSWER, self.stream.read(&mut bytes)).await {
                Ok(Ok(0)) => Err("the mail server went away".to_owned()),
                Ok(Ok(read)) => Ok(read),
                Ok(Err(error)) => Err(format!("the mail server went away: {error}")),
                Err(_) => Err("the mail server is too slow".to_owned()),
            };
            text += &String::from_utf8_lossy(&bytes[..read.map_err(Broken::Connection)?]);
            if text.len() > MAX_ANSWER {
                return Err(Broken::Connection("the mail server says too much".to_owned()));
            }
        }
        let said = || format!("the mail server said: {}", text.trim_end());
        match text.as_bytes()[0] {
            b'2' | b'3' => Ok(text.to_ascii_uppercase()),
            b'4' => Err(Broken::Reply(NotSent::NotNow(said()))),
            _ => Err(Broken::Reply(NotSent::Never(said()))),
        }
    }
}

/// Whether the last line of an answer is there: its code is followed by a space, or by nothing.
fn is_whole(text: &str) -> bool {
    let last = text.strip_suffix('\n').map(|text| text.rsplit('\n').next().unwrap_or_default());
    last.is_some_and(|line| line.as_bytes().get(3) != Some(&b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_read_from_their_url() {
        let server = Server::parse("smtp://ann%40example.org:p%3Aw@mail.example.org").unwrap();
        assert_eq!(server.login, Some(("ann@example.org".into(), "p:w".into())));
        assert_eq!((server.host.port, server.implicit_tls), (587, false));
        let plain = Server::parse("smtp://127.0.0.1:1025").unwrap();
        assert_eq!((plain.host.port, plain.login.is_none(), plain.is_this_machine()), (1025, true, true));
        assert_eq!(Server::parse("smtps://mail.example.org").unwrap().host.port, 465);
        for bad in ["", "mail.example.org", "http://mail.example.org", "smtp://ann@mail.example.org"] {
            assert!(Server::parse(bad).is_err(), "{bad}");
        }
        assert!(
            (is_whole("250 OK\r\n"), is_whole("250-A\r\n250 B\r\n"), is_whole("250-A\r\n"), is_whole("25"))
                == (true, true, false, false)
        );
    }
}
