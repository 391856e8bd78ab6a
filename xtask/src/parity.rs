//! Compares the schema with another CSDL file, such as the one that Microsoft publishes.
//!
//! Names, bases, openness, keys, types of members, nullability, values of enumerations and
//! operations must be the same. Annotations, `DefaultValue` and the order of members are ours; so
//! are the entity container, since nobody publishes one for a part of a service, and the namespace
//! `callvault`. Files that show the part of Graph around call records lack some elements of Graph that
//! belong to the part of ours; see [`ELSEWHERE`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::codegen;
use crate::csdl::{self, EnumType, Operation, Parameter, Property, Schema, StructuredType};

/// The namespace of what Graph does not have.
const OURS: &str = "callvault";

/// Elements of Graph that stand elsewhere in its `$metadata` than what extracts for call records show. A file
/// may lack them; where it has them they are compared.
const ELSEWHERE: [&str; 2] = [
    // What `call/targets` is a collection of, which extracts name without declaring it.
    "microsoft.graph.invitationParticipantInfo",
    // https://learn.microsoft.com/graph/api/subscription-reauthorize
    "microsoft.graph.reauthorize(microsoft.graph.subscription)",
];

/// `cargo xtask parity --csdl FILE [--version v1.0|beta]`: prints each difference on a line and
/// fails when there is one. `-` stands before what only the file has, `+` before what only the
/// schema has.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let mut file = None;
    let mut version = "v1.0".to_owned();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let value = words.next().with_context(|| format!("{word} needs a value"))?;
        match word.as_str() {
            "--csdl" => file = Some(PathBuf::from(value)),
            "--version" => version.clone_from(value),
            _ => bail!("usage: cargo xtask parity --csdl FILE [--version v1.0|beta]"),
        }
    }
    let differences = compare(&file.context("--csdl FILE is missing")?, &version)?;
    for difference in &differences {
        println!("{difference}");
    }
    ensure!(differences.is_empty(), "{} differences", differences.len());
    Ok(())
}

fn compare(file: &Path, version: &str) -> Result<Vec<String>> {
    let ours = facts(&codegen::schemas_of(version)?);
    let theirs = facts(&csdl::read(file)?);
    Ok(differences(&theirs, &ours))
}

/// What can be said of an element, in words that are the same when the meaning is.
#[derive(Debug, Default, PartialEq, Eq)]
struct Facts {
    head: String,
    members: BTreeMap<String, String>,
}

fn facts(schemas: &[Schema]) -> BTreeMap<String, Facts> {
    let mut all = BTreeMap::new();
    for schema in schemas.iter().filter(|schema| schema.namespace != OURS) {
        all.extend(schema.enums.iter().map(|ty| (ty.name.clone(), of_enum(ty))));
        all.extend(schema.types.iter().map(|ty| (ty.name.clone(), of_type(ty))));
        all.extend(schema.operations.iter().map(|operation| {
            let key = format!("{}.{}", schema.namespace, signature(operation));
            (key, of_operation(operation))
        }));
    }
    all
}

fn of_enum(ty: &EnumType) -> Facts {
    let value = |(name, value): &(String, i64)| (name.clone(), format!("= {value}"));
    Facts { head: "enumeration".into(), members: ty.members.iter().map(value).collect() }
}

fn of_type(ty: &StructuredType) -> Facts {
    let mut head = String::from(if ty.is_entity { "entity type" } else { "complex type" });
    if let Some(base) = &ty.base {
        head = format!("{head}, base {base}");
    }
    for (word, holds) in [("abstract", ty.is_abstract), ("open", ty.is_open)] {
        if holds {
            head = format!("{head}, {word}");
        }
    }
    if !ty.key.is_empty() {
        head = format!("{head}, key {}", ty.key.join(" "));
    }
    let member = |property: &Property| (property.name.clone(), of_property(property));
    Facts { head, members: ty.properties.iter().map(member).collect() }
}

fn of_property(property: &Property) -> String {
    let mut text = type_text(&property.ty);
    // CSDL has no nullability for a collection of entities.
    let has_nullability = !(property.is_navigation && property.ty.is_collection);
    if has_nullability && !property.is_nullable {
        text.push_str(", not null");
    }
    if property.is_navigation {
        text.push_str(", navigation");
    }
    if property.contains_target {
        text.push_str(", contained");
    }
    text
}

/// Name and binding, which tell overloads apart.
fn signature(operation: &Operation) -> String {
    match operation.parameters.first().filter(|_| operation.is_bound) {
        Some(binding) => format!("{}({})", operation.name, type_text(&binding.ty)),
        None => operation.name.clone(),
    }
}

fn of_operation(operation: &Operation) -> Facts {
    let mut head = String::from(if operation.is_action { "action" } else { "function" });
    for (word, holds) in [("bound", operation.is_bound), ("composable", operation.is_composable)] {
        if holds {
            head = format!("{head}, {word}");
        }
    }
    if let Some(path) = &operation.entity_set_path {
        head = format!("{head}, path {path}");
    }
    if let Some(returns) = &operation.returns {
        head = format!("{head}, returns {}", of_parameter(returns));
    }
    let member = |parameter: &Parameter| (parameter.name.clone(), of_parameter(parameter));
    Facts { head, members: operation.parameters.iter().map(member).collect() }
}

fn of_parameter(parameter: &Parameter) -> String {
    let nullable = if parameter.is_nullable { "" } else { ", not null" };
    let optional = if parameter.is_optional { ", optional" } else { "" };
    format!("{}{nullable}{optional}", type_text(&parameter.ty))
}

fn type_text(ty: &csdl::TypeRef) -> String {
    if ty.is_collection { format!("Collection({})", ty.name) } else { ty.name.clone() }
}

fn differences(theirs: &BTreeMap<String, Facts>, ours: &BTreeMap<String, Facts>) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, their) in theirs {
        match ours.get(name) {
            None => lines.push(format!("- {name}: {}", their.head)),
            Some(our) => compare_element(&mut lines, name, their, our),
        }
    }
    let only_ours = ours
        .iter()
        .filter(|(name, _)| !theirs.contains_key(*name) && !ELSEWHERE.contains(&name.as_str()));
    lines.extend(only_ours.map(|(name, our)| format!("+ {name}: {}", our.head)));
    lines
}

fn compare_element(lines: &mut Vec<String>, name: &str, their: &Facts, our: &Facts) {
    if their.head != our.head {
        lines.push(format!("- {name}: {}", their.head));
        lines.push(format!("+ {name}: {}", our.head));
    }
    let mut one_way = |sign: char, from: &Facts, to: &Facts| {
        for (member, fact) in &from.members {
            if to.members.get(member) != Some(fact) {
                lines.push(format!("{sign} {name}/{member}: {fact}"));
            }
        }
    };
    one_way('-', their, our);
    one_way('+', our, their);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str, alias: &str) -> BTreeMap<String, Facts> {
        let text = format!(
            "<Edmx><Schema xmlns='http://docs.oasis-open.org/odata/ns/edm' Namespace='a.b' \
             {alias}>{body}</Schema></Edmx>"
        );
        facts(&csdl::parse(&text).expect("the test's text is CSDL"))
    }

    const TYPE: &str = "<ComplexType Name='t'><Property Name='p' Type='a.b.e'/></ComplexType>\
                        <EnumType Name='e'><Member Name='m' Value='0'/></EnumType>";

    #[test]
    fn an_alias_means_the_namespace() {
        let aliased = TYPE.replace("a.b.e", "x.e");
        let found = differences(&read(TYPE, ""), &read(&aliased, "Alias='x'"));
        assert_eq!(found, Vec::<String>::new());
    }

    #[test]
    fn what_one_side_lacks_is_named_with_its_side() {
        let without = TYPE.replace("<Property Name='p' Type='a.b.e'/>", "");
        let (with, without) = (read(TYPE, ""), read(&without, ""));
        assert_eq!(differences(&with, &without), ["- a.b.t/p: a.b.e"]);
        assert_eq!(differences(&without, &with), ["+ a.b.t/p: a.b.e"]);
        let empty = read("", "");
        assert_eq!(differences(&empty, &with), ["+ a.b.e: enumeration", "+ a.b.t: complex type"]);
    }

    #[test]
    fn file_may_lack_what_stands_elsewhere_but_may_not_have_it_otherwise() {
        let has = |name: &str, head: &str| {
            let facts = Facts { head: head.to_owned(), ..Facts::default() };
            BTreeMap::from([(name.to_owned(), facts)])
        };
        for name in ELSEWHERE {
            let (ours, theirs) = (has(name, "complex type"), has(name, "action, bound"));
            assert_eq!(differences(&BTreeMap::new(), &ours), [""; 0]);
            assert_eq!(differences(&theirs, &ours).len(), 2, "{name}");
            let schemas = codegen::schemas_of("v1.0").expect("the schema is CSDL");
            assert!(facts(&schemas).contains_key(name), "{name} is in the schema");
        }
    }

    #[test]
    fn openness_nullability_and_values_count() {
        for (from, to) in [
            ("Name='t'", "Name='t' OpenType='true'"),
            ("Type='a.b.e'", "Type='a.b.e' Nullable='false'"),
            ("Type='a.b.e'", "Type='Collection(a.b.e)'"),
            ("Value='0'", "Value='1'"),
        ] {
            let found = differences(&read(TYPE, ""), &read(&TYPE.replace(from, to), ""));
            assert_eq!(found.len(), 2, "{to}: {found:?}");
        }
    }

    #[test]
    fn both_versions_of_the_schema_can_be_read() {
        for version in ["v1.0", "beta"] {
            let schemas = codegen::schemas_of(version).expect("the schema is CSDL");
            assert!(facts(&schemas).contains_key("microsoft.graph.callRecords.callRecord"));
        }
    }
}
