//! Places of ends in SQL.
//!
//! A statement knows no map. It brings along what the maps say of the networks that its rows are in, as
//! tables of its own: one for each kind of map, a row for each network and each time in which its place is
//! the same. So conditions, orders and groups by `place/…` are SQL, and no place is ever stored.

use model::columns::Table;
use odata::json::push_string;
use places::{Kind as MapKind, Place, Whereabouts};

use super::compiler::{Compiler, JoinedTables};
use super::value::{Kind, Scalar};
use crate::sql::{Alias, Bind, Sql};

/// A table of places by what leads to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PlaceTable {
    /// By subnet.
    Buildings,
    /// By subnet and address, where some map has a VPN: instead of the one before.
    BuildingsByAddress,
    /// By BSSID.
    AccessPoints,
    /// By public address.
    Systems,
    /// By the name of the endpoint.
    Endpoints,
}

/// A member of `place`.
pub(crate) struct PlaceColumn {
    /// Names from `place` on.
    pub(crate) path: &'static str,
    /// The table that has it, and its column there.
    table: PlaceTable,
    name: &'static str,
    ty: PlaceType,
    /// What a place says.
    pub(crate) of: for<'m> fn(&Place<'m>) -> PlaceValue<'m>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PlaceType {
    Text,
    Bool,
    Number,
}

/// What a place says in one of its members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PlaceValue<'m> {
    Text(Option<&'m str>),
    Bool(Option<bool>),
    Number(Option<u32>),
}

macro_rules! column {
    ($path:literal, $table:ident, $name:literal, $ty:ident, $($of:tt)+) => {
        PlaceColumn {
            path: $path,
            table: PlaceTable::$table,
            name: $name,
            ty: PlaceType::$ty,
            of: |place| PlaceValue::$ty(place.$($of)+),
        }
    };
}

/// All of them, in the order of the schema's `place`. A building stands in two tables; that of the network
/// counts before that of the access point.
#[rustfmt::skip]
pub(crate) static COLUMNS: [PlaceColumn; 25] = [
    column!("building",        Buildings,    "building",          Text,   building),
    column!("building",        AccessPoints, "building",          Text,   building),
    column!("networkName",     Buildings,    "network_name",      Text,   network_name),
    column!("ownership",       Buildings,    "ownership",         Text,   ownership),
    column!("buildingType",    Buildings,    "building_type",     Text,   building_type),
    column!("officeType",      Buildings,    "office_type",       Text,   office_type),
    column!("city",            Buildings,    "city",              Text,   city),
    column!("zipCode",         Buildings,    "zip_code",          Text,   zip_code),
    column!("country",         Buildings,    "country",           Text,   country),
    column!("state",           Buildings,    "state",             Text,   state),
    column!("region",          Buildings,    "region",            Text,   region),
    column!("isInside",        Buildings,    "is_inside",         Bool,   is_inside),
    column!("hasExpressRoute", Buildings,    "has_express_route", Bool,   has_express_route),
    column!("isVpn",           Buildings,    "is_vpn",            Bool,   is_vpn),
    column!("floor",           AccessPoints, "floor",             Text,   floor),
    column!("accessPoint",     AccessPoints, "access_point",      Text,   access_point),
    column!("isp",             Systems,      "isp",               Text,   isp),
    column!("asNumber",        Systems,      "as_number",         Number, as_number),
    column!("asCountry",       Systems,      "as_country",        Text,   as_country),
    column!("endpoint/make",   Endpoints,    "make",              Text,   endpoint.make),
    column!("endpoint/model",  Endpoints,    "model",             Text,   endpoint.model),
    column!("endpoint/type",   Endpoints,    "endpoint_type",     Text,   endpoint.endpoint_type),
    column!("endpoint/label1", Endpoints,    "label1",            Text,   endpoint.labels[0]),
    column!("endpoint/label2", Endpoints,    "label2",            Text,   endpoint.labels[1]),
    column!("endpoint/label3", Endpoints,    "label3",            Text,   endpoint.labels[2]),
];

impl PlaceTable {
    const ALL: [Self; 4] = [Self::Buildings, Self::AccessPoints, Self::Systems, Self::Endpoints];

    /// The kind of the maps that it is made of.
    pub(crate) fn kind(self) -> MapKind {
        match self {
            Self::Buildings | Self::BuildingsByAddress => MapKind::Building,
            Self::AccessPoints => MapKind::Bssid,
            Self::Systems => MapKind::Asn,
            Self::Endpoints => MapKind::Endpoint,
        }
    }

    fn alias(self) -> Alias {
        Alias::of(match self {
            Self::Buildings | Self::BuildingsByAddress => "b",
            Self::AccessPoints => "a",
            Self::Systems => "n",
            Self::Endpoints => "d",
        })
    }

    /// The table of rows that has what leads to a place.
    pub(super) fn source(self) -> Table {
        match self {
            Self::Endpoints => Table::Segment,
            _ => Table::Media,
        }
    }

    /// The text that leads to a place; nothing for what an end does not say.
    pub(super) fn key(self) -> Sql {
        let subnet = || of_end("m", ["caller_network_subnet", "callee_network_subnet"]);
        match self {
            Self::Buildings => subnet(),
            Self::BuildingsByAddress => {
                let addresses = ["caller_network_ip_address", "callee_network_ip_address"];
                subnet().push(" || '\n' || ").append(of_end("m", addresses))
            }
            Self::AccessPoints => {
                let callee = "callee_network_basic_service_set_identifier";
                of_end("m", ["caller_network_basic_service_set_identifier", callee])
            }
            Self::Systems => {
                let callee = "callee_network_reflexive_ip_address";
                of_end("m", ["caller_network_reflexive_ip_address", callee])
            }
            Self::Endpoints => of_end("g", ["caller_endpoint_name", "callee_endpoint_name"]),
        }
    }

    /// What a key says of where an end is; none if the key could be that of two networks.
    pub(crate) fn whereabouts(self, key: &str) -> Option<Whereabouts<'_>> {
        let nothing = Whereabouts::default();
        Some(match self {
            Self::Buildings => Whereabouts { subnet: Some(key), ..nothing },
            Self::BuildingsByAddress => {
                let (subnet, address) = key.split_once('\n')?;
                if address.contains('\n') {
                    return None;
                }
                Whereabouts { subnet: Some(subnet), address: Some(address), ..nothing }
            }
            Self::AccessPoints => Whereabouts { bssid: Some(key), ..nothing },
            Self::Systems => Whereabouts { reflexive_address: Some(key), ..nothing },
            Self::Endpoints => Whereabouts { endpoint: Some(key), ..nothing },
        })
    }

    /// Its columns among those that a statement uses.
    fn columns(self, used: JoinedTables) -> impl Iterator<Item = &'static PlaceColumn> {
        let alias = self.alias();
        let own = COLUMNS.iter().enumerate();
        let own = own.filter(move |(_, column)| column.table.alias() == alias);
        own.filter(move |(at, _)| used.has_place(*at)).map(|(_, column)| column)
    }

    /// The table in its place where addresses count.
    pub(crate) fn by_address(self) -> Self {
        if self == Self::Buildings { Self::BuildingsByAddress } else { self }
    }

    /// The tables that a statement uses.
    pub(crate) fn used(used: JoinedTables) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |table| table.columns(used).next().is_some())
    }
}

/// A column of the caller's end or of the callee's, as text that is never null.
fn of_end(letter: &'static str, [caller, callee]: [&'static str; 2]) -> Sql {
    let column = |name| Sql::column(Alias::of(letter), name);
    Sql::text("coalesce(CASE e.ordinal WHEN 0 THEN ")
        .append(column(caller))
        .push(" ELSE ")
        .append(column(callee))
        .push(" END, '')")
}

impl Compiler<'_> {
    /// The value of a member of `place`.
    pub(super) fn place(&mut self, path: &str) -> Option<Scalar> {
        self.tenant.has_places.then_some(())?;
        let all = COLUMNS.iter().enumerate().filter(|(_, column)| column.path == path);
        let (mut found, mut kind) = (Vec::new(), None);
        for (at, column) in all {
            self.joined.note_place(at);
            self.joined.note(column.table.source());
            found.push(Sql::column(column.table.alias(), column.name));
            kind = Some(match column.ty {
                PlaceType::Text => Kind::Text,
                PlaceType::Bool => Kind::Bool,
                PlaceType::Number => Kind::Int { least: 0, most: i128::from(u32::MAX) },
            });
        }
        let sql = match found.len() {
            1 => found.remove(0),
            _ => Sql::text("coalesce(").append(Sql::join(found, ", ")).push(")"),
        };
        Some(Scalar::of(sql, kind?))
    }
}

/// The tables that a statement brings along.
#[derive(Debug, Default, Clone)]
pub(crate) struct PlaceTables {
    used: JoinedTables,
    /// The rows of each, as JSON.
    rows: Vec<(PlaceTable, String)>,
}

/// Rows of a table in the making.
pub(crate) struct PlaceRows {
    table: PlaceTable,
    used: JoinedTables,
    json: Vec<u8>,
    counted: usize,
}

impl PlaceRows {
    /// None yet.
    pub(crate) fn new(table: PlaceTable, used: JoinedTables) -> Self {
        Self { table, used, json: vec![b'['], counted: 0 }
    }

    /// Adds what is known of a key from an instant (ticks) until another one; nothing if nothing is.
    /// False if an engine would read a text otherwise than it is written.
    pub(crate) fn add(&mut self, key: &str, (since, until): (i64, i64), place: &Place<'_>) -> bool {
        let values: Vec<_> = self.table.columns(self.used).map(|it| (it.of)(place)).collect();
        if values.iter().all(PlaceValue::is_null) {
            return true;
        }
        let texts = values.iter().filter_map(|value| match value {
            PlaceValue::Text(text) => *text,
            PlaceValue::Bool(_) | PlaceValue::Number(_) => None,
        });
        if texts.chain([key]).any(|text| text.contains(['\0', '\u{1}'])) {
            return false;
        }
        let json = &mut self.json;
        json.extend_from_slice(if json.len() > 1 { b",[" } else { b"[" });
        push_string(json, key);
        json.extend_from_slice(format!(",{since},{until}").as_bytes());
        for value in values {
            json.push(b',');
            value.push(json, ["0", "1"]);
        }
        json.push(b']');
        true
    }

    /// The table.
    pub(crate) fn table(&self) -> PlaceTable {
        self.table
    }

    /// Bytes since this was asked last.
    pub(crate) fn grown(&mut self) -> usize {
        let grown = self.json.len() - self.counted;
        self.counted = self.json.len();
        grown
    }
}

impl PlaceValue<'_> {
    /// Whether the place does not say it.
    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Self::Text(None) | Self::Bool(None) | Self::Number(None))
    }

    /// Appends it as JSON, with these words for false and true.
    pub(crate) fn push(&self, out: &mut Vec<u8>, words: [&str; 2]) {
        match self {
            Self::Text(Some(text)) => push_string(out, text),
            Self::Bool(Some(flag)) => out.extend_from_slice(words[usize::from(*flag)].as_bytes()),
            Self::Number(Some(number)) => out.extend_from_slice(number.to_string().as_bytes()),
            Self::Text(None) | Self::Bool(None) | Self::Number(None) => {
                out.extend_from_slice(b"null");
            }
        }
    }
}

impl PlaceTables {
    /// Of the columns that a statement uses.
    pub(crate) fn new(used: JoinedTables) -> Self {
        Self { used, rows: Vec::new() }
    }

    /// Adds a table.
    pub(crate) fn add(&mut self, rows: PlaceRows) {
        let PlaceRows { table, mut json, .. } = rows;
        json.push(b']');
        // What the JSON writer wrote is text.
        self.rows.push((table, String::from_utf8(json).unwrap_or_default()));
    }

    /// WITH, in front of a statement.
    ///
    /// SQLite takes an array for 25 items and an index on it for one that finds 20 of them, and so would
    /// scan all items for each row. The join with a second array, of one item, makes it expect 625.
    pub(super) fn with(&self) -> Sql {
        let tables = self.rows.iter().map(|(table, json)| {
            let mut sql = Sql::new().push_alias(table.alias());
            sql = sql.push(" AS MATERIALIZED (SELECT ");
            sql = sql.append(member(0, PlaceType::Text)).push(" AS place_key, ");
            sql = sql.append(member(1, PlaceType::Number)).push(" AS since, ");
            sql = sql.append(member(2, PlaceType::Number)).push(" AS until");
            for (at, column) in (3..).zip(table.columns(self.used)) {
                sql = sql.push(", ").append(member(at, column.ty)).push(" AS ").push(column.name);
            }
            sql = sql.push_either(" FROM json_each(", " FROM json_array_elements(CAST(");
            sql.push_bind(Bind::Text(json.clone()))
                .push_either(") j CROSS JOIN json_each('[0]'))", " AS json)) AS j(value))")
        });
        if self.rows.is_empty() {
            return Sql::new();
        }
        Sql::text("WITH ").append(Sql::join(tables, ", ")).push(" ")
    }

    /// The tables of rows that these are joined with.
    pub(super) fn sources(&self) -> JoinedTables {
        let mut sources = JoinedTables::default();
        self.rows.iter().for_each(|(table, _)| sources.note(table.source()));
        sources
    }

    /// The joins with these tables, behind those of the rows.
    pub(super) fn joins(&self) -> Sql {
        let mut sql = Sql::new();
        for (table, _) in &self.rows {
            let alias = table.alias();
            sql = sql
                .push(" LEFT JOIN ")
                .push_alias(alias)
                .push(" ON ")
                .push_column(alias, "place_key");
            sql = sql.push(" = ");
            sql = sql.append(table.key()).push(" AND ").push_column(alias, "since");
            sql = sql.push(" <= r.start_date_time AND r.start_date_time < ");
            sql = sql.push_column(alias, "until");
        }
        sql
    }
}

/// An item of the JSON array that a row is.
fn member(at: i64, ty: PlaceType) -> Sql {
    let sql = Sql::either(
        "json_extract(j.value, '$[",
        match ty {
            PlaceType::Text => "(j.value ->> ",
            PlaceType::Bool | PlaceType::Number => "CAST(j.value ->> ",
        },
    );
    sql.push_number(at).push_either(
        "]')",
        match ty {
            PlaceType::Text => ") COLLATE \"C\"",
            PlaceType::Bool | PlaceType::Number => " AS bigint)",
        },
    )
}

/// Whether SQL looks at a table of places.
pub(super) fn looks_at_places(sql: &Sql) -> bool {
    sql.any_alias(|alias| PlaceTable::ALL.iter().any(|table| table.alias() == alias))
}
