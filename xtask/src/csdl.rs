//! Reads CSDL XML into plain data, with every name written out in full.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use roxmltree::Node;

/// One namespace of a document.
#[derive(Debug, Default)]
pub(crate) struct Schema {
    pub(crate) namespace: String,
    pub(crate) alias: Option<String>,
    pub(crate) enums: Vec<EnumType>,
    pub(crate) types: Vec<StructuredType>,
    pub(crate) operations: Vec<Operation>,
    /// Qualified names of the terms that the schema defines.
    pub(crate) terms: Vec<String>,
    pub(crate) container: Option<Container>,
}

#[derive(Debug)]
pub(crate) struct EnumType {
    pub(crate) name: String,
    pub(crate) members: Vec<(String, i64)>,
    pub(crate) annotations: Annotations,
}

#[derive(Debug)]
pub(crate) struct StructuredType {
    pub(crate) name: String,
    pub(crate) is_entity: bool,
    pub(crate) base: Option<String>,
    pub(crate) is_abstract: bool,
    pub(crate) is_open: bool,
    pub(crate) key: Vec<String>,
    pub(crate) properties: Vec<Property>,
    pub(crate) annotations: Annotations,
}

#[derive(Debug)]
pub(crate) struct Property {
    pub(crate) name: String,
    pub(crate) ty: TypeRef,
    pub(crate) is_nullable: bool,
    pub(crate) is_navigation: bool,
    pub(crate) contains_target: bool,
    pub(crate) default: Option<String>,
    pub(crate) annotations: Annotations,
}

/// `name` or `Collection(name)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TypeRef {
    pub(crate) name: String,
    pub(crate) is_collection: bool,
}

#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) name: String,
    pub(crate) is_action: bool,
    pub(crate) is_bound: bool,
    pub(crate) is_composable: bool,
    pub(crate) entity_set_path: Option<String>,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) returns: Option<Parameter>,
}

#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) ty: TypeRef,
    pub(crate) is_nullable: bool,
    pub(crate) is_optional: bool,
}

#[derive(Debug)]
pub(crate) struct Container {
    pub(crate) name: String,
    pub(crate) entity_sets: Vec<(String, String)>,
    pub(crate) singletons: Vec<(String, String)>,
}

/// The annotations of one element, by the qualified names of their terms.
#[derive(Debug, Default)]
pub(crate) struct Annotations(Vec<(String, Annotation)>);

#[derive(Debug)]
enum Annotation {
    Tag,
    Text(String),
    Paths(Vec<String>),
    /// The property values of the first record of a collection.
    Record(Vec<(String, String)>),
}

/// Says of a parameter that it may be left out.
const OPTIONAL: &str = "Org.OData.Core.V1.OptionalParameter";

impl Annotations {
    pub(crate) fn has(&self, term: &str) -> bool {
        self.find(term).is_some()
    }

    pub(crate) fn text(&self, term: &str) -> Option<&str> {
        match self.find(term)? {
            Annotation::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn paths(&self, term: &str) -> Option<&[String]> {
        match self.find(term)? {
            Annotation::Paths(paths) => Some(paths),
            _ => None,
        }
    }

    pub(crate) fn record_value(&self, term: &str, property: &str) -> Option<&str> {
        match self.find(term)? {
            Annotation::Record(values) => {
                values.iter().find(|(name, _)| name == property).map(|(_, value)| value.as_str())
            }
            _ => None,
        }
    }

    pub(crate) fn terms(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(term, _)| term.as_str())
    }

    fn find(&self, term: &str) -> Option<&Annotation> {
        self.0.iter().find(|(name, _)| name == term).map(|(_, annotation)| annotation)
    }
}

/// The schemas of a CSDL file.
pub(crate) fn read(path: &Path) -> Result<Vec<Schema>> {
    let text = fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    parse(&text).with_context(|| format!("in {}", path.display()))
}

/// The schemas of a CSDL text.
pub(crate) fn parse(text: &str) -> Result<Vec<Schema>> {
    let document = roxmltree::Document::parse(text)?;
    let root = document.root_element();
    let mut aliases = HashMap::new();
    for node in root.descendants() {
        if matches!(node.tag_name().name(), "Schema" | "Include")
            && let Some(alias) = node.attribute("Alias")
        {
            aliases.insert(alias, attribute(node, "Namespace")?);
        }
    }
    let reader = Reader { aliases };
    root.descendants()
        .filter(|node| node.has_tag_name((EDM, "Schema")))
        .map(|node| reader.schema(node))
        .collect()
}

const EDM: &str = "http://docs.oasis-open.org/odata/ns/edm";

struct Reader<'a> {
    aliases: HashMap<&'a str, &'a str>,
}

impl Reader<'_> {
    fn schema(&self, node: Node<'_, '_>) -> Result<Schema> {
        let namespace = attribute(node, "Namespace")?;
        let full = |name: &str| format!("{namespace}.{name}");
        let mut schema = Schema {
            namespace: namespace.to_owned(),
            alias: node.attribute("Alias").map(str::to_owned),
            ..Schema::default()
        };
        for child in elements(node) {
            let name = full(child.attribute("Name").unwrap_or_default());
            match child.tag_name().name() {
                "EnumType" => schema.enums.push(self.enum_type(child, name)?),
                "EntityType" | "ComplexType" => schema.types.push(self.structured(child, name)?),
                "Function" | "Action" => schema.operations.push(self.operation(child)?),
                "Term" => schema.terms.push(name),
                "EntityContainer" => schema.container = Some(self.container(child)?),
                "Annotations" | "Annotation" => {}
                other => bail!("element {other} is not known"),
            }
        }
        Ok(schema)
    }

    fn enum_type(&self, node: Node<'_, '_>, name: String) -> Result<EnumType> {
        let mut members = Vec::new();
        for member in elements(node).filter(|child| child.has_tag_name((EDM, "Member"))) {
            let value = match member.attribute("Value") {
                Some(value) => value.parse()?,
                None => members.len() as i64,
            };
            members.push((attribute(member, "Name")?.to_owned(), value));
        }
        Ok(EnumType { name, members, annotations: self.annotations(node)? })
    }

    fn structured(&self, node: Node<'_, '_>, name: String) -> Result<StructuredType> {
        let mut ty = StructuredType {
            name,
            is_entity: node.tag_name().name() == "EntityType",
            base: node.attribute("BaseType").map(|base| self.qualify(base)),
            is_abstract: flag(node, "Abstract", false),
            is_open: flag(node, "OpenType", false),
            key: Vec::new(),
            properties: Vec::new(),
            annotations: self.annotations(node)?,
        };
        for child in elements(node) {
            match child.tag_name().name() {
                "Key" => {
                    for reference in elements(child) {
                        ty.key.push(attribute(reference, "Name")?.to_owned());
                    }
                }
                "Property" => ty.properties.push(self.property(child, false)?),
                "NavigationProperty" => ty.properties.push(self.property(child, true)?),
                "Annotation" => {}
                other => bail!("element {other} in {} is not known", ty.name),
            }
        }
        Ok(ty)
    }

    fn property(&self, node: Node<'_, '_>, is_navigation: bool) -> Result<Property> {
        Ok(Property {
            name: attribute(node, "Name")?.to_owned(),
            ty: self.type_ref(attribute(node, "Type")?),
            is_nullable: flag(node, "Nullable", true),
            is_navigation,
            contains_target: flag(node, "ContainsTarget", false),
            default: node.attribute("DefaultValue").map(str::to_owned),
            annotations: self.annotations(node)?,
        })
    }

    fn operation(&self, node: Node<'_, '_>) -> Result<Operation> {
        let mut operation = Operation {
            name: attribute(node, "Name")?.to_owned(),
            is_action: node.tag_name().name() == "Action",
            is_bound: flag(node, "IsBound", false),
            is_composable: flag(node, "IsComposable", false),
            entity_set_path: node.attribute("EntitySetPath").map(str::to_owned),
            parameters: Vec::new(),
            returns: None,
        };
        for child in elements(node) {
            match child.tag_name().name() {
                "Parameter" => operation.parameters.push(self.parameter(child)?),
                "ReturnType" => operation.returns = Some(self.parameter(child)?),
                "Annotation" => {}
                other => bail!("element {other} in {} is not known", operation.name),
            }
        }
        Ok(operation)
    }

    fn parameter(&self, node: Node<'_, '_>) -> Result<Parameter> {
        Ok(Parameter {
            name: node.attribute("Name").unwrap_or_default().to_owned(),
            ty: self.type_ref(attribute(node, "Type")?),
            is_nullable: flag(node, "Nullable", true),
            is_optional: self.annotations(node)?.has(OPTIONAL),
        })
    }

    fn container(&self, node: Node<'_, '_>) -> Result<Container> {
        let roots = |element: &str, ty: &str| -> Result<Vec<(String, String)>> {
            let of_kind = |child: &Node<'_, '_>| child.has_tag_name((EDM, element));
            let root = |child| {
                let name = attribute(child, "Name")?.to_owned();
                Ok((name, self.qualify(attribute(child, ty)?)))
            };
            elements(node).filter(of_kind).map(root).collect()
        };
        Ok(Container {
            name: attribute(node, "Name")?.to_owned(),
            entity_sets: roots("EntitySet", "EntityType")?,
            singletons: roots("Singleton", "Type")?,
        })
    }

    fn annotations(&self, node: Node<'_, '_>) -> Result<Annotations> {
        let mut annotations = Vec::new();
        for child in elements(node).filter(|child| child.has_tag_name((EDM, "Annotation"))) {
            let term = self.qualify(attribute(child, "Term")?);
            annotations.push((term, annotation(child)));
        }
        Ok(Annotations(annotations))
    }

    fn type_ref(&self, text: &str) -> TypeRef {
        match text.strip_prefix("Collection(").and_then(|rest| rest.strip_suffix(')')) {
            Some(item) => TypeRef { name: self.qualify(item), is_collection: true },
            None => TypeRef { name: self.qualify(text), is_collection: false },
        }
    }

    /// The name with its namespace in place of an alias.
    fn qualify(&self, name: &str) -> String {
        match name.rsplit_once('.') {
            Some((qualifier, last)) => match self.aliases.get(qualifier) {
                Some(namespace) => format!("{namespace}.{last}"),
                None => name.to_owned(),
            },
            None => name.to_owned(),
        }
    }
}

fn annotation(node: Node<'_, '_>) -> Annotation {
    if let Some(text) = node.attribute("String") {
        return Annotation::Text(text.to_owned());
    }
    let texts = |tag: &str| -> Vec<Node<'_, '_>> {
        node.descendants().filter(|child| child.has_tag_name((EDM, tag))).collect()
    };
    let paths = texts("PropertyPath");
    if !paths.is_empty() {
        let path = |node: &Node<'_, '_>| node.text().unwrap_or_default().trim().to_owned();
        return Annotation::Paths(paths.iter().map(path).collect());
    }
    match texts("Record").first() {
        Some(record) => Annotation::Record(elements(*record).filter_map(property_value).collect()),
        None => Annotation::Tag,
    }
}

fn property_value(node: Node<'_, '_>) -> Option<(String, String)> {
    let name = node.attribute("Property")?;
    let value = node.attributes().find(|attribute| attribute.name() != "Property")?;
    Some((name.to_owned(), value.value().to_owned()))
}

fn elements<'a, 'input>(node: Node<'a, 'input>) -> impl Iterator<Item = Node<'a, 'input>> {
    node.children().filter(Node::is_element)
}

fn attribute<'a>(node: Node<'a, '_>, name: &str) -> Result<&'a str> {
    node.attribute(name).with_context(|| format!("{} without {name}", node.tag_name().name()))
}

fn flag(node: Node<'_, '_>, name: &str, default: bool) -> bool {
    node.attribute(name).map_or(default, |value| value == "true")
}
