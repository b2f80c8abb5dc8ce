//! The tokenizer: the fields of the object on a line, as slices of it. A text with escapes is unescaped into a buffer that
//! lives as long as the [`Object`].
//!
//! As lenient as Spark's: texts may have single quotes, and `NaN` and `Infinity` are numbers.

use memchr::memchr3;

/// The deepest nesting that is looked into.
const MAX_DEPTH: usize = 200;

/// A line that is no JSON object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

/// The value of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// `null`.
    Null,
    /// A text, unescaped.
    Text(&'a [u8]),
    /// A number, as it stands.
    Number(&'a [u8]),
    /// `true` or `false`.
    Boolean(&'a [u8]),
    /// An object or a list, as it stands.
    Nested(&'a [u8]),
}

impl<'a> Value<'a> {
    /// The bytes of the value, `None` for null.
    #[must_use]
    pub fn token(self) -> Option<&'a [u8]> {
        match self {
            Self::Null => None,
            Self::Text(token) | Self::Number(token) | Self::Boolean(token) | Self::Nested(token) => Some(token),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Null,
    Text,
    Number,
    Boolean,
    Nested,
}

/// Where bytes are: in the line, or in the scratch buffer.
#[derive(Debug, Clone, Copy)]
struct Span {
    from: usize,
    to: usize,
    scratch: bool,
}

/// The fields of one line at a time.
///
/// ```
/// # use merlion_io::json::{Object, Value};
/// let mut object = Object::default();
/// let line = br#"{"id": "a\tb", "y": 1.5, "more": [1, {"x": 2}]}"#;
/// object.parse(line)?;
/// let fields: Vec<_> = object.fields(line).collect();
/// assert_eq!(fields[0], (&b"id"[..], Value::Text(b"a\tb")));
/// assert_eq!(fields[1], (&b"y"[..], Value::Number(b"1.5")));
/// assert_eq!(fields[2].1, Value::Nested(b"[1, {\"x\": 2}]"));
/// # Ok::<(), merlion_io::json::Malformed>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Object {
    fields: Vec<(Span, Kind, Span)>,
    scratch: Vec<u8>,
}

impl Object {
    /// Finds the fields of the object on a line.
    ///
    /// # Errors
    /// [`Malformed`] when the line is something else.
    pub fn parse(&mut self, line: &[u8]) -> Result<(), Malformed> {
        self.fields.clear();
        self.scratch.clear();
        let mut at = blanks(line, 0);
        at = expect(line, at, b'{')?;
        at = blanks(line, at);
        if line.get(at) == Some(&b'}') {
            return end(line, at + 1);
        }
        loop {
            let (name, behind) = self.text(line, at)?;
            at = expect(line, blanks(line, behind), b':')?;
            at = blanks(line, at);
            let (kind, value, behind) = self.value(line, at)?;
            self.fields.push((name, kind, value));
            at = blanks(line, behind);
            match line.get(at) {
                Some(b',') => at = blanks(line, at + 1),
                Some(b'}') => return end(line, at + 1),
                _ => return Err(Malformed),
            }
        }
    }

    /// Names and values of the line that was parsed last, which is to be given again.
    pub fn fields<'a>(&'a self, line: &'a [u8]) -> impl Iterator<Item = (&'a [u8], Value<'a>)> {
        (0..self.fields.len()).map(move |position| {
            let (name, kind, value) = self.fields[position];
            (self.bytes(line, name), self.value_of(line, kind, value))
        })
    }

    /// The value at a position of the line that was parsed last.
    #[inline]
    #[must_use]
    pub fn field<'a>(&'a self, line: &'a [u8], position: usize) -> Option<Value<'a>> {
        let (_, kind, value) = *self.fields.get(position)?;
        Some(self.value_of(line, kind, value))
    }

    #[inline]
    fn bytes<'a>(&'a self, line: &'a [u8], span: Span) -> &'a [u8] {
        let source = if span.scratch { &self.scratch[..] } else { line };
        &source[span.from..span.to]
    }

    #[inline]
    fn value_of<'a>(&'a self, line: &'a [u8], kind: Kind, span: Span) -> Value<'a> {
        let token = self.bytes(line, span);
        match kind {
            Kind::Null => Value::Null,
            Kind::Text => Value::Text(token),
            Kind::Number => Value::Number(token),
            Kind::Boolean => Value::Boolean(token),
            Kind::Nested => Value::Nested(token),
        }
    }

    fn value(&mut self, line: &[u8], at: usize) -> Result<(Kind, Span, usize), Malformed> {
        let plain = |kind, to| Ok((kind, Span { from: at, to, scratch: false }, to));
        match line.get(at) {
            Some(b'"' | b'\'') => {
                let (span, behind) = self.text(line, at)?;
                Ok((Kind::Text, span, behind))
            }
            Some(b'{' | b'[') => plain(Kind::Nested, nested(line, at)?),
            Some(_) => {
                let len = line[at..].iter().position(|b| matches!(b, b',' | b'}' | b']' | b' ' | b'\t'));
                let to = len.map_or(line.len(), |len| at + len);
                let kind = match &line[at..to] {
                    b"null" => Kind::Null,
                    b"true" | b"false" => Kind::Boolean,
                    b"NaN" | b"Infinity" | b"+Infinity" | b"-Infinity" => Kind::Number,
                    number if is_number(number) => Kind::Number,
                    _ => return Err(Malformed),
                };
                plain(kind, to)
            }
            None => Err(Malformed),
        }
    }

    /// The text that begins with the quote at `at`, and the position behind it.
    fn text(&mut self, line: &[u8], at: usize) -> Result<(Span, usize), Malformed> {
        let quote = *line.get(at).filter(|b| matches!(b, b'"' | b'\'')).ok_or(Malformed)?;
        let from = at + 1;
        let mut stop = next_stop(line, from, quote)?;
        if line[stop] == quote {
            return Ok((Span { from, to: stop, scratch: false }, stop + 1));
        }
        let start = self.scratch.len();
        let mut copied = from;
        while line[stop] != quote {
            self.scratch.extend_from_slice(&line[copied..stop]);
            copied = unescape(line, stop + 1, &mut self.scratch)?;
            stop = next_stop(line, copied, quote)?;
        }
        self.scratch.extend_from_slice(&line[copied..stop]);
        Ok((Span { from: start, to: self.scratch.len(), scratch: true }, stop + 1))
    }
}

/// The next quote or backslash; a control character within a text is refused, as JSON has it.
fn next_stop(line: &[u8], from: usize, quote: u8) -> Result<usize, Malformed> {
    let rest = line.get(from..).ok_or(Malformed)?;
    memchr3(quote, b'\\', b'\t', rest).filter(|at| rest[*at] != b'\t').map(|at| from + at).ok_or(Malformed)
}

/// Appends what the escape whose letter is at `at` stands for, and returns the position behind it.
fn unescape(line: &[u8], at: usize, out: &mut Vec<u8>) -> Result<usize, Malformed> {
    let plain = match line.get(at).ok_or(Malformed)? {
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'b' => 8,
        b'f' => 12,
        b'u' => {
            let first = hex(line, at + 1)?;
            // Two surrogates make one character; one alone is none.
            let (code, behind) = match first {
                0xd800..=0xdbff if line.get(at + 5..at + 7) == Some(b"\\u") => match hex(line, at + 7)? {
                    second @ 0xdc00..=0xdfff => (0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00), at + 11),
                    _ => (first, at + 5),
                },
                _ => (first, at + 5),
            };
            let c = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            return Ok(behind);
        }
        quoted @ (b'"' | b'\'' | b'\\' | b'/') => *quoted,
        _ => return Err(Malformed),
    };
    out.push(plain);
    Ok(at + 1)
}

fn hex(line: &[u8], at: usize) -> Result<u32, Malformed> {
    let digits = line.get(at..at + 4).ok_or(Malformed)?;
    digits.iter().try_fold(0, |code, digit| Ok(code << 4 | char::from(*digit).to_digit(16).ok_or(Malformed)?))
}

fn blanks(line: &[u8], at: usize) -> usize {
    line[at.min(line.len())..].iter().position(|b| !matches!(b, b' ' | b'\t')).map_or(line.len(), |len| at + len)
}

fn expect(line: &[u8], at: usize, byte: u8) -> Result<usize, Malformed> {
    if line.get(at) == Some(&byte) { Ok(at + 1) } else { Err(Malformed) }
}

fn end(line: &[u8], at: usize) -> Result<(), Malformed> {
    if blanks(line, at) == line.len() { Ok(()) } else { Err(Malformed) }
}

/// The position behind the object or list that begins at `at`: brackets are counted, texts passed over.
fn nested(line: &[u8], at: usize) -> Result<usize, Malformed> {
    let mut open = Vec::new();
    let mut at = at;
    loop {
        match line.get(at).ok_or(Malformed)? {
            b'{' => open.push(b'}'),
            b'[' => open.push(b']'),
            close @ (b'}' | b']') => {
                if open.pop() != Some(*close) {
                    return Err(Malformed);
                }
                if open.is_empty() {
                    return Ok(at + 1);
                }
            }
            quote @ (b'"' | b'\'') => {
                at = next_stop(line, at + 1, *quote)?;
                while line[at] == b'\\' {
                    at = next_stop(line, at + 2, *quote)?;
                }
            }
            _ => {}
        }
        if open.len() > MAX_DEPTH {
            return Err(Malformed);
        }
        at += 1;
    }
}

/// Whether a token is a number by JSON's grammar, which knows no leading zeros and no lone dots.
fn is_number(token: &[u8]) -> bool {
    let digits = |from: usize| token[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let mut at = usize::from(token.first() == Some(&b'-'));
    let whole = digits(at);
    if whole == 0 || (whole > 1 && token[at] == b'0') {
        return false;
    }
    at += whole;
    if token.get(at) == Some(&b'.') {
        let fraction = digits(at + 1);
        if fraction == 0 {
            return false;
        }
        at += 1 + fraction;
    }
    if matches!(token.get(at), Some(b'e' | b'E')) {
        at += 1 + usize::from(matches!(token.get(at + 1), Some(b'+' | b'-')));
        let exponent = digits(at.min(token.len()));
        if exponent == 0 {
            return false;
        }
        at += exponent;
    }
    at == token.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Option<Vec<(String, String)>> {
        let mut object = Object::default();
        object.parse(line.as_bytes()).ok()?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let shown = |value: Value<'_>| match value {
            Value::Null => "null".to_owned(),
            Value::Text(token) => format!("text {}", text(token)),
            Value::Number(token) => format!("number {}", text(token)),
            Value::Boolean(token) => format!("boolean {}", text(token)),
            Value::Nested(token) => format!("nested {}", text(token)),
        };
        Some(object.fields(line.as_bytes()).map(|(name, value)| (text(name), shown(value))).collect())
    }

    #[test]
    fn values_are_what_json_says() {
        for (value, want) in [
            ("null", "null"),
            ("true", "boolean true"),
            ("-0.5e+10", "number -0.5e+10"),
            ("0", "number 0"),
            ("NaN", "number NaN"),
            ("-Infinity", "number -Infinity"),
            (r#""""#, "text "),
            (r#""a,b}""#, "text a,b}"),
            (r"'it\'s'", "text it's"),
            (r#""\u00e9\n\\\/\"""#, "text é\n\\/\""),
            (r#""\ud83d\ude00\ud83d!""#, "text 😀\u{fffd}!"),
            (r#"{"a": "}\"", "b": [1, 2]}"#, r#"nested {"a": "}\"", "b": [1, 2]}"#),
            ("[]", "nested []"),
        ] {
            let line = format!(r#" {{"x" : {value} , "y":1}} "#);
            let fields = parsed(&line).unwrap_or_default();
            assert_eq!(
                fields.first().map(|(name, value)| (name.as_str(), value.as_str())),
                Some(("x", want)),
                "{line}"
            );
            assert_eq!(fields.last().map(|(name, value)| (name.as_str(), value.as_str())), Some(("y", "number 1")));
        }
        assert_eq!(parsed("{}"), Some(Vec::new()));
    }

    #[test]
    fn everything_else_is_malformed_and_nothing_panics() {
        for line in [
            "not json",
            "",
            "[1]",
            "1",
            r#"{"a":1"#,
            r#"{"a":1}x"#,
            r#"{"a":1,}"#,
            r#"{"a" 1}"#,
            r#"{a:1}"#,
            r#"{"a":01}"#,
            r#"{"a":.5}"#,
            r#"{"a":5.}"#,
            r#"{"a":1e}"#,
            r#"{"a":nul}"#,
            r#"{"a":"x}"#,
            r#"{"a":"\q"}"#,
            r#"{"a":"\u12"}"#,
            r#"{"a":[1}"#,
            r#"{"a":{"b":1}"#,
            r#"{"a":"#,
        ] {
            assert_eq!(parsed(line), None, "{line}");
        }
        assert_eq!(parsed(&format!(r#"{{"a":{}1{}}}"#, "[".repeat(5000), "]".repeat(5000))), None);
        let whole = r#"{"a\n":"x\ud83d\ude00y","b":[{"c":'d\\'}],"e":-1.5e-7,"f":null}"#;
        for cut in 0..whole.len() {
            if let Some(part) = whole.get(..cut) {
                assert_eq!(parsed(part), None, "{part}");
            }
        }
    }
}
