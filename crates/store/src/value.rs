//! The only values that cross between Rust and a database: null, 64-bit integer, text, bytes.

use std::borrow::Cow;
use std::error::Error;

use bytes::BytesMut;
use postgres::types::{IsNull, ToSql, Type, to_sql_checked};

/// One value bound to a statement. Text and bytes are borrowed where the caller has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<'v> {
    /// SQL null.
    Null,
    /// `bigint`
    Int(i64),
    /// `text`
    Text(Cow<'v, str>),
    /// `blob`, which is `bytea` in PostgreSQL
    Blob(Cow<'v, [u8]>),
}

impl Value<'_> {
    /// A copy that borrows nothing.
    #[must_use]
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::Null => Value::Null,
            Self::Int(int) => Value::Int(int),
            Self::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
            Self::Blob(blob) => Value::Blob(Cow::Owned(blob.into_owned())),
        }
    }

    /// The same value, borrowed.
    #[must_use]
    pub fn borrowed(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Int(int) => Value::Int(*int),
            Self::Text(text) => Value::Text(Cow::Borrowed(text)),
            Self::Blob(blob) => Value::Blob(Cow::Borrowed(blob)),
        }
    }

    /// About how many bytes it takes on the wire.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::Null => 4,
            Self::Int(_) => 12,
            Self::Text(text) => text.len() + 4,
            Self::Blob(blob) => blob.len() + 4,
        }
    }
}

/// Builds a slice of [`Value`]s from anything that converts into one: `values![id, 5, None::<i64>]`.
#[macro_export]
macro_rules! values {
    ($($value:expr),* $(,)?) => { &[$($crate::Value::from($value)),*] };
}

impl From<i64> for Value<'_> {
    fn from(int: i64) -> Self {
        Self::Int(int)
    }
}

impl From<i32> for Value<'_> {
    fn from(int: i32) -> Self {
        Self::Int(int.into())
    }
}

impl From<u32> for Value<'_> {
    fn from(int: u32) -> Self {
        Self::Int(int.into())
    }
}

impl From<bool> for Value<'_> {
    fn from(yes: bool) -> Self {
        Self::Int(yes.into())
    }
}

impl<'v> From<&'v str> for Value<'v> {
    fn from(text: &'v str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl<'v> From<&'v String> for Value<'v> {
    fn from(text: &'v String) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl<'v> From<Cow<'v, str>> for Value<'v> {
    fn from(text: Cow<'v, str>) -> Self {
        Self::Text(text)
    }
}

impl<'v> From<&'v [u8]> for Value<'v> {
    fn from(blob: &'v [u8]) -> Self {
        Self::Blob(Cow::Borrowed(blob))
    }
}

impl<'v> From<&'v Vec<u8>> for Value<'v> {
    fn from(blob: &'v Vec<u8>) -> Self {
        Self::Blob(Cow::Borrowed(blob))
    }
}

impl<'v, const N: usize> From<&'v [u8; N]> for Value<'v> {
    fn from(blob: &'v [u8; N]) -> Self {
        Self::Blob(Cow::Borrowed(blob))
    }
}

impl From<Vec<u8>> for Value<'_> {
    fn from(blob: Vec<u8>) -> Self {
        Self::Blob(Cow::Owned(blob))
    }
}

impl<'v, T: Into<Value<'v>>> From<Option<T>> for Value<'v> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

impl rusqlite::ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        use rusqlite::types::{ToSqlOutput, ValueRef};
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(int) => ValueRef::Integer(*int),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(blob) => ValueRef::Blob(blob),
        }))
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(int) => int_to_sql(*int, ty, out),
            Self::Text(text) if <&str as ToSql>::accepts(ty) => text.as_ref().to_sql(ty, out),
            Self::Blob(blob) if *ty == Type::BYTEA => blob.as_ref().to_sql(ty, out),
            Self::Text(_) => Err(format!("text given where the statement takes {ty}").into()),
            Self::Blob(_) => Err(format!("bytes given where the statement takes {ty}").into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true // depends on the value, so `to_sql` refuses
    }

    to_sql_checked!();
}

/// PostgreSQL infers narrower types for some parameters, for instance beside a literal.
fn int_to_sql(int: i64, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
    match *ty {
        Type::INT8 => int.to_sql(ty, out),
        Type::INT4 => i32::try_from(int)?.to_sql(ty, out),
        Type::INT2 => i16::try_from(int)?.to_sql(ty, out),
        Type::BOOL => (int != 0).to_sql(ty, out),
        _ => Err(format!("an integer given where the statement takes {ty}").into()),
    }
}
