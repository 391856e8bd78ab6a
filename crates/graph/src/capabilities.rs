//! What `$metadata` says of the abilities of the service (vocabularies `Org.OData.Capabilities.V1`
//! and `Org.OData.Aggregation.V1`). Each statement is tried by a test against a served store.

use odata::csdl::{Annotations, Expression};

use Expression::{Bool, Collection, EnumMember, NavigationPropertyPath, Record, String};

/// A collection inside a record: asked for in every way, changed only with its record.
macro_rules! inside {
    ($path:literal) => {
        Record(&[
            ("NavigationProperty", NavigationPropertyPath($path)),
            ("FilterRestrictions", Record(&[("Filterable", Bool(true))])),
            ("SearchRestrictions", Record(&[("Searchable", Bool(true))])),
            ("SortRestrictions", Record(&[("Sortable", Bool(true))])),
            ("TopSupported", Bool(true)),
            ("SkipSupported", Bool(true)),
            ("SelectSupport", SELECT),
            ("IndexableByKey", Bool(true)),
            ("InsertRestrictions", Record(&[("Insertable", Bool(false))])),
            ("UpdateRestrictions", Record(&[("Updatable", Bool(false))])),
            ("DeleteRestrictions", Record(&[("Deletable", Bool(false))])),
        ])
    };
}

/// In the order of printing.
pub(crate) static ABILITIES: [Annotations; 2] = [
    Annotations {
        target: "microsoft.graph.GraphService",
        terms: &[
            ("Core.ODataVersions", String("4.0 4.01")),
            (
                "Capabilities.ConformanceLevel",
                EnumMember("Capabilities.ConformanceLevelType/Intermediate"),
            ),
            ("Capabilities.SupportedFormats", Collection(&[String("application/json")])),
            (
                "Capabilities.SupportedMetadataFormats",
                Collection(&[String("application/xml"), String("application/json")]),
            ),
            ("Capabilities.AsynchronousRequestsSupported", Bool(false)),
            ("Capabilities.BatchSupported", Bool(true)),
            (
                "Capabilities.BatchSupport",
                Record(&[
                    ("Supported", Bool(true)),
                    ("ContinueOnErrorSupported", Bool(true)),
                    ("ReferencesInRequestBodiesSupported", Bool(false)),
                    ("ReferencesAcrossChangeSetsSupported", Bool(true)),
                    ("EtagReferencesSupported", Bool(false)),
                    (
                        "SupportedFormats",
                        Collection(&[String("application/json"), String("multipart/mixed")]),
                    ),
                ]),
            ),
            ("Capabilities.CrossJoinSupported", Bool(false)),
            ("Capabilities.KeyAsSegmentSupported", Bool(true)),
            ("Capabilities.QuerySegmentSupported", Record(&[("Supported", Bool(true))])),
            ("Capabilities.AnnotationValuesInQuerySupported", Bool(false)),
            ("Capabilities.FilterFunctions", Collection(FUNCTIONS)),
            (
                "Aggregation.ApplySupportedDefaults",
                Record(&[
                    ("Transformations", Collection(TRANSFORMATIONS)),
                    ("CustomAggregationMethods", Collection(METHODS)),
                    ("Rollup", EnumMember("Aggregation.RollupType/MultipleHierarchies")),
                    ("From", Bool(false)),
                ]),
            ),
        ],
    },
    Annotations {
        target: "microsoft.graph.GraphService/communications",
        terms: &[(
            "Capabilities.NavigationRestrictions",
            Record(&[
                ("Navigability", EnumMember("Capabilities.NavigationType/Recursive")),
                (
                    "RestrictedProperties",
                    Collection(&[
                        Record(&[
                            ("NavigationProperty", NavigationPropertyPath("callRecords")),
                            ("FilterRestrictions", Record(&[("Filterable", Bool(true))])),
                            ("SearchRestrictions", Record(&[("Searchable", Bool(true))])),
                            ("SortRestrictions", Record(&[("Sortable", Bool(true))])),
                            ("TopSupported", Bool(true)),
                            ("SkipSupported", Bool(true)),
                            ("SelectSupport", SELECT),
                            ("IndexableByKey", Bool(true)),
                            ("InsertRestrictions", Record(&[("Insertable", Bool(true))])),
                            (
                                "UpdateRestrictions",
                                Record(&[
                                    ("Updatable", Bool(true)),
                                    ("Upsertable", Bool(true)),
                                    ("UpdateMethod", EnumMember("Capabilities.HttpMethod/PUT")),
                                ]),
                            ),
                            ("DeleteRestrictions", Record(&[("Deletable", Bool(true))])),
                        ]),
                        inside!("callRecords/sessions"),
                        inside!("callRecords/sessions/segments"),
                        inside!("callRecords/participants_v2"),
                        Record(&[
                            (
                                "NavigationProperty",
                                NavigationPropertyPath("callRecords/organizer_v2"),
                            ),
                            ("UpdateRestrictions", Record(&[("Updatable", Bool(false))])),
                            ("DeleteRestrictions", Record(&[("Deletable", Bool(false))])),
                        ]),
                    ]),
                ),
            ]),
        )],
    },
];

const SELECT: Expression = Record(&[
    ("Supported", Bool(true)),
    ("InstanceAnnotationsSupported", Bool(false)),
    ("Expandable", Bool(false)),
    ("Filterable", Bool(true)),
    ("Searchable", Bool(true)),
    ("Sortable", Bool(true)),
    ("TopSupported", Bool(true)),
    ("SkipSupported", Bool(true)),
    ("ComputeSupported", Bool(true)),
    ("Countable", Bool(true)),
]);

/// Functions, canonical ones and ours, of `$filter`, `$orderby`, `$compute` and `$apply`.
const FUNCTIONS: &[Expression] = &[
    String("concat"),
    String("contains"),
    String("endswith"),
    String("indexof"),
    String("length"),
    String("startswith"),
    String("substring"),
    String("hassubset"),
    String("hassubsequence"),
    String("matchesPattern"),
    String("tolower"),
    String("toupper"),
    String("trim"),
    String("year"),
    String("month"),
    String("day"),
    String("hour"),
    String("minute"),
    String("second"),
    String("fractionalseconds"),
    String("date"),
    String("time"),
    String("totaloffsetminutes"),
    String("totalseconds"),
    String("now"),
    String("mindatetime"),
    String("maxdatetime"),
    String("ceiling"),
    String("floor"),
    String("round"),
    String("callvault.bucket"),
    String("callvault.ratio"),
    String("callvault.wilson"),
    String("cast"),
    String("isof"),
    String("isdefined"),
    String("case"),
];

/// Transformations of `$apply`.
const TRANSFORMATIONS: &[Expression] = &[
    String("filter"),
    String("search"),
    String("compute"),
    String("aggregate"),
    String("groupby"),
    String("join"),
    String("outerjoin"),
    String("topcount"),
    String("bottomcount"),
    String("topsum"),
    String("bottomsum"),
    String("toppercent"),
    String("bottompercent"),
    String("concat"),
    String("identity"),
    String("orderby"),
    String("skip"),
    String("top"),
];

/// Aggregation methods of our own; any whole per cent from 1 to 99 has one.
const METHODS: &[Expression] = &[
    String("callvault.median"),
    String("callvault.percentile75"),
    String("callvault.percentile90"),
    String("callvault.percentile95"),
    String("callvault.percentile99"),
];
