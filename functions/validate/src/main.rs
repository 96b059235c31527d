//! The bootstrap of `validate`.

fn main() -> anyhow::Result<()> {
    photovault_validate::run()
}
