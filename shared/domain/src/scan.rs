//! Virus scans: who is asked, and what came of it. What nobody has looked at is `unscanned`, never `clean`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Who scans uploads: the setting `SCANNER`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Scanner {
    /// Nobody.
    #[default]
    None,
    /// A clamd on a Unix socket.
    ClamdUnix(String),
    /// A clamd on `host:port`.
    ClamdTcp(String),
    /// Amazon GuardDuty Malware Protection for S3, whose result arrives as an event.
    GuardDuty,
}

impl FromStr for Scanner {
    type Err = UnknownScanner;

    fn from_str(text: &str) -> Result<Self, UnknownScanner> {
        match text {
            "" | "none" => Ok(Self::None),
            "guardduty" => Ok(Self::GuardDuty),
            _ => match (text.strip_prefix("clamd:unix:"), text.strip_prefix("clamd:tcp:")) {
                (Some(path), _) if path.starts_with('/') => Ok(Self::ClamdUnix(path.to_owned())),
                (_, Some(address)) if address.contains(':') => Ok(Self::ClamdTcp(address.to_owned())),
                _ => Err(UnknownScanner(text.to_owned())),
            },
        }
    }
}

/// A `SCANNER` that names no scanner.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no scanner: none, clamd:unix:/path, clamd:tcp:host:port or guardduty")]
pub struct UnknownScanner(String);

/// What a scanner said of an upload.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "result")]
pub enum Scan {
    /// No scanner was asked.
    #[default]
    Unscanned,
    /// The scanner looked at all of it and found nothing.
    Clean {
        /// Which scanner.
        by: String,
    },
    /// The scanner found something.
    Infected {
        /// Which scanner.
        by: String,
        /// What it calls it.
        name: String,
    },
    /// The scanner was asked and could not tell: too large for it, or it did not answer.
    Unfinished {
        /// Which scanner.
        by: String,
        /// Why it could not.
        why: String,
    },
}

impl fmt::Display for Scan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unscanned => write!(f, "unscanned (no virus scanner is set)"),
            Self::Clean { by } => write!(f, "clean ({by})"),
            Self::Infected { by, name } => write!(f, "infected: {name} ({by})"),
            Self::Unfinished { by, why } => write!(f, "not finished: {why} ({by})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_name_a_scanner_or_are_refused() {
        for (text, scanner) in [
            ("", Scanner::None),
            ("none", Scanner::None),
            ("clamd:unix:/run/clamd.sock", Scanner::ClamdUnix("/run/clamd.sock".to_owned())),
            ("clamd:tcp:scanner:3310", Scanner::ClamdTcp("scanner:3310".to_owned())),
            ("guardduty", Scanner::GuardDuty),
        ] {
            assert_eq!(text.parse(), Ok(scanner));
        }
        for text in ["clamd", "clamd:unix:relative", "clamd:tcp:host", "None", "off"] {
            assert!(text.parse::<Scanner>().is_err(), "{text}");
        }
    }

    #[test]
    fn nothing_is_clean_by_default() {
        assert_eq!(Scan::default(), Scan::Unscanned);
        assert_eq!(serde_json::to_string(&Scan::Unscanned).unwrap(), r#"{"result":"unscanned"}"#);
        let clean = Scan::Clean { by: "clamd".to_owned() };
        assert_eq!(serde_json::from_str::<Scan>(r#"{"result":"clean","by":"clamd"}"#).unwrap(), clean);
    }
}
