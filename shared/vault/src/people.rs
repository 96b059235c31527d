//! Who is who: found out from the photos and from what somebody said whenever it is asked; nothing of it is kept.

use photovault_domain::{Media, PeopleEdit, UserId};
use photovault_insight::people::Circle;

use crate::{Vault, seams::SeamResult};

/// Items that one request lists.
const PAGE: u32 = 200;

/// Everybody whom a user's photos show, and how much of what was said cannot be any more. Looks through the library, as only a command may.
pub async fn circle_of(vault: &Vault, user: &UserId) -> SeamResult<(Circle, usize)> {
    let said: Vec<PeopleEdit> = vault.people_said.lines(user).await?.concat();
    let mut marked = Vec::new();
    let whose = vault.faces.whose(user).await?;
    items(vault, user, |media| marked.extend(Some(media).filter(shows_somebody))).await?;
    Ok(Circle::with_faces(&marked, &whose, &said))
}

/// Whether somebody is marked by name or kept by a recogniser.
pub(crate) fn shows_somebody(media: &Media) -> bool {
    let mut faces = media.tags.iter().flat_map(|tags| tags.faces.iter().flatten());
    media.marked_names().next().is_some() || faces.any(|face| face.id.is_some())
}

/// Every item of a user that is not in the trash, a page at a time.
pub(crate) async fn items(vault: &Vault, user: &UserId, mut each: impl FnMut(Media) + Send) -> SeamResult<()> {
    let mut after = None::<String>;
    loop {
        let page = vault.catalog.list(user, "", after.as_deref(), PAGE).await?;
        let is_there = |media: &Media| media.trashed.is_none() && media.leaving.is_none();
        page.items.into_iter().filter(is_there).for_each(&mut each);
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
    }
}
