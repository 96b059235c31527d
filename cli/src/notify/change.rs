//! `photovault notify set`: one change of what a user wants.

use std::{fs::File, io::Read as _};

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use photovault_channels::http::Target;
use photovault_domain::{BATCH_S, Channel, Medium, Preferences, QuietHours, Subject, UserId, Zone};
use photovault_vault::{Vault, seams::Written};

/// Bytes of a webhook's secret: the Standard Webhooks specification has 24 to 64.
const SECRET_BYTES: usize = 32;
/// How often a change is made again when another one came first.
const MAX_CONFLICTS: u32 = 5;
/// What takes a channel, or quiet hours, away.
const NONE: &str = "none";

/// What is to be otherwise.
#[derive(Args, Debug)]
#[group(required = true, multiple = true)]
pub(crate) struct ChangeArguments {
    /// Where e-mails go, or `none`.
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// Where signed POSTs go, or `none`.
    #[arg(long, value_name = "URL")]
    webhook: Option<String>,
    /// What they are signed with: `whsec_` and base64, any text, or `ssm:/…/users/<user>/…` for a parameter [default: made at random and shown once].
    #[arg(long, value_name = "SECRET", requires = "webhook")]
    webhook_secret: Option<String>,
    /// A topic of an ntfy server, `https://server/topic`, or `none`.
    #[arg(long, value_name = "URL")]
    ntfy: Option<String>,
    /// The access token that the ntfy server asks for, or `ssm:/…/users/<user>/…` for a parameter.
    #[arg(long, value_name = "TOKEN", requires = "ntfy")]
    ntfy_token: Option<String>,
    /// What to be told of there: ready, failures, memories, backup. The inbox has everything.
    #[arg(long, value_name = "WHAT,…", value_delimiter = ',')]
    tell: Option<Vec<Subject>>,
    /// For how long things are gathered into one message, as in 90s, 15m or 12h: a minute to a day.
    #[arg(long, value_name = "TIME", value_parser = batch)]
    batch: Option<u32>,
    /// When nothing is sent, HH:MM-HH:MM by the clock of --zone, or `none`. What would be sent in these hours comes after them, as one message.
    #[arg(long, value_name = "HOURS")]
    quiet: Option<String>,
    /// Where you live: a time zone of the IANA database, such as Europe/Berlin.
    #[arg(long, value_name = "ZONE")]
    zone: Option<Zone>,
}

impl ChangeArguments {
    /// Makes the change.
    pub(super) async fn make(&self, vault: &Vault, user: &UserId) -> anyhow::Result<()> {
        for _ in 0..MAX_CONFLICTS {
            let mut wants = vault.mailings.preferences(user).await?;
            let made = self.apply(&mut wants)?;
            if vault.mailings.prefer(user, &wants).await? == Written::Yes {
                if let Some(secret) = made {
                    eprintln!("The webhook is signed with {secret}: its receiver needs it, and it is not shown again.");
                }
                return Ok(());
            }
        }
        bail!("somebody else changed the same settings {MAX_CONFLICTS} times meanwhile: try again")
    }

    /// Gives the secret that was made, if one was.
    fn apply(&self, wants: &mut Preferences) -> anyhow::Result<Option<String>> {
        let mut made = None;
        if let Some(to) = channel_of(wants, Medium::Email, self.email.as_deref()) {
            ensure!(is_address(to), "'{to}' is no e-mail address");
            wants.set_channel(Channel::Email { to: to.to_owned() });
        }
        if let Some(url) = channel_of(wants, Medium::Webhook, self.webhook.as_deref()) {
            check(url)?;
            let secret = match &self.webhook_secret {
                Some(secret) => secret.clone(),
                None => made.insert(random_secret()?).clone(),
            };
            wants.set_channel(Channel::Webhook { url: url.to_owned(), secret });
        }
        if let Some(url) = channel_of(wants, Medium::Ntfy, self.ntfy.as_deref()) {
            check(url)?;
            wants.set_channel(Channel::Ntfy { url: url.to_owned(), token: self.ntfy_token.clone() });
        }
        if let Some(tell) = &self.tell {
            wants.tell = tell.iter().copied().collect();
        }
        wants.batch_s = self.batch.unwrap_or(wants.batch_s);
        match self.quiet.as_deref() {
            Some(NONE) => wants.quiet = None,
            Some(quiet) => wants.quiet = Some(quiet.parse::<QuietHours>()?),
            None => {}
        }
        if let Some(zone) = &self.zone {
            wants.zone = zone.clone();
        }
        Ok(made)
    }
}

/// The address that is to be set; where it is `none`, the channel is removed.
fn channel_of<'a>(wants: &mut Preferences, medium: Medium, said: Option<&'a str>) -> Option<&'a str> {
    if said == Some(NONE) {
        wants.remove_channel(medium);
    }
    said.filter(|said| *said != NONE)
}

/// Whether it may lie in a private network is up to the deployment, and said when it is tried.
fn check(url: &str) -> anyhow::Result<()> {
    Target::parse(url, true).map(|_| ()).map_err(anyhow::Error::msg)
}

/// One `@` between plain characters: it stands in headers and commands as it is.
fn is_address(text: &str) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>()[],;:\\\"".contains(&byte));
    let parts: Vec<&str> = text.split('@').collect();
    plain && text.len() <= 254 && parts.len() == 2 && parts.iter().all(|part| !part.is_empty())
}

fn batch(text: &str) -> Result<u32, String> {
    let wrong = || format!("'{text}' is not a time from a minute to a day, such as 90s, 15m or 12h");
    let split = text.find(|character: char| !character.is_ascii_digit()).ok_or_else(wrong)?;
    let unit = match &text[split..] {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err(wrong()),
    };
    let seconds = text[..split].parse::<u32>().ok().and_then(|count| count.checked_mul(unit));
    seconds.filter(|seconds| BATCH_S.contains(seconds)).ok_or_else(wrong)
}

fn random_secret() -> anyhow::Result<String> {
    let mut bytes = [0; SECRET_BYTES];
    File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes)).context("reading /dev/urandom")?;
    Ok(photovault_channels::webhook::secret_of(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_addresses_are_read_and_wrong_ones_refused() {
        for (text, want) in [("60s", Some(60)), ("15m", Some(900)), ("24h", Some(86_400)), ("59s", None), ("25h", None)] {
            assert_eq!(batch(text).ok(), want, "{text}");
        }
        for bad in ["", "m", "10", "1d", "-1m", "99999999999m"] {
            assert!(batch(bad).is_err(), "{bad}");
        }
        assert!(is_address("ann.b+photos@example.org"));
        for bad in
            ["", "ann", "ann@", "@example.org", "a@b@c", "ann@example.org\r\nBcc: x", "Ann <ann@example.org>", "a b@c", "ü@c"]
        {
            assert!(!is_address(bad), "{bad}");
        }
    }

    #[test]
    fn what_is_not_named_stays() {
        let none = || ChangeArguments {
            email: None,
            webhook: None,
            webhook_secret: None,
            ntfy: None,
            ntfy_token: None,
            tell: None,
            batch: None,
            quiet: None,
            zone: None,
        };
        let mut wants = Preferences::default();
        let webhook = ChangeArguments { webhook: Some("https://example.org/hook".into()), ..none() };
        let secret = webhook.apply(&mut wants).unwrap().expect("none was given");
        assert!(secret.starts_with("whsec_"));
        let quiet = ChangeArguments { quiet: Some("22:00-07:00".into()), email: Some("ann@example.org".into()), ..none() };
        quiet.apply(&mut wants).unwrap();
        assert_eq!((wants.channels.len(), wants.batch_s, wants.quiet.is_some()), (2, 300, true));
        let less = ChangeArguments { quiet: Some("none".into()), webhook: Some("none".into()), ..none() };
        less.apply(&mut wants).unwrap();
        assert_eq!(wants.channels, [Channel::Email { to: "ann@example.org".into() }]);
        assert_eq!(wants.quiet, None);
        let wrong = ChangeArguments { ntfy: Some("ntfy.sh/x".into()), ..none() };
        assert!(wrong.apply(&mut wants).is_err());
    }
}
