//! The bootstrap of `verify`.

fn main() -> anyhow::Result<()> {
    photovault_verify::run()
}
