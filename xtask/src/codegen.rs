//! Makes the static tables of `model` from `schema/*.csdl.xml`.

use std::collections::HashMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::csdl::{self, Property, Schema, StructuredType};

mod emit;

/// Term: the meaning of an element.
const DESCRIPTION: &str = "Org.OData.Core.V1.Description";
/// Term: since when and why an element should not be used any more.
const REVISIONS: &str = "Org.OData.Core.V1.Revisions";
/// Term: unit of measure.
const UNIT: &str = "Org.OData.Measures.V1.Unit";
/// Term: may tell who somebody is.
const PERSONAL: &str = "Org.OData.PersonalData.V1.IsPotentiallyPersonal";
/// Terms of our own; `schema/common.csdl.xml` says what they mean.
const NOT_SERVED: &str = "callvault.NotServed";
const COLUMN: &str = "callvault.Column";
const SEARCHABLE: &str = "callvault.Searchable";
const ANSWER_ORDER: &str = "callvault.AnswerOrder";
const KNOWN_DYNAMIC_MEMBERS: &str = "callvault.KnownDynamicMembers";

/// Where the parts of the vocabulary stand, and the module that each one becomes.
const PARTS: [Part; 3] = [
    Part { file: "common.csdl.xml", module: "common", model: None },
    Part { file: "v1.0.csdl.xml", module: "v1_0", model: Some("V1_0") },
    Part { file: "beta.csdl.xml", module: "beta", model: Some("BETA") },
];

struct Part {
    file: &'static str,
    module: &'static str,
    /// Name of the model that this part makes together with the common one.
    model: Option<&'static str>,
}

/// `cargo xtask codegen` writes the tables; with `--check` it only compares them with the committed
/// ones.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let check = match arguments {
        [] => false,
        [only] if only == "--check" => true,
        _ => bail!("usage: cargo xtask codegen [--check]"),
    };
    let root = root();
    let mut stale = Vec::new();
    for (module, text) in generate(&root)? {
        let path = root.join(format!("crates/model/src/generated/{module}.rs"));
        let text = rustfmt(&root, &text)?;
        if fs::read_to_string(&path).is_ok_and(|committed| committed == text) {
            continue;
        }
        if check {
            stale.push(path.display().to_string());
        } else {
            fs::create_dir_all(path.parent().context("a file has a folder")?)?;
            fs::write(&path, text).with_context(|| format!("write {}", path.display()))?;
        }
    }
    ensure!(
        stale.is_empty(),
        "not what the schema says, run `cargo xtask codegen`: {}",
        stale.join(", ")
    );
    Ok(())
}

/// The schemas of a version of the service: the common ones with those of the version.
pub(crate) fn schemas_of(version: &str) -> Result<Vec<Schema>> {
    let folder = root().join("schema");
    let mut schemas = csdl::read(&folder.join("common.csdl.xml"))?;
    for part in csdl::read(&folder.join(format!("{version}.csdl.xml")))? {
        match schemas.iter_mut().find(|schema| schema.namespace == part.namespace) {
            Some(schema) => {
                schema.enums.extend(part.enums);
                schema.types.extend(part.types);
                schema.operations.extend(part.operations);
            }
            None => schemas.push(part),
        }
    }
    Ok(schemas)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is in a folder").to_owned()
}

fn generate(root: &Path) -> Result<Vec<(&'static str, String)>> {
    let parts: Vec<(&Part, Vec<Schema>)> = PARTS
        .iter()
        .map(|part| Ok((part, csdl::read(&root.join("schema").join(part.file))?)))
        .collect::<Result<_>>()?;
    let (_, common) = &parts[0];
    parts
        .iter()
        .map(|(part, schemas)| {
            let is_common = part.model.is_none();
            let scope = Scope::new(common, if is_common { &[] } else { schemas });
            scope.check_terms()?;
            let mut tables = String::new();
            for schema in schemas {
                emit::types(&mut tables, &scope, schema)?;
            }
            if let Some(model) = part.model {
                emit::model(&mut tables, &scope, model)?;
            }
            Ok((part.module, emit::header(part.file, is_common, &tables) + &tables))
        })
        .collect()
}

/// All that a module of tables may refer to.
struct Scope<'a> {
    common: &'a [Schema],
    own: &'a [Schema],
    /// Rust name of each declared type that has a table.
    rust_names: HashMap<&'a str, String>,
    /// Templates: types that only list the dynamic members of others and get no table.
    templates: Vec<&'a str>,
}

/// A property as a type has it, its own or an inherited one.
#[derive(Clone, Copy)]
struct Placed<'a> {
    property: &'a Property,
    is_inherited: bool,
}

impl<'a> Scope<'a> {
    fn new(common: &'a [Schema], own: &'a [Schema]) -> Self {
        let mut scope = Self { common, own, rust_names: HashMap::new(), templates: Vec::new() };
        scope.templates =
            scope.types().filter_map(|ty| ty.annotations.text(KNOWN_DYNAMIC_MEMBERS)).collect();
        let mut names: Vec<&'a str> = Vec::new();
        names.extend(scope.types().map(|ty| ty.name.as_str()));
        names.extend(scope.schemas().flat_map(|schema| &schema.enums).map(|ty| ty.name.as_str()));
        for name in &names {
            let short = last(name);
            let clashes = names.iter().filter(|other| last(other) == short).count() > 1;
            let rust = screaming(short);
            let rust = if clashes
                && name.starts_with("microsoft.graph.")
                && !name.starts_with("microsoft.graph.callRecords.")
            {
                format!("GRAPH_{rust}")
            } else {
                rust
            };
            let is_elsewhere = !own.is_empty() && is_declared(common, name);
            let rust = if is_elsewhere { format!("common::{rust}") } else { rust };
            scope.rust_names.insert(name, rust);
        }
        scope
    }

    fn schemas(&self) -> impl Iterator<Item = &'a Schema> + use<'a> {
        self.common.iter().chain(self.own)
    }

    fn types(&self) -> impl Iterator<Item = &'a StructuredType> + use<'a> {
        self.schemas().flat_map(|schema| &schema.types)
    }

    fn find(&self, name: &str) -> Result<&'a StructuredType> {
        self.types().find(|ty| ty.name == name).with_context(|| format!("no type {name}"))
    }

    /// A misspelt term of our own would otherwise be ignored.
    fn check_terms(&self) -> Result<()> {
        let known: Vec<&str> =
            self.schemas().flat_map(|schema| &schema.terms).map(String::as_str).collect();
        let of_types = self.types().flat_map(|ty| {
            let members = ty.properties.iter().flat_map(|property| property.annotations.terms());
            ty.annotations.terms().chain(members)
        });
        let of_enums =
            self.schemas().flat_map(|schema| &schema.enums).flat_map(|ty| ty.annotations.terms());
        for term in of_types.chain(of_enums) {
            let standard = [DESCRIPTION, REVISIONS, UNIT, PERSONAL];
            ensure!(known.contains(&term) || standard.contains(&term), "term {term} is not known");
        }
        Ok(())
    }

    /// The types that derive from one, at any distance; they must stand in the same part, since a
    /// shared type has one table for all versions.
    fn derived(&self, base: &str) -> Result<Vec<&'a StructuredType>> {
        let is_common = is_declared(self.common, base);
        let mut found = Vec::new();
        for ty in self.types() {
            if self.lineage(ty)?.iter().skip(1).any(|ancestor| ancestor.name == base) {
                let is_beside = is_declared(self.common, &ty.name) == is_common;
                ensure!(is_beside, "{} and its base are in two files", ty.name);
                found.push(ty);
            }
        }
        Ok(found)
    }

    /// The type, its base, the base of that, and so on.
    fn lineage(&self, ty: &'a StructuredType) -> Result<Vec<&'a StructuredType>> {
        let mut line = vec![ty];
        let mut at = ty;
        while let Some(base) = &at.base {
            at = self.find(base)?;
            line.push(at);
        }
        Ok(line)
    }

    /// All properties in the order in which answers print them.
    fn properties(&self, ty: &'a StructuredType) -> Result<Vec<Placed<'a>>> {
        let mut placed = Vec::new();
        for ancestor in self.lineage(ty)?.into_iter().rev() {
            let is_inherited = ancestor.name != ty.name;
            placed.extend(
                ancestor.properties.iter().map(|property| Placed { property, is_inherited }),
            );
        }
        let Some(order) = ty.annotations.paths(ANSWER_ORDER) else { return Ok(placed) };
        ensure!(order.len() == placed.len(), "{}: the order names not all properties", ty.name);
        order
            .iter()
            .map(|name| {
                let found = placed.iter().find(|placed| placed.property.name == *name);
                found.copied().with_context(|| format!("{}: no property {name}", ty.name))
            })
            .collect()
    }

    /// Members that instances are known to carry beyond the declared ones.
    fn dynamic(&self, ty: &'a StructuredType) -> Result<Vec<Placed<'a>>> {
        let declared = self.properties(ty)?;
        let mut members: Vec<Placed<'a>> = Vec::new();
        for ancestor in self.lineage(ty)? {
            let Some(template) = ancestor.annotations.text(KNOWN_DYNAMIC_MEMBERS) else { continue };
            for property in &self.find(template)?.properties {
                // What stands in our own namespace collides with nothing that is declared.
                let is_ours = property.name.starts_with("callvault.");
                ensure!(ty.is_open || is_ours, "{} is not open", ty.name);
                let is_known = |placed: &Placed<'_>| placed.property.name == property.name;
                if !declared.iter().chain(&members).any(is_known) {
                    members.push(Placed { property, is_inherited: false });
                }
            }
        }
        Ok(members)
    }

    fn is_template(&self, ty: &StructuredType) -> bool {
        self.templates.contains(&ty.name.as_str())
    }
}

fn is_declared(schemas: &[Schema], name: &str) -> bool {
    schemas.iter().any(|schema| {
        schema.types.iter().any(|ty| ty.name == name)
            || schema.enums.iter().any(|ty| ty.name == name)
    })
}

fn last(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// `averageJitter` to `average_jitter`, `reflexiveIPAddress` to `reflexive_ip_address`.
fn snake(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut out = String::new();
    for (index, letter) in letters.iter().enumerate() {
        let after_small = index > 0 && !letters[index - 1].is_uppercase();
        let before_small = letters.get(index + 1).is_some_and(|next| next.is_lowercase());
        if letter.is_uppercase() && index > 0 && (after_small || before_small) {
            out.push('_');
        }
        out.extend(letter.to_lowercase());
    }
    out
}

fn screaming(name: &str) -> String {
    snake(name).to_uppercase()
}

fn rustfmt(root: &Path, text: &str) -> Result<String> {
    let mut child = Command::new("rustfmt")
        .args(["--edition", "2024", "--config-path"])
        .arg(root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("start rustfmt")?;
    let mut input = child.stdin.take().context("rustfmt has a standard input")?;
    let text = text.to_owned();
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = child.wait_with_output()?;
    writer.join().map_err(|_| anyhow::anyhow!("the writer to rustfmt panicked"))??;
    if !output.status.success() {
        bail!("rustfmt refused the generated text");
    }
    Ok(String::from_utf8(output.stdout)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_broken_before_capitals_but_not_inside_acronyms() {
        for (name, expected) in [
            ("averageJitter", "average_jitter"),
            ("reflexiveIPAddress", "reflexive_ip_address"),
            ("azureADAppId", "azure_ad_app_id"),
            ("clientLocalIpV4Address", "client_local_ip_v4_address"),
            ("isTest", "is_test"),
        ] {
            assert_eq!(snake(name), expected);
        }
    }

    #[test]
    fn the_committed_tables_are_what_the_schema_says() {
        run(&["--check".to_owned()]).expect("the tables are up to date");
    }
}
