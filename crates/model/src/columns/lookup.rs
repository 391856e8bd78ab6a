//! Which column answers for a path: the planner's way from names of the schema to the tables.
//!
//! A column stands for a path only if it has the path's value exactly, for every record.

use std::ptr;
use std::sync::LazyLock;

use odata::bound::PathStep;
use odata::edm::{EnumType, Primitive, Property, StructuredType, Type};

use super::{CALL_QUALITY, ENDS, MEDIA_PARTS, Table, joined};
use crate::generated;
use crate::rows::QUALITY;

/// The column that has the value of a path.
#[derive(Debug, Clone, Copy)]
pub struct ColumnRef {
    /// Where it stands: the table of the item, or of something above it.
    pub table: Table,
    /// Its name.
    pub column: &'static str,
    /// Of the row of an end: the column in its place where the end is the callee.
    pub of_callee: Option<&'static str>,
    /// How to read it.
    pub kind: Kind,
    /// A column of the same table; unless that is 1, the path's value is null.
    pub only_if: Option<&'static str>,
}

/// What the values of a column are.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A whole number.
    Int,
    /// A floating point number, perhaps infinite; NaN is null.
    Real,
    /// 0 or 1.
    Bool,
    /// Ticks of 100 ns since 1970.
    Instant,
    /// Ticks of 100 ns.
    Duration,
    /// Text as it came.
    Text,
    /// The name of a member, perhaps one that is not declared.
    Enum(&'static EnumType),
    /// A collection of enumeration members: their names, sorted, with commas between.
    EnumSet(&'static EnumType),
    /// [`crate::key::key()`] of an id, good for equality only.
    IdKey,
}

/// The column for the path from an item of type `root`, if one has its value.
///
/// `root` is a callRecord, session, segment, media, mediaStream, or one of the row types of
/// [`crate::rows`].
pub fn find(root: &'static StructuredType, path: &[PathStep]) -> Option<ColumnRef> {
    let (_, entries) = LEVELS.iter().find(|(ty, _)| ptr::eq(*ty, root))?;
    let entry = entries.iter().find(|entry| {
        entry.steps.len() == path.len() && entry.steps.iter().zip(path).all(|(a, b)| a.is(b))
    })?;
    Some(entry.column)
}

struct Entry {
    steps: Vec<Step>,
    column: ColumnRef,
}

enum Step {
    Property(&'static Property),
    Cast(&'static StructuredType),
}

impl Step {
    fn is(&self, step: &PathStep) -> bool {
        match (self, step) {
            (Self::Property(a), PathStep::Property(b)) => ptr::eq(*a, *b),
            (Self::Cast(a), PathStep::Cast(b)) => ptr::eq(*a, *b),
            _ => false,
        }
    }
}

static LEVELS: LazyLock<Vec<(&'static StructuredType, Vec<Entry>)>> = LazyLock::new(|| {
    [
        Level::of(&generated::CALL_RECORD).record(),
        Level::of(&generated::SESSION).session(),
        Level::of(&generated::SEGMENT).segment(),
        Level::of(&generated::MEDIA).media(),
        Level::of(&generated::MEDIA_STREAM).stream(),
        Level::of(&generated::SESSION_ROW).session().keys_of_record(),
        Level::of(&generated::SEGMENT_ROW).segment().keys_of_record().id_key("sessionId"),
        Level::of(&generated::STREAM_ROW)
            .stream()
            .keys_of_record()
            .id_key("sessionId")
            .parts_of_segment()
            .stream_quality(),
        Level::of(&generated::LEG_ROW)
            .stream()
            .keys_of_record()
            .id_key("sessionId")
            .keys_of_segment()
            .leg()
            .stream_quality(),
    ]
    .map(|level| (level.root, level.entries))
    .into()
});

struct Level {
    root: &'static StructuredType,
    entries: Vec<Entry>,
}

impl Level {
    fn of(root: &'static StructuredType) -> Self {
        Self { root, entries: Vec::new() }
    }

    fn record(self) -> Self {
        self.all(
            Table::CallRecord,
            &[
                ("id", "id"),
                ("version", "version"),
                ("type", "type"),
                ("modalities", "modalities"),
                ("lastModifiedDateTime", "last_modified_date_time"),
                ("startDateTime", "start_date_time"),
                ("endDateTime", "end_date_time"),
            ],
        )
        .call_quality(Table::CallRecord)
    }

    fn session(self) -> Self {
        let own = [("isTest", "is_test"), ("failureInfo/stage", "failure_stage")];
        self.id_key("id")
            .times(Table::Session)
            .all(Table::Session, &own)
            .call_quality(Table::Session)
    }

    fn call_quality(mut self, table: Table) -> Self {
        let one = ["verdict", "reason", "people", "poorPeople", "poorShare", "isPoor"];
        let of_kinds = ["audio", "video", "screenSharing", "heard", "wasHeard"];
        let counts = ["good", "poor", "unclassified"];
        let counted =
            of_kinds.iter().flat_map(|kind| counts.map(|count| format!("{kind}/{count}")));
        let paths: Vec<String> = one.map(str::to_owned).into_iter().chain(counted).collect();
        for path in paths {
            let name = format!("quality_{}", snake(&path));
            let column = CALL_QUALITY.iter().find(|column| column.name == name);
            let column = column.expect("every figure of a verdict has a column");
            self.add(&format!("{QUALITY}/{path}"), table, column.name, None);
        }
        self
    }

    fn stream_quality(self) -> Self {
        let columns = [("verdict", "quality_verdict"), ("reason", "quality_reason")];
        columns.into_iter().fold(self, |mut level, (path, column)| {
            level.add(&format!("{QUALITY}/{path}"), Table::Stream, column, None);
            level
        })
    }

    fn segment(self) -> Self {
        let own = [("failureInfo/stage", "failure_stage")];
        self.times(Table::Segment).all(Table::Segment, &own).ends()
    }

    fn media(self) -> Self {
        self.all(Table::Media, &[("label", "label")]).media_parts()
    }

    fn stream(mut self) -> Self {
        for (property, column) in marked(&generated::MEDIA_STREAM) {
            self.add(property.name, Table::Stream, column, None);
        }
        self
    }

    fn keys_of_record(self) -> Self {
        self.all(
            Table::CallRecord,
            &[
                ("callRecordId", "id"),
                ("callRecordVersion", "version"),
                ("callRecordType", "type"),
                ("callStartDateTime", "start_date_time"),
                ("callEndDateTime", "end_date_time"),
            ],
        )
    }

    fn keys_of_segment(self) -> Self {
        let times =
            [("segmentStartDateTime", "start_date_time"), ("segmentEndDateTime", "end_date_time")];
        self.all(Table::Stream, &[("mediaLabel", "label")]).all(Table::Segment, &times)
    }

    fn parts_of_segment(self) -> Self {
        self.keys_of_segment().media_parts().ends()
    }

    /// What the row of an end says of it and of the other one.
    fn leg(mut self) -> Self {
        let client = generated::CLIENT_USER_AGENT.name;
        let service = generated::SERVICE_USER_AGENT.name;
        let role = format!("userAgent/{service}/role");
        for (path, column) in [
            ("isService", "is_service"),
            ("person/kind", "person_kind"),
            ("endpointName", "endpoint_name"),
            ("identity/user/id", "user_id"),
            ("associatedIdentity/id", "associated_id"),
            ("feedback/rating", "feedback_rating"),
            (&role, "service_role"),
        ] {
            self.add_end(path, Table::Segment, ENDS.map(|(_, prefix)| joined(prefix, column)));
        }
        for (property, column) in marked(&generated::CLIENT_USER_AGENT) {
            let is_of_all = generated::USER_AGENT.property(property.name).is_some();
            let cast = if is_of_all { String::new() } else { format!("{client}/") };
            let columns = ENDS.map(|(_, prefix)| joined(prefix, column));
            self.add_end(&format!("userAgent/{cast}{}", property.name), Table::Segment, columns);
        }
        for (name, ends) in [("network", [0, 1]), ("device", [2, 3])] {
            let [caller, callee] = ends.map(|at| &MEDIA_PARTS[at]);
            for (property, column) in marked(caller.ty) {
                let columns = [caller, callee].map(|part| joined(part.prefix, column));
                self.add_end(&format!("{name}/{}", property.name), Table::Media, columns);
            }
        }
        for (path, table, [of_caller, of_callee]) in [
            ("peerPerson/kind", Table::Segment, ["caller_person_kind", "callee_person_kind"]),
            ("peerIsService", Table::Segment, ["caller_is_service", "callee_is_service"]),
            ("peerPlatform", Table::Segment, ["caller_platform", "callee_platform"]),
            ("peerSubnet", Table::Media, ["caller_network_subnet", "callee_network_subnet"]),
            (
                "peerConnectionType",
                Table::Media,
                ["caller_network_connection_type", "callee_network_connection_type"],
            ),
        ] {
            self.add_end(path, table, [of_callee, of_caller]);
        }
        self
    }

    fn add_end(&mut self, path: &str, table: Table, [caller, callee]: [&'static str; 2]) {
        self.add(path, table, caller, None);
        if let Some(entry) = self.entries.last_mut() {
            entry.column.of_callee = Some(callee);
        }
    }

    fn times(self, table: Table) -> Self {
        let times = [("startDateTime", "start_date_time"), ("endDateTime", "end_date_time")];
        self.all(table, &times)
    }

    fn media_parts(mut self) -> Self {
        for part in &MEDIA_PARTS {
            for (property, column) in marked(part.ty) {
                let path = format!("{}/{}", part.property, property.name);
                self.add(&path, Table::Media, joined(part.prefix, column), None);
            }
        }
        self
    }

    /// The ends' parties, and their user agents with and without the cast to a participant's end.
    fn ends(mut self) -> Self {
        let table = Table::Segment;
        let participant = generated::PARTICIPANT_ENDPOINT.name;
        let client = generated::CLIENT_USER_AGENT.name;
        for (end, prefix) in ENDS {
            for (path, column) in
                [("identity/user/id", "user_id"), ("associatedIdentity/id", "associated_id")]
            {
                let path = format!("{end}/{participant}/{path}");
                self.add(&path, table, joined(prefix, column), None);
            }
            let only_if = joined(prefix, "is_participant");
            let rating = format!("{end}/{participant}/feedback/rating");
            self.add(&rating, table, joined(prefix, "feedback_rating"), None);
            let role = format!("userAgent/{}/role", generated::SERVICE_USER_AGENT.name);
            let column = joined(prefix, "service_role");
            self.add(&format!("{end}/{role}"), table, column, None);
            self.add(&format!("{end}/{participant}/{role}"), table, column, Some(only_if));
            for (property, column) in marked(&generated::CLIENT_USER_AGENT) {
                let column = joined(prefix, column);
                // A cast would leave out what other kinds of user agents have.
                let is_of_all = generated::USER_AGENT.property(property.name).is_some();
                let cast = if is_of_all { String::new() } else { format!("{client}/") };
                let path = format!("userAgent/{cast}{}", property.name);
                self.add(&format!("{end}/{path}"), table, column, None);
                self.add(&format!("{end}/{participant}/{path}"), table, column, Some(only_if));
            }
        }
        self
    }

    fn all(mut self, table: Table, columns: &[(&str, &'static str)]) -> Self {
        for (path, column) in columns {
            self.add(path, table, column, None);
        }
        self
    }

    /// The key of a session's id, which has no column of its own.
    fn id_key(mut self, path: &str) -> Self {
        self.add(path, Table::Session, "id_key", None);
        if let Some(entry) = self.entries.last_mut() {
            entry.column.kind = Kind::IdKey;
        }
        self
    }

    fn add(
        &mut self,
        path: &str,
        table: Table,
        column: &'static str,
        only_if: Option<&'static str>,
    ) {
        let (steps, property) = resolve(self.root, path);
        let column = ColumnRef { table, column, of_callee: None, kind: kind(property), only_if };
        self.entries.push(Entry { steps, column });
    }
}

fn marked(ty: &'static StructuredType) -> impl Iterator<Item = (&'static Property, &'static str)> {
    ty.properties.iter().filter_map(|property| Some((property, property.column?)))
}

/// The steps of a path, in which a qualified name is a cast, and the property at its end.
fn resolve(root: &'static StructuredType, path: &str) -> (Vec<Step>, &'static Property) {
    let mut at = Some(root);
    let mut last = None;
    let mut steps = Vec::new();
    for name in path.split('/') {
        let ty = at.expect("what the tables name inside has members");
        if let Some(derived) = ty.find_derived(name).filter(|_| name.contains('.')) {
            at = Some(derived);
            steps.push(Step::Cast(derived));
        } else {
            let property = ty.member(name).expect("the tables name members of the schema");
            at = match property.ty {
                Type::Structured(inner) => Some(inner),
                _ => None,
            };
            last = Some(property);
            steps.push(Step::Property(property));
        }
    }
    (steps, last.expect("a path ends with a property"))
}

/// `screenSharing/poor` to `screen_sharing_poor`.
fn snake(path: &str) -> String {
    let mut out = String::new();
    for letter in path.chars() {
        match letter {
            '/' => out.push('_'),
            _ if letter.is_ascii_uppercase() => {
                out.push('_');
                out.push(letter.to_ascii_lowercase());
            }
            _ => out.push(letter),
        }
    }
    out
}

fn kind(property: &'static Property) -> Kind {
    match property.ty {
        Type::Enum(ty) if property.is_collection => Kind::EnumSet(ty),
        Type::Enum(ty) => Kind::Enum(ty),
        Type::Primitive(Primitive::Boolean) => Kind::Bool,
        Type::Primitive(Primitive::Int32 | Primitive::Int64) => Kind::Int,
        Type::Primitive(Primitive::Single | Primitive::Double | Primitive::Decimal) => Kind::Real,
        Type::Primitive(Primitive::DateTimeOffset) => Kind::Instant,
        Type::Primitive(Primitive::Duration) => Kind::Duration,
        _ => Kind::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(root: &'static StructuredType, text: &str) -> Vec<PathStep> {
        let (steps, _) = resolve(root, text);
        let bound = |step| match step {
            Step::Property(property) => PathStep::Property(property),
            Step::Cast(ty) => PathStep::Cast(ty),
        };
        steps.into_iter().map(bound).collect()
    }

    fn found(root: &'static StructuredType, text: &str) -> Option<(Table, &'static str)> {
        find(root, &path(root, text)).map(|found| (found.table, found.column))
    }

    #[test]
    fn a_path_leads_to_the_table_where_its_value_stands() {
        let row = &generated::STREAM_ROW;
        for (text, expected) in [
            ("averageJitter", (Table::Stream, "average_jitter")),
            ("callerNetwork/subnet", (Table::Media, "caller_network_subnet")),
            ("calleeDevice/renderDeviceName", (Table::Media, "callee_device_render_device_name")),
            ("caller/userAgent/headerValue", (Table::Segment, "caller_user_agent")),
            ("segmentStartDateTime", (Table::Segment, "start_date_time")),
            ("sessionId", (Table::Session, "id_key")),
            ("callRecordType", (Table::CallRecord, "type")),
        ] {
            assert_eq!(found(row, text), Some(expected), "{text}");
        }
        let row = &generated::LEG_ROW;
        for (text, expected) in [
            ("network/subnet", ("caller_network_subnet", "callee_network_subnet")),
            ("peerSubnet", ("callee_network_subnet", "caller_network_subnet")),
            (
                "device/captureDeviceName",
                ("caller_device_capture_device_name", "callee_device_capture_device_name"),
            ),
            ("userAgent/headerValue", ("caller_user_agent", "callee_user_agent")),
            ("person/kind", ("caller_person_kind", "callee_person_kind")),
        ] {
            let column = find(row, &path(row, text)).unwrap();
            assert_eq!((column.column, column.of_callee), (expected.0, Some(expected.1)), "{text}");
        }
        assert_eq!(found(&generated::SESSION, "isTest"), Some((Table::Session, "is_test")));
        assert_eq!(found(&generated::SEGMENT_ROW, "id"), None);
        assert_eq!(found(&generated::CALL_RECORD, "joinWebUrl"), None);
    }

    #[test]
    fn a_cast_to_a_participants_end_asks_for_that_kind_of_end() {
        let plain = "callee/userAgent/microsoft.graph.callRecords.clientUserAgent/platform";
        let cast = plain.replace("e/u", "e/microsoft.graph.callRecords.participantEndpoint/u");
        let only_if = |text: &str| {
            let found = find(&generated::SEGMENT, &path(&generated::SEGMENT, text)).unwrap();
            assert_eq!(found.column, "callee_platform");
            assert!(
                matches!(found.kind, Kind::Enum(ty) if ptr::eq(ty, &raw const generated::CLIENT_PLATFORM))
            );
            found.only_if
        };
        assert_eq!(only_if(plain), None);
        assert_eq!(only_if(&cast), Some("callee_is_participant"));
    }

    #[test]
    fn every_column_that_a_path_leads_to_stands_in_its_table() {
        let keys = ["id", "id_key", "version", "start_date_time", "end_date_time"];
        for (_, entries) in LEVELS.iter() {
            for entry in entries {
                let ColumnRef { table, column, of_callee, only_if, .. } = entry.column;
                for name in only_if.into_iter().chain(of_callee).chain([column]) {
                    let mut columns = table.columns().iter().chain(table.verdicts());
                    let is_typed = columns.any(|column| column.name == name);
                    assert!(is_typed || keys.contains(&name), "{}.{name}", table.name());
                }
            }
        }
    }

    #[test]
    fn every_property_that_the_schema_gives_a_column_is_found_by_its_path() {
        for ty in [&generated::CALL_RECORD, &generated::SESSION, &generated::SEGMENT] {
            for (property, _) in marked(ty) {
                assert!(found(ty, property.name).is_some(), "{}", property.name);
            }
        }
    }
}
