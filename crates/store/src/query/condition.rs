//! From an expression to a condition in SQL that means the same, or at least to one that follows from
//! it.

use model::columns::Kind as ColumnKind;
use odata::bound::{Expr, ExprKind, Function, Operator, Path, PathStep, Ty};
use odata::edm::{Property, Type};
use odata::literal::Literal;
use odata::primitive::{Decimal, Fine};

use super::compiler::{Compiler, Condition, Mode, always, exact};
use super::value::{Kind, Scalar, constant};
use crate::engine::Dialect;
use crate::sql::{Bind, Sql, one_of};

/// Conditions that are joined in one statement: engines take expressions of no more than some hundred
/// levels, and each `AND` and `OR` is one.
pub(super) const MOST_PARTS: usize = 200;

impl<'q> Compiler<'q> {
    /// The condition, or one that follows from it; `None` when every row may meet it.
    pub(crate) fn condition(&mut self, expr: &'q Expr, mode: Mode) -> Option<Condition> {
        let found = match &expr.kind {
            ExprKind::Literal(Literal::Boolean(value)) => Some(always(*value)),
            ExprKind::Literal(Literal::Null) if mode == Mode::Truth => Some(always(false)),
            ExprKind::Path(path) => self.path_condition(path, mode),
            ExprKind::Not(inner) => {
                let inner = self.condition(inner, Mode::Whole)?;
                Some(exact(Sql::text("NOT ").append(inner.sql.grouped())))
            }
            ExprKind::And(parts) => self.and(parts, mode),
            ExprKind::Or(parts) => self.or(parts, mode),
            ExprKind::Compare(operator, left, right) => self.compare(*operator, left, right, mode),
            ExprKind::In(value, list) => self.within(value, list, mode),
            ExprKind::Has(value, wanted) => {
                let (value, wanted) = (self.scalar(value)?, self.scalar(wanted)?);
                let is_enum = matches!(value.kind, Kind::Enum(_)) && wanted.literal.is_some();
                (is_enum && value.kind.is_comparable(wanted.kind))
                    .then(|| value.sql.push(" = ").append(wanted.sql))
                    .map(exact)
            }
            ExprKind::Call(function, arguments) => self.text_test(*function, arguments),
            ExprKind::Case(_) => {
                let value = self.scalar(expr)?;
                (value.kind == Kind::Bool).then(|| exact(value.sql.push(" = 1")))
            }
            _ => None,
        };
        found.filter(|condition| condition.is_exact || mode == Mode::Truth)
    }

    fn path_condition(&mut self, path: &'q Path, mode: Mode) -> Option<Condition> {
        if let Some(PathStep::Lambda { .. }) = path.steps.last() {
            return self.lambda(path, mode);
        }
        let value = self.path_value(path)?;
        (value.kind == Kind::Bool).then_some(())?;
        Some(exact(value.sql.push(" = 1")))
    }

    fn and(&mut self, parts: &'q [Expr], mode: Mode) -> Option<Condition> {
        let mut known = Vec::with_capacity(parts.len());
        let mut is_exact = parts.len() <= MOST_PARTS;
        if mode == Mode::Whole && !is_exact {
            return None;
        }
        for part in parts.iter().take(MOST_PARTS) {
            match self.condition(part, mode) {
                Some(condition) => {
                    is_exact &= condition.is_exact;
                    known.push(condition.sql);
                }
                None if mode == Mode::Whole => return None,
                None => is_exact = false,
            }
        }
        (!known.is_empty()).then(|| Condition { sql: Sql::join(known, " AND "), is_exact })
    }

    fn or(&mut self, parts: &'q [Expr], mode: Mode) -> Option<Condition> {
        (parts.len() <= MOST_PARTS).then_some(())?;
        let mut is_exact = true;
        let mut all = Vec::with_capacity(parts.len());
        for part in parts {
            let condition = self.condition(part, mode)?;
            is_exact &= condition.is_exact;
            all.push(match part.kind {
                ExprKind::And(_) => condition.sql.grouped(),
                _ => condition.sql,
            });
        }
        Some(Condition { sql: Sql::join(all, " OR ").grouped(), is_exact })
    }

    fn compare(
        &mut self,
        operator: Operator,
        left: &'q Expr,
        right: &'q Expr,
        mode: Mode,
    ) -> Option<Condition> {
        if matches!(left.kind, ExprKind::Literal(_)) && !matches!(right.kind, ExprKind::Literal(_))
        {
            return self.compare(operator.mirrored(), right, left, mode);
        }
        let equality = matches!(operator, Operator::Eq | Operator::Ne);
        if matches!(right.kind, ExprKind::Literal(Literal::Null)) {
            let text = match operator {
                Operator::Eq | Operator::Le | Operator::Ge => " IS NULL",
                Operator::Ne => " IS NOT NULL",
                Operator::Lt | Operator::Gt => return Some(always(false)),
            };
            return Some(exact(self.nullable(left)?.push(text)));
        }
        if let Some(condition) = self.compare_member(operator, left, right) {
            return Some(condition);
        }
        if let Some((column, key)) = self.id_key(left, right) {
            let text = if operator == Operator::Eq { " = " } else { " <> " };
            let sql = column.push(text).push_bind(Bind::Bytes(key));
            return equality.then_some(sql).map(exact);
        }
        let left = self.scalar(left)?;
        match (&right.kind, left.kind) {
            (ExprKind::Literal(Literal::Number(text)), Kind::Int { .. }) => {
                return self.compare_whole(operator, left, text, mode);
            }
            (ExprKind::Literal(literal), Kind::Instant { .. } | Kind::Duration { .. }) => {
                if let Some(time) = time_of(literal)
                    && (time.is_between() || !is_told(operator, &left, time))
                {
                    return near_tick(operator, left, time, mode);
                }
            }
            _ => {}
        }
        let right = self.scalar(right)?;
        // Of two columns with the same tick either may state more.
        if right.literal.is_none() && !(left.is_whole_ticks() && right.is_whole_ticks()) {
            return None;
        }
        self.compare_scalars(operator, left, right, mode)
    }

    fn compare_scalars(
        &self,
        operator: Operator,
        left: Scalar,
        right: Scalar,
        mode: Mode,
    ) -> Option<Condition> {
        let dialect = self.tenant.dialect;
        if !left.kind.is_comparable(right.kind) || !is_exact_beside(dialect, &left, &right) {
            return None;
        }
        match operator {
            Operator::Eq | Operator::Ne => Some(equal(operator, (left, right), dialect, mode)),
            _ => order(operator, (left, right), dialect, mode),
        }
    }

    /// A whole number beside a number of another type: by their exact values, which engines round.
    fn compare_whole(
        &self,
        operator: Operator,
        left: Scalar,
        text: &str,
        mode: Mode,
    ) -> Option<Condition> {
        let is_known = |is_less: bool| match (operator, is_less) {
            (Operator::Eq, _) => Some(always(false)),
            (Operator::Ne, _) => Some(always(true)),
            (Operator::Lt | Operator::Le, true) | (Operator::Gt | Operator::Ge, false) => {
                Some(exact(left.sql.clone().push(" IS NOT NULL")))
            }
            _ => Some(always(false)),
        };
        let Some(Decimal { floor, is_between, .. }) = Decimal::parse(text) else {
            // Beyond all whole numbers; NaN is nowhere.
            return match text {
                "NaN" => None,
                _ => is_known(!text.starts_with('-')),
            };
        };
        let operator = match operator {
            Operator::Eq | Operator::Ne if is_between => return is_known(false),
            Operator::Lt if is_between => Operator::Le,
            Operator::Ge if is_between => Operator::Gt,
            operator => operator,
        };
        let right = constant(&Literal::Integer(floor), Ty::Null)?;
        self.compare_scalars(operator, left, right, mode)
    }

    /// A value in SQL that is null just when the expression is.
    fn nullable(&mut self, expr: &'q Expr) -> Option<Sql> {
        self.required_part(expr).or_else(|| self.scalar(expr).map(|value| value.sql))
    }

    /// The column of a member that a complex value has whenever there is one: it is null just when
    /// the value is.
    fn required_part(&mut self, expr: &Expr) -> Option<Sql> {
        let (ExprKind::Path(path), Ty::One(Type::Structured(ty))) = (&expr.kind, expr.ty) else {
            return None;
        };
        let scope = self.scope(&path.root)?.clone();
        let required = |property: &&Property| !property.is_nullable && property.default.is_some();
        let column = ty.properties.iter().filter(required).find_map(|property| {
            let mut steps = path.steps.clone();
            steps.push(PathStep::Property(property));
            scope.column(&steps)
        })?;
        self.column_sql(&scope, &column)
    }

    /// The column with the key of an id, and the key that a literal has.
    fn id_key(&mut self, left: &Expr, right: &Expr) -> Option<(Sql, Vec<u8>)> {
        let (ExprKind::Path(path), ExprKind::Literal(Literal::String(id) | Literal::Guid(id))) =
            (&left.kind, &right.kind)
        else {
            return None;
        };
        let scope = self.scope(&path.root)?.clone();
        let column = scope.column(&path.steps)?;
        if !matches!(column.kind, ColumnKind::IdKey) {
            return None;
        }
        Some((self.column_sql(&scope, &column)?, model::key(id)))
    }

    fn within(&mut self, value: &'q Expr, list: &'q Expr, mode: Mode) -> Option<Condition> {
        let ExprKind::List(items) = &list.kind else { return None };
        let mut all = Vec::new();
        let (mut plain, mut guids) = (Vec::new(), Vec::new());
        for item in items {
            if matches!(item.kind, ExprKind::Literal(Literal::Null)) {
                all.push(self.nullable(value)?.push(" IS NULL"));
            } else if let Some((_, key)) = self.id_key(value, item) {
                plain.push(Bind::Bytes(key));
            } else if let Some(condition) = self.compare_member(Operator::Eq, value, item) {
                all.push(condition.sql);
            } else {
                let left = self.scalar(value)?;
                let kind = left.kind;
                let item = match (&item.kind, kind) {
                    (ExprKind::Literal(Literal::Number(text)), Kind::Int { .. }) => {
                        match Decimal::parse(text).filter(|number| !number.is_between) {
                            Some(number) => constant(&Literal::Integer(number.floor), Ty::Null)?,
                            None => continue,
                        }
                    }
                    (ExprKind::Literal(literal), Kind::Instant { .. } | Kind::Duration { .. })
                        if time_of(literal).is_some_and(|time| {
                            time.is_between() || !is_told(Operator::Eq, &left, time)
                        }) =>
                    {
                        return None;
                    }
                    _ => self.scalar(item)?,
                };
                let is_exact = is_exact_beside(self.tenant.dialect, &left, &item);
                if !kind.is_comparable(item.kind) || !is_exact {
                    return None;
                }
                let bind = item.literal?;
                if is_guid(&bind) { guids.push(lower_cased(bind)) } else { plain.push(bind) }
            }
        }
        for (binds, is_guid) in [(plain, false), (guids, true)] {
            if binds.is_empty() {
                continue;
            }
            let column = match items.first().and_then(|item| self.id_key(value, item)) {
                Some((column, _)) => column,
                None => self.scalar(value)?.sql,
            };
            let column = if is_guid { lower_case(column) } else { column };
            let sql = column.append(one_of(binds)?);
            all.push(match mode {
                Mode::Truth => sql,
                Mode::Whole => sql.grouped().push(" IS TRUE"),
            });
        }
        match all.len() {
            MOST_PARTS.. => None,
            0 => Some(always(false)),
            1 => Some(exact(all.remove(0))),
            _ => Some(exact(Sql::join(all, " OR ").grouped())),
        }
    }

    /// `m eq 'audio'` of an item of a collection that a column has as text.
    fn compare_member(&self, operator: Operator, left: &Expr, right: &Expr) -> Option<Condition> {
        let ExprKind::Path(path) = &left.kind else { return None };
        let column = self.scope(&path.root)?.members_column()?;
        let ExprKind::Literal(literal) = &right.kind else { return None };
        let constant = constant(literal, right.ty)?;
        let Some(Bind::Text(name)) = constant.literal else { return None };
        // Any item is equal; of another one, whether it is unequal, the text can't tell.
        if operator != Operator::Eq || !path.steps.is_empty() || name.contains(',') {
            return None;
        }
        let sql = Sql::text("instr(',' || ").append(column).push(" || ',', ");
        Some(exact(sql.push_bind(Bind::Text(format!(",{name},"))).push(") > 0")))
    }

    /// contains, startswith, endswith; null with a null text.
    fn text_test(&mut self, function: Function, arguments: &'q [Expr]) -> Option<Condition> {
        let [text, part] = arguments else { return None };
        let test = match function {
            Function::Contains => ") > 0",
            Function::StartsWith => ") = 1",
            Function::EndsWith => "",
            _ => return None,
        };
        let (text, part) = (self.scalar(text)?, self.scalar(part)?);
        if text.kind != Kind::Text || part.kind != Kind::Text {
            return None;
        }
        if function != Function::EndsWith {
            let sql = Sql::text("instr(").append(text.sql).push(", ").append(part.sql);
            return Some(exact(sql.push(test)));
        }
        let Some(Bind::Text(suffix)) = part.literal else { return None };
        if suffix.is_empty() {
            return None;
        }
        if self.tenant.dialect == Dialect::Postgres {
            let length = i64::try_from(suffix.chars().count()).ok()?;
            // U+0000 and U+0001 are kept as two characters there.
            if suffix.contains(['\0', '\u{1}', '\u{2}']) {
                return None;
            }
            let sql = Sql::text("right(").append(text.sql).push(", CAST(");
            let sql = sql.push_bind(Bind::Int(length)).push(" AS integer)) = ");
            return Some(exact(sql.push_bind(Bind::Text(suffix))));
        }
        // As bytes: a text with a NUL in it has no length for SQL. With one more in front, which the
        // suffix doesn't begin with: of no bytes at all SQL takes no part.
        let length = i64::try_from(suffix.len()).ok()?;
        let front =
            if suffix.starts_with('.') { "substr(CAST(',' || " } else { "substr(CAST('.' || " };
        let sql = Sql::text(front).append(text.sql).push(" AS BLOB), ");
        let sql = sql.push_bind(Bind::Int(-length)).push(") = ");
        Some(exact(sql.push_bind(Bind::Bytes(suffix.into_bytes()))))
    }
}

/// Whether the engine compares both by their exact values: PostgreSQL rounds whole numbers to what an
/// `f64` holds beside one.
fn is_exact_beside(dialect: Dialect, left: &Scalar, right: &Scalar) -> bool {
    const EXACT: i128 = 1 << 53;
    let is_small = |least: i128, most: i128| -EXACT <= least && most <= EXACT;
    match (left.kind, right.kind) {
        (Kind::Int { least, most }, Kind::Real(_)) | (Kind::Real(_), Kind::Int { least, most }) => {
            dialect == Dialect::Sqlite || is_small(least, most)
        }
        _ => true,
    }
}

/// The time that a literal states.
fn time_of(literal: &Literal) -> Option<Fine> {
    match literal {
        Literal::DateTimeOffset(moment) => Some(moment.at),
        Literal::Duration(length) => Some(*length),
        _ => None,
    }
}

/// Whether a value in ticks tells all that the comparison with a whole tick asks: what a record states
/// between this tick and the next is not less than it, but neither equal. Columns have instants rounded
/// down, durations towards zero.
fn is_told(operator: Operator, value: &Scalar, tick: Fine) -> bool {
    let is_rounded_down = matches!(value.kind, Kind::Instant { .. }) || tick.ticks > 0;
    value.is_whole_ticks() || matches!(operator, Operator::Lt | Operator::Ge) && is_rounded_down
}

/// A column, which has whole ticks, beside a time: more are let through than meet it, since what a record
/// says may lie behind the same tick.
fn near_tick(operator: Operator, left: Scalar, time: Fine, mode: Mode) -> Option<Condition> {
    // Columns have durations rounded towards zero.
    let next = time.ticks.saturating_add(i64::from(time.ticks < 0 && time.is_between()));
    let sql = left.sql.clone();
    let sql = match operator {
        Operator::Lt | Operator::Le => sql.push(" <= ").push_bind(Bind::Int(next)),
        Operator::Gt | Operator::Ge => sql.push(" >= ").push_bind(Bind::Int(time.ticks)),
        Operator::Eq => {
            let sql = sql.push(" BETWEEN ").push_bind(Bind::Int(time.ticks));
            sql.push(" AND ").push_bind(Bind::Int(next)).grouped()
        }
        Operator::Ne => return None,
    };
    (mode == Mode::Truth).then_some(Condition { sql, is_exact: false })
}

/// `eq` and `ne` are never null.
fn equal(
    operator: Operator,
    (left, right): (Scalar, Scalar),
    dialect: Dialect,
    mode: Mode,
) -> Condition {
    let is_literal = right.literal.is_some();
    let is_guid = right.literal.as_ref().is_some_and(is_guid);
    let (is_text, is_equal) = (left.kind == Kind::Text, operator == Operator::Eq);
    let text = match (is_equal, is_literal && mode == Mode::Truth) {
        (true, true) => " = ",
        (true, false) => " IS NOT DISTINCT FROM ",
        (false, _) => " IS DISTINCT FROM ",
    };
    if is_text && !is_literal {
        let sql = folded(dialect, left.sql).push(text).append(folded(dialect, right.sql));
        return exact(sql);
    }
    exact(match right.literal {
        Some(bind) if is_guid => lower_case(left.sql).push(text).push_bind(lower_cased(bind)),
        _ => left.sql.push(text).append(right.sql),
    })
}

/// Text in lower case as far as its letters are ASCII, which those of a GUID are.
fn lower_case(text: Sql) -> Sql {
    Sql::text("lower(").append(text).push(")")
}

fn lower_cased(bind: Bind) -> Bind {
    match bind {
        Bind::Text(text) => Bind::Text(text.to_ascii_lowercase()),
        other => other,
    }
}

/// `lt` and `gt` are false with null; `le` and `ge` hold between null and null as well.
fn order(
    operator: Operator,
    (mut left, mut right): (Scalar, Scalar),
    dialect: Dialect,
    mode: Mode,
) -> Option<Condition> {
    if !left.kind.is_ordered() {
        return None;
    }
    if left.kind == Kind::Text {
        left.sql = folded(dialect, left.sql);
        right.sql = match &right.literal {
            Some(Bind::Text(text)) => {
                Sql::value(Bind::Text(odata::primitive::folded(text).into_owned()))
            }
            _ => folded(dialect, right.sql),
        };
    }
    let text = match operator {
        Operator::Lt => " < ",
        Operator::Le => " <= ",
        Operator::Gt => " > ",
        _ => " >= ",
    };
    let sql = left.sql.clone().push(text).append(right.sql.clone());
    let sql = match mode {
        Mode::Truth => sql,
        Mode::Whole => sql.grouped().push(" IS TRUE"),
    };
    let is_never_null = left.literal.is_some() || right.literal.is_some();
    if is_never_null || matches!(operator, Operator::Lt | Operator::Gt) {
        return Some(exact(sql));
    }
    let are_null = left.sql.push(" IS NULL AND ").append(right.sql).push(" IS NULL");
    Some(exact(sql.push(" OR ").append(are_null).grouped()))
}

/// Text as it is compared: GUIDs in lower case.
pub(super) fn folded(dialect: Dialect, text: Sql) -> Sql {
    if dialect == Dialect::Sqlite {
        return Sql::text("text_folded(").append(text).push(")");
    }
    let guid = " ~ '^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$' THEN lower(";
    let sql = Sql::text("(CASE WHEN ").append(text.clone()).push(guid).append(text.clone());
    sql.push(") ELSE ").append(text).push(" END)")
}

/// Whether it is a text that is equal to others of another case.
fn is_guid(bind: &Bind) -> bool {
    matches!(bind, Bind::Text(text) if odata::primitive::parse_guid(text).is_some())
}
