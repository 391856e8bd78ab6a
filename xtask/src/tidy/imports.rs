//! What a module imports, read from its tokens: `use` trees, and paths that begin at the crate, at the
//! module itself, or at one of its submodules.

use crate::tokens::Token;

/// A path in the order of its names, from the root of the crate.
pub(super) type ModulePath = Vec<String>;

/// What a module's file says of other modules.
#[derive(Debug, Default)]
pub(super) struct Imports {
    /// The modules that it declares with `mod name;`.
    pub(super) submodules: Vec<String>,
    /// The names that its `use` trees bring in, each with what it stands for.
    pub(super) names: Vec<(String, ModulePath)>,
    /// Paths that its code names in full.
    pub(super) paths: Vec<ModulePath>,
}

/// Reads the tokens of the module that stands at `here`.
pub(super) fn read(here: &[String], tokens: &[Token<'_>]) -> Imports {
    let mut imports = Imports { submodules: submodules(tokens), ..Imports::default() };
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at].text == "use" {
            let length = tokens[at..].iter().take_while(|token| token.text != ";").count();
            let mut reader = TreeReader { here, imports: &mut imports };
            reader.read(&tokens[at + 1..at + length], &[]);
            at += length;
        } else {
            let names = path_names(&tokens[at..]);
            if names.len() > 1
                && let Some(path) = from_root(here, &imports.submodules, &names)
            {
                imports.paths.push(path);
            }
            at += (2 * names.len()).saturating_sub(1).max(1);
        }
    }
    imports
}

fn submodules(tokens: &[Token<'_>]) -> Vec<String> {
    let declares = |three: &&[Token<'_>]| three[0].text == "mod" && three[2].text == ";";
    tokens.windows(3).filter(declares).map(|three| three[1].text.to_owned()).collect()
}

/// The names of the path that these begin with: `a::b::c`.
fn path_names<'t>(tokens: &[Token<'t>]) -> Vec<&'t str> {
    let mut names = Vec::new();
    let mut rest = tokens;
    while let Some((name, after)) = rest.split_first()
        && name.text.starts_with(|letter: char| letter.is_alphanumeric() || letter == '_')
    {
        names.push(name.text);
        match after {
            [colons, next @ ..] if colons.text == "::" => rest = next,
            _ => break,
        }
    }
    names
}

/// A path of this crate from its root; none of another crate's.
fn from_root(here: &[String], submodules: &[String], names: &[&str]) -> Option<ModulePath> {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    match names.first().copied()? {
        "crate" => Some(owned(&names[1..])),
        "self" | "super" => {
            let begins = names.iter().take_while(|name| matches!(**name, "self" | "super")).count();
            let up = names[..begins].iter().filter(|name| **name == "super").count();
            let mut path = here[..here.len().saturating_sub(up)].to_vec();
            path.extend(owned(&names[begins..]));
            Some(path)
        }
        first if submodules.iter().any(|submodule| submodule == first) => {
            Some([here, &owned(names)].concat())
        }
        _ => None,
    }
}

struct TreeReader<'r> {
    here: &'r [String],
    imports: &'r mut Imports,
}

impl TreeReader<'_> {
    /// Reads a tree, or a part of one in braces, below the names before it.
    fn read(&mut self, tokens: &[Token<'_>], before: &[&str]) {
        let mut names = before.to_vec();
        let own = path_names(tokens);
        names.extend(&own);
        let rest = &tokens[(2 * own.len()).saturating_sub(1).min(tokens.len())..];
        let rest = rest
            .split_first()
            .filter(|(first, _)| first.text == "::")
            .map_or(rest, |(_, after)| after);
        match rest.first().map(|token| token.text) {
            Some("{") => {
                for part in parts(&rest[1..rest.len().saturating_sub(1)]) {
                    self.read(part, &names);
                }
            }
            Some("*") => self.take(&names, Some("*")),
            Some("as") => self.take(&names, rest.get(1).map(|token| token.text)),
            _ => self.take(&names, None),
        }
    }

    fn take(&mut self, names: &[&str], alias: Option<&str>) {
        let names = match names {
            [module @ .., "self"] if !module.is_empty() => module,
            names => names,
        };
        let Some(last) = names.last() else { return };
        if let Some(path) = from_root(self.here, &self.imports.submodules, names) {
            self.imports.names.push((alias.unwrap_or(last).to_owned(), path));
        }
    }
}

/// The parts of a tree in braces, which commas part.
fn parts<'r, 't>(tokens: &'r [Token<'t>]) -> Vec<&'r [Token<'t>]> {
    let mut depth = 0_usize;
    let parts = tokens.split(|token| {
        match token.text {
            "{" => depth += 1,
            "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
        token.text == "," && depth == 0
    });
    parts.filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::product_tokens;

    fn of(here: &str, text: &str) -> Imports {
        let here: Vec<String> = here.split("::").map(str::to_owned).collect();
        read(&here, &product_tokens(text))
    }

    fn joined(paths: &[ModulePath]) -> Vec<String> {
        paths.iter().map(|path| path.join("::")).collect()
    }

    #[test]
    fn trees_become_names() {
        let imports = of("a::b", "use crate::c::{self, D, e::F as G}; use super::{H, i::*};");
        let names: Vec<_> =
            imports.names.iter().map(|(name, path)| (name.as_str(), path.join("::"))).collect();
        let expected = [("c", "c"), ("D", "c::D"), ("G", "c::e::F"), ("H", "a::H"), ("*", "a::i")];
        assert_eq!(names, expected.map(|(name, path)| (name, path.to_owned())));
    }

    #[test]
    fn other_crates_are_none_of_ours() {
        let imports = of("a", "use std::fmt; fn b() { std::mem::drop(1) }");
        assert!(imports.names.is_empty() && imports.paths.is_empty());
    }

    #[test]
    fn paths_in_code_count() {
        let imports = of("a", "mod own; fn b(c: crate::d::E) { super::f(own::g(self::h())) }");
        assert_eq!(joined(&imports.paths), ["d::E", "f", "a::own::g", "a::h"]);
    }
}
