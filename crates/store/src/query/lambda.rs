//! any, all and counts: subqueries over the tables below a row.

use model::columns::{self, Kind as ColumnKind, Table};
use model::generated;
use odata::bound::{Expr, ExprKind, Operator, Path, PathStep, Quantifier, Root, Ty};
use odata::edm::{Primitive, Property, StructuredType, Type};
use odata::literal::Literal;

use super::compiler::{Compiler, Condition, Mode, always, exact};
use super::scope::{Scope, alias_of, mentions};
use super::value::{Kind, Scalar, constant};
use crate::sql::{Alias, Bind, Sql, one_of};

/// Figures beyond this are rounded where the record sums up its streams.
const EXACT_IN_F64: u64 = 1 << 53;

/// A collection, and the conditions that `$filter` segments put on its items.
struct Items<'q> {
    scope: Scope,
    steps: &'q [PathStep],
    filters: Vec<&'q Expr>,
}

impl<'q> Compiler<'q> {
    /// A path that ends with any or all. Never null.
    pub(super) fn lambda(&mut self, path: &'q Path, mode: Mode) -> Option<Condition> {
        let (PathStep::Lambda { quantifier, body }, before) = path.steps.split_last()? else {
            return None;
        };
        let items = self.items(&path.root, before)?;
        let body = body.as_ref().map(|(name, body)| (name.as_str(), &**body));
        if let Some(column) = items.scope.column(items.steps) {
            return self.any_member(&items, &column, *quantifier, body);
        }
        let [PathStep::Property(property)] = items.steps else { return None };
        if items.scope.is_record() && is_of(property, &generated::PARTICIPANT) {
            return self.any_participant(&items, *quantifier, body);
        }
        let (table, ty) = items.scope.child(property)?;
        match (quantifier, body) {
            (Quantifier::Any, body) => {
                let condition = self.exists(&items, table, ty, body);
                match body {
                    Some((name, body)) if mode == Mode::Truth => {
                        with_worst(&items, name, body, condition)
                    }
                    _ => condition,
                }
            }
            (Quantifier::All, body) => self.for_all(&items, table, ty, body?),
        }
    }

    fn items(&self, root: &Root, mut steps: &'q [PathStep]) -> Option<Items<'q>> {
        let scope = self.scope(root)?.clone();
        let mut filters = Vec::new();
        while let Some((PathStep::Filter(filter), before)) = steps.split_last() {
            filters.push(&**filter);
            steps = before;
        }
        Some(Items { scope, steps, filters })
    }

    fn exists(
        &mut self,
        items: &Items<'q>,
        table: Table,
        ty: &'static StructuredType,
        body: Option<(&'q str, &'q Expr)>,
    ) -> Option<Condition> {
        if let Some((name, body)) = body
            && items.filters.is_empty()
            && is_only_path_of(body, name)
            && let Some(beneath) = items.scope.beneath(ty, table)
        {
            // Whatever it is of a row in between that has such a row beneath it.
            self.variables.push((name, beneath));
            let condition = self.condition(body, Mode::Truth);
            self.variables.pop();
            return condition;
        }
        let (from, conditions) = self.subquery(items, table, ty, body);
        let mut is_exact = true;
        let mut sql = Sql::text("EXISTS (SELECT 1").append(from);
        for condition in conditions {
            match condition {
                Some(condition) => {
                    is_exact &= condition.is_exact;
                    sql = sql.push(" AND ").append(condition.sql);
                }
                None => is_exact = false,
            }
        }
        Some(Condition { sql: sql.push(")"), is_exact })
    }

    fn for_all(
        &mut self,
        items: &Items<'q>,
        table: Table,
        ty: &'static StructuredType,
        body: (&'q str, &'q Expr),
    ) -> Option<Condition> {
        let (from, mut conditions) = self.subquery(items, table, ty, Some(body));
        let body = conditions.pop()??;
        let mut sql = Sql::text("NOT EXISTS (SELECT 1").append(from);
        for filter in conditions {
            let filter = filter?;
            filter.is_exact.then_some(())?;
            sql = sql.push(" AND ").append(filter.sql);
        }
        body.is_exact.then_some(())?;
        Some(exact(sql.push(" AND (").append(body.sql).push(") IS NOT TRUE)")))
    }

    /// FROM and the join to the owner; the conditions of filters and last of the body.
    fn subquery(
        &mut self,
        items: &Items<'q>,
        table: Table,
        ty: &'static StructuredType,
        body: Option<(&'q str, &'q Expr)>,
    ) -> (Sql, Vec<Option<Condition>>) {
        let letter = alias_of(table).letter;
        let alias = Alias { letter, number: self.next_alias() };
        let row = items.scope.row(ty, table, alias);
        let owned = items.scope.owns(table, alias).unwrap_or_else(|| Sql::either("0", "FALSE"));
        let from = Sql::text(match table {
            Table::CallRecord => " FROM call_record ",
            Table::Session => " FROM session ",
            Table::Segment => " FROM segment ",
            Table::Media => " FROM media ",
            Table::Stream => " FROM stream ",
        });
        let from = from.push_alias(alias).push(" WHERE ").append(owned);
        let mut conditions = Vec::new();
        for filter in &items.filters {
            let outer = std::mem::replace(&mut self.item, row.clone());
            conditions.push(self.condition(filter, Mode::Truth));
            self.item = outer;
        }
        if let Some((name, body)) = body {
            self.variables.push((name, row));
            conditions.push(self.condition(body, Mode::Truth));
            self.variables.pop();
        }
        (from, conditions)
    }

    fn any_member(
        &mut self,
        items: &Items<'q>,
        column: &columns::ColumnRef,
        quantifier: Quantifier,
        body: Option<(&'q str, &'q Expr)>,
    ) -> Option<Condition> {
        let is_set = matches!(column.kind, ColumnKind::EnumSet(_)) && items.filters.is_empty();
        if !is_set || quantifier != Quantifier::Any {
            return None;
        }
        let member = items.scope.member(column)?;
        if items.scope.is_rows() {
            self.joined.note(column.table);
        }
        let Some((name, body)) = body else {
            let sql = member.members_column()?;
            return Some(exact(sql.push(" <> ''")));
        };
        if !is_alternative(body, name) {
            return None;
        }
        self.variables.push((name, member));
        let condition = self.condition(body, Mode::Truth);
        self.variables.pop();
        condition
    }

    fn any_participant(
        &mut self,
        items: &Items<'q>,
        quantifier: Quantifier,
        body: Option<(&'q str, &'q Expr)>,
    ) -> Option<Condition> {
        let alias = items.scope.alias(Table::CallRecord)?;
        if quantifier == Quantifier::All {
            return None;
        }
        let Some((name, body)) = body else {
            let sql = Sql::column(alias, "participant_count").push(" > 0");
            return Some(Condition { sql, is_exact: items.filters.is_empty() });
        };
        let (keys, is_exact) = participant_keys(body, name)?;
        if keys.is_empty() {
            return Some(always(false));
        }
        let number = self.next_alias();
        let participant = Alias { letter: "q", number };
        let sql = Sql::text("EXISTS (SELECT 1 FROM participant ").push_alias(participant);
        let sql = sql.push(" WHERE ").push_column(participant, "tenant_key").push(" = ");
        let sql = sql.push_bind(Bind::Int(self.tenant.key)).push(" AND ");
        let sql = sql.push_column(participant, "id_key");
        let keys = keys.into_iter().map(Bind::Bytes).collect();
        let sql = sql.append(one_of(keys)?).push(" AND ");
        let sql = sql.push_column(participant, "start_date_time").push(" = ");
        let sql = sql.push_column(alias, "start_date_time").push(" AND ");
        let sql = sql.push_column(participant, "record_key").push(" = ");
        let sql = sql.push_column(alias, "record_key").push(")");
        Some(Condition { sql, is_exact: is_exact && items.filters.is_empty() })
    }

    /// A path that ends with `$count`.
    pub(super) fn count(&mut self, path: &'q Path) -> Option<Scalar> {
        let (PathStep::Count { filter, search: None }, before) = path.steps.split_last()? else {
            return None;
        };
        let mut items = self.items(&path.root, before)?;
        items.filters.extend(filter.as_deref());
        let [PathStep::Property(property)] = items.steps else { return None };
        let kind = Kind::Int { least: 0, most: i128::from(u32::MAX) };
        if items.scope.is_record() && items.filters.is_empty() {
            let alias = items.scope.alias(Table::CallRecord)?;
            let is_session = items.scope.child(property).is_some();
            if is_session || is_of(property, &generated::PARTICIPANT) {
                let column = if is_session { "session_count" } else { "participant_count" };
                return Some(Scalar::of(Sql::column(alias, column), kind));
            }
        }
        let (table, ty) = items.scope.child(property)?;
        let (from, conditions) = self.subquery(&items, table, ty, None);
        let mut sql = Sql::text("(SELECT count(*)").append(from);
        for condition in conditions {
            let condition = condition?;
            condition.is_exact.then_some(())?;
            sql = sql.push(" AND ").append(condition.sql);
        }
        Some(Scalar::of(sql.push(")"), kind))
    }
}

/// Puts before a condition on the streams of a record what the record says of all of them.
fn with_worst(
    items: &Items<'_>,
    name: &str,
    body: &Expr,
    condition: Option<Condition>,
) -> Option<Condition> {
    if !items.scope.is_record() {
        return condition;
    }
    let mut bounds = Vec::new();
    worst_bounds(body, name, &mut bounds);
    let Some(alias) = items.scope.alias(Table::CallRecord) else { return condition };
    let mut parts: Vec<Sql> = bounds
        .into_iter()
        .map(|(column, text, bind)| Sql::column(alias, column).push(text).push_bind(bind))
        .collect();
    if parts.is_empty() {
        return condition;
    }
    let is_exact = condition.as_ref().is_some_and(|condition| condition.is_exact);
    parts.extend(condition.map(|condition| condition.sql));
    Some(Condition { sql: Sql::join(parts, " AND "), is_exact })
}

fn is_of(property: &Property, ty: &'static StructuredType) -> bool {
    property.is_collection
        && matches!(property.ty, Type::Structured(found) if std::ptr::eq(found, ty))
}

/// Whether a condition on an item only says that something beneath it meets a condition, which
/// doesn't look at the item itself.
fn is_only_path_of(body: &Expr, variable: &str) -> bool {
    let ExprKind::Path(path) = &body.kind else { return false };
    let [
        PathStep::Property(_),
        PathStep::Lambda { quantifier: Quantifier::Any, body: Some((_, inner)) },
    ] = path.steps.as_slice()
    else {
        return false;
    };
    path.root == Root::Variable(variable.to_owned()) && !mentions(inner, variable)
}

/// Whether a condition on an item of a collection of values is `eq`, `in`, or one of several such:
/// of these, text with all items can tell whether any meets them.
fn is_alternative(body: &Expr, variable: &str) -> bool {
    let is_item = |expr: &Expr| match &expr.kind {
        ExprKind::Path(path) => {
            path.steps.is_empty() && path.root == Root::Variable(variable.to_owned())
        }
        _ => false,
    };
    match &body.kind {
        ExprKind::Compare(Operator::Eq, left, right) => is_item(left) || is_item(right),
        ExprKind::In(value, _) => is_item(value),
        ExprKind::Or(parts) => parts.iter().all(|part| is_alternative(part, variable)),
        _ => false,
    }
}

/// Keys of the ids that the participant has to have one of, and whether that is all that is asked.
pub(super) fn participant_keys(body: &Expr, variable: &str) -> Option<(Vec<Vec<u8>>, bool)> {
    match &body.kind {
        ExprKind::Compare(Operator::Eq, left, right) => {
            let (id, value) = if is_id(left, variable) { (left, right) } else { (right, left) };
            is_id(id, variable).then_some(())?;
            Some((vec![text_key(value)?], true))
        }
        ExprKind::In(value, list) if is_id(value, variable) => {
            let ExprKind::List(items) = &list.kind else { return None };
            Some((items.iter().map(text_key).collect::<Option<_>>()?, true))
        }
        ExprKind::And(parts) => {
            let found = parts.iter().find_map(|part| participant_keys(part, variable));
            found.map(|(keys, _)| (keys, false))
        }
        ExprKind::Or(parts) => {
            let mut all = (Vec::new(), true);
            for part in parts {
                let (keys, is_exact) = participant_keys(part, variable)?;
                all.0.extend(keys);
                all.1 &= is_exact;
            }
            Some(all)
        }
        _ => None,
    }
}

fn is_id(expr: &Expr, variable: &str) -> bool {
    let ExprKind::Path(Path { root: Root::Variable(name), steps }) = &expr.kind else {
        return false;
    };
    matches!(steps.as_slice(), [PathStep::Property(property)] if property.name == "id")
        && name == variable
}

fn text_key(expr: &Expr) -> Option<Vec<u8>> {
    match &expr.kind {
        ExprKind::Literal(Literal::String(id) | Literal::Guid(id)) => Some(model::key(id)),
        _ => None,
    }
}

/// Collects what follows for the worst figures of a record when a stream beneath it meets the
/// condition: column, comparison and value.
fn worst_bounds(body: &Expr, variable: &str, bounds: &mut Vec<(&'static str, &'static str, Bind)>) {
    match &body.kind {
        ExprKind::And(parts) => {
            for part in parts {
                worst_bounds(part, variable, bounds);
            }
        }
        ExprKind::Path(path) if path.root == Root::Variable(variable.to_owned()) => {
            if let [
                PathStep::Property(_),
                PathStep::Lambda { quantifier: Quantifier::Any, body: Some((name, inner)) },
            ] = path.steps.as_slice()
            {
                worst_bounds(inner, name, bounds);
            }
        }
        ExprKind::Compare(operator, left, right) => {
            let found = worst_bound(*operator, left, right, variable)
                .or_else(|| worst_bound(operator.mirrored(), right, left, variable));
            bounds.extend(found);
        }
        _ => {}
    }
}

fn worst_bound(
    operator: Operator,
    left: &Expr,
    right: &Expr,
    variable: &str,
) -> Option<(&'static str, &'static str, Bind)> {
    let (ExprKind::Path(path), ExprKind::Literal(literal)) = (&left.kind, &right.kind) else {
        return None;
    };
    let text = match operator {
        Operator::Gt => " > ",
        Operator::Ge | Operator::Eq => " >= ",
        _ => return None,
    };
    let bind = constant(literal, right.ty)?.literal?;
    // A stream may state more than the ticks of its column.
    let text = if matches!(right.ty, Ty::One(Type::Primitive(Primitive::Duration))) {
        " >= "
    } else {
        text
    };
    let is_exact = match bind {
        Bind::Int(number) => number.unsigned_abs() < EXACT_IN_F64,
        Bind::Real(_) => true,
        _ => false,
    };
    if !is_exact || path.root != Root::Variable(variable.to_owned()) {
        return None;
    }
    let column = columns::find(&generated::MEDIA_STREAM, &path.steps)?.column;
    let worst = |name: &str| name.strip_prefix("worst_") == Some(column);
    let found = columns::CALL_RECORD.iter().find(|column| worst(column.name))?;
    Some((found.name, text, bind))
}
