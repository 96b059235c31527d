//! The bootstrap of `failures`.

fn main() -> anyhow::Result<()> {
    photovault_failures::run()
}
