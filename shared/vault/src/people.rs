//! Who is who: found out from the photos and from what somebody said whenever it is asked; nothing of it is kept.

use photovault_domain::{Media, PeopleEdit, UserId};
use photovault_insight::people::Circle;

use crate::{Vault, seams::SeamResult};

/// How many faces a recogniser found, named or not, and on how many photos.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FacesFound {
    /// Faces.
    pub faces: usize,
    /// Photos with any.
    pub photos: usize,
}

/// Everybody whom a user's photos show, and how much of what was said cannot be any more. Looks through the library, as only a command may.
pub async fn circle_of(vault: &Vault, user: &UserId) -> SeamResult<(Circle, usize)> {
    let (circle, lapsed, _) = everybody(vault, user).await?;
    Ok((circle, lapsed))
}

/// The same, with the faces that were found.
pub async fn everybody(vault: &Vault, user: &UserId) -> SeamResult<(Circle, usize, FacesFound)> {
    let said: Vec<PeopleEdit> = vault.people_said.lines(user).await?.concat();
    let (mut marked, mut found) = (Vec::<Media>::new(), FacesFound::default());
    let whose = vault.faces.whose(user).await?;
    let see = |media: Media| {
        if media.is_put_away() {
            return;
        }
        let faces = media.tags.iter().filter_map(|tags| tags.faces.as_ref()).map(Vec::len).sum::<usize>();
        found.faces += faces;
        found.photos += usize::from(faces > 0);
        marked.extend(Some(media).filter(shows_somebody).map(slim));
    };
    vault.each_item(user, see).await?;
    marked.sort_by(|one, other| one.id.cmp(&other.id));
    let (circle, lapsed) = Circle::with_faces(&marked, &whose, &said);
    Ok((circle, lapsed, found))
}

/// As much of an item as says whom it shows and when: there may be hundreds of thousands of them.
pub(crate) fn slim(media: Media) -> Media {
    let ledger = std::collections::BTreeMap::new();
    Media { ledger, derivatives: None, look: None, video: None, joined: None, ..media }
}

/// Whether somebody is marked by name or kept by a recogniser.
pub(crate) fn shows_somebody(media: &Media) -> bool {
    let mut faces = media.tags.iter().flat_map(|tags| tags.faces.iter().flatten());
    media.marked_names().next().is_some() || faces.any(|face| face.id.is_some())
}
