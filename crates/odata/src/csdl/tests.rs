//! A small model in both formats, to the letter.

use super::*;
use crate::ODataVersion;
use crate::edm::{EnumType, Kind, Operation, Parameter, Primitive, Schema};

const PLAIN: Property = Property {
    name: "",
    ty: Type::Primitive(Primitive::String),
    is_collection: false,
    is_nullable: true,
    is_navigation: false,
    is_inherited: false,
    default: None,
    column: None,
    unit: None,
    is_personal: false,
    is_searchable: false,
    deprecated: None,
    description: "",
    is_served: true,
};

static COLOUR: EnumType =
    EnumType { name: "shop.colour", members: &[("unknown", 0), ("red", 3)], is_served: true };
static HIDDEN: EnumType =
    EnumType { name: "shop.hidden", members: &[("secret", 0)], is_served: false };

static THING: StructuredType = StructuredType {
    name: "shop.thing",
    kind: Kind::Entity,
    base: None,
    derived: &[&LAMP],
    is_abstract: true,
    is_open: false,
    properties: &[Property { name: "id", is_nullable: false, ..PLAIN }],
    dynamic: &[],
    description: "Sold \"here\" & <there>.",
    is_served: true,
};

static LAMP: StructuredType = StructuredType {
    name: "shop.lamp",
    kind: Kind::Entity,
    base: Some(&THING),
    derived: &[],
    is_abstract: false,
    is_open: true,
    properties: &[
        Property { name: "id", is_nullable: false, is_inherited: true, ..PLAIN },
        Property {
            name: "colour",
            ty: Type::Enum(&COLOUR),
            is_nullable: false,
            default: Some("unknown"),
            ..PLAIN
        },
        Property {
            name: "price",
            ty: Type::Primitive(Primitive::Decimal),
            unit: Some("EUR"),
            ..PLAIN
        },
        Property {
            name: "buyer",
            is_personal: true,
            deprecated: Some("Use buyers."),
            description: "Who bought it.",
            ..PLAIN
        },
        Property {
            name: "sold",
            ty: Type::Primitive(Primitive::DateTimeOffset),
            is_nullable: false,
            ..PLAIN
        },
        Property { name: "mark", ty: Type::Undeclared("shop.mark"), is_served: false, ..PLAIN },
        Property {
            name: "parts",
            ty: Type::Structured(&THING),
            is_collection: true,
            is_navigation: true,
            ..PLAIN
        },
    ],
    dynamic: &[Property { name: "smell", ..PLAIN }],
    description: "",
    is_served: true,
};

static SHOP: Model = Model {
    schemas: &[Schema {
        namespace: "shop",
        alias: Some("s"),
        enums: &[&COLOUR, &HIDDEN],
        types: &[&THING, &LAMP],
        operations: &[Operation {
            name: "brighter",
            is_action: false,
            parameters: &[
                Parameter {
                    name: "lamp",
                    ty: Type::Structured(&LAMP),
                    is_collection: false,
                    is_nullable: false,
                    is_optional: false,
                },
                Parameter {
                    name: "by",
                    ty: Type::Primitive(Primitive::Int32),
                    is_collection: false,
                    is_nullable: false,
                    is_optional: true,
                },
            ],
            is_bound: true,
            is_composable: true,
            entity_set_path: Some("lamp/parts"),
            returns: Some(Parameter {
                name: "",
                ty: Type::Structured(&THING),
                is_collection: true,
                is_nullable: true,
                is_optional: false,
            }),
            is_served: true,
        }],
        container: Some(Container {
            name: "Service",
            entity_sets: &[("lamps", &LAMP)],
            singletons: &[("best", &LAMP)],
        }),
    }],
};

#[test]
fn xml_of_a_small_model() {
    assert_eq!(xml(&SHOP, &[], ODataVersion::V4), include_str!("shop.csdl.xml"));
}

#[test]
fn json_of_a_small_model() {
    let expected: String = include_str!("shop.csdl.json").lines().map(str::trim_start).collect();
    assert_eq!(json(&SHOP, &[]), expected);
}

#[test]
fn the_service_document_lists_what_the_root_has() {
    let expected = r#"{"@odata.context":"https://example.test/v1.0/$metadata","value":[{"name":"lamps","kind":"EntitySet","url":"lamps"},{"name":"best","kind":"Singleton","url":"best"}]}"#;
    assert_eq!(service_document(&SHOP, "https://example.test/v1.0"), expected);
}

static ABILITIES: [Annotations; 1] = [Annotations {
    target: "shop.Service/best",
    terms: &[
        ("Capabilities.SkipSupported", Expression::Bool(false)),
        (
            "Capabilities.SortRestrictions",
            Expression::Record(&[
                ("Sortable", Expression::Bool(true)),
                (
                    "NonSortableProperties",
                    Expression::Collection(&[Expression::PropertyPath("price")]),
                ),
            ]),
        ),
    ],
}];

#[test]
fn annotations_stand_behind_the_container_with_their_vocabulary() {
    let text = xml(&SHOP, &ABILITIES, ODataVersion::V401);
    assert!(text.contains("<edmx:Include Namespace=\"Org.OData.Capabilities.V1\""), "{text}");
    assert!(!text.contains("Aggregation"), "{text}");
    assert!(text.contains("<edmx:Edmx Version=\"4.01\""), "{text}");
    let expected: String = r#"<Annotations Target="shop.Service/best">
        <Annotation Term="Capabilities.SkipSupported" Bool="false" />
        <Annotation Term="Capabilities.SortRestrictions">
          <Record>
            <PropertyValue Property="Sortable" Bool="true" />
            <PropertyValue Property="NonSortableProperties">
              <Collection>
                <PropertyPath>price</PropertyPath>
              </Collection>
            </PropertyValue>
          </Record>
        </Annotation>
      </Annotations>"#
        .lines()
        .map(str::trim_start)
        .collect();
    let flat: String = text.lines().map(str::trim_start).collect();
    assert!(flat.contains(&expected), "{text}");
    let text = json(&SHOP, &ABILITIES);
    let expected = r#""$Annotations":{"shop.Service/best":{"@Capabilities.SkipSupported":false,"@Capabilities.SortRestrictions":{"Sortable":true,"NonSortableProperties":["price"]}}}"#;
    assert!(text.contains(expected), "{text}");
}
