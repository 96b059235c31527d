//! `photovault notify`: what a user wants to be told, where, and what was told.

mod change;
mod inbox;

use clap::{Args, Subcommand};
use photovault_domain::{Channel, Notice, Preferences, UserId};
use photovault_vault::{Mailing, MailingEnd, NOTICE_TITLE, Vault, seams::Answer};
use serde_json::json;

use self::change::ChangeArguments;
use crate::{
    arguments::VaultArguments,
    connection::reach,
    table::{Table, when},
};

/// Mailings that `show` lists.
const LATEST: u32 = 10;

/// Say what you want to be told of, where and when, and read what you were told.
///
/// The inbox has everything, once. Channels get one message for each time that things are gathered, and none in quiet hours: e-mail, a
/// signed webhook, ntfy, and the deployment's topic where it has one.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  photovault notify show\n  photovault notify inbox\n  \
    photovault notify set --ntfy https://ntfy.sh/our-photos --quiet 22:00-07:00 --zone Europe/Berlin\n  \
    photovault notify set --email ann@example.org --tell failures,backup --batch 1h\n  \
    photovault notify set --webhook https://example.org/hook --webhook-secret ssm:/photovault/users/owner/hook\n  \
    photovault notify set --email none\n  photovault notify test")]
pub(crate) struct NotifyArguments {
    #[command(subcommand)]
    action: NotifyAction,
    #[command(flatten)]
    vault: VaultArguments,
}

#[derive(Debug, Subcommand)]
enum NotifyAction {
    /// Show what you want to be told, and what channels got lately.
    Show,
    /// Change it; what is not named stays.
    Set(ChangeArguments),
    /// Send a message through each of your channels, now.
    Test,
    /// List what you were told.
    Inbox {
        /// How many digests at most, the newest of them.
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: usize,
    },
}

/// How the engine sends e-mails.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct MailArguments {
    /// Whom e-mails to users are from, as in 'Photos <photos@example.org>' [default: none are sent].
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) mail_from: Option<String>,
    /// The mail server: `smtp://[user:password@]host[:587]` or `smtps://…`.
    #[arg(long, value_name = "URL", requires = "mail_from", hide_env_values = true, env = "PHOTOVAULT_SMTP")]
    pub(crate) smtp: Option<String>,
}

/// `notify`.
pub(crate) async fn run(arguments: &NotifyArguments) -> anyhow::Result<()> {
    let vault = reach(&arguments.vault).await?.vault;
    let (user, json) = (&arguments.vault.user, arguments.vault.json);
    match &arguments.action {
        NotifyAction::Show => show(&vault, user, json).await,
        NotifyAction::Set(change) => {
            change.make(&vault, user).await?;
            show(&vault, user, json).await
        }
        NotifyAction::Test => test(&vault, user, json).await,
        NotifyAction::Inbox { limit } => inbox::list(&vault, user, *limit, json).await,
    }
}

async fn show(vault: &Vault, user: &UserId, json: bool) -> anyhow::Result<()> {
    let wants = vault.mailings.preferences(user).await?;
    let latest = vault.mailings.latest(user, LATEST).await?;
    if json {
        let latest: Vec<_> = latest.iter().map(mailing_json).collect();
        println!("{}", json!({"user": user, "wants": shown(&wants), "latest": latest}));
        return Ok(());
    }
    let mut table = Table::new(&["channel", "where"]);
    table.row(vec!["inbox".into(), "photovault notify inbox".into()]);
    for channel in &wants.channels {
        table.row(vec![channel.medium().to_string(), channel.address().to_owned()]);
    }
    table.print();
    let tell: Vec<&str> = wants.tell.iter().map(|subject| subject.name()).collect();
    println!("\nTold of: {}.", if tell.is_empty() { "nothing".to_owned() } else { tell.join(", ") });
    println!("Gathered for {} s into one message.", wants.batch_s);
    match wants.quiet {
        Some(quiet) => println!("Quiet from {quiet}, time of {}.", wants.zone),
        None => println!("No quiet hours; time of {}.", wants.zone),
    }
    if !latest.is_empty() {
        println!();
        let mut table = Table::new(&["due", "channel", "state", "text"]);
        for mailing in &latest {
            let text = mailing.notice().text.lines().next().unwrap_or_default().to_owned();
            table.row(vec![when(mailing.delivery.due), mailing.delivery.medium.to_string(), state(mailing), text]);
        }
        table.print();
    }
    Ok(())
}

/// Without secrets.
fn shown(wants: &Preferences) -> serde_json::Value {
    let channels: Vec<_> =
        wants.channels.iter().map(|channel| json!({"channel": channel.medium(), "address": channel.address()})).collect();
    json!({"channels": channels, "tell": wants.tell, "batch_s": wants.batch_s, "quiet": wants.quiet, "zone": wants.zone})
}

fn mailing_json(mailing: &Mailing) -> serde_json::Value {
    let text = mailing.notice().text;
    let (delivery, attempts) = (&mailing.delivery, mailing.attempts);
    json!({"channel": delivery.medium, "due": delivery.due, "state": state(mailing), "attempts": attempts, "text": text})
}

fn state(mailing: &Mailing) -> String {
    match &mailing.ended {
        None if mailing.attempts > 0 => "sending".to_owned(),
        None => "waiting".to_owned(),
        Some((MailingEnd::Sent, _)) => "sent".to_owned(),
        Some((MailingEnd::Refused(why), _)) => format!("not sent: {why}"),
        Some((MailingEnd::Unknown(why), _)) => format!("perhaps sent: {why}"),
    }
}

async fn test(vault: &Vault, user: &UserId, json: bool) -> anyhow::Result<()> {
    let wants = vault.mailings.preferences(user).await?;
    anyhow::ensure!(!wants.channels.is_empty(), "{user} has no channel to try: `photovault notify set --help`");
    let mut failed = 0;
    for channel in &wants.channels {
        let (well, what) = match vault.mailings.try_channel(channel, &trial(vault, user, channel)).await {
            Ok(Answer::Taken) => (true, "took the message".to_owned()),
            Ok(Answer::Refused(why) | Answer::NotTaken(why)) => (false, why),
            Err(error) => (false, error.to_string()),
        };
        failed += usize::from(!well);
        if json {
            println!("{}", json!({"channel": channel.medium(), "address": channel.address(), "taken": well, "answer": what}));
        } else {
            println!("{} {}: {what}", channel.medium(), channel.address());
        }
    }
    anyhow::ensure!(failed == 0, "{failed} of {} channels did not take a message", wants.channels.len());
    Ok(())
}

fn trial(vault: &Vault, user: &UserId, channel: &Channel) -> Notice {
    let at = vault.clock.now();
    Notice {
        id: format!("msg_{:016x}{:016x}", at.0, vault.clock.random()),
        user: user.clone(),
        title: NOTICE_TITLE.to_owned(),
        text: format!("This is a test: {user} is told by {} from now on.", channel.medium()),
        ends: std::collections::BTreeMap::new(),
        at,
    }
}
