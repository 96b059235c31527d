//! Prints the table of `docs/insight.md`: what Rekognition costs for 1,000 photos of generated lives, with each of the controls that
//! keep it cheap and without.
//!
//! Bursts are those of the lives. On how many photos somebody is to be seen the lives do not say: it stands here as an assumption.

use photovault_domain::{Billed, PRICES};
use photovault_insight::lives::{Kind, Taken, life};

/// Share of photos on which somebody is to be seen.
const WITH_PERSON: f64 = 0.6;
/// US dollars for the image properties of one picture (AWS's page of prices, 2026).
const PROPERTIES_USD: f64 = 0.000_75;

fn main() {
    let image = PRICES.iter().find(|price| price.billed == Billed::RecognisedImages).expect("a price of pictures");
    let image_usd = image.usd / image.per;
    println!(
        "| life | photos | looked at | labels, faces, properties of all | without properties | faces where a person is | bursts once |"
    );
    println!("|---|---|---|---|---|---|---|");
    for kind in Kind::ALL {
        let lives: Vec<Vec<Taken>> = (1000..1060).map(|seed| life(kind, seed, 120)).collect();
        let photos: usize = lives.iter().map(Vec::len).sum();
        // The frames behind the first of their burst inherit.
        let frame =
            |pair: &[Taken]| pair[1].burst.is_some() && pair[0].burst == pair[1].burst && pair[0].camera == pair[1].camera;
        let inherited: usize = lives.iter().map(|life| life.windows(2).filter(|pair| frame(pair)).count()).sum();
        let looked = 1.0 - inherited as f64 / photos as f64;
        let per_thousand = |usd: f64| format!("${:.2}", usd * 1000.0);
        println!(
            "| {} | {photos} | {:.0} % | {} | {} | {} | **{}** |",
            kind.name(),
            looked * 100.0,
            per_thousand(2.0 * image_usd + PROPERTIES_USD),
            per_thousand(2.0 * image_usd),
            per_thousand((1.0 + WITH_PERSON) * image_usd),
            per_thousand(looked * (1.0 + WITH_PERSON) * image_usd),
        );
    }
}
