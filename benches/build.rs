//! Hands the versions of the peers to `machine.rs`, as `VERSION_TOKIO` and so on: those that this build was made with, from `Cargo.lock`.

use std::{env, fs, path::Path};

const PEERS: [&str; 4] = ["compio", "glommio", "monoio", "tokio"];

fn main() {
    let folder = env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    let path = Path::new(&folder).join("../Cargo.lock");
    println!("cargo::rerun-if-changed={}", path.display());
    let lock = fs::read_to_string(&path).expect("cargo writes it before it builds");
    for peer in PEERS {
        let package = format!("name = \"{peer}\"\nversion = \"");
        let (_, rest) = lock.split_once(&package).expect("it is a dependency");
        let (version, rest) = rest.split_once('"').expect("a version ends");
        assert!(!rest.contains(&package), "{peer} is there in two versions");
        let name = peer.to_uppercase();
        println!("cargo::rustc-env=VERSION_{name}={version}");
    }
}
