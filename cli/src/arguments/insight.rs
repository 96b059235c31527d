//! Arguments of the commands that show what photos tell together.

use clap::Args;

use super::VaultArguments;

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
