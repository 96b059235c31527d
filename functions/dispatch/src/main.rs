//! The bootstrap of `dispatch`.

fn main() -> anyhow::Result<()> {
    photovault_dispatch::run()
}
