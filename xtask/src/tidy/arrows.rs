//! Which of our crates may depend on which, and which crate alone may hold a heavy dependency. Read
//! from the manifests, whose dependencies are all written `name.workspace = true` or `name = …`.

use std::fs;

use anyhow::{Context, Result};

use xtask::repository::root;

/// Every crate of ours with those of ours that it may depend on. An arrow goes down only.
const ARROWS: [(&str, &[&str]); 22] = [
    ("odata", &[]),
    ("model", &["odata"]),
    ("quality", &["model", "odata"]),
    ("places", &[]),
    ("columnar", &["model", "odata"]),
    ("store", &["columnar", "quality", "places", "model", "odata"]),
    ("identity", &[]),
    ("simulator", &["odata"]),
    ("ingest", &["store", "model", "odata"]),
    ("calls", &["model", "odata"]),
    ("recorder", &["calls", "store", "model", "odata"]),
    ("emulator", &["odata"]),
    ("notify", &["emulator", "store", "model", "odata"]),
    ("mirror", &["identity", "store", "model", "odata"]),
    ("web", &["identity", "store", "odata"]),
    (
        "graph",
        &[
            "web", "calls", "notify", "mirror", "emulator", "ingest", "identity", "places",
            "store", "quality", "model", "odata",
        ],
    ),
    ("pages", &[]),
    ("ui", &["graph", "web", "pages", "identity", "store", "quality", "model", "odata"]),
    (
        "callvault",
        &[
            "ui",
            "graph",
            "web",
            "recorder",
            "notify",
            "mirror",
            "emulator",
            "ingest",
            "simulator",
            "identity",
            "quality",
            "places",
            "store",
            "model",
            "odata",
        ],
    ),
    ("testkit", &["model", "odata"]),
    ("trials", &["xtask", "testkit", "odata"]),
    ("xtask", &[]),
];

/// Dependencies that have a wall around them, with the crates that may hold them; tests may, too.
const WALLS: [(&str, &[&str]); 15] = [
    ("arrow-array", &["columnar"]),
    ("arrow-schema", &["columnar"]),
    ("parquet", &["columnar"]),
    ("rusqlite", &["store"]),
    ("tokio-postgres", &["store"]),
    ("async-nats", &["notify", "testkit"]),
    ("hyper", &["web"]),
    ("hyper-util", &["web"]),
    ("tokio-rustls", &["web"]),
    ("jsonwebtoken", &["identity"]),
    ("argon2", &["identity"]),
    ("reqwest", &["notify", "mirror", "callvault"]),
    ("clap", &["callvault"]),
    ("indicatif", &["callvault"]),
    ("toml", &["callvault", "emulator", "quality"]),
];

/// The breaches in the manifests of the workspace.
pub(super) fn breaches() -> Result<Vec<String>> {
    let mut breaches = Vec::new();
    let mut folders = vec![root().join("xtask")];
    for entry in fs::read_dir(root().join("crates"))? {
        folders.push(entry?.path());
    }
    folders.sort();
    for folder in folders {
        let name = folder.file_name().and_then(|name| name.to_str()).context("a crate's name")?;
        let manifest = fs::read_to_string(folder.join("Cargo.toml"))
            .with_context(|| format!("{name} has no Cargo.toml"))?;
        breaches.extend(manifest_breaches(name, &manifest));
    }
    Ok(breaches)
}

fn manifest_breaches(name: &str, manifest: &str) -> Vec<String> {
    let Some((_, allowed)) = ARROWS.iter().find(|(known, _)| *known == name) else {
        return vec![format!("{name}: a new crate needs its row in the table of arrows")];
    };
    let mut breaches = Vec::new();
    for (section, dependency) in dependencies(manifest) {
        let ours = ARROWS.iter().any(|(known, _)| *known == dependency);
        let for_tests = section == "dev-dependencies";
        if ours && !for_tests && !allowed.contains(&dependency) {
            breaches.push(format!("{name}: must not depend on {dependency}"));
        }
        let wall = WALLS.iter().find(|(heavy, _)| *heavy == dependency);
        if let Some((_, homes)) = wall
            && !for_tests
            && !homes.contains(&name)
        {
            breaches.push(format!("{name}: {dependency} belongs to {} alone", homes.join(", ")));
        }
    }
    breaches
}

/// The dependencies of a manifest, each with the section it stands in.
fn dependencies(manifest: &str) -> Vec<(&str, &str)> {
    let mut section = "";
    let mut found = Vec::new();
    for line in manifest.lines().map(str::trim) {
        if let Some(header) = line.strip_prefix('[') {
            section = header.trim_end_matches(']');
        } else if section.ends_with("dependencies") && !line.starts_with('#') {
            let end = line.find(['.', ' ', '=']).unwrap_or(line.len());
            if end > 0 {
                found.push((section, line[..end].trim_matches('"')));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrow_upwards_is_told() {
        let manifest = "[dependencies]\nstore.workspace = true\nodata.workspace = true\n";
        assert_eq!(manifest_breaches("model", manifest), ["model: must not depend on store"]);
        assert!(manifest_breaches("ingest", manifest).is_empty());
    }

    #[test]
    fn tests_may_know_more() {
        let manifest = "[dev-dependencies]\ntestkit.workspace = true\n";
        assert!(manifest_breaches("model", manifest).is_empty());
    }

    #[test]
    fn heavy_dependency_outside_its_crate_is_told() {
        let manifest = "[dependencies]\nrusqlite = { version = \"1\" }\n";
        assert_eq!(manifest_breaches("web", manifest).len(), 1);
        assert!(manifest_breaches("store", manifest).is_empty());
    }

    #[test]
    fn crate_without_a_row_is_told() {
        assert_eq!(manifest_breaches("shiny", "").len(), 1);
    }
}
