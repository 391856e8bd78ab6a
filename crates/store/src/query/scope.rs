//! What the paths of an expression start at, and which table has its columns.

use model::columns::{ColumnRef, Table, find, is_recent};
use model::generated;
use model::rows::RowSet;
use odata::bound::{Expr, PathStep, Root};
use odata::edm::{Property, StructuredType, Type};

use crate::sql::{Alias, Sql};

/// Something that paths start at.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    /// Its type, by which columns are found.
    root: &'static StructuredType,
    place: Place,
    /// All records have all columns.
    is_filled: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Place {
    /// The rows of the query: every table of [`alias_of`] can be joined.
    Rows(Table),
    /// A row of a table.
    Row(Table, Alias),
    /// Some row of the table beneath a row of another one, which alone stands in the statement.
    Beneath(Table, Table, Alias),
    /// An item of a collection of enumeration members, which a column has as text.
    Member(Alias, &'static str),
}

/// The one alias of each table among the rows of a query.
pub(crate) fn alias_of(table: Table) -> Alias {
    Alias::of(match table {
        Table::CallRecord => "r",
        Table::Session => "s",
        Table::Segment => "g",
        Table::Media => "m",
        Table::Stream => "t",
    })
}

/// Names of the columns that count the items above a row and the row itself, from the session on.
pub(crate) fn ordinals(table: Table) -> &'static [&'static str] {
    match table {
        Table::CallRecord => &[],
        Table::Session => &["ordinal"],
        Table::Segment => &["session", "ordinal"],
        Table::Media => &["session", "segment", "ordinal"],
        Table::Stream => &["session", "segment", "media", "ordinal"],
    }
}

/// The table that has a row for each of the set's.
pub(crate) fn table_of(set: RowSet) -> Table {
    match set {
        RowSet::Records => Table::CallRecord,
        RowSet::Sessions => Table::Session,
        RowSet::Segments => Table::Segment,
        RowSet::Streams | RowSet::Legs => Table::Stream,
    }
}

/// The columns that count the items above a row of a set and the row itself.
pub(crate) fn row_ordinals(set: RowSet) -> impl Iterator<Item = Sql> {
    let table = table_of(set);
    let own = ordinals(table).iter().map(move |name| Sql::column(alias_of(table), name));
    own.chain((set == RowSet::Legs).then(|| Sql::text("e.ordinal")))
}

/// How many these are.
pub(crate) fn ordinal_count(set: RowSet) -> usize {
    ordinals(table_of(set)).len() + usize::from(set == RowSet::Legs)
}

impl Scope {
    /// The rows of a query.
    pub(crate) fn rows(set: RowSet, is_filled: bool) -> Self {
        Self { root: set.ty(), place: Place::Rows(table_of(set)), is_filled }
    }

    /// The item of a collection of enumeration members.
    pub(super) fn member(&self, column: &ColumnRef) -> Option<Self> {
        let alias = self.alias(column.table)?;
        Some(Self { place: Place::Member(alias, column.column), ..*self })
    }

    /// If this is an item of a collection of enumeration members, the column that has them.
    pub(super) fn members_column(&self) -> Option<Sql> {
        match self.place {
            Place::Member(alias, column) => Some(Sql::column(alias, column)),
            _ => None,
        }
    }

    /// The column of a path; its table is one of this scope.
    pub(super) fn column(&self, path: &[PathStep]) -> Option<ColumnRef> {
        let column = find(self.root, path)?;
        (self.is_filled || !is_recent(column.column)).then_some(())?;
        self.alias(column.table).is_some().then_some(column)
    }

    /// What a table is called here.
    pub(super) fn alias(&self, wanted: Table) -> Option<Alias> {
        match &self.place {
            Place::Rows(table) => (wanted <= *table).then(|| alias_of(wanted)),
            Place::Row(table, alias) => (*table == wanted).then_some(*alias),
            _ => None,
        }
    }

    /// Whether all records have all columns.
    pub(super) fn is_filled(&self) -> bool {
        self.is_filled
    }

    /// Whether tables above the row's own have to be joined for their columns.
    pub(super) fn is_rows(&self) -> bool {
        matches!(self.place, Place::Rows(_))
    }

    /// Whether this is a record.
    pub(super) fn is_record(&self) -> bool {
        matches!(self.place, Place::Rows(Table::CallRecord) | Place::Row(Table::CallRecord, _))
    }

    /// The table of the items of a collection that this has, and of what type they are.
    pub(super) fn child(&self, property: &Property) -> Option<(Table, &'static StructuredType)> {
        let (Place::Rows(own) | Place::Row(own, _) | Place::Beneath(own, ..)) = self.place else {
            return None;
        };
        let Type::Structured(ty) = property.ty else { return None };
        let (table, expected) = match own {
            Table::CallRecord => (Table::Session, &generated::SESSION),
            Table::Session => (Table::Segment, &generated::SEGMENT),
            Table::Segment => (Table::Media, &generated::MEDIA),
            Table::Media => (Table::Stream, &generated::MEDIA_STREAM),
            Table::Stream => return None,
        };
        (property.is_collection && std::ptr::eq(ty, expected)).then_some((table, ty))
    }

    /// A row of `table` beneath this.
    pub(super) fn row(&self, ty: &'static StructuredType, table: Table, alias: Alias) -> Self {
        Self { root: ty, place: Place::Row(table, alias), is_filled: self.is_filled }
    }

    /// Some row of `table` beneath this, which stays out of the statement.
    pub(super) fn beneath(&self, ty: &'static StructuredType, table: Table) -> Option<Self> {
        let (above, alias) = self.anchor()?;
        let place = Place::Beneath(table, above, alias);
        Some(Self { root: ty, place, is_filled: self.is_filled })
    }

    /// That a row of `table`, a table beneath this, belongs to it.
    pub(super) fn owns(&self, table: Table, alias: Alias) -> Option<Sql> {
        let (above, owner) = self.anchor()?;
        let mut sql = Sql::column(alias, "record_key").push(" = ").push_column(owner, "record_key");
        let inner = ordinals(table).iter();
        for (inner, outer) in inner.zip(ordinals(above)) {
            sql = sql.push(" AND ").push_column(alias, inner).push(" = ").push_column(owner, outer);
        }
        Some(sql)
    }

    fn anchor(&self) -> Option<(Table, Alias)> {
        match self.place {
            Place::Rows(table) => Some((table, alias_of(table))),
            Place::Row(table, alias) | Place::Beneath(_, table, alias) => Some((table, alias)),
            Place::Member(..) => None,
        }
    }
}

/// Whether a path of the expression starts at the variable.
pub(super) fn mentions(expr: &Expr, variable: &str) -> bool {
    expr.any_path(&mut |path| matches!(&path.root, Root::Variable(name) if name == variable))
}
