//! tag: asks a recogniser what a photo, or a video's poster, shows; where the faces are; what can be read; and whether it may be shown unasked.
//!
//! - Event in: a job, through the tag queue, for an item that has its pictures and its place. One after the other for each user: of a burst
//!   the first frame is done before the next one is begun.
//! - Decision ([`decide`]): the cheapest way to the tags. What was seen in the same bytes before; else what was seen on another frame of the
//!   burst; else somebody is asked, about faces only where a person is to be seen, and of a frame what can be read on it.
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
use photovault_domain::{Facet, Media, Recognise, Sha256, Sought, Stage, Tags, timeline_key};
use photovault_lambda::{Message, Served, serve_messages, work_on};
use photovault_vault::{Asked, Mutant, Outcome, Vault, mutated};

use decide::{Beside, Decision, Known, LOOKS, Look, decide, misses_common};

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
    let sought = vault.names.recognising.sought;
    let known = gather(&vault, &media, &sha256, sought).await?;
    match decide(&media, sought, known) {
        Decision::Known(tags) => Ok(Outcome::Done { facet: Some(Facet::Tags(Box::new(tags))), note: None }),
        Decision::Nothing(why) => Ok(Outcome::Done { facet: None, note: Some(why) }),
        Decision::Ask { picture, seen } => ask(&vault, &media, &sha256, &picture, seen).await,
    }
}

async fn gather(vault: &Vault, media: &Media, sha256: &Sha256, sought: Sought) -> anyhow::Result<Known> {
    let of_bytes = vault.recogniser.known(sha256).await?;
    let mut beside = Vec::new();
    if let Some(placed) = media.placed.filter(|_| misses_common(sought, &of_bytes)) {
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

/// Asks what is not known, one look after another, and keeps each answer before anything else: what was paid for is not asked for again.
/// The first look that nobody grants is the last one.
async fn ask(vault: &Vault, media: &Media, sha256: &Sha256, picture: &str, mut seen: Tags) -> anyhow::Result<Outcome> {
    let sought = vault.names.recognising.sought;
    let mut note = None;
    for look in LOOKS {
        if !look.is_wanted(sought, &seen) {
            continue;
        }
        match look_at(vault, media, picture, look, &seen).await? {
            Asked::Seen(found) => {
                if look.is_of_bytes(sought) && !mutated(Mutant::SeenIsNotKept) {
                    vault.recogniser.keep(sha256, &found).await?;
                }
                seen.learn(found);
            }
            Asked::Untaken(why) => {
                note = Some(why);
                break;
            }
            Asked::Deferred(why) => {
                vault.recogniser.defer(&media.user, &media.id).await?;
                note = Some(why);
                break;
            }
        }
    }
    let facet = (seen != Tags::default()).then(|| Facet::Tags(Box::new(seen)));
    Ok(Outcome::Done { facet, note })
}

/// What one look adds to what was seen.
async fn look_at(vault: &Vault, media: &Media, picture: &str, look: Look, seen: &Tags) -> anyhow::Result<Asked<Tags>> {
    let recogniser = &vault.recogniser;
    let with_faces = |faces| Tags { faces: Some(faces), ..Tags::default() };
    Ok(match look {
        Look::Labels => recogniser.labels(picture).await?.map(|(labels, model)| Tags { labels, model, ..Tags::default() }),
        Look::Faces if vault.names.recognising.sought.what == Recognise::People => {
            people::faces(vault, media, picture).await?.map(with_faces)
        }
        Look::Faces => recogniser.faces(picture).await?.map(with_faces),
        Look::People => {
            let faces = seen.faces.as_deref().unwrap_or_default();
            people::recognise(vault, media, faces).await?.map(|()| Tags::default())
        }
        Look::Moderation => {
            recogniser.moderation(picture).await?.map(|found| Tags { moderation: Some(found), ..Tags::default() })
        }
        Look::Text => recogniser.text(picture).await?.map(|words| Tags { text: Some(words), ..Tags::default() }),
    })
}
