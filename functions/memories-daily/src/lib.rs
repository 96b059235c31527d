//! memories-daily: in the morning tells each user what was on this day in other years.
//!
//! - Event in: a schedule, every hour. Morning is by the clock where the user lives.
//! - Decision ([`decide`]): whether it is time to tell a user, and has not been told today.
//! - Effects out: the day's memories in the catalog, and news of them to `notify`, which has them in the inbox and brings them to channels.
//! - Idempotent by: the news' key, which is the day, and the time that it stands at: once a day and user, however often this runs.
//!
//! Users are found in the vault bucket by stepping over the keys of each, and memories by their day: nothing is looked through. A run that
//! has no time left is gone on with by the next. Trips take a walk through a timeline: `photovault memories` tells those.

use std::time::Duration;

use anyhow::Context as _;
use futures::future::BoxFuture;
use photovault_domain::{News, Subject, Until, UserId, UtcMs, day_of_date};
use photovault_lambda::{Served, answered};
use photovault_vault::{DayMemories, Memory, Vault, on_this_day};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The minute of the day from which memories are told: 08:00.
pub const MORNING: u16 = 8 * 60;
/// No user is begun later than this after the run began, by this sandbox's own clock. A test holds it against the function's timeout.
pub const BEGIN_WITHIN: Duration = Duration::from_secs(220);
/// Its place is kept by this name.
const NAME: &str = "memories-daily";
/// Years that one text names.
const MAX_YEARS: usize = 5;

/// What a run is asked for: nothing in particular.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Request {}

/// What a run did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Users that it came past.
    pub users: u64,
    /// Users for whom it was time.
    pub prepared: u64,
    /// Those of them who had memories, and were told.
    pub told: u64,
    /// Whether it came past all users; otherwise the next run goes on.
    pub complete: bool,
}

/// Runs the function under the Lambda runtime.
pub fn run() -> Served {
    photovault_lambda::serve_events(on_event)
}

/// A schedule's event.
pub fn on_event(vault: Vault, event: Value) -> BoxFuture<'static, anyhow::Result<Value>> {
    answered(event, move |_: Request| async move { tell_all(&vault, BEGIN_WITHIN).await })
}

/// Comes past every user, or past as many as there is time for.
pub async fn tell_all(vault: &Vault, within: Duration) -> anyhow::Result<Report> {
    let until = Until { began: vault.clock.now(), within };
    let mut progress = vault.catalog.progress(NAME).await?;
    let mut last = progress.places.remove(NAME).map(|user| user.parse::<UserId>()).transpose()?;
    let mut report = Report::default();
    while !until.is_over(vault.clock.now()) {
        let Some(user) = vault.next_user(last.as_ref()).await? else {
            report.complete = true;
            last = None;
            break;
        };
        report.users += 1;
        if let Some(told) = tell(vault, &user).await? {
            report.prepared += 1;
            report.told += u64::from(told);
        }
        last = Some(user);
    }
    progress.places.extend(last.map(|user| (NAME.to_owned(), user.to_string())));
    vault.catalog.keep_progress(NAME, &progress).await?;
    tracing::info!(users = report.users, told = report.told, complete = report.complete, "memories of the day told");
    Ok(report)
}

/// Whether there was something to tell a user; `None` if it is not time.
async fn tell(vault: &Vault, user: &UserId) -> anyhow::Result<Option<bool>> {
    let wants = vault.mailings.preferences(user).await?;
    let (day, minute) = wants.zone.local(vault.clock.now());
    let date = day.to_string();
    let known = vault.day_memories(user).await?;
    if !decide(&date, minute, known.as_ref()) {
        return Ok(None);
    }
    let number = day_of_date(&date).context("a day of the calendar")?;
    let memories = on_this_day(vault, user, number).await?;
    let news = news(&date, wants.zone.instant(day, MORNING), &memories);
    let told = news.is_some();
    if let Some(news) = news {
        // First: who dies here tells again, which is the same news.
        vault.jobs.send_news(user, news).await?;
    }
    vault.keep_day_memories(user, &DayMemories { day: date, memories }).await?;
    Ok(Some(told))
}

/// Whether it is time to tell: from the morning on, once a day.
pub fn decide(date: &str, minute: u16, known: Option<&DayMemories>) -> bool {
    minute >= MORNING && known.is_none_or(|known| known.day != date)
}

/// What a user is told of these, if there are any.
pub fn news(date: &str, at: UtcMs, memories: &[Memory]) -> Option<News> {
    if memories.is_empty() {
        return None;
    }
    let one = |memory: &Memory| {
        let photos = if memory.photos == 1 { "photo" } else { "photos" };
        format!("{}, {} {photos}", memory.title, memory.photos)
    };
    let years: Vec<String> = memories.iter().take(MAX_YEARS).map(one).collect();
    let more = memories.len().saturating_sub(MAX_YEARS);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    let text = format!("Memories of the day: {}{more}.", years.join("; "));
    Some(News { key: format!("memories-{date}"), about: Subject::Memories, at, text })
}
