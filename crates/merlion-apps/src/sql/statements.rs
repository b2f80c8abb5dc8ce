//! Cuts text into statements, and knows when one is complete. It does not parse: quotes and comments are all it looks at.

/// What a piece of input is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Input {
    /// One statement, without its semicolon.
    Statement(String),
    /// A line that begins with a backslash, without it.
    Command(String),
}

/// Takes lines and gives statements and commands.
#[derive(Debug, Default)]
pub(super) struct Statements {
    text: String,
}

impl Statements {
    /// Takes a line, and gives what is complete with it.
    pub(super) fn push_line(&mut self, line: &str) -> Vec<Input> {
        if let Some(command) = line.trim().strip_prefix('\\')
            && self.is_empty()
        {
            self.text.clear();
            // psql's users end commands with a semicolon.
            return vec![Input::Command(command.trim_end_matches(';').trim().to_owned())];
        }
        self.text.push_str(line);
        self.text.push('\n');
        let mut complete = Vec::new();
        while let Some(end) = end_of_statement(&self.text) {
            let rest = self.text.split_off(end + 1);
            let statement = std::mem::replace(&mut self.text, rest);
            complete.extend(statement_of(&statement[..end]));
        }
        complete
    }

    /// Whether nothing but comments and spaces waits for its end.
    pub(super) fn is_empty(&self) -> bool {
        statement_of(&self.text).is_none()
    }

    /// Throws away what waits for its end.
    pub(super) fn clear(&mut self) {
        self.text.clear();
    }

    /// What is left when the input has ended: a last statement needs no semicolon.
    pub(super) fn finish(&mut self) -> Option<Input> {
        statement_of(&std::mem::take(&mut self.text))
    }
}

/// The statement in a text, if there is more than comments in it.
fn statement_of(text: &str) -> Option<Input> {
    let mut code = false;
    scan(text, |_, letter| {
        code |= !letter.is_whitespace();
        code
    });
    code.then(|| Input::Statement(text.trim().to_owned()))
}

/// Where the first statement ends: its semicolon outside of quotes and comments.
fn end_of_statement(text: &str) -> Option<usize> {
    let mut end = None;
    scan(text, |at, letter| {
        if letter == ';' {
            end = Some(at);
        }
        end.is_some()
    });
    end
}

/// Calls `found` with every character that is no comment, until it returns true; of a quoted text only with its first quote.
fn scan(text: &str, mut found: impl FnMut(usize, char) -> bool) {
    let mut at = 0;
    while let Some(letter) = text[at..].chars().next() {
        let rest = &text[at..];
        if rest.starts_with("--") {
            at += rest.find('\n').unwrap_or(rest.len());
        } else if rest.starts_with("/*") {
            at += end_of_comment(rest);
        } else {
            if found(at, letter) {
                return;
            }
            at += match letter {
                '\'' | '"' | '`' => end_of_quotes(rest, letter),
                _ => letter.len_utf8(),
            };
        }
    }
}

/// The length of a block comment; they nest.
fn end_of_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0usize, 0);
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest.starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of a quoted text. A doubled quote ends one and begins the next, which comes to the same.
fn end_of_quotes(text: &str, quote: char) -> usize {
    text[1..].find(quote).map_or(text.len(), |end| end + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<Input> {
        let mut statements = Statements::default();
        let mut all: Vec<Input> = text.lines().flat_map(|line| statements.push_line(line)).collect();
        all.extend(statements.finish());
        all
    }

    fn statement(text: &str) -> Input {
        Input::Statement(text.to_owned())
    }

    #[test]
    fn semicolons_end_statements_but_not_in_quotes_or_comments() {
        assert_eq!(cut("SELECT 1; SELECT 2"), [statement("SELECT 1"), statement("SELECT 2")]);
        assert_eq!(cut("SELECT ';' , \"a;b\"; SELECT 2;"), [statement("SELECT ';' , \"a;b\""), statement("SELECT 2")]);
        assert_eq!(cut("SELECT 'it''s; fine';"), [statement("SELECT 'it''s; fine'")]);
        assert_eq!(cut("SELECT 1 -- not; here\n+ 1;"), [statement("SELECT 1 -- not; here\n+ 1")]);
        assert_eq!(cut("SELECT /* a; /* b; */ c; */ 1;"), [statement("SELECT /* a; /* b; */ c; */ 1")]);
        assert_eq!(cut("SELECT 'ein Käse; und \n mehr';"), [statement("SELECT 'ein Käse; und \n mehr'")]);
    }

    #[test]
    fn comments_and_empty_statements_are_no_statements() {
        assert_eq!(cut(";;\n-- nothing\n/* at all */ ;"), []);
        assert_eq!(cut("-- first\nSELECT 1;"), [statement("-- first\nSELECT 1")]);
    }

    #[test]
    fn a_line_with_a_backslash_is_a_command_unless_a_statement_is_open() {
        assert_eq!(cut("\\d sales;\nSELECT 1;"), [Input::Command("d sales".to_owned()), statement("SELECT 1")]);
        assert_eq!(cut("SELECT '\n\\d';"), [statement("SELECT '\n\\d'")]);
        assert_eq!(cut("-- a comment\n\\q"), [Input::Command("q".to_owned())]);
    }

    #[test]
    fn what_is_not_complete_waits() {
        let mut statements = Statements::default();
        assert_eq!(statements.push_line("SELECT 'a"), []);
        assert!(!statements.is_empty());
        assert_eq!(statements.push_line("b'"), []);
        assert_eq!(statements.push_line(";"), [statement("SELECT 'a\nb'")]);
        assert!(statements.is_empty());
        statements.push_line("SELECT");
        statements.clear();
        assert!(statements.is_empty());
    }
}
