//! JSON that was checked when it came in, read again.

use odata::json::Node;
use web::Problem;

/// Reads it. What can't be read is damage, which in a list costs no more than its own item.
pub(crate) fn parse(text: &str) -> Result<Node<'_>, Problem> {
    Node::parse(text).map_err(Problem::damaged)
}
