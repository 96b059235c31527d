//! The bootstrap of `thumbnail`.

fn main() -> anyhow::Result<()> {
    photovault_thumbnail::run()
}
