//! The embedded console may not be built yet: its folder must exist all the same.

use std::path::Path;

fn main() -> std::io::Result<()> {
    let dist = Path::new("../../console/dist");
    std::fs::create_dir_all(dist)?;
    println!("cargo::rerun-if-changed={}", dist.display());
    Ok(())
}
