//! `photovault moments`: the moments of a timeline, and what somebody says about them.

use anyhow::bail;
use clap::{Args, Subcommand};
use photovault_domain::{Boundary, Media, Placed, UserId, UtcMs};
use photovault_memories::{Saying, say};
use photovault_vault::{Beginning, Change, Vault};
use serde_json::json;

use crate::{
    arguments::VaultArguments,
    connection::reach,
    find::{PAGE, find},
    table::{Table, when},
};

/// Look at moments (photos that belong together in time and place), and say where they begin.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  photovault moments ls\n  photovault moments split 3f2a\n  photovault moments move 3f2a --to 77b0"
)]
pub(crate) struct MomentsArguments {
    #[command(subcommand)]
    action: MomentsAction,
    #[command(flatten)]
    vault: VaultArguments,
}

#[derive(Debug, Subcommand)]
enum MomentsAction {
    /// List the latest moments, the latest first.
    Ls {
        /// At most so many.
        #[arg(long, default_value_t = 20)]
        limit: u32,
    },
    /// A moment begins at this item.
    Split {
        /// An id, the beginning of one, or an upload's name.
        media: String,
    },
    /// This item continues the moment of the one before it.
    Join {
        /// An id, the beginning of one, or an upload's name.
        media: String,
    },
    /// This item belongs to the moment of another: it counts as taken then and there.
    Move {
        /// An id, the beginning of one, or an upload's name.
        media: String,
        /// The other.
        #[arg(long, value_name = "MEDIA")]
        to: String,
    },
    /// Whatever was said about this item is said no more.
    Undo {
        /// An id, the beginning of one, or an upload's name.
        media: String,
    },
}

/// A moment as it is shown.
struct Moment {
    beginning: Beginning,
    /// Its items, in order.
    items: Vec<Placed>,
}

/// `moments`.
pub(crate) async fn run(arguments: &MomentsArguments) -> anyhow::Result<()> {
    let vault = reach(&arguments.vault).await?.vault;
    let user = &arguments.vault.user;
    match &arguments.action {
        MomentsAction::Ls { limit } => return list(&vault, user, *limit, arguments.vault.json).await,
        MomentsAction::Split { media } => say(&vault, user, &find(&vault, user, media).await?.id, Saying::Begins).await?,
        MomentsAction::Join { media } => say(&vault, user, &find(&vault, user, media).await?.id, Saying::Continues).await?,
        MomentsAction::Undo { media } => {
            let media = find(&vault, user, media).await?;
            if media.moved.is_some() {
                move_to(&vault, &media, None).await?;
            } else {
                say(&vault, user, &media.id, Saying::Nothing).await?;
            }
        }
        MomentsAction::Move { media, to } => {
            let (media, to) = (find(&vault, user, media).await?, find(&vault, user, to).await?);
            if media.id == to.id {
                bail!("{} is in its own moment already", media.name());
            }
            move_to(&vault, &media, Some(&to)).await?;
        }
    }
    Ok(())
}

/// The moment of `to` is where the item belongs: it counts as taken then and there.
async fn move_to(vault: &Vault, media: &Media, to: Option<&Media>) -> anyhow::Result<()> {
    let taken = to.map(Media::taken);
    let change = |item: Option<Media>| match item {
        Some(mut media) => {
            if media.move_to(taken) {
                Change::Put(media)
            } else {
                Change::Leave
            }
        }
        None => Change::Leave,
    };
    vault.catalog.change(&media.user, &media.id, change).await?;
    Ok(())
}

/// The latest moments, the latest first.
async fn list(vault: &Vault, user: &UserId, limit: u32, json: bool) -> anyhow::Result<()> {
    let mut table = Table::new(&["begins", "ends", "photos", "where", "why", "first photo"]);
    let mut end = None;
    for beginning in vault.timelines.latest_beginnings(user, limit).await? {
        let moment = moment(vault, user, beginning, end.as_deref()).await?;
        end = Some(moment.beginning.key());
        let Moment { beginning, items } = &moment;
        let first = vault.catalog.media(user, &beginning.media).await?;
        let hint = place(vault, user, items).await?;
        let ends = items.last().map_or(beginning.at, |placed| placed.taken.at);
        if json {
            let media: Vec<_> = items.iter().map(|placed| &placed.media).collect();
            println!(
                "{}",
                json!({"begins_ms": beginning.at, "ends_ms": ends, "count": items.len(), "place": hint, "why": why(beginning.why), "media": media})
            );
            continue;
        }
        let name = first.map(|media| media.name().to_owned()).unwrap_or_default();
        let reason = why(beginning.why).to_owned();
        let ahead_min = |placed: Option<&Placed>| placed.and_then(|placed| placed.taken.ahead_min);
        let (begins, ends) = (local(beginning.at, ahead_min(items.first())), local(ends, ahead_min(items.last())));
        table.row(vec![begins, ends, items.len().to_string(), hint.unwrap_or_default(), reason, name]);
    }
    if !json {
        table.print();
    }
    Ok(())
}

/// What the place is called where the first photo was taken that has a position.
async fn place(vault: &Vault, user: &UserId, items: &[Placed]) -> anyhow::Result<Option<String>> {
    let Some((placed, position)) = items.iter().find_map(|placed| Some((placed, placed.taken.position?))) else {
        return Ok(None);
    };
    let media = vault.catalog.media(user, &placed.media).await?;
    let name = media.and_then(|media| Some(media.facts?.place_name()?.to_owned()));
    Ok(Some(name.unwrap_or_else(|| position.to_string())))
}

/// By the clocks where it was taken, as far as they are known.
fn local(at: UtcMs, ahead_min: Option<i16>) -> String {
    when(UtcMs(at.0 + i64::from(ahead_min.unwrap_or(0)) * 60_000))
}

/// A moment's items: those from its beginning to the next one.
async fn moment(vault: &Vault, user: &UserId, beginning: Beginning, end: Option<&str>) -> anyhow::Result<Moment> {
    let key = beginning.key();
    // The place before the first: what lies behind it begins with the first itself.
    let mut after = Some(beginning.at.sort_key());
    let mut items = Vec::new();
    while let Some(from) = after {
        let page = vault.timelines.items(user, Some(&from), PAGE).await?;
        let past = |placed: &Placed| end.is_some_and(|end| placed.key().as_str() >= end);
        let is_over = page.items.iter().any(past);
        items.extend(page.items.into_iter().filter(|placed| placed.key() >= key && !past(placed)));
        after = page.next.filter(|_| !is_over);
    }
    Ok(Moment { beginning, items })
}

/// Why a moment begins, in words.
const fn why(boundary: Boundary) -> &'static str {
    match boundary {
        Boundary::First => "nothing was taken before",
        Boundary::Time => "a long time after the one before",
        Boundary::Way => "a long way from the one before",
        Boundary::Split => "somebody said so",
    }
}
