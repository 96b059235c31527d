//! Arguments of the commands that show what photos tell together.

use clap::Args;

use super::VaultArguments;

/// Find photos by what a recogniser saw on them: `dog`, `beach`, or what such a thing is one of, as `animal`; or by what can be read there.
///
/// Of several words all must be there, and the text too. Looks through the whole library. Vaults have no tags unless a recogniser is configured.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  photovault find beach\n  photovault find dog person\n  photovault find --text 'happy birthday'\n  \
    photovault find cake --text ann\n  photovault find animal --json | jq .name"
)]
pub(crate) struct FindArguments {
    /// Labels, in English.
    #[arg(value_name = "LABEL", required_unless_present = "text")]
    pub(crate) labels: Vec<String>,
    /// What can be read on them, or a part of it; upper and lower case are the same. Vaults know it with `RecognitionText`.
    #[arg(long, value_name = "TEXT")]
    pub(crate) text: Option<String>,
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
