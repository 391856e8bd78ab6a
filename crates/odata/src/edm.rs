//! The Entity Data Model as static tables (OData CSDL 4.01).
//!
//! The tables of a service are generated from its CSDL and committed; nothing here is built at run
//! time, so every reference is `'static` and a type is compared by its address.

use std::fmt;

/// A service's whole vocabulary for one of its versions.
#[derive(Debug)]
pub struct Model {
    /// Schemas in the order in which `$metadata` prints them.
    pub schemas: &'static [Schema],
}

/// One namespace (CSDL section 5).
#[derive(Debug)]
pub struct Schema {
    /// For example `microsoft.graph.callRecords`.
    pub namespace: &'static str,
    /// Short name for the namespace, if it has one.
    pub alias: Option<&'static str>,
    /// Enumerations, in printing order.
    pub enums: &'static [&'static EnumType],
    /// Entity and complex types, in printing order.
    pub types: &'static [&'static StructuredType],
    /// Functions and actions.
    pub operations: &'static [Operation],
    /// The entity container, in the one schema that has it.
    pub container: Option<Container>,
}

/// An entity or complex type with everything it inherits.
pub struct StructuredType {
    /// Namespace-qualified name.
    pub name: &'static str,
    /// Entity (has a key) or complex.
    pub kind: Kind,
    /// Direct base type.
    pub base: Option<&'static StructuredType>,
    /// All types that derive from this one, at any distance.
    pub derived: &'static [&'static StructuredType],
    /// No instance has exactly this type.
    pub is_abstract: bool,
    /// Instances may carry members that are not declared.
    pub is_open: bool,
    /// Declared properties including inherited ones, in the order in which an answer prints them.
    pub properties: &'static [Property],
    /// Members that instances of an open type are known to carry though they are not declared:
    /// typed and queryable, but never printed in `$metadata`.
    pub dynamic: &'static [Property],
    /// Meaning, for documentation.
    pub description: &'static str,
    /// Printed in `$metadata` (false for what the vocabulary declares but the service lacks).
    pub is_served: bool,
}

/// Entity or complex type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Has a key, can be the target of a navigation property.
    Entity,
    /// Has no identity of its own.
    Complex,
}

/// A structural or navigation property.
pub struct Property {
    /// Name on the wire.
    pub name: &'static str,
    /// Type of the value, or of each item.
    pub ty: Type,
    /// A collection of `ty`.
    pub is_collection: bool,
    /// May be null (for a collection: whether the items may be null; see CSDL section 7.2.1).
    pub is_nullable: bool,
    /// Relation to another entity rather than a value.
    pub is_navigation: bool,
    /// Comes from the base type.
    pub is_inherited: bool,
    /// Text of the value that stands in when an instance lacks it (non-nullable enumerations).
    pub default: Option<&'static str>,
    /// Snake-case column in which the store keeps the value for queries, if it does.
    pub column: Option<&'static str>,
    /// Unit of measure (`Org.OData.Measures.V1.Unit`).
    pub unit: Option<&'static str>,
    /// May identify a person (`Org.OData.PersonalData.V1.IsPotentiallyPersonal`).
    pub is_personal: bool,
    /// `$search` looks at the words of the value.
    pub is_searchable: bool,
    /// Deprecated since (`Org.OData.Core.V1.Revisions`), free text.
    pub deprecated: Option<&'static str>,
    /// Meaning, for documentation.
    pub description: &'static str,
    /// Printed in `$metadata`.
    pub is_served: bool,
}

/// The type of a value.
#[derive(Debug, Clone, Copy)]
pub enum Type {
    /// A built-in type.
    Primitive(Primitive),
    /// An enumeration.
    Enum(&'static EnumType),
    /// An entity or complex type.
    Structured(&'static StructuredType),
    /// A type that the vocabulary names and this service does not declare.
    Undeclared(&'static str),
}

/// Built-in types (CSDL section 3.3) that this project meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the standard's")]
pub enum Primitive {
    Boolean,
    Int32,
    Int64,
    Single,
    Double,
    Decimal,
    String,
    Guid,
    Date,
    TimeOfDay,
    DateTimeOffset,
    Duration,
    Stream,
}

impl Primitive {
    /// The name with its namespace, for example `Edm.Int32`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Boolean => "Edm.Boolean",
            Self::Int32 => "Edm.Int32",
            Self::Int64 => "Edm.Int64",
            Self::Single => "Edm.Single",
            Self::Double => "Edm.Double",
            Self::Decimal => "Edm.Decimal",
            Self::String => "Edm.String",
            Self::Guid => "Edm.Guid",
            Self::Date => "Edm.Date",
            Self::TimeOfDay => "Edm.TimeOfDay",
            Self::DateTimeOffset => "Edm.DateTimeOffset",
            Self::Duration => "Edm.Duration",
            Self::Stream => "Edm.Stream",
        }
    }
}

/// Members of an enumeration that a message tells.
const LISTED_MEMBERS: usize = 12;

/// An enumeration; a member's value is not always its position.
pub struct EnumType {
    /// Namespace-qualified name.
    pub name: &'static str,
    /// Members with their values, in declared order.
    pub members: &'static [(&'static str, i64)],
    /// Printed in `$metadata`.
    pub is_served: bool,
}

impl EnumType {
    /// The member behind which later additions stand (Graph's evolvable enumerations).
    pub const SENTINEL: &'static str = "unknownFutureValue";

    /// Whether new members may come at any time.
    pub fn is_evolvable(&self) -> bool {
        self.members.iter().any(|(name, _)| *name == Self::SENTINEL)
    }

    /// Its members as a message tells them: the first of them, and how many more there are.
    pub fn listed(&self) -> String {
        let first: Vec<&str> =
            self.members.iter().take(LISTED_MEMBERS).map(|(name, _)| *name).collect();
        let first = first.join(", ");
        match self.members.len().saturating_sub(LISTED_MEMBERS) {
            0 => first,
            more => format!("{first} and {more} more, see $metadata"),
        }
    }

    /// Whether `name` is declared and stands before the sentinel (or there is none).
    pub fn is_settled(&self, name: &str) -> bool {
        let mut settled = true;
        for (member, _) in self.members {
            if *member == name {
                return settled;
            }
            if *member == Self::SENTINEL {
                settled = false;
            }
        }
        false
    }
}

/// A function or action (CSDL section 12).
#[derive(Debug)]
pub struct Operation {
    /// Unqualified name.
    pub name: &'static str,
    /// Changes something (action) or only answers (function).
    pub is_action: bool,
    /// Parameters; the first is the binding parameter when `is_bound`.
    pub parameters: &'static [Parameter],
    /// Bound to its first parameter.
    pub is_bound: bool,
    /// May be followed by further path segments and query options.
    pub is_composable: bool,
    /// Where the result's entities live, relative to the binding parameter (`EntitySetPath`).
    pub entity_set_path: Option<&'static str>,
    /// What it answers.
    pub returns: Option<Parameter>,
    /// Printed in `$metadata`.
    pub is_served: bool,
}

/// A parameter or the return type of an [`Operation`].
#[derive(Debug)]
pub struct Parameter {
    /// Name (empty for a return type).
    pub name: &'static str,
    /// Type of the value, or of each item.
    pub ty: Type,
    /// A collection of `ty`.
    pub is_collection: bool,
    /// May be null.
    pub is_nullable: bool,
    /// May be left out (`Org.OData.Core.V1.OptionalParameter`).
    pub is_optional: bool,
}

/// What can be reached from the service root (CSDL section 13).
#[derive(Debug)]
pub struct Container {
    /// Unqualified name.
    pub name: &'static str,
    /// Entity sets with the types of their entities.
    pub entity_sets: &'static [(&'static str, &'static StructuredType)],
    /// Singletons with their types.
    pub singletons: &'static [(&'static str, &'static StructuredType)],
}

impl PartialEq for Type {
    /// Tables are the same when they stand at the same address.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Primitive(a), Self::Primitive(b)) => a == b,
            (Self::Enum(a), Self::Enum(b)) => std::ptr::eq(*a, *b),
            (Self::Structured(a), Self::Structured(b)) => std::ptr::eq(*a, *b),
            (Self::Undeclared(a), Self::Undeclared(b)) => a == b,
            _ => false,
        }
    }
}

impl fmt::Debug for StructuredType {
    /// Its name: types refer to each other in circles, which printing must not follow.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl fmt::Debug for Property {
    /// Its name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Two are the same if their names are: each stands once in the tables.
impl PartialEq for EnumType {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for EnumType {}

impl fmt::Debug for EnumType {
    /// Its name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl StructuredType {
    /// The declared property of that name.
    pub fn property(&self, name: &str) -> Option<&'static Property> {
        self.properties.iter().find(|property| property.name == name)
    }

    /// The declared or known dynamic property of that name.
    pub fn member(&self, name: &str) -> Option<&'static Property> {
        self.property(name).or_else(|| self.dynamic.iter().find(|property| property.name == name))
    }

    /// Whether this is `other` or derives from it.
    pub fn is_a(&self, other: &StructuredType) -> bool {
        let mut at = Some(self);
        while let Some(ty) = at {
            if std::ptr::eq(ty, other) {
                return true;
            }
            at = ty.base;
        }
        false
    }

    /// This type or the one that derives from it with that qualified name.
    pub fn find_derived(&'static self, name: &str) -> Option<&'static StructuredType> {
        if self.name == name {
            return Some(self);
        }
        self.derived.iter().copied().find(|ty| ty.name == name)
    }
}

impl Model {
    /// The structured type with that qualified name.
    pub fn find_type(&self, name: &str) -> Option<&'static StructuredType> {
        self.schemas
            .iter()
            .flat_map(|schema| schema.types.iter().copied())
            .find(|ty| ty.name == name)
    }
}
