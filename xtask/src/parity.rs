//! Compares the schema with another CSDL file.
