//! The vocabulary as static tables, made from `schema/*.csdl.xml` by `cargo xtask codegen`.
//!
//! A type that v1.0 and beta share has one table, so both models hold the same address. The log
//! rows differ; theirs are in [`v1_0`] and [`beta`].

use odata::edm::{Primitive, Property, Type};

pub mod beta;
pub mod common;
pub mod v1_0;

pub use beta::BETA;
pub use common::*;
pub use v1_0::V1_0;

/// What most properties are like; the tables name only what differs.
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

#[cfg(test)]
mod tests {
    use std::ptr;

    use odata::ODataVersion;
    use odata::edm::{Model, StructuredType};

    use super::*;

    fn names(ty: &StructuredType) -> Vec<&'static str> {
        ty.properties.iter().map(|property| property.name).collect()
    }

    #[test]
    fn a_call_record_has_its_members_in_the_order_of_answers() {
        let expected = "id version type modalities lastModifiedDateTime startDateTime endDateTime \
                        joinWebUrl organizer participants organizer_v2 sessions participants_v2";
        assert_eq!(names(&CALL_RECORD).join(" "), expected);
        assert!(CALL_RECORD.is_a(&ENTITY));
        assert!(CALL_RECORD.properties[0].is_inherited);
    }

    #[test]
    fn printing_a_type_does_not_go_round_in_circles() {
        assert_eq!(format!("{SESSION:?}"), "microsoft.graph.callRecords.session");
        assert!(format!("{V1_0:?}").contains("microsoft.graph.callRecords.callRecord"));
    }

    #[test]
    fn inherited_members_stand_where_answers_have_them() {
        let expected = "name cpuName cpuCoresCount cpuProcessorSpeedInMhz userAgent identity \
                        associatedIdentity feedback";
        assert_eq!(names(&PARTICIPANT_ENDPOINT).join(" "), expected);
        assert!(PARTICIPANT_ENDPOINT.is_a(&ENDPOINT));
        let found = ENDPOINT.find_derived("microsoft.graph.callRecords.participantEndpoint");
        assert!(found.is_some_and(|ty| ptr::eq(ty, &raw const PARTICIPANT_ENDPOINT)));
    }

    #[test]
    fn both_versions_share_the_table_of_a_session() {
        let name = "microsoft.graph.callRecords.session";
        for model in [&V1_0, &BETA] {
            assert!(model.find_type(name).is_some_and(|ty| ptr::eq(ty, &raw const SESSION)));
        }
    }

    #[test]
    fn log_rows_are_flat_in_one_version_and_derived_in_the_other() {
        assert!(v1_0::PSTN_CALL_LOG_ROW.base.is_none());
        assert!(beta::PSTN_CALL_LOG_ROW.is_a(&beta::CALL_LOG_ROW));
        assert!(beta::PSTN_CALL_LOG_ROW.property("otherPartyCountryCode").is_some());
        assert!(v1_0::PSTN_CALL_LOG_ROW.property("otherPartyCountryCode").is_none());
    }

    #[test]
    fn an_identity_set_knows_members_that_it_does_not_declare() {
        assert!(IDENTITY_SET.property("acsUser").is_none());
        assert!(IDENTITY_SET.member("acsUser").is_some_and(|member| member.is_personal));
        assert!(IDENTITY_SET.member("phone").is_some());
        let phone = COMMUNICATIONS_IDENTITY_SET.property("phone");
        assert!(phone.is_some(), "declared here, so not dynamic");
        assert!(!COMMUNICATIONS_IDENTITY_SET.dynamic.iter().any(|member| member.name == "phone"));
    }

    #[test]
    fn each_default_is_a_member_of_its_enumeration() {
        for ty in V1_0.schemas.iter().chain(BETA.schemas).flat_map(|schema| schema.types) {
            for property in ty.properties {
                let (Some(default), Type::Enum(values)) = (property.default, property.ty) else {
                    assert!(property.default.is_none(), "{}.{}", ty.name, property.name);
                    continue;
                };
                assert!(values.is_settled(default), "{}.{}", ty.name, property.name);
            }
        }
    }

    #[test]
    fn every_non_nullable_enumeration_with_a_neutral_member_has_a_default() {
        for ty in BETA.schemas.iter().flat_map(|schema| schema.types).filter(|ty| ty.is_served) {
            for property in ty.properties {
                let Type::Enum(values) = property.ty else { continue };
                let is_single = !property.is_nullable && !property.is_collection;
                let has_neutral = values.is_settled("unknown") || values.is_settled("notRated");
                let name = property.name;
                assert_eq!(is_single && has_neutral, property.default.is_some(), "{name}");
            }
        }
    }

    /// Names of served types that a type, property or parameter of the model refers to.
    fn references(model: &'static Model) -> Vec<(&'static str, bool)> {
        let mut found = Vec::new();
        let mut refer = |ty: Type| match ty {
            Type::Primitive(_) => {}
            Type::Enum(ty) => found.push((ty.name, ty.is_served)),
            Type::Structured(ty) => found.push((ty.name, ty.is_served)),
            Type::Undeclared(name) => found.push((name, false)),
        };
        for schema in model.schemas {
            for ty in schema.types.iter().filter(|ty| ty.is_served) {
                ty.base.iter().for_each(|base| refer(Type::Structured(base)));
                let served = ty.properties.iter().filter(|property| property.is_served);
                served.for_each(|property| refer(property.ty));
            }
            for operation in schema.operations.iter().filter(|operation| operation.is_served) {
                let ends = operation.parameters.iter().chain(&operation.returns);
                ends.for_each(|parameter| refer(parameter.ty));
            }
            let roots = schema
                .container
                .iter()
                .flat_map(|container| container.entity_sets.iter().chain(container.singletons));
            roots.for_each(|(_, ty)| refer(Type::Structured(ty)));
        }
        found
    }

    #[test]
    fn whatever_is_printed_refers_only_to_what_is_printed() {
        for model in [&V1_0, &BETA] {
            let text = odata::csdl::xml(model, &[], ODataVersion::V4);
            let found = references(model);
            assert!(found.len() > 80, "only {} references", found.len());
            for (name, is_served) in found {
                assert!(is_served, "{name} is referred to but not served");
                let (namespace, short) = name.rsplit_once('.').expect("a qualified name");
                let after = text.split(&format!("<Schema Namespace=\"{namespace}\"")).nth(1);
                let body = after.and_then(|rest| rest.split("</Schema>").next());
                let is_printed = body.is_some_and(|body| {
                    ["EnumType", "ComplexType", "EntityType"]
                        .iter()
                        .any(|tag| body.contains(&format!("<{tag} Name=\"{short}\"")))
                });
                assert!(is_printed, "{name} is not printed");
            }
        }
    }

    #[test]
    fn what_is_known_only_inside_is_not_printed() {
        for text in [odata::csdl::xml(&V1_0, &[], ODataVersion::V4), odata::csdl::json(&V1_0, &[])]
        {
            for name in ["acsUser", "onlineMeetings", "changeNotification", "callvault.Column"] {
                assert!(!text.contains(name), "{name}");
            }
        }
    }
}
