//! Members of the rows of ends that no single column has.

use model::columns::Table;
use model::generated::{CALL_END, STREAM_END};
use model::rows::RowSet;
use odata::bound::PathStep;

use super::compiler::Compiler;
use super::scope::Scope;
use super::value::{Kind, Scalar};
use crate::sql::Sql;

impl Compiler<'_> {
    /// The value of a path of the row of an end, if it is such a member.
    pub(super) fn leg(&mut self, scope: &Scope, steps: &[PathStep]) -> Option<Scalar> {
        (self.set == RowSet::Legs && scope.is_rows()).then_some(())?;
        let names: Option<Vec<_>> = steps.iter().map(PathStep::name).collect();
        let (sql, kind) = match names?.as_slice() {
            ["end"] => {
                let text = "(CASE e.ordinal WHEN 0 THEN 'caller' ELSE 'callee' END)";
                (Sql::text(text), Kind::Enum(&CALL_END))
            }
            ["direction"] => (Sql::text(DIRECTION), Kind::Enum(&STREAM_END)),
            ["isFirst"] => {
                scope.is_filled().then_some(())?;
                self.joined.note(Table::Segment);
                let text = "CAST(CASE WHEN g.first_end = e.ordinal THEN 1 ELSE 0 END AS bigint)";
                (Sql::text(text), Kind::Bool)
            }
            [person @ ("person" | "peerPerson"), "id"] => {
                scope.is_filled().then_some(())?;
                self.joined.note(Table::Segment);
                let sql = Sql::text(if *person == "person" {
                    "(CASE e.ordinal WHEN 0"
                } else {
                    "(CASE e.ordinal WHEN 1"
                });
                (sql.push(IDS), Kind::Text)
            }
            ["place", member] => return self.place(member),
            ["place", inner, member] => return self.place(&format!("{inner}/{member}")),
            _ => return None,
        };
        Some(Scalar::of(sql, kind))
    }
}

/// Whether the end of a row sends or receives the stream.
const DIRECTION: &str = "(CASE t.stream_direction \
    WHEN 'callerToCallee' THEN CASE e.ordinal WHEN 0 THEN 'sender' ELSE 'receiver' END \
    WHEN 'calleeToCaller' THEN CASE e.ordinal WHEN 0 THEN 'receiver' ELSE 'sender' END END)";

/// Ids of who is at the caller's end, or else at the callee's.
const IDS: &str = " THEN coalesce(g.caller_person_id, g.caller_user_id, g.caller_associated_id) \
    ELSE coalesce(g.callee_person_id, g.callee_user_id, g.callee_associated_id) END)";
