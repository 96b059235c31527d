//! Ways to people that need no SDK: webhooks, ntfy and mail servers, over sockets of our own.
//!
//! Each call sends once. What came of it is an [`Answer`], or an error where nobody knows: a request was on its way, and no answer came.
//! No redirect is followed. Which addresses may be reached is said in [`reach`].

pub mod http;
pub mod mail;
pub mod ntfy;
pub mod reach;
pub mod smtp;
pub mod webhook;

use photovault_vault::seams::{Answer, SeamError, SeamResult};

/// Why nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotSent {
    /// It will be so the next time too.
    Never(String),
    /// Another time it may go.
    NotNow(String),
    /// It may have been sent all the same.
    Perhaps(String),
}

impl NotSent {
    /// The reason, whatever it means for another time.
    pub fn why(self) -> String {
        let (Self::Never(why) | Self::NotNow(why) | Self::Perhaps(why)) = self;
        why
    }

    /// As the seam has it.
    fn answer(self, asked: &str) -> SeamResult<Answer> {
        match self {
            Self::Never(why) => Ok(Answer::Refused(why)),
            Self::NotNow(why) => Ok(Answer::NotTaken(why)),
            Self::Perhaps(answer) => Err(SeamError { asked: asked.to_owned(), answer }),
        }
    }
}
