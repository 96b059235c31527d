//! tag: asks a recogniser what a photo, or a video's poster, shows; and where the faces are.
//!
//! - Event in: a job, through the tag queue, for an item that has its pictures and its place. One after the other for each user: of a burst
//!   the first frame is done before the next one is begun.
//! - Decision ([`decide`]): the cheapest way to the tags. What was seen in the same bytes before; else what was seen on another frame of the
//!   burst; else somebody is asked, about faces only where a person is to be seen.
//! - Effects out: the count of the month's pictures, what was seen under the bytes' hash, the `tags` facet, the ledger entry. Where the
//!   month has no pictures left, the entry says so, and a row remembers the item until another month.
//! - Idempotent by: what is kept under the bytes' hash, and the entry's recipe and input. Only who dies between an answer and its keeping
//!   has the next attempt pay again.

mod decide;
mod people;
#[cfg(test)]
mod tests;

use anyhow::Context as _;
use futures::future::BoxFuture;
use photovault_domain::{Facet, Media, Recipe, Recognise, Sha256, Stage, Tags, timeline_key};
use photovault_lambda::{Message, Served, serve_messages, work_on};
use photovault_vault::{Asked, Mutant, Outcome, Vault, mutated};

use decide::{Beside, Decision, Known, decide, wants_faces};

/// How far from an item others are looked at that may be as good as it: frames of one burst come within two seconds of each other, and a
/// camera that counts whole seconds may be one off.
const BESIDE_MS: i64 = 3_000;

/// Runs the function under the Lambda runtime.
pub fn run() -> Served {
    serve_messages(Stage::Tag, on_message)
}

/// One message of the tag queue.
pub fn on_message(vault: Vault, message: Message) -> BoxFuture<'static, anyhow::Result<()>> {
    Box::pin(work_on(vault, message, |vault, media| Box::pin(handle(vault, media))))
}

async fn handle(vault: Vault, media: Media) -> anyhow::Result<Outcome> {
    let sha256 = media.sha256.clone().context("the item has no hash")?;
    let recipe = vault.names.recipe(Stage::Tag);
    let known = gather(&vault, &media, &sha256, &recipe).await?;
    match decide(&media, vault.names.recognising.what, known) {
        Decision::Known(tags) => Ok(Outcome::Done { facet: Some(Facet::Tags(Box::new(tags))), note: None }),
        Decision::Nothing(why) => Ok(Outcome::Done { facet: None, note: Some(why) }),
        Decision::Ask { picture, seen } => ask(&vault, &media, (&sha256, &recipe), &picture, seen).await,
    }
}

async fn gather(vault: &Vault, media: &Media, sha256: &Sha256, recipe: &Recipe) -> anyhow::Result<Known> {
    let of_bytes = vault.recogniser.known(sha256, recipe).await?;
    let mut beside = Vec::new();
    if let (None, Some(placed)) = (&of_bytes, media.placed) {
        let around = vault.timelines.around(&media.user, &timeline_key(placed, &media.id)).await?;
        for other in around.into_iter().filter(|other| (other.taken.at.0 - placed.0).abs() <= BESIDE_MS) {
            let Some(other) = vault.catalog.media(&media.user, &other.media).await? else { continue };
            let source = match other.tags.as_ref().and_then(|tags| tags.inherited.as_ref()) {
                Some(source) => vault.catalog.media(&media.user, source).await?,
                None => None,
            };
            beside.push(Beside { media: other, source });
        }
    }
    Ok(Known { of_bytes, beside })
}

/// Asks what is not known, and keeps the answer before the item is written: an answer that was paid for is not asked for again.
async fn ask(
    vault: &Vault,
    media: &Media,
    (sha256, recipe): (&Sha256, &Recipe),
    picture: &str,
    seen: Option<Tags>,
) -> anyhow::Result<Outcome> {
    let (what, is_kept) = (vault.names.recognising.what, seen.is_some());
    let mut tags = match seen {
        Some(tags) => tags,
        None => match vault.recogniser.labels(picture).await? {
            Asked::Seen((labels, model)) => {
                let tags = Tags { labels, model, ..Tags::default() };
                // Whose faces they are is another matter in each user's collection: what is known of the bytes ends here.
                if what == Recognise::People {
                    vault.recogniser.keep(sha256, recipe, &tags, false).await?;
                }
                tags
            }
            Asked::Untaken(why) => return Ok(Outcome::Done { facet: None, note: Some(why) }),
            Asked::Deferred(why) => {
                vault.recogniser.defer(&media.user, &media.id).await?;
                return Ok(Outcome::Done { facet: None, note: Some(why) });
            }
        },
    };
    let mut note = None;
    if wants_faces(what, &tags) {
        let asked = match what {
            Recognise::People => people::faces(vault, media, picture).await?,
            _ => vault.recogniser.faces(picture).await?,
        };
        match asked {
            Asked::Seen(faces) => tags.faces = Some(faces),
            Asked::Untaken(why) => note = Some(why),
            Asked::Deferred(why) => {
                vault.recogniser.defer(&media.user, &media.id).await?;
                note = Some(why);
            }
        }
    }
    if let (Recognise::People, Some(faces)) = (what, &tags.faces) {
        note = people::recognise(vault, media, faces).await?;
        if note.is_some() {
            vault.recogniser.defer(&media.user, &media.id).await?;
        }
    } else if what != Recognise::People && !mutated(Mutant::SeenIsNotKept) {
        vault.recogniser.keep(sha256, recipe, &tags, is_kept).await?;
    }
    Ok(Outcome::Done { facet: Some(Facet::Tags(Box::new(tags))), note })
}
