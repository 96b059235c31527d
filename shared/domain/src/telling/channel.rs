//! Channels: the ways to a person beside the inbox.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The kinds of channels. A user has one of each at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Medium {
    /// The deployment's SNS topic, where it has one.
    Topic,
    /// An e-mail.
    Email,
    /// A signed POST to an address of the user's.
    Webhook,
    /// A topic of an ntfy server: a push message on a phone.
    Ntfy,
}

impl Medium {
    /// As it stands in keys and is read by people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Topic => "topic",
            Self::Email => "email",
            Self::Webhook => "webhook",
            Self::Ntfy => "ntfy",
        }
    }

    /// Whether a receiver can tell that it had a message already: only then may one be sent again when nobody knows whether it arrived.
    pub const fn tells_apart(self) -> bool {
        matches!(self, Self::Webhook)
    }
}

impl fmt::Display for Medium {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A channel and where it leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "medium", rename_all = "lowercase")]
pub enum Channel {
    /// The deployment's SNS topic.
    Topic {
        /// Its ARN.
        arn: String,
    },
    /// An e-mail.
    Email {
        /// The address.
        to: String,
    },
    /// A POST in the form of the Standard Webhooks specification.
    Webhook {
        /// Where to.
        url: String,
        /// What it is signed with: `whsec_` and base64, any text, or the name of a parameter that holds either (`ssm:/name`).
        secret: String,
    },
    /// A topic of an ntfy server.
    Ntfy {
        /// `https://server/topic`.
        url: String,
        /// An access token, where the server asks for one; or `ssm:/name`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<String>,
    },
}

impl Channel {
    /// Its kind.
    pub const fn medium(&self) -> Medium {
        match self {
            Self::Topic { .. } => Medium::Topic,
            Self::Email { .. } => Medium::Email,
            Self::Webhook { .. } => Medium::Webhook,
            Self::Ntfy { .. } => Medium::Ntfy,
        }
    }

    /// Where it leads, as people may see it.
    pub fn address(&self) -> &str {
        match self {
            Self::Topic { arn } => arn,
            Self::Email { to } => to,
            Self::Webhook { url, .. } | Self::Ntfy { url, .. } => url,
        }
    }
}
