//! The first aggregation of `$apply` over columns.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::ControlFlow;

use model::columns::Table;
use odata::bound::{Aggregate, Expr, ExprKind, GroupKey, Method, Path, Transformation, Ty};
use odata::eval::{Aggregator, HeapSize, Value, group_keys, push_identity, set_member};
use odata::json::{Member, Node};
use odata::primitive::{Fine, Moment};

use super::chain::Chain;
use super::evaluation::{environment, node};
use super::loader::RowKey;
use super::parts::{Parts, parts};
use super::pipeline::{pipeline, sizes, too_much};
use super::run::Run;
use crate::engine::{Field, Row};
use crate::query::compiler::{Compiler, JoinedTables};
use crate::query::plan::Plan;
use crate::query::scope::{alias_of, ordinal_count};
use crate::query::value::Kind;
use crate::sql::{Sql, Statement};
use crate::{Cause, Error};

/// Bytes of a group beside its keys, roughly.
const GROUP: usize = 256;
/// Rows between two looks at the clock.
const ROWS_BETWEEN_LOOKS: u64 = 4_096;

/// An aggregation whose keys and values SQL gives.
pub(super) struct Columns<'q> {
    plan: &'q Plan<'q>,
    /// Tables that the columns need.
    joined: JoinedTables,
    paths: Vec<&'q Path>,
    keys: Vec<Key>,
    /// Of each figure; none for one that counts items.
    values: Vec<Option<Kind>>,
    selected: Vec<Sql>,
    figures: &'q [Aggregate],
    is_grouped: bool,
}

/// A column that groups have in common.
struct Key {
    kind: Kind,
    /// It was calculated, so that it has one form in JSON, and SQL tells all that this says.
    is_calculated: bool,
}

/// The groups met so far, in the order in which they were met.
struct Groups {
    found: HashMap<Box<[u8]>, usize>,
    groups: Vec<(Vec<Member<'static>>, Aggregator)>,
}

impl<'q> Columns<'q> {
    /// If columns are enough for the step that the chain goes on with.
    pub(super) fn new(chain: &'q Chain<'q>, plan: &'q Plan<'q>) -> Option<Self> {
        if !plan.is_exact() {
            return None;
        }
        let (keys, figures) = match chain.steps.first()? {
            Transformation::Aggregate(figures) => (None, figures.as_slice()),
            Transformation::GroupBy { keys, apply } => {
                let figures = match apply.as_ref().map(|apply| apply.steps.as_slice()) {
                    None | Some([]) => &[],
                    Some([Transformation::Aggregate(figures)]) => figures.as_slice(),
                    Some(_) => return None,
                };
                (Some(keys), figures)
            }
            _ => return None,
        };
        let mut columns = Self {
            plan,
            joined: JoinedTables::default(),
            paths: Vec::new(),
            keys: Vec::new(),
            values: Vec::new(),
            selected: Vec::new(),
            figures,
            is_grouped: keys.is_some(),
        };
        for key in keys.into_iter().flatten() {
            let GroupKey::Path(path) = key else { return None };
            let expr = Expr { kind: ExprKind::Path(path.clone()), ty: Ty::Dynamic };
            let expr = chain.members.inline(&expr);
            let kind = columns.select(&expr).or_else(|| columns.select_key(&expr))?;
            kind.is_whole_ticks().then_some(())?;
            let is_told = plan.tenant.has_plain_values
                || matches!(kind, Kind::Int { .. } | Kind::Instant { is_plain: true, .. });
            let is_calculated = is_told && !matches!(expr.kind, ExprKind::Path(_));
            columns.paths.push(path);
            columns.keys.push(Key { kind, is_calculated });
        }
        for figure in figures {
            let kind = match &figure.value {
                Some(value) => {
                    let value = chain.members.inline(value);
                    let key = |columns: &mut Self| match figure.method {
                        Method::CountDistinct => columns.select_key(&value),
                        _ => None,
                    };
                    let kind = columns.select(&value).or_else(|| key(&mut columns))?;
                    // Columns have ticks only; values may differ by less.
                    kind.is_whole_ticks().then_some(())?;
                    Some(kind)
                }
                None => None,
            };
            columns.values.push(kind);
        }
        Some(columns)
    }

    /// What its columns need.
    pub(super) fn joined(&self) -> JoinedTables {
        self.joined
    }

    fn select(&mut self, expr: &Expr) -> Option<Kind> {
        let mut compiler = Compiler::new(self.plan.tenant, self.plan.set);
        let scalar = compiler.scalar(expr)?;
        self.joined.add(compiler.joined);
        self.selected.push(scalar.sql);
        Some(scalar.kind)
    }

    /// The key of an id, which tells ids apart as well as they do.
    fn select_key(&mut self, expr: &Expr) -> Option<Kind> {
        let mut compiler = Compiler::new(self.plan.tenant, self.plan.set);
        let scalar = compiler.key(expr)?;
        self.joined.add(compiler.joined);
        self.selected.push(scalar.sql);
        Some(scalar.kind)
    }

    /// The plan of the rows.
    pub(super) fn plan(&self) -> &'q Plan<'q> {
        self.plan
    }

    /// The expressions of its keys and, as far as they do not count rows, of its figures.
    pub(super) fn expressions(&self, chain: &Chain<'_>) -> (Vec<Expr>, Vec<Option<Cow<'q, Expr>>>) {
        let path = |path: &&Path| {
            let expr = Expr { kind: ExprKind::Path((*path).clone()), ty: Ty::Dynamic };
            chain.members.inline(&expr).into_owned()
        };
        let value =
            |figure: &'q Aggregate| figure.value.as_ref().map(|it| chain.members.inline(it));
        (self.paths.iter().map(path).collect(), self.figures.iter().map(value).collect())
    }

    /// The statement that gives the rows.
    pub(super) fn statement(&self) -> Statement {
        self.plan.columns(&self.selected, self.joined).finish(self.plan.tenant.dialect)
    }

    /// The statement that gives the rows, each with the start of its record behind the others.
    pub(super) fn statement_with_start(&self) -> Statement {
        let start = Sql::column(alias_of(Table::CallRecord), "start_date_time");
        let selected: Vec<Sql> = self.selected.iter().cloned().chain([start]).collect();
        self.plan.columns(&selected, self.joined).finish(self.plan.tenant.dialect)
    }

    /// Where rows have that start.
    pub(super) fn place_of_start(&self) -> usize {
        1 + ordinal_count(self.plan.set) + self.selected.len()
    }

    /// The figures of each group.
    pub(super) fn figures(&self) -> &'q [Aggregate] {
        self.figures
    }

    /// Whether there are keys; without, all rows are one group.
    pub(super) fn is_grouped(&self) -> bool {
        self.is_grouped
    }

    /// Aggregates, and lets the rest of the chain follow.
    pub(super) fn run(
        &self,
        chain: &Chain<'_>,
        run: &mut Run<'_>,
    ) -> Result<Vec<Node<'static>>, Error> {
        let groups = self.groups(chain, run)?;
        self.finish(chain, run, groups.groups)
    }

    /// Lets the rest of the chain follow.
    pub(super) fn finish(
        &self,
        chain: &Chain<'_>,
        run: &Run<'_>,
        groups: Vec<(Vec<Member<'static>>, Aggregator)>,
    ) -> Result<Vec<Node<'static>>, Error> {
        let rest = pipeline(chain.steps[1..].to_vec(), self.plan.set)?;
        let mut flow = rest.start(sizes(run.budget), environment(&run.budget.meter));
        for (mut members, aggregator) in groups {
            for (figure, value) in self.figures.iter().zip(aggregator.finish()?) {
                set_member(&mut members, &figure.alias, &value);
            }
            let item = Cow::Owned(Node::Object(members));
            if flow.push(item).map_err(|excess| too_much(&excess))?.is_break() {
                break;
            }
        }
        flow.finish().map_err(|excess| too_much(&excess))
    }

    fn groups(&self, chain: &Chain<'_>, run: &mut Run<'_>) -> Result<Groups, Error> {
        let mut groups = Groups { found: HashMap::new(), groups: Vec::new() };
        if !self.is_grouped {
            groups.groups.push((Vec::new(), Aggregator::new(self.figures)));
        }
        let Statement { text, binds } = self.statement();
        let (mut identity, mut kept, mut count) = (Vec::new(), 0, 0_u64);
        let first = 1 + ordinal_count(self.plan.set);
        let meter = &run.budget.meter;
        let connection = run.connection;
        connection.scan(&text, binds.as_slice(), |row| {
            count += 1;
            if !meter.step() || count.is_multiple_of(ROWS_BETWEEN_LOOKS) && !meter.has_time() {
                meter.check()?;
            }
            identity.clear();
            for (at, key) in self.keys.iter().enumerate() {
                push_identity(&mut identity, &value(row.field(first + at)?, key.kind)?);
            }
            let index = match groups.found.get(identity.as_slice()) {
                Some(index) => *index,
                None if !self.is_grouped => 0,
                None => {
                    let limit = run.budget.groups;
                    if groups.groups.len() >= limit {
                        return Err(Error::TooManyGroups { limit });
                    }
                    let values = self.key_values(row)?;
                    let keys = self.keys_of(chain, &values, run, |_| self.row_key(row))?;
                    let keys_size: usize = keys.iter().map(|member| member.value.heap_size()).sum();
                    meter.keep(GROUP + keys_size + identity.len());
                    meter.check()?;
                    groups.groups.push((keys, Aggregator::new(self.figures)));
                    let index = groups.groups.len() - 1;
                    groups.found.insert(identity.as_slice().into(), index);
                    index
                }
            };
            let aggregator = &mut groups.groups[index].1;
            self.each_value(row, |figure, value| {
                match value {
                    Some(value) => {
                        let bytes = aggregator.add(figure, &value);
                        kept += usize::from(bytes > 0);
                        meter.keep(bytes);
                    }
                    None => aggregator.count_item(figure),
                }
                Ok(())
            })?;
            let limit = sizes(run.budget).values;
            if kept > limit {
                return Err(Error::TooManyGroups { limit });
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(groups)
    }

    /// The values of a row by which it is grouped.
    pub(super) fn key_values<'r>(&self, row: &'r Row<'_>) -> Result<Vec<Value<'r>>, Error> {
        let first = 1 + ordinal_count(self.plan.set);
        let value = |(at, key): (usize, &Key)| value(row.field(first + at)?, key.kind);
        self.keys.iter().enumerate().map(value).collect()
    }

    /// Which row it is.
    pub(super) fn row_key(&self, row: &Row<'_>) -> Result<RowKey, Error> {
        let count = ordinal_count(self.plan.set);
        let ordinals = (1..=count).map(|at| row.get(at)).collect::<Result<_, _>>()?;
        Ok(RowKey { record_key: row.get(0)?, start: 0, id: String::new(), ordinals })
    }

    /// Gives the value of a row for each figure: none for one that counts rows.
    pub(super) fn each_value(
        &self,
        row: &Row<'_>,
        mut each: impl FnMut(usize, Option<Value<'_>>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut at = 1 + ordinal_count(self.plan.set) + self.keys.len();
        for (figure, kind) in self.values.iter().enumerate() {
            let value = match kind {
                Some(kind) => Some(value(row.field(at)?, *kind)?),
                None => None,
            };
            at += usize::from(value.is_some());
            each(figure, value)?;
        }
        Ok(())
    }

    /// The keys of a group as its first row has them: by its columns, if these tell their JSON.
    pub(super) fn keys_of(
        &self,
        chain: &Chain<'_>,
        values: &[Value<'_>],
        run: &mut Run<'_>,
        row: impl FnOnce(&Run<'_>) -> Result<RowKey, Error>,
    ) -> Result<Vec<Member<'static>>, Error> {
        if let Some(keys) = self.column_keys(values) {
            return Ok(keys);
        }
        let row = row(run)?;
        match self.read_keys(chain, &row, run) {
            Err(Error::Corrupt(cause)) => {
                tracing::error!(%cause, "the keys of a group are told by columns alone");
                Ok(self.known_keys(values))
            }
            keys => keys,
        }
    }

    /// As far as columns tell the keys of a group; the others are null.
    fn known_keys(&self, values: &[Value<'_>]) -> Vec<Member<'static>> {
        let mut found = Vec::with_capacity(self.keys.len());
        for ((path, key), value) in self.paths.iter().zip(&self.keys).zip(values) {
            let is_known = key.kind != Kind::Key;
            found.push((*path, if is_known { value.clone() } else { Value::Null }));
        }
        group_keys(found)
    }

    /// The keys of a group by the columns of its first row; none for kinds with more than one form in
    /// JSON unless they were calculated, and for null, since an object on the way may be what is null.
    fn column_keys(&self, values: &[Value<'_>]) -> Option<Vec<Member<'static>>> {
        let mut found = Vec::with_capacity(self.keys.len());
        for ((path, key), value) in self.paths.iter().zip(&self.keys).zip(values) {
            let has_one_form =
                matches!(value, Value::Text(_) | Value::Enum { .. } | Value::Bool(_));
            if key.kind == Kind::Key || !(key.is_calculated || has_one_form) {
                return None;
            }
            found.push((*path, value.clone()));
        }
        Some(group_keys(found))
    }

    fn read_keys(
        &self,
        chain: &Chain<'_>,
        row: &RowKey,
        run: &mut Run<'_>,
    ) -> Result<Vec<Member<'static>>, Error> {
        let mut steps: Vec<_> = chain.computing.iter().copied().cloned().collect();
        if let Some(Transformation::GroupBy { keys, .. }) = chain.steps.first() {
            steps.push(Transformation::GroupBy { keys: keys.clone(), apply: None });
        }
        let computed: Vec<_> = chain.input.compute.iter().map(|member| &member.value).collect();
        let parts = Parts { quality: chain.parts().quality, ..parts(&computed) };
        let text = run.loader.row_text(self.plan.set, row, parts)?;
        let pipeline = pipeline(steps, self.plan.set)?;
        let mut flow = pipeline.start(sizes(run.budget), environment(&run.budget.meter));
        let _ = flow.push(Cow::Owned(node(&text)?)).map_err(|excess| too_much(&excess))?;
        match flow.finish().map_err(|excess| too_much(&excess))?.pop() {
            Some(Node::Object(members)) => Ok(members),
            _ => Err(Error::Internal(Cause::new("a group without keys"))),
        }
    }
}

/// A column's value by its kind.
fn value(field: Field<'_>, kind: Kind) -> Result<Value<'_>, Error> {
    Ok(match (field, kind) {
        (Field::Null, _) => Value::Null,
        (Field::Int(number), Kind::Int { .. }) => Value::Int(number),
        (Field::Int(number), Kind::Bool) => Value::Bool(number != 0),
        (Field::Int(ticks), Kind::Instant { .. }) => Value::Instant(Moment::utc(ticks)),
        (Field::Int(days), Kind::Date { .. }) => Value::Date(days),
        (Field::Int(ticks), Kind::TimeOfDay) => Value::TimeOfDay(Fine::of(ticks)),
        (Field::Int(ticks), Kind::Duration { .. }) => Value::Duration(Fine::of(ticks)),
        (Field::Int(number), Kind::Real(_)) => Value::double(number as f64),
        (Field::Real(number), Kind::Real(_)) => Value::double(number),
        (Field::Bytes(key), Kind::Key) => {
            Value::Text(key.iter().map(|byte| format!("{byte:02x}")).collect())
        }
        (Field::Text(text), Kind::Text) => Value::Text(text),
        (Field::Text(name), Kind::Enum(ty)) => Value::Enum { ty, name },
        _ => return Err(Error::Corrupt(Cause::new("a column has a value of another type"))),
    })
}
