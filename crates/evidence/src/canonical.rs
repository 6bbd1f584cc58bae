//! One byte form for one JSON value: RFC 8785 (JCS), restricted to integers.

use serde_json::Value;

/// Largest integer that every JSON reader keeps exact (2^53 - 1).
pub const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

/// Why a value has no canonical form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CanonicalError {
    /// A number with a fraction or an exponent.
    #[error("{path}: {number} is not an integer; evidence holds integers in small units only")]
    Float {
        /// JSON pointer of the number.
        path: String,
        /// The number.
        number: String,
    },
    /// An integer that some readers would round.
    #[error("{path}: {number} is beyond 2^53 - 1; write it as a string")]
    TooLarge {
        /// JSON pointer of the number.
        path: String,
        /// The number.
        number: String,
    },
}

/// The canonical bytes of a JSON value: UTF-8, no white space, object keys sorted by UTF-16 code units,
/// integers only.
///
/// The same value always gives the same bytes, whatever order its keys came in. For the values it
/// accepts the result is RFC 8785, so foreign tools reproduce it.
///
/// # Errors
/// Names the place of the first number that is not an exact integer.
pub fn canonical_json(value: &Value) -> Result<Vec<u8>, CanonicalError> {
    let mut out = Vec::new();
    write_value(value, &mut String::new(), &mut out)?;
    Ok(out)
}

fn write_value(value: &Value, path: &mut String, out: &mut Vec<u8>) -> Result<(), CanonicalError> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => write_number(number, path, out)?,
        Value::String(text) => write_text(text, out),
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_below(item, &index.to_string(), path, out)?;
            }
            out.push(b']');
        }
        Value::Object(members) => {
            let mut members: Vec<(&String, &Value)> = members.iter().collect();
            members.sort_by(|a, b| a.0.encode_utf16().cmp(b.0.encode_utf16()));
            out.push(b'{');
            for (index, (key, member)) in members.into_iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_text(key, out);
                out.push(b':');
                write_below(member, key, path, out)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

fn write_below(value: &Value, step: &str, path: &mut String, out: &mut Vec<u8>) -> Result<(), CanonicalError> {
    let length = path.len();
    path.push('/');
    path.push_str(step);
    write_value(value, path, out)?;
    path.truncate(length);
    Ok(())
}

fn write_number(number: &serde_json::Number, path: &str, out: &mut Vec<u8>) -> Result<(), CanonicalError> {
    let magnitude = number.as_i64().map(i64::unsigned_abs).or_else(|| number.as_u64());
    match magnitude {
        None => Err(CanonicalError::Float { path: path.to_owned(), number: number.to_string() }),
        Some(large) if large > MAX_SAFE_INTEGER => {
            Err(CanonicalError::TooLarge { path: path.to_owned(), number: number.to_string() })
        }
        Some(_) => {
            out.extend_from_slice(number.to_string().as_bytes());
            Ok(())
        }
    }
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for character in text.chars() {
        match character {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\u{8}' => out.extend_from_slice(b"\\b"),
            '\t' => out.extend_from_slice(b"\\t"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\u{c}' => out.extend_from_slice(b"\\f"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\0'..='\u{1f}' => {
                out.extend_from_slice(format!("\\u{:04x}", u32::from(character)).as_bytes());
            }
            _ => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn text(value: &Value) -> String {
        String::from_utf8(canonical_json(value).unwrap()).unwrap()
    }

    #[test]
    fn sorts_keys_and_escapes_as_rfc_8785() {
        let value = json!({
            "\u{20ac}": "Euro", "\r": "CR", "\u{fb33}": "Hebrew", "1": "One",
            "\u{1f600}": "Smile", "\u{80}": "Control", "\u{f6}": "o"
        });
        assert_eq!(
            text(&value),
            "{\"\\r\":\"CR\",\"1\":\"One\",\"\u{80}\":\"Control\",\"\u{f6}\":\"o\",\"\u{20ac}\":\"Euro\",\"\u{1f600}\":\"Smile\",\"\u{fb33}\":\"Hebrew\"}"
        );
        assert_eq!(text(&json!("\u{f}\n\"\\/湖南")), r#""\u000f\n\"\\/湖南""#);
        assert_eq!(
            text(&json!({"b": [1, -2, null, true, {}], "a": {"z": [], "y": false}})),
            r#"{"a":{"y":false,"z":[]},"b":[1,-2,null,true,{}]}"#
        );
    }

    #[test]
    fn refuses_numbers_that_readers_round_and_says_where() {
        assert_eq!(
            canonical_json(&json!({"a": [0, {"amount": 1.5}]})).unwrap_err().to_string(),
            "/a/1/amount: 1.5 is not an integer; evidence holds integers in small units only"
        );
        assert!(canonical_json(&json!(MAX_SAFE_INTEGER)).is_ok());
        assert!(canonical_json(&json!(MAX_SAFE_INTEGER + 1)).is_err());
        assert!(canonical_json(&json!(u64::MAX)).is_err());
        assert!(canonical_json(&json!(i64::MIN)).is_err());
    }
}
