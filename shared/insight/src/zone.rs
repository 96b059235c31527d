//! The time zone of a photo that does not name one: that of the same camera's photos around it.
//!
//! Answered when somebody asks, and not written on the item: what comes late would change it, and a photo's place in the timeline must
//! not hang on the order in which photos arrive.

use photovault_domain::{Captured, Media, local_seconds};

/// How far apart on the camera's clock two photos may be and still tell of each other, seconds. Half a day: a flight takes the zone along.
pub const REACH_S: i64 = 12 * 3600;

/// An offset and whose it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Told<'a> {
    /// `+HH:MM` or `-HH:MM`.
    pub offset: &'a str,
    /// The photo that has it.
    pub by: &'a Media,
}

/// Whether an item's time has no offset, and a camera that other photos can be compared by.
pub fn asks(media: &Media) -> bool {
    captured(media).is_some_and(|at| at.offset.is_none() && !at.day_only) && camera(media).is_some()
}

/// What the same camera's nearest photos before and after an item say of its offset. Where these two contradict each other, nothing.
pub fn told_by<'a>(media: &Media, others: impl IntoIterator<Item = &'a Media>) -> Option<Told<'a>> {
    let (own, here) = (camera(media)?, seconds(captured(media)?)?);
    let mut nearest: [Option<(i64, Told)>; 2] = [None; 2];
    for by in others.into_iter().filter(|other| other.id != media.id && camera(other) == Some(own)) {
        let Some(at) = captured(by) else { continue };
        let (Some(offset), Some(there)) = (at.offset.as_deref(), seconds(at)) else { continue };
        let apart = there - here;
        let side = &mut nearest[usize::from(apart > 0)];
        if apart.abs() <= REACH_S && side.is_none_or(|(known, _)| apart.abs() < known) {
            *side = Some((apart.abs(), Told { offset, by }));
        }
    }
    if let [Some((_, before)), Some((_, after))] = nearest
        && before.offset != after.offset
    {
        return None;
    }
    nearest.into_iter().flatten().min_by_key(|(apart, _)| *apart).map(|(_, told)| told)
}

fn captured(media: &Media) -> Option<&Captured> {
    media.facts.as_ref()?.captured.as_ref()
}

fn seconds(at: &Captured) -> Option<i64> {
    local_seconds(&at.local)
}

/// What tells cameras apart; the program in it may change.
fn camera(media: &Media) -> Option<[Option<&str>; 3]> {
    let camera = media.facts.as_ref()?.camera.as_ref()?;
    camera.model.as_ref().map(|model| [camera.make.as_deref(), Some(model.as_str()), camera.serial.as_deref()])
}

#[cfg(test)]
mod tests {
    use photovault_domain::{Camera, Facts, MediaId, Sha256, UserId, UtcMs};

    use super::*;

    fn photo(number: u8, model: &str, local: &str, offset: Option<&str>) -> Media {
        let user: UserId = "ann".parse().unwrap();
        let id = MediaId::of_bytes(&user, &Sha256::from_digest([number; 32]));
        let camera = Camera { model: Some(model.into()), ..Camera::default() };
        let captured =
            Captured { local: format!("2024-05-01T{local}:00"), offset: offset.map(Into::into), ..Captured::default() };
        let facts = Facts { camera: Some(camera), captured: Some(captured), ..Facts::default() };
        Media { facts: Some(Box::new(facts)), ..Media::new(user, id, UtcMs(0)) }
    }

    #[test]
    fn the_nearest_photo_of_the_same_camera_tells_the_offset_unless_its_neighbours_contradict() {
        let asked = photo(0, "X100", "12:00", None);
        assert!(asks(&asked) && !asks(&photo(1, "X100", "12:00", Some("+02:00"))));
        let early = photo(1, "X100", "09:00", Some("+02:00"));
        let late = photo(2, "X100", "13:00", Some("+02:00"));
        let later = photo(3, "X100", "14:00", Some("+03:00"));
        let elsewhere = photo(4, "X100", "12:30", Some("-05:00"));
        let phone = photo(5, "Pixel 8", "12:01", Some("+09:00"));
        let floating = photo(6, "X100", "12:01", None);
        let far = photo(7, "X100", "23:59", Some("+02:00"));
        for (others, want) in [
            (vec![], None),
            (vec![&phone, &floating], None),
            (vec![&early], Some(("+02:00", &early))),
            (vec![&early, &late, &later, &phone], Some(("+02:00", &late))),
            (vec![&later, &late, &early], Some(("+02:00", &late))),
            (vec![&early, &elsewhere], None),
            (vec![&asked, &far], Some(("+02:00", &far))),
        ] {
            let told = told_by(&asked, others.iter().copied());
            assert_eq!(told.map(|told| (told.offset, told.by)), want);
        }
        let next_day = Media { facts: photo(8, "X100", "00:30", Some("+02:00")).facts, ..far.clone() };
        assert_eq!(told_by(&photo(9, "X100", "13:00", None), [&next_day]), None, "more than half a day");
    }
}
