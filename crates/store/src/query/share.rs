//! `callvault.ratio` and `callvault.wilson` in SQL.

use odata::eval::WILSON_Z as Z;

use super::magnitude::Magnitude;
use super::value::{Kind, Scalar};
use crate::engine::Dialect;
use crate::sql::{Bind, Sql};

/// k of n; null at n = 0.
pub(super) fn ratio(k: Scalar, n: Scalar) -> Option<Scalar> {
    let (all, parts) = (n.kind.magnitude()?, k.kind.magnitude()?);
    let magnitude = parts.quotient(all);
    let is_safe = all.is_safe() && parts.is_safe() && magnitude.is_safe();
    is_safe.then_some(())?;
    let sql = k.into_real().sql.push(" / NULLIF(").append(n.sql).push(", 0)");
    Some(Scalar::of(sql.grouped(), Kind::Real(magnitude)))
}

/// What k of n tell at least; null where they are no share.
pub(super) fn wilson(dialect: Dialect, k: Scalar, n: Scalar) -> Option<Scalar> {
    let (all, parts) = (n.kind.magnitude()?, k.kind.magnitude()?);
    // Squares of them stand below the root.
    let is_safe = all.product(all).is_safe() && parts.product(parts).is_safe();
    let kind = Kind::Real(Magnitude::ANY);
    let (k, n) = (k.into_real().sql, n.into_real().sql);
    if dialect == Dialect::Sqlite {
        let sql = Sql::text("share_wilson(").append(k).push(", ").append(n).push(")");
        return Some(Scalar::of(sql, kind));
    }
    is_safe.then_some(())?;
    let square = || Sql::value(Bind::Real(Z * Z));
    // In the order in which our own evaluator calculates.
    let sql = Sql::text("(SELECT CASE WHEN w.n > 0 AND w.k BETWEEN 0 AND w.n THEN CASE WHEN w.k = 0 THEN 0 ELSE (w.k / w.n + ")
        .append(square())
        .push(" / (2 * w.n) - ")
        .push_bind(Bind::Real(Z))
        .push(" * sqrt((w.k / w.n * (1 - w.k / w.n) + ")
        .append(square())
        .push(" / (4 * w.n)) / w.n)) / (1 + ")
        .append(square())
        .push(" / w.n) END END FROM (SELECT ")
        .append(k)
        .push(" AS k, ")
        .append(n)
        .push(" AS n) AS w)");
    Some(Scalar::of(sql, kind))
}
