//! The walk through one user's library: a command's, in sixteen parts at once.

use std::collections::BTreeMap;

use photovault_domain::{Media, MediaId, Sha256, UserId, UtcMs};
use photovault_sim::{Fabric, Fault};
use photovault_vault::{row_of_media, seams::Expect};

/// Enough for two pages of each part.
const ITEMS: u16 = 4_000;

fn media(user: &UserId, number: u16) -> Media {
    let mut digest = [0; 32];
    digest[..2].copy_from_slice(&number.to_be_bytes());
    Media::new(user.clone(), MediaId::of_bytes(user, &Sha256::from_digest(digest)), UtcMs(0))
}

#[tokio::test]
async fn every_item_of_a_user_is_seen_once_and_nobody_elses() {
    let [ann, other]: [UserId; 2] = ["ann", "ann2"].map(|user| user.parse().expect("a user"));
    let fabric = Fabric::default();
    for number in 0..ITEMS {
        for user in [&ann, &other] {
            fabric.world().put(row_of_media(&media(user, number)), Expect::Absent);
        }
    }
    let before = fabric.world().calls;
    let mut seen = BTreeMap::<MediaId, u32>::new();
    let walk = fabric.vault().each_item(&ann, |media| *seen.entry(media.id).or_default() += 1).await;
    walk.expect("nothing fails");
    let wanted: BTreeMap<_, _> = (0..ITEMS).map(|number| (media(&ann, number).id, 1)).collect();
    assert_eq!(seen, wanted);
    assert_eq!(fabric.world().calls - before, 32, "two pages of each of sixteen parts");
    fabric.world().faults.extend([None, None, None, Some(Fault::Before)]);
    assert!(fabric.vault().each_item(&ann, |_| ()).await.is_err(), "a part that cannot be read is not passed over");
}
