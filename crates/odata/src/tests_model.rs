//! A small model for tests, of the shape of a call record.

use crate::edm::{
    Container, EnumType, Kind, Model, Operation, Parameter, Primitive, Property, Schema,
    StructuredType, Type,
};

const fn property(name: &'static str, ty: Type) -> Property {
    Property {
        name,
        ty,
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
    }
}

const fn required(name: &'static str, ty: Type) -> Property {
    Property { is_nullable: false, ..property(name, ty) }
}

const fn many(name: &'static str, ty: Type) -> Property {
    Property { is_collection: true, ..property(name, ty) }
}

const fn to_one(name: &'static str, ty: &'static StructuredType) -> Property {
    Property { is_navigation: true, ..property(name, Type::Structured(ty)) }
}

const fn to_many(name: &'static str, ty: &'static StructuredType) -> Property {
    Property { is_collection: true, ..to_one(name, ty) }
}

const fn structured(
    name: &'static str,
    kind: Kind,
    properties: &'static [Property],
) -> StructuredType {
    StructuredType {
        name,
        kind,
        base: None,
        derived: &[],
        is_abstract: false,
        is_open: false,
        properties,
        dynamic: &[],
        description: "",
        is_served: true,
    }
}

const STRING: Type = Type::Primitive(Primitive::String);
const INSTANT: Type = Type::Primitive(Primitive::DateTimeOffset);
const ID: Property = required("id", STRING);

static CALL_TYPE: EnumType = EnumType {
    name: "microsoft.graph.callRecords.callType",
    members: &[("unknown", 0), ("groupCall", 1), ("peerToPeer", 2), ("unknownFutureValue", 3)],
    is_served: true,
};

static IDENTITY: StructuredType = StructuredType {
    is_open: true,
    dynamic: &[property("tenantId", STRING)],
    ..structured(
        "microsoft.graph.identity",
        Kind::Complex,
        &[property("id", STRING), property("displayName", STRING)],
    )
};

static ENDPOINT: StructuredType = StructuredType {
    derived: &[&PARTICIPANT_ENDPOINT],
    ..structured(
        "microsoft.graph.callRecords.endpoint",
        Kind::Complex,
        &[property("userAgent", STRING)],
    )
};

static PARTICIPANT_ENDPOINT: StructuredType = StructuredType {
    base: Some(&ENDPOINT),
    ..structured(
        "microsoft.graph.callRecords.participantEndpoint",
        Kind::Complex,
        &[
            Property { is_inherited: true, ..property("userAgent", STRING) },
            property("name", STRING),
            property("identity", Type::Structured(&IDENTITY)),
        ],
    )
};

static PARTICIPANT: StructuredType = structured(
    "microsoft.graph.callRecords.participant",
    Kind::Entity,
    &[ID, property("identity", Type::Structured(&IDENTITY))],
);

static SEGMENT: StructuredType = structured(
    "microsoft.graph.callRecords.segment",
    Kind::Entity,
    &[ID, property("startDateTime", INSTANT), property("caller", Type::Structured(&ENDPOINT))],
);

static SESSION: StructuredType = structured(
    "microsoft.graph.callRecords.session",
    Kind::Entity,
    &[
        ID,
        property("startDateTime", INSTANT),
        property("isTest", Type::Primitive(Primitive::Boolean)),
        property("caller", Type::Structured(&ENDPOINT)),
        to_many("segments", &SEGMENT),
    ],
);

static CALL_RECORD: StructuredType = structured(
    "microsoft.graph.callRecords.callRecord",
    Kind::Entity,
    &[
        ID,
        required("version", Type::Primitive(Primitive::Int64)),
        required("type", Type::Enum(&CALL_TYPE)),
        many("modalities", STRING),
        required("startDateTime", INSTANT),
        required("endDateTime", INSTANT),
        property("joinWebUrl", STRING),
        property("duration", Type::Primitive(Primitive::Duration)),
        property("organizer", Type::Structured(&IDENTITY)),
        to_one("organizer_v2", &PARTICIPANT),
        to_many("participants_v2", &PARTICIPANT),
        to_many("sessions", &SESSION),
    ],
);

static LOG_ROW: StructuredType =
    structured("microsoft.graph.callRecords.pstnCallLogRow", Kind::Complex, &[ID]);

static COMMUNICATIONS: StructuredType = structured(
    "microsoft.graph.cloudCommunications",
    Kind::Entity,
    &[
        ID,
        to_many("callRecords", &CALL_RECORD),
        Property { is_served: false, ..many("calls", Type::Undeclared("microsoft.graph.call")) },
    ],
);

const fn parameter(name: &'static str, ty: Type) -> Parameter {
    Parameter { name, ty, is_collection: false, is_nullable: false, is_optional: false }
}

const RECORD: Parameter = parameter("bindingParameter", Type::Structured(&CALL_RECORD));
const RECORDS: Parameter = Parameter { is_collection: true, ..RECORD };

const fn function(
    name: &'static str,
    parameters: &'static [Parameter],
    returns: Parameter,
) -> Operation {
    Operation {
        name,
        is_action: false,
        parameters,
        is_bound: true,
        is_composable: false,
        entity_set_path: None,
        returns: Some(returns),
        is_served: true,
    }
}

/// The model.
pub(crate) static MODEL: Model = Model {
    schemas: &[
        Schema {
            namespace: "microsoft.graph",
            alias: Some("graph"),
            enums: &[],
            types: &[&COMMUNICATIONS, &IDENTITY],
            operations: &[],
            container: Some(Container {
                name: "GraphService",
                entity_sets: &[],
                singletons: &[("communications", &COMMUNICATIONS)],
            }),
        },
        Schema {
            namespace: "microsoft.graph.callRecords",
            alias: None,
            enums: &[&CALL_TYPE],
            types: &[
                &CALL_RECORD,
                &SESSION,
                &SEGMENT,
                &PARTICIPANT,
                &ENDPOINT,
                &PARTICIPANT_ENDPOINT,
                &LOG_ROW,
            ],
            operations: &[function(
                "getPstnCalls",
                &[RECORDS, parameter("fromDateTime", INSTANT), parameter("toDateTime", INSTANT)],
                Parameter { is_collection: true, ..parameter("", Type::Structured(&LOG_ROW)) },
            )],
            container: None,
        },
        Schema {
            namespace: "callvault",
            alias: None,
            enums: &[],
            types: &[],
            operations: &[
                Operation {
                    entity_set_path: Some("bindingParameter"),
                    ..function("versions", &[RECORD], RECORDS)
                },
                Operation {
                    entity_set_path: Some("bindingParameter"),
                    is_composable: true,
                    ..function(
                        "version",
                        &[RECORD, parameter("version", Type::Primitive(Primitive::Int64))],
                        RECORD,
                    )
                },
                Operation {
                    is_action: true,
                    returns: None,
                    ..function("import", &[RECORDS], RECORDS)
                },
            ],
            container: None,
        },
    ],
};
