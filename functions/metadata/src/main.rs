//! The bootstrap of `metadata`.

fn main() -> anyhow::Result<()> {
    photovault_metadata::run()
}
