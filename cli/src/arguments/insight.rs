//! Arguments of the commands that show what photos tell together.

use clap::Args;
use photovault_insight::duplicates::Tier;

use super::VaultArguments;

/// Show photos that are there more than once, in four tiers that are never mixed, with the best of each group and why it is the best.
///
/// Nothing is changed. `same-bytes` looks through the whole library; the other tiers do not.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  photovault duplicates\n  photovault duplicates --tier burst\n  photovault duplicates --json | jq .best.name"
)]
pub(crate) struct DuplicatesArguments {
    /// Only this tier.
    #[arg(long, value_parser = tier)]
    pub(crate) tier: Option<Tier>,
    #[command(flatten)]
    pub(crate) vault: VaultArguments,
}

/// Find photos by what a recogniser saw on them: `dog`, `beach`, or what such a thing is one of, as `animal`.
///
/// Of several words all must be there. Looks through the whole library. Vaults have no tags unless a recogniser is configured.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  photovault find beach\n  photovault find dog person\n  photovault find animal --json | jq .name"
)]
pub(crate) struct FindArguments {
    /// Labels, in English.
    #[arg(value_name = "LABEL", required = true)]
    pub(crate) labels: Vec<String>,
    #[command(flatten)]
    pub(crate) vault: VaultArguments,
}

/// List whom photos show: people whom somebody marked by name, and faces that were found and have no name.
///
/// Nobody is recognised: names come from the files and their sidecars, faces from a recogniser that looks for faces.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  photovault people\n  photovault people Ben\n  photovault people --json | jq .name")]
pub(crate) struct PeopleArguments {
    /// Only the photos of whoever is called so.
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) vault: VaultArguments,
}

/// List where photos and videos were taken: the nearest town within 25 km, and else the country.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  photovault places\n  photovault places JP\n  photovault places --json | jq .town")]
pub(crate) struct PlacesArguments {
    /// Only places whose town, region or country is called so.
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) vault: VaultArguments,
}

fn tier(text: &str) -> Result<Tier, String> {
    let name = |tier: Tier| tier.as_str().replace(' ', "-");
    let names = || Tier::ALL.map(name).join(", ");
    Tier::ALL.into_iter().find(|tier| name(*tier) == text).ok_or_else(|| format!("'{text}' is none of {}", names()))
}
