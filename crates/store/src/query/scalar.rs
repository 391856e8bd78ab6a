//! From an expression to a value that SQL calculates exactly as our own evaluator does.

use model::columns::{ColumnRef, Kind as ColumnKind, TOLD_NULL};
use odata::bound::{Arithmetic, Expr, ExprKind, Function, Path, PathStep, Ty};

use super::compiler::{Compiler, Mode};
use super::scope::Scope;
use super::value::{Kind, Scalar, arithmetic, constant};
use crate::engine::Dialect;
use crate::sql::Sql;

/// Whole numbers of a column of any integer type.
const ANY_INT: Kind = Kind::Int { least: i64::MIN as i128, most: i64::MAX as i128 };
const ANY_DURATION: Kind = Kind::Duration { least: i64::MIN as i128, most: i64::MAX as i128 };

impl<'q> Compiler<'q> {
    /// The value of an expression, if SQL calculates it exactly.
    pub(crate) fn scalar(&mut self, expr: &'q Expr) -> Option<Scalar> {
        match &expr.kind {
            ExprKind::Literal(literal) => constant(literal, expr.ty),
            ExprKind::Path(path) => self.path_value(path),
            ExprKind::Negate(inner, _) => {
                let zero = Scalar::of(Sql::text("0"), Kind::Int { least: 0, most: 0 });
                let inner = self.scalar(inner)?;
                let zero = match inner.kind {
                    Kind::Duration { .. } => {
                        Scalar { kind: Kind::Duration { least: 0, most: 0 }, ..zero }
                    }
                    // 0 - 0.0 is not -0.0.
                    Kind::Real => {
                        return Some(Scalar::of(
                            Sql::text("(-").append(inner.sql).push(")"),
                            Kind::Real,
                        ));
                    }
                    _ => zero,
                };
                arithmetic(Arithmetic::Sub, zero, inner)
            }
            ExprKind::Arithmetic(operator, left, right, _) => {
                let (left, right) = (self.scalar(left)?, self.scalar(right)?);
                let value = arithmetic(*operator, left, right)?;
                // PostgreSQL fails where floating point numbers overflow, and keeps NaN.
                let is_safe = self.tenant.dialect == Dialect::Sqlite || value.kind != Kind::Real;
                is_safe.then_some(value)
            }
            ExprKind::Call(function, arguments) => self.call(*function, arguments),
            ExprKind::Case(cases) => self.case(cases, expr.ty),
            _ => None,
        }
    }

    pub(super) fn path_value(&mut self, path: &'q Path) -> Option<Scalar> {
        if let Some(PathStep::Count { .. }) = path.steps.last() {
            return self.count(path);
        }
        let scope = self.scope(&path.root)?.clone();
        let column = scope.column(&path.steps)?;
        let kind = match column.kind {
            ColumnKind::Int => ANY_INT,
            ColumnKind::Real => Kind::Real,
            ColumnKind::Bool => Kind::Bool,
            ColumnKind::Instant => Kind::Instant,
            ColumnKind::Duration => ANY_DURATION,
            ColumnKind::Text => Kind::Text,
            ColumnKind::Enum(ty) => Kind::Enum(ty),
            ColumnKind::EnumSet(_) | ColumnKind::IdKey => return None,
        };
        let sql = self.column_sql(&scope, &column)?;
        let sql = match path.steps.last() {
            Some(PathStep::Property(property)) if property.default.is_some() => {
                debug_assert!(TOLD_NULL.is_empty(), "SQL below says so");
                Sql::text("NULLIF(").append(sql).push(", '')")
            }
            _ => sql,
        };
        Some(Scalar::of(sql, kind))
    }

    /// The column of a scope, with the table noted as needed.
    pub(super) fn column_sql(&mut self, scope: &Scope, column: &ColumnRef) -> Option<Sql> {
        let alias = scope.alias(column.table)?;
        if scope.is_rows() {
            self.joined.note(column.table);
        }
        let sql = Sql::column(alias, column.column);
        Some(match column.only_if {
            None => sql,
            Some(flag) => Sql::text("(CASE WHEN ")
                .push_column(alias, flag)
                .push(" = 1 THEN ")
                .append(sql)
                .push(" END)"),
        })
    }

    fn call(&mut self, function: Function, arguments: &'q [Expr]) -> Option<Scalar> {
        let [argument] = arguments else { return None };
        let inner = self.scalar(argument)?;
        let (name, kind) = match (function, inner.kind) {
            // PostgreSQL folds by its own table, and trims spaces only.
            (Function::ToLower | Function::ToUpper | Function::Trim, _)
                if self.tenant.dialect == Dialect::Postgres =>
            {
                return None;
            }
            // Some characters are kept as two there.
            (Function::Length, _) if self.tenant.dialect == Dialect::Postgres => return None,
            (Function::ToLower, Kind::Text) => ("text_lower(", Kind::Text),
            (Function::ToUpper, Kind::Text) => ("text_upper(", Kind::Text),
            (Function::Trim, Kind::Text) => ("text_trim(", Kind::Text),
            (Function::Length, Kind::Text) => {
                ("text_length(", Kind::Int { least: 0, most: i128::from(u32::MAX) })
            }
            (Function::TotalSeconds, Kind::Duration { .. }) => {
                return Some(Scalar::of(
                    Sql::text("(").append(inner.sql).push(" / CAST(10000000 AS DOUBLE PRECISION))"),
                    Kind::Real,
                ));
            }
            _ => return None,
        };
        Some(Scalar::of(Sql::text(name).append(inner.sql).push(")"), kind))
    }

    fn case(&mut self, cases: &'q [(Expr, Expr)], ty: Ty) -> Option<Scalar> {
        let mut sql = Sql::text("(CASE");
        let mut kind = None;
        for (condition, value) in cases {
            let condition = self.condition(condition, Mode::Truth)?;
            if !condition.is_exact {
                return None;
            }
            let value = self.scalar(value)?.of_case(ty);
            kind = Some(match kind {
                None => value.kind,
                Some(others) => value.kind.joined(others)?,
            });
            sql = sql.push(" WHEN ").append(condition.sql).push(" THEN ").append(value.sql);
        }
        Some(Scalar::of(sql.push(" END)"), kind?))
    }
}
