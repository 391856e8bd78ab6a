//! What keeps builds quick: no link-time optimisation in the profile that everybody builds, few
//! dependencies of `xtask`, and each dependency compiled once, with one set of features whatever is
//! built.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use anyhow::{Context, Result};
use xtask::process;
use xtask::repository::{PROFILE, root};

/// All that `xtask` may be compiled from.
const OF_XTASK: [&str; 4] = ["anyhow", "memchr", "roxmltree", "xtask"];

/// What is built beside the whole workspace with its tests: by the README's command, by whatever tries
/// the program, and by `cargo doc` and for fuzzing. Each shares what the others have compiled only if it
/// asks for the same features.
const SELECTIONS: [&[&str]; 3] = [
    &["--package", "callvault", "--edges", "normal,build"],
    &["--package", "callvault", "--package", "trials", "--edges", "normal,build"],
    &["--workspace", "--edges", "normal,build"],
];

/// The features of each package, one set for each time that it is compiled.
type Features = BTreeMap<String, BTreeSet<String>>;

/// The breaches in the profiles and in what cargo would build.
pub(super) fn breaches() -> Result<Vec<String>> {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).context("no Cargo.toml")?;
    let config = fs::read_to_string(root().join(".cargo/config.toml")).unwrap_or_default();
    let mut breaches = Vec::new();
    breaches.extend(link_time_optimisation("Cargo.toml", &manifest));
    breaches.extend(link_time_optimisation(".cargo/config.toml", &config));
    let of_xtask = tree(&["--package", "xtask", "--edges", "normal,build"])?;
    breaches.extend(beyond_the_list(&of_xtask));
    let all = tree(&["--workspace", "--edges", "normal,build,dev"])?;
    breaches.extend(compiled_twice(&all));
    for selection in SELECTIONS {
        breaches.extend(compiled_again(&selection.join(" "), &tree(selection)?, &all));
    }
    Ok(breaches)
}

/// A setting of LTO, other than off, in the profile that everybody builds.
fn link_time_optimisation(file: &str, text: &str) -> Option<String> {
    let header = format!("[profile.{PROFILE}]");
    let section = text.lines().map(str::trim).skip_while(|line| *line != header).skip(1);
    let mut settings = section.take_while(|line| !line.starts_with('['));
    let lto = settings.find_map(|line| {
        let (name, value) = line.split_once('=')?;
        (name.trim() == "lto").then(|| value.trim().to_owned())
    })?;
    // `false` is not off: it is ThinLTO within each crate.
    (lto != "\"off\"").then(|| {
        format!("{file}: lto = {lto} in {header} makes every build slow, it belongs to dist")
    })
}

fn beyond_the_list(of_xtask: &Features) -> Vec<String> {
    let names = of_xtask.keys().map(|package| package.split(' ').next().unwrap_or(package));
    let beyond = names.filter(|name| !OF_XTASK.contains(name));
    beyond.map(|name| format!("xtask: {name} is not in the list of what it is made from")).collect()
}

/// The packages that the whole needs with several sets of features.
fn compiled_twice(all: &Features) -> Vec<String> {
    let twice = all.iter().filter(|(_, sets)| sets.len() > 1);
    let told = |(package, sets): (&String, &BTreeSet<String>)| {
        let sets = sets.iter().map(|set| format!("[{set}]")).collect::<Vec<_>>().join(" and ");
        format!("{package} is compiled twice: with {sets}")
    };
    twice.map(told).collect()
}

/// The packages of a selection that have other features there than in the whole.
fn compiled_again(selection: &str, some: &Features, all: &Features) -> Vec<String> {
    let mut breaches = Vec::new();
    for (package, sets) in some {
        let Some(known) = all.get(package) else { continue };
        for set in sets.difference(known) {
            let known = known.iter().map(|set| format!("[{set}]")).collect::<Vec<_>>().join(" ");
            breaches.push(format!(
                "{package} is compiled again for {selection}: with [{set}], elsewhere with {known}"
            ));
        }
    }
    breaches
}

/// What cargo would compile for this machine.
fn tree(selection: &[&str]) -> Result<Features> {
    let mut tree = Command::new("cargo");
    tree.args(["tree", "--locked", "--prefix", "none", "--format", "{p}|{f}"]).args(selection);
    Ok(features(&process::output(tree.current_dir(root()))?))
}

/// Reads lines `name v1.2.3 (place)|one,other (*)`.
fn features(listed: &str) -> Features {
    let mut found = Features::new();
    for (package, features) in listed.lines().filter_map(|line| line.split_once('|')) {
        let name: Vec<&str> = package.split(' ').take(2).collect();
        let features = features.trim_end_matches("(*)").trim();
        found.entry(name.join(" ")).or_default().insert(features.to_owned());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn link_time_optimisation_is_told_in_the_shared_profile_alone() {
        let of = |text: &str| link_time_optimisation("Cargo.toml", text).is_some();
        assert!(of("[profile.release]\nopt-level = 1\nlto = \"fat\"\n"));
        assert!(of("[profile.release]\nlto = true\n"));
        assert!(of("[profile.release]\nlto = false\n"));
        assert!(!of("[profile.release]\nlto = \"off\"\n[profile.dist]\nlto = \"fat\"\n"));
        assert!(!of("[profile.dist]\nlto = \"fat\"\n"));
    }

    #[test]
    fn dependency_of_xtask_beyond_the_list_is_told() {
        let listed =
            features("xtask v0.0.0 (/a/b)|\nanyhow v1.0.1|default,std\nserde v1.0.0|std\n");
        assert_eq!(beyond_the_list(&listed).len(), 1);
    }

    #[test]
    fn second_set_of_features_is_told() {
        let all = features("rustix v1.1.6|event,fs,std\nserde v1.0.0|std\nserde v1.0.0|std (*)\n");
        let some = features("rustix v1.1.6|event,std\nserde v1.0.0|std\n");
        let told = compiled_again("--package callvault", &some, &all);
        assert_eq!(told.len(), 1);
        assert!(told[0].starts_with("rustix v1.1.6 is compiled again"), "{told:?}");
        assert!(compiled_again("", &all, &all).is_empty());
    }

    #[test]
    fn package_with_two_sets_of_features_in_the_whole_is_told() {
        let all = features("serde v1.0.0|std\nserde v1.0.0|alloc,std\nserde v2.0.0|std\n");
        assert_eq!(
            compiled_twice(&all),
            ["serde v1.0.0 is compiled twice: with [alloc,std] and [std]"]
        );
    }
}
