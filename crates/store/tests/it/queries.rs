//! Queries of rows: what leads to them fast gives the same as looking at each of them.
