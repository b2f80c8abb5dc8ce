//! Foreign text inside HTML and SVG: what a table says must never become markup.

use std::fmt::{self, Display, Formatter, Write};

/// A text that stays a text, between tags and within quoted attributes.
///
/// Control characters, which HTML forbids, become U+FFFD; line breaks and tabs stay.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Escaped<'a>(pub(crate) &'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                '\n' | '\t' => f.write_char(c)?,
                c if c.is_control() => f.write_char(char::REPLACEMENT_CHARACTER)?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// The text, or its first `limit` characters and an ellipsis.
pub(crate) fn shortened(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_becomes_text() {
        let hostile = r#"</title><script>alert("1")</script> & 'x'"#;
        let escaped = Escaped(hostile).to_string();
        assert_eq!(
            escaped, "&lt;/title&gt;&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;x&#39;",
            "'{hostile}' became '{escaped}'"
        );
    }

    #[test]
    fn control_characters_are_shown_as_unreadable() {
        assert_eq!(Escaped("a\0b\x1bc\r\n\td").to_string(), "a\u{fffd}b\u{fffd}c\u{fffd}\n\td");
    }

    #[test]
    fn other_scripts_are_left_alone() {
        assert_eq!(Escaped("Zürich 東京 🦉").to_string(), "Zürich 東京 🦉");
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(shortened("äöü", 3), "äöü");
        assert_eq!(shortened("äöüß", 3), "äöü…");
    }
}
