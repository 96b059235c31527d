//! What a library looks like, noted picture by picture: nothing is lost between rows and pieces, whoever packs and whatever fails.

use photovault_domain::{Hex, Look, MediaId, Sha256, Stage, UserId};
use photovault_sim::{Fabric, Fault};
use photovault_vault::{Noted, Vault};

fn ann() -> UserId {
    "ann".parse().expect("a user")
}

async fn note(vault: &Vault, number: u8) -> MediaId {
    let id = MediaId::of_bytes(&ann(), &Sha256::from_digest([number; 32]));
    let look = Look { phash: Hex([number; 32]), ..Look::default() };
    vault.looks.note(&ann(), &id, &Stage::Thumbnail.recipe(), &look).await.expect("nothing fails");
    id
}

/// A piece as this test writes it: the first byte of each hash.
fn piece(rows: &[Noted]) -> Vec<u8> {
    rows.iter().map(|noted| noted.phash.0[0]).collect()
}

/// What can be found: in pieces and in rows, sorted.
async fn found(vault: &Vault) -> Vec<u8> {
    let rows = vault.looks.noted(&ann()).await.expect("rows");
    let pieces = vault.looks.pieces(&ann()).await.expect("pieces");
    let mut all = vault.looks.read(&pieces).await.expect("they are there").concat();
    all.extend(piece(&rows));
    all.sort_unstable();
    all.dedup();
    all
}

#[tokio::test]
async fn rows_become_pieces_and_twice_is_once() {
    let vault = Fabric::default().vault();
    let first = note(&vault, 1).await;
    note(&vault, 2).await;
    note(&vault, 2).await;
    let rows = vault.looks.noted(&ann()).await.expect("rows");
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().any(|noted| noted.media == first && noted.phash == Hex([1; 32])));
    let pieces = vault.looks.pieces(&ann()).await.expect("pieces");
    vault.looks.pack(&ann(), &pieces, &rows, piece(&rows)).await.expect("packed");
    assert!(vault.looks.noted(&ann()).await.expect("rows").is_empty());
    note(&vault, 3).await;
    assert_eq!(found(&vault).await, [1, 2, 3]);
    assert_eq!(vault.looks.pieces(&ann()).await.expect("pieces").keys.len(), 1);
}

#[tokio::test]
async fn of_two_who_pack_at_once_one_does_and_nothing_is_lost() {
    let vault = Fabric::default().vault();
    note(&vault, 1).await;
    let pieces = vault.looks.pieces(&ann()).await.expect("pieces");
    let few = vault.looks.noted(&ann()).await.expect("rows");
    note(&vault, 2).await;
    let more = vault.looks.noted(&ann()).await.expect("rows");
    vault.looks.pack(&ann(), &pieces, &few, piece(&few)).await.expect("packed");
    vault.looks.pack(&ann(), &pieces, &more, piece(&more)).await.expect("the other was faster");
    assert_eq!(found(&vault).await, [1, 2]);
}

#[tokio::test]
async fn an_end_half_way_loses_nothing() {
    for fault in [Fault::Before, Fault::After] {
        for calls in 0..8 {
            let fabric = Fabric::default();
            let vault = fabric.vault();
            for number in 1..4 {
                note(&vault, number).await;
            }
            let pieces = vault.looks.pieces(&ann()).await.expect("pieces");
            let rows = vault.looks.noted(&ann()).await.expect("rows");
            fabric.world().faults.extend((0..calls).map(|_| None).chain([Some(fault)]));
            let ended = vault.looks.pack(&ann(), &pieces, &rows, piece(&rows)).await;
            fabric.world().faults.clear();
            assert_eq!(found(&vault).await, [1, 2, 3], "{fault:?} at call {calls}: {ended:?}");
            let (pieces, rows) =
                (vault.looks.pieces(&ann()).await.expect("pieces"), vault.looks.noted(&ann()).await.expect("rows"));
            vault.looks.pack(&ann(), &pieces, &rows, piece(&rows)).await.expect("packed");
            assert_eq!(found(&vault).await, [1, 2, 3]);
            assert!(vault.looks.noted(&ann()).await.expect("rows").is_empty());
        }
    }
}
