//! From an expression to a value that SQL calculates exactly as our own evaluator does.

use model::columns::{ColumnRef, Kind as ColumnKind, TOLD_NULL, Table};
use model::rows::QUALITY;
use odata::bound::{Expr, ExprKind, Function, Path, PathStep, Ty};
use odata::literal::Literal;
use quality::profile::standard;

use super::arithmetic::{arithmetic, negated};
use super::compiler::{Compiler, Mode};
use super::magnitude::Magnitude;
use super::scope::Scope;
use super::value::{INSTANTS, Kind, Scalar, constant};
use super::{share, time};
use crate::engine::Dialect;
use crate::sql::Sql;

/// Whole numbers of a column, and ticks of a duration.
const ANY: (i128, i128) = (i64::MIN as i128, i64::MAX as i128);
/// The same of plain values ([`model::flags::PLAIN_VALUES`]).
const PLAIN: (i128, i128) = (-(1 << 53), 1 << 53);

/// The column with a verdict.
const VERDICT: &str = "quality_verdict";

/// Whether a path leads to the name of the profile whose verdicts are kept, which all verdicts have.
fn is_profile(path: &[PathStep]) -> bool {
    let [PathStep::Property(verdict), PathStep::Property(part)] = path else { return false };
    verdict.name == QUALITY && part.name == "profile"
}

impl<'q> Compiler<'q> {
    /// The value of an expression, if SQL calculates it exactly.
    pub(crate) fn scalar(&mut self, expr: &'q Expr) -> Option<Scalar> {
        match &expr.kind {
            ExprKind::Literal(literal) => constant(literal, expr.ty),
            ExprKind::Path(path) => self.path_value(path),
            ExprKind::Negate(inner, _) => {
                let inner = self.scalar(inner)?;
                self.guarded(negated(inner))
            }
            ExprKind::Arithmetic(operator, left, right, _) => {
                let (left, right) = (self.scalar(left)?, self.scalar(right)?);
                self.guarded(arithmetic(self.tenant.dialect, *operator, left, right))
            }
            ExprKind::Call(Function::Contains | Function::StartsWith | Function::EndsWith, _) => {
                self.truth(expr)
            }
            ExprKind::Call(function, arguments) => self.call(*function, arguments),
            ExprKind::Case(cases) => self.case(cases, expr.ty),
            ExprKind::Not(_)
            | ExprKind::And(_)
            | ExprKind::Or(_)
            | ExprKind::Compare(..)
            | ExprKind::Has(..)
            | ExprKind::In(..) => self.truth(expr),
            _ => None,
        }
    }

    /// A condition as a value.
    fn truth(&mut self, expr: &'q Expr) -> Option<Scalar> {
        let condition = self.condition(expr, Mode::Whole)?;
        let sql = Sql::text("CAST(CAST(").append(condition.sql.grouped());
        Some(Scalar::of(sql.push(" AS integer) AS bigint)"), Kind::Bool))
    }

    pub(super) fn path_value(&mut self, path: &'q Path) -> Option<Scalar> {
        if let Some(PathStep::Count { .. }) = path.steps.last() {
            return self.count(path);
        }
        let is_plain = self.tenant.has_plain_values;
        let (least, most) = if is_plain { PLAIN } else { ANY };
        if is_profile(&path.steps) {
            return constant(&Literal::String(standard().id()), Ty::Null);
        }
        let scope = self.scope(&path.root)?.clone();
        if let Some(value) = self.leg(&scope, &path.steps) {
            return Some(value);
        }
        let column = scope.column(&path.steps)?;
        let kind = match column.kind {
            ColumnKind::Int => Kind::Int { least, most },
            ColumnKind::Real if is_plain => Kind::Real(Magnitude::PLAIN),
            ColumnKind::Real => Kind::Real(Magnitude::ANY),
            ColumnKind::Bool => Kind::Bool,
            ColumnKind::Instant => Kind::Instant { most: INSTANTS, is_plain },
            ColumnKind::Duration => Kind::Duration { least, most },
            ColumnKind::Text => Kind::Text,
            ColumnKind::Enum(ty) => Kind::Enum(ty),
            ColumnKind::EnumSet(_) | ColumnKind::IdKey => return None,
        };
        let sql = self.column_sql(&scope, &column)?;
        if !matches!(kind, Kind::Enum(_)) {
            return Some(Scalar::of(sql, kind));
        }
        debug_assert!(TOLD_NULL.is_empty(), "SQL below says so");
        Some(Scalar::of(Sql::text("NULLIF(").append(sql).push(", '')"), kind))
    }

    /// The column of a scope, with the table noted as needed.
    pub(super) fn column_sql(&mut self, scope: &Scope, column: &ColumnRef) -> Option<Sql> {
        let alias = scope.alias(column.table)?;
        if scope.is_rows() {
            self.joined.note(column.table);
        }
        let mut sql = Sql::column(alias, column.column);
        if let Some(of_callee) = column.of_callee {
            sql = Sql::text("(CASE e.ordinal WHEN 0 THEN ").append(sql).push(" ELSE ");
            sql = sql.push_column(alias, of_callee).push(" END)");
        }
        if (column.table, column.column) == (Table::CallRecord, VERDICT) {
            // Of a record that can't be read, the text of its verdict is empty.
            sql = Sql::text("NULLIF(").append(sql).push(", '')");
        }
        Some(match column.only_if {
            None => sql,
            Some(flag) => Sql::text("(CASE WHEN ")
                .push_column(alias, flag)
                .push(" = 1 THEN ")
                .append(sql)
                .push(" END)"),
        })
    }

    /// The column with the key of an id, which a path leads to.
    pub(crate) fn key(&mut self, expr: &'q Expr) -> Option<Scalar> {
        let ExprKind::Path(path) = &expr.kind else { return None };
        let scope = self.scope(&path.root)?.clone();
        let column = scope.column(&path.steps)?;
        let is_key = matches!(column.kind, ColumnKind::IdKey);
        is_key.then_some(())?;
        Some(Scalar::of(self.column_sql(&scope, &column)?, Kind::Key))
    }

    /// A calculation that is done for rows of records with plain values only. PostgreSQL may calculate
    /// before it joins, also for rows that the question does not ask for, and fails where one of those
    /// overflows.
    fn guarded(&self, calculated: Option<Scalar>) -> Option<Scalar> {
        let relies_on_values =
            self.tenant.has_plain_values && self.tenant.dialect == Dialect::Postgres;
        let calculated = calculated?;
        if !relies_on_values || calculated.literal.is_some() {
            return Some(calculated);
        }
        let sql = Sql::text("(CASE WHEN r.flags & 128 <> 0 THEN ").append(calculated.sql);
        Some(Scalar::of(sql.push(" END)"), calculated.kind))
    }

    fn call(&mut self, function: Function, arguments: &'q [Expr]) -> Option<Scalar> {
        let arguments: Vec<_> =
            arguments.iter().map(|argument| self.scalar(argument)).collect::<Option<_>>()?;
        match (function, <[Scalar; 1]>::try_from(arguments)) {
            (
                Function::ToLower | Function::ToUpper | Function::Trim | Function::Length,
                Ok([of]),
            ) => self.of_text(function, of),
            (Function::TotalSeconds, Ok([of])) => {
                let is_told = matches!(of.kind, Kind::Duration { .. }) && of.kind.is_whole_ticks();
                is_told.then(|| time::seconds(of.sql))
            }
            (function, Ok([of])) => time::part(function, of),
            (function, Err(arguments)) => {
                let mut arguments = arguments.into_iter();
                let (first, second) = (arguments.next()?, arguments.next()?);
                match function {
                    Function::Bucket => time::bucket(first, &second, arguments.next().as_ref()),
                    Function::Ratio => self.guarded(share::ratio(first, second)),
                    Function::Wilson => {
                        self.guarded(share::wilson(self.tenant.dialect, first, second))
                    }
                    _ => None,
                }
            }
        }
    }

    fn of_text(&self, function: Function, of: Scalar) -> Option<Scalar> {
        // PostgreSQL folds by its own table, trims spaces only, and has some characters as two.
        let is_exact = self.tenant.dialect == Dialect::Sqlite && of.kind == Kind::Text;
        is_exact.then_some(())?;
        let (name, kind) = match function {
            Function::ToLower => ("text_lower(", Kind::Text),
            Function::ToUpper => ("text_upper(", Kind::Text),
            Function::Trim => ("text_trim(", Kind::Text),
            _ => ("text_length(", Kind::Int { least: 0, most: i128::from(u32::MAX) }),
        };
        Some(Scalar::of(Sql::text(name).append(of.sql).push(")"), kind))
    }

    fn case(&mut self, cases: &'q [(Expr, Expr)], ty: Ty) -> Option<Scalar> {
        let mut sql = Sql::text("(CASE");
        let mut kind = None;
        for (condition, value) in cases {
            let condition = self.condition(condition, Mode::Truth)?;
            if !condition.is_exact {
                return None;
            }
            sql = sql.push(" WHEN ").append(condition.sql).push(" THEN ");
            if matches!(value.kind, ExprKind::Literal(Literal::Null)) {
                sql = sql.push("NULL");
                continue;
            }
            let value = self.scalar(value)?.of_case(ty);
            kind = Some(match kind {
                None => value.kind,
                Some(others) => value.kind.joined(others)?,
            });
            sql = sql.append(value.sql);
        }
        Some(Scalar::of(sql.push(" END)"), kind?))
    }
}
