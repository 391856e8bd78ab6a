//! What values and items take in memory, for the budget of a question.

use crate::json::{Json, Member, Node};

/// Bytes that something takes on the heap, roughly.
pub trait HeapSize {
    /// Bytes beside the value itself.
    fn heap_size(&self) -> usize;
}

impl HeapSize for String {
    fn heap_size(&self) -> usize {
        self.capacity()
    }
}

impl HeapSize for Json {
    fn heap_size(&self) -> usize {
        self.as_str().len()
    }
}

impl HeapSize for Vec<u8> {
    fn heap_size(&self) -> usize {
        self.capacity()
    }
}

impl HeapSize for Node<'_> {
    fn heap_size(&self) -> usize {
        match self {
            Self::Null | Self::Bool(_) => 0,
            Self::Number(digits) => digits.len(),
            Self::String(text) => text.raw().len(),
            Self::Array(items) => {
                size_of_val(items.as_slice()) + items.iter().map(Self::heap_size).sum::<usize>()
            }
            Self::Object(members) => {
                let member =
                    |member: &Member<'_>| member.name.raw().len() + member.value.heap_size();
                size_of_val(members.as_slice()) + members.iter().map(member).sum::<usize>()
            }
        }
    }
}

impl<T> HeapSize for &T {
    fn heap_size(&self) -> usize {
        0
    }
}

impl HeapSize for usize {
    fn heap_size(&self) -> usize {
        0
    }
}

impl<T: HeapSize, P: Copy> HeapSize for (T, P) {
    fn heap_size(&self) -> usize {
        self.0.heap_size()
    }
}
