//! What is given to a statement's placeholders.

use std::borrow::Cow;

use super::field::Field;
use crate::Error;

/// Something that a placeholder takes.
pub(crate) trait Value {
    fn field(&self) -> Field<'_>;
}

/// The values of all placeholders, in order.
pub(crate) trait Values {
    fn each<'v>(
        &'v self,
        give: &mut dyn FnMut(Field<'v>) -> Result<(), Error>,
    ) -> Result<(), Error>;
}

impl Value for Field<'_> {
    fn field(&self) -> Field<'_> {
        self.clone()
    }
}

impl Value for i64 {
    fn field(&self) -> Field<'_> {
        Field::Int(*self)
    }
}

impl Value for u32 {
    fn field(&self) -> Field<'_> {
        Field::Int(i64::from(*self))
    }
}

impl Value for bool {
    fn field(&self) -> Field<'_> {
        Field::Int(i64::from(*self))
    }
}

impl Value for str {
    fn field(&self) -> Field<'_> {
        Field::Text(Cow::Borrowed(self))
    }
}

impl Value for String {
    fn field(&self) -> Field<'_> {
        Field::Text(Cow::Borrowed(self))
    }
}

impl Value for [u8] {
    fn field(&self) -> Field<'_> {
        Field::Bytes(Cow::Borrowed(self))
    }
}

impl Value for Vec<u8> {
    fn field(&self) -> Field<'_> {
        Field::Bytes(Cow::Borrowed(self))
    }
}

impl<T: Value> Value for Option<T> {
    fn field(&self) -> Field<'_> {
        self.as_ref().map_or(Field::Null, T::field)
    }
}

impl<T: Value + ?Sized> Value for &T {
    fn field(&self) -> Field<'_> {
        (**self).field()
    }
}

impl Value for model::Value {
    fn field(&self) -> Field<'_> {
        match self {
            Self::Null => Field::Null,
            Self::Int(number) => Field::Int(*number),
            Self::Real(number) => Field::Real(*number),
            Self::Text(text) => Field::Text(Cow::Borrowed(text)),
        }
    }
}

impl Values for () {
    fn each<'v>(
        &'v self,
        _give: &mut dyn FnMut(Field<'v>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        Ok(())
    }
}

impl<T: Value, const N: usize> Values for [T; N] {
    fn each<'v>(
        &'v self,
        give: &mut dyn FnMut(Field<'v>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.iter().try_for_each(|value| give(value.field()))
    }
}

impl<T: Value> Values for &[T] {
    fn each<'v>(
        &'v self,
        give: &mut dyn FnMut(Field<'v>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.iter().try_for_each(|value| give(value.field()))
    }
}

macro_rules! values_of_tuples {
    ($(($($name:ident)+))+) => {$(
        impl<$($name: Value),+> Values for ($($name,)+) {
            #[allow(non_snake_case, reason = "the types' own names")]
            fn each<'v>(
                &'v self,
                give: &mut dyn FnMut(Field<'v>) -> Result<(), Error>,
            ) -> Result<(), Error> {
                let ($($name,)+) = self;
                $(give($name.field())?;)+
                Ok(())
            }
        }
    )+};
}

values_of_tuples! {
    (A B)
    (A B C)
    (A B C D)
    (A B C D E)
    (A B C D E F)
    (A B C D E F G)
    (A B C D E F G H I)
}
