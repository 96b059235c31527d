//! Which photos are near each other: from the packed blob and the rows that are not in it yet. The catalog says what is still true.

use std::collections::BTreeMap;

use anyhow::Context as _;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use photovault_domain::{Media, MediaId, Status, UserId};
use photovault_insight::duplicates::{Alike, IdBytes, Library, Seen, Segment, may_be_same_pixels, tier};
use photovault_vault::{Noted, Vault};

/// Rows that make a piece of the blob: fewer are compared again the next time.
const PIECE_ROWS: usize = 1_024;
/// Requests at once.
const AT_ONCE: usize = 16;
/// Bytes of a derivative that is compared.
const MAX_VIEW_BYTES: u64 = 64 << 20;

/// Items that are like others.
pub(super) struct Found {
    pub(super) items: Vec<Media>,
    pub(super) alike: Vec<Alike>,
}

pub(super) async fn alike(vault: &Vault, user: &UserId) -> anyhow::Result<Found> {
    let mut ids: BTreeMap<MediaId, usize> = BTreeMap::new();
    let mut near = Vec::new();
    for pair in library(vault, user).await?.pairs() {
        let mut place = |bytes: IdBytes| -> anyhow::Result<usize> {
            let next = ids.len();
            Ok(*ids.entry(hex::encode(bytes).parse()?).or_insert(next))
        };
        near.push((place(pair.ids.0)?, place(pair.ids.1)?));
    }
    let read = |(id, place): (MediaId, usize)| async move { anyhow::Ok((place, vault.catalog.media(user, &id).await?)) };
    let read: Vec<(usize, Option<Media>)> = stream::iter(ids.into_iter().map(read)).buffered(AT_ONCE).try_collect().await?;
    let (mut items, mut places) = (Vec::new(), BTreeMap::new());
    for (place, item) in read {
        if let Some(item) = item.filter(|item| item.status() == Status::Ready && !item.is_put_away()) {
            places.insert(place, items.len());
            items.push(item);
        }
    }
    let known = |(one, other): &(usize, usize)| Some((*places.get(one)?, *places.get(other)?));
    let pairs: Vec<(usize, usize)> = near.iter().filter_map(known).collect();
    let compare = |(one, other): (usize, usize)| {
        let (first, second) = (&items[one], &items[other]);
        async move {
            let is_same_view = may_be_same_pixels(first, second) && is_same_view(vault, first, second).await?;
            anyhow::Ok(tier(first, second, is_same_view).map(|tier| (one, other, tier)))
        }
    };
    let alike: Vec<Option<Alike>> = stream::iter(pairs.into_iter().map(compare)).buffered(AT_ONCE).try_collect().await?;
    Ok(Found { alike: alike.into_iter().flatten().collect(), items })
}

/// The library as the blob and the rows tell it; rows that are enough for a piece become one.
async fn library(vault: &Vault, user: &UserId) -> anyhow::Result<Library> {
    // The rows first: what becomes a piece in between stands in both then, and twice is once.
    let noted = vault.looks.noted(user).await?;
    let pieces = vault.looks.pieces(user).await?;
    let mut library = Library::default();
    for (key, bytes) in pieces.keys.iter().zip(vault.looks.read(&pieces).await?) {
        library.add(Segment::from_bytes(&bytes).with_context(|| format!("{key} is no piece of a library"))?);
    }
    let seen = noted.iter().map(seen).collect::<anyhow::Result<_>>()?;
    let segment = library.compare(seen);
    if noted.len() >= PIECE_ROWS {
        vault.looks.pack(user, &pieces, &noted, segment.to_bytes()).await?;
    }
    Ok(library)
}

fn seen(noted: &Noted) -> anyhow::Result<Seen> {
    let mut id = [0; 16];
    hex::decode_to_slice(noted.media.as_str(), &mut id)?;
    Ok(Seen { id, hash: noted.phash })
}

/// Whether the largest derivatives are the same bytes.
async fn is_same_view(vault: &Vault, one: &Media, other: &Media) -> anyhow::Result<bool> {
    let key = |media: &Media| {
        let files = media.derivatives.iter().flat_map(|derivatives| &derivatives.files);
        files.filter(|file| file.name == "large").map(|file| file.key.clone()).next()
    };
    let (Some(first), Some(second)) = (key(one), key(other)) else { return Ok(false) };
    let read = |key: String| async move { vault.originals.read(&key, MAX_VIEW_BYTES).await };
    let (first, second) = futures::try_join!(read(first), read(second))?;
    Ok(first.is_some() && first == second)
}
