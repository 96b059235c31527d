//! The bootstrap of `tag`.

fn main() -> anyhow::Result<()> {
    photovault_tag::run()
}
