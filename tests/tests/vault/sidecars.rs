//! Sidecars: an XMP file beside a photo joins it, whichever of the two arrives first, however often, and with any one call failing.

use photovault_domain::{Media, Status};
use photovault_sim::Fault;

use crate::{chain::Chain, fixtures};

fn packet(title: &str) -> Vec<u8> {
    format!(
        "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description \
         xmlns:dc='http://purl.org/dc/elements/1.1/' dc:title='{title}'/></rdf:RDF></x:xmpmeta>"
    )
    .into_bytes()
}

fn title(media: &Media) -> Option<&str> {
    media.facts.as_ref()?.title.as_deref()
}

#[tokio::test]
async fn a_sidecar_joins_its_photo_in_either_order() {
    for name in ["users/ann/a/beach.jpg.xmp", "users/ann/a/beach.xmp"] {
        for (photo_first, copies) in [(true, 1), (true, 2), (false, 1), (false, 2)] {
            let mut chain = Chain::new(copies);
            let mut uploads = [("users/ann/a/beach.jpg", fixtures::jpeg(64, 48, 1)), (name, packet("Strand"))];
            if !photo_first {
                uploads.reverse();
            }
            for (key, bytes) in &uploads {
                chain.upload(key, bytes).await;
                chain.run().await;
            }
            let items = chain.items();
            assert_eq!(title(&items["a/beach.jpg"]), Some("Strand"), "{name}, photo first: {photo_first}");
            assert!(items.values().all(|media| media.status() == Status::Ready && media.is_settled()), "{items:#?}");
        }
    }
}

#[tokio::test]
async fn only_the_photo_of_that_name_and_owner_is_joined() {
    let mut chain = Chain::new(1);
    chain.upload("users/ann/a/beach.jpg", &fixtures::jpeg(64, 48, 1)).await;
    chain.upload("users/ann/b/beach.jpg", &fixtures::jpeg(64, 48, 2)).await;
    chain.upload("users/ann/a/beach.png", &fixtures::jpeg(64, 48, 3)).await;
    chain.upload("users/bob/a/beach.jpg", &fixtures::jpeg(64, 48, 4)).await;
    chain.upload("users/ann/a/beach.jpg.xmp", &packet("Strand")).await;
    chain.upload("users/ann/a/page.xmp", b"<html></html>").await;
    chain.run().await;
    let named = chain.rows().into_iter().filter(|media| title(media).is_some()).collect::<Vec<_>>();
    assert_eq!(named.iter().map(|media| (media.user.as_str(), media.name())).collect::<Vec<_>>(), [("ann", "a/beach.jpg")]);
    assert_eq!(chain.items()["a/page.xmp"].status(), Status::Rejected, "a name makes no sidecar");
}

#[tokio::test]
async fn a_later_sidecar_replaces_an_earlier_one() {
    let mut chain = Chain::new(1);
    chain.upload("users/ann/beach.jpg", &fixtures::jpeg(64, 48, 1)).await;
    for words in ["Strand", "Ufer"] {
        chain.upload("users/ann/beach.xmp", &packet(words)).await;
        chain.run().await;
        assert_eq!(title(&chain.items()["beach.jpg"]), Some(words));
    }
}

#[tokio::test]
async fn any_single_fault_leaves_them_joined() {
    let run = async |faults: Vec<Option<Fault>>| {
        let mut chain = Chain::new(1);
        chain.upload("users/ann/beach.jpg", &fixtures::jpeg(64, 48, 1)).await;
        chain.upload("users/ann/beach.xmp", &packet("Strand")).await;
        chain.fabric.world().faults = faults.into_iter().collect();
        chain.run().await;
        chain
    };
    let undisturbed = run(Vec::new()).await;
    let calls = usize::try_from(undisturbed.fabric.world().calls).unwrap();
    let want = undisturbed.end_state();
    assert!(calls > 30, "{calls}");
    for at in 0..calls {
        for fault in [Fault::Before, Fault::After] {
            let chain = run(std::iter::repeat_n(None, at).chain([Some(fault)]).collect()).await;
            assert_eq!(chain.end_state(), want, "{fault:?} at call {at}");
            assert_eq!(title(&chain.items()["beach.jpg"]), Some("Strand"), "{fault:?} at call {at}");
        }
    }
}
