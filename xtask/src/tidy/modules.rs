//! Circles between the modules of a crate, and imports against its floors.
//!
//! At each level of a crate's module tree, modules beside each other (each with all that is below it)
//! may import each other one way only. A module and its own submodules are one thing, and may name each
//! other. What a module re-exports counts as an import from where it is defined, so that a circle
//! can't hide behind a shorter path.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use xtask::repository::root;

use super::imports::{self, Imports, ModulePath};
use crate::tokens::product_tokens;

/// Crates whose modules stand on floors, the lowest first. A module imports from its own floor and from
/// those below it.
const FLOORS: [(&str, &[&[&str]]); 1] = [("store", STORE)];

/// The layers of the store, as ARCHITECTURE.md draws them.
const STORE: &[&[&str]] = &[
    &["clock", "error", "pending", "priority"],
    &["engine"],
    &["options", "sql", "codec", "rows"],
    &["tables"],
    &["query"],
    &["cache"],
    &["answer"],
    &["maintenance", "advisory_locks", "state"],
    &["reader", "writer"],
    &["store"],
    &["transfer"],
];

/// How many re-exports are followed to a definition; a chain is never longer.
const RE_EXPORTS: usize = 8;

/// The breaches in all crates.
pub(super) fn breaches() -> Result<Vec<String>> {
    let mut breaches = Vec::new();
    for entry in fs::read_dir(root().join("crates"))? {
        let folder = entry?.path();
        let name = folder.file_name().and_then(|name| name.to_str()).context("a crate's name")?;
        let krate = Crate::read(&folder.join("src"))?;
        let floors =
            FLOORS.iter().find(|(known, _)| *known == name).map_or(&[][..], |found| found.1);
        breaches
            .extend(krate.breaches(floors).into_iter().map(|breach| format!("{name}: {breach}")));
    }
    breaches.extend(Crate::read(&root().join("xtask/src"))?.breaches(&[]));
    breaches.sort();
    Ok(breaches)
}

/// Every module of a crate with what it imports.
#[derive(Debug, Default)]
struct Crate {
    modules: BTreeMap<ModulePath, Imports>,
}

/// The modules of one level that a module of that level imports, each with one import as an example.
type Arrows = BTreeMap<String, BTreeMap<String, String>>;

impl Crate {
    /// Reads the modules that are reached from `lib.rs` and `main.rs`.
    fn read(source: &Path) -> Result<Crate> {
        let mut krate = Crate::default();
        for file in ["lib.rs", "main.rs"].map(|file| source.join(file)) {
            if file.is_file() {
                krate.read_module(Vec::new(), file, source.to_owned())?;
            }
        }
        Ok(krate)
    }

    /// Reads the module in a file, and its submodules in the folder.
    fn read_module(&mut self, here: ModulePath, file: PathBuf, folder: PathBuf) -> Result<()> {
        let text = fs::read_to_string(&file).with_context(|| format!("{}", file.display()))?;
        for submodule in self.add(here.clone(), &text) {
            let file = folder.join(format!("{submodule}.rs"));
            let below = [&here[..], std::slice::from_ref(&submodule)].concat();
            self.read_module(below, file, folder.join(submodule))?;
        }
        Ok(())
    }

    /// Adds a module, and returns the names of its submodules.
    fn add(&mut self, here: ModulePath, text: &str) -> Vec<String> {
        let read = imports::read(&here, &product_tokens(text));
        let submodules = read.submodules.clone();
        let module = self.modules.entry(here).or_default();
        module.submodules.extend(read.submodules);
        module.names.extend(read.names);
        module.paths.extend(read.paths);
        submodules
    }

    /// The module that defines what a path names.
    fn definition<'p>(&'p self, path: &'p [String]) -> &'p [String] {
        let mut path = path.to_vec();
        let mut module = self.module_of(&path);
        for _ in 0..RE_EXPORTS {
            let Some(name) = path.get(module.len()) else { break };
            let names = &self.modules[module].names;
            let Some((_, target)) = names.iter().find(|(known, _)| known == name) else { break };
            path = [target, &path[module.len() + 1..]].concat();
            module = self.module_of(&path);
        }
        module
    }

    /// The longest beginning of a path that is a module.
    fn module_of(&self, path: &[String]) -> &[String] {
        let beginnings = (0..=path.len()).rev().map(|length| &path[..length]);
        let known =
            |beginning: &[String]| self.modules.get_key_value(beginning).map(|(key, _)| &key[..]);
        beginnings.into_iter().find_map(known).unwrap_or_default()
    }

    /// The arrows between modules beside each other, by the module that they are in.
    fn levels(&self) -> BTreeMap<ModulePath, Arrows> {
        let mut levels: BTreeMap<ModulePath, Arrows> = BTreeMap::new();
        for (here, imports) in &self.modules {
            let named = imports.names.iter().map(|(_, path)| path);
            for path in named.chain(&imports.paths) {
                let there = self.definition(path);
                let shared =
                    here.iter().zip(there).take_while(|(ours, theirs)| ours == theirs).count();
                if let (Some(from), Some(to)) = (here.get(shared), there.get(shared)) {
                    let arrows = levels.entry(here[..shared].to_vec()).or_default();
                    let example = || format!("{} imports {}", here.join("::"), path.join("::"));
                    let arrows = arrows.entry(from.clone()).or_default();
                    arrows.entry(to.clone()).or_insert_with(example);
                }
            }
        }
        levels
    }

    fn breaches(&self, floors: &[&[&str]]) -> Vec<String> {
        let levels = self.levels();
        let mut breaches: Vec<String> = levels.values().flat_map(circles).collect();
        if let Some(arrows) = levels.get(&Vec::new()[..]) {
            breaches.extend(arrows_up(arrows, floors));
        }
        breaches
    }
}

/// The shortest circle through each module that is in one, each circle once.
fn circles(arrows: &Arrows) -> Vec<String> {
    let mut in_circles = BTreeSet::new();
    let mut breaches = Vec::new();
    for start in arrows.keys() {
        if in_circles.contains(start) {
            continue;
        }
        if let Some(circle) = shortest_circle(arrows, start) {
            let steps = circle.iter().zip(circle.iter().cycle().skip(1));
            let examples: Vec<&str> = steps.map(|(from, to)| arrows[*from][*to].as_str()).collect();
            let names: Vec<&str> = circle.iter().map(|name| name.as_str()).collect();
            breaches.push(format!(
                "circle {} -> {start}: {}",
                names.join(" -> "),
                examples.join(", ")
            ));
            in_circles.extend(circle);
        }
    }
    breaches
}

/// Goes over the arrows breadth first, until one leads back to where they began.
fn shortest_circle<'a>(arrows: &'a Arrows, start: &'a String) -> Option<Vec<&'a String>> {
    let mut ways = vec![vec![start]];
    let mut seen = BTreeSet::new();
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            let targets = way.last().and_then(|last| arrows.get(*last));
            for target in targets.into_iter().flat_map(BTreeMap::keys) {
                if target == start {
                    return Some(way);
                }
                if seen.insert(target) {
                    longer.push([&way[..], &[target]].concat());
                }
            }
        }
        ways = longer;
    }
    None
}

/// Imports of a module from a floor above its own.
fn arrows_up(arrows: &Arrows, floors: &[&[&str]]) -> Vec<String> {
    let floor_of = |module: &str| floors.iter().position(|floor| floor.contains(&module));
    let mut breaches = Vec::new();
    for (from, targets) in arrows {
        if !floors.is_empty() && floor_of(from).is_none() {
            breaches.push(format!("{from}: a new module needs its place in the table of floors"));
        }
        for (to, example) in targets {
            if let (Some(own), Some(other)) = (floor_of(from), floor_of(to))
                && other > own
            {
                breaches.push(format!("arrow up from {from} to {to}: {example}"));
            }
        }
    }
    breaches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn krate(modules: &[(&str, &str)]) -> Crate {
        let mut krate = Crate::default();
        for (path, text) in modules {
            let path =
                path.split("::").filter(|name| !name.is_empty()).map(str::to_owned).collect();
            krate.add(path, text);
        }
        krate
    }

    #[test]
    fn two_modules_that_import_each_other_are_a_circle() {
        let krate = krate(&[
            ("", "mod a; mod b;"),
            ("a", "use crate::b::B; pub struct A;"),
            ("b", "fn f() -> crate::a::A {}"),
        ]);
        let breaches = krate.breaches(&[]);
        assert_eq!(breaches, ["circle a -> b -> a: a imports b::B, b imports a::A"]);
    }

    #[test]
    fn submodules_stand_for_the_module_that_they_are_in() {
        let krate = krate(&[
            ("", "mod a; mod b;"),
            ("a", "mod c;"),
            ("a::c", "use crate::b::B;"),
            ("b", "use crate::a::A;"),
        ]);
        assert_eq!(krate.breaches(&[]).len(), 1);
    }

    #[test]
    fn circle_behind_a_re_export_is_found() {
        let krate = krate(&[
            ("", "mod a; mod b; pub use a::A; pub use b::B;"),
            ("a", "use crate::B; pub struct A;"),
            ("b", "use crate::A; pub struct B;"),
        ]);
        assert_eq!(krate.breaches(&[]).len(), 1);
    }

    #[test]
    fn module_and_its_submodules_may_name_each_other() {
        let krate = krate(&[("", "mod a;"), ("a", "mod b; use b::B;"), ("a::b", "use super::A;")]);
        assert!(krate.breaches(&[]).is_empty());
    }

    #[test]
    fn one_way_is_no_circle() {
        let krate = krate(&[
            ("", "mod a; mod b; mod c;"),
            ("a", "use crate::{b::B, c::C};"),
            ("b", "use crate::c::C;"),
            ("c", "// use crate::a::A;\n#[cfg(test)] mod tests { use crate::a::A; }"),
        ]);
        assert!(krate.breaches(&[]).is_empty());
    }

    #[test]
    fn arrow_up_is_a_breach() {
        let krate = krate(&[("", "mod a; mod b;"), ("a", "use crate::b::B;"), ("b", "")]);
        let up = krate.breaches(&[&["a"], &["b"]]);
        assert_eq!(up, ["arrow up from a to b: a imports b::B"]);
        assert!(krate.breaches(&[&["b"], &["a"]]).is_empty());
        assert_eq!(krate.breaches(&[&["b"]]).len(), 1, "a has no floor");
    }
}
