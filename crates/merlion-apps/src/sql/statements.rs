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
    /// How much of the text is known to hold no end, so that long statements are not read again for every line.
    scanned: usize,
}

impl Statements {
    /// Takes a line, and gives what is complete with it.
    pub(super) fn push_line(&mut self, line: &str) -> Vec<Input> {
        if let Some(command) = line.trim().strip_prefix('\\')
            && self.is_empty()
        {
            self.clear();
            // psql's users end commands with a semicolon.
            return vec![Input::Command(command.trim_end_matches(';').trim().to_owned())];
        }
        self.text.push_str(line);
        self.text.push('\n');
        let mut complete = Vec::new();
        while let Some(end) = self.end_of_statement() {
            let rest = self.text.split_off(end + 1);
            let statement = std::mem::replace(&mut self.text, rest);
            self.scanned = 0;
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
        self.scanned = 0;
    }

    /// What is left when the input has ended: a last statement needs no semicolon.
    pub(super) fn finish(&mut self) -> Option<Input> {
        self.scanned = 0;
        statement_of(&std::mem::take(&mut self.text))
    }

    /// Where the first statement ends: its semicolon outside of quotes and comments.
    fn end_of_statement(&mut self) -> Option<usize> {
        let mut end = None;
        self.scanned = scan(&self.text, self.scanned, |at, letter| {
            if letter == ';' {
                end = Some(at);
            }
            end.is_some()
        });
        end
    }
}

/// The statement in a text, if there is more than comments in it.
fn statement_of(text: &str) -> Option<Input> {
    let mut code = false;
    scan(text, 0, |_, letter| {
        code |= !letter.is_whitespace();
        code
    });
    code.then(|| Input::Statement(text.trim().to_owned()))
}

/// Calls `found` with every character from a place on that is no comment, until it returns true; of a quoted text only with its first
/// quote. Returns where to go on when there is more text: before a quote or a comment that has not ended.
fn scan(text: &str, from: usize, mut found: impl FnMut(usize, char) -> bool) -> usize {
    let mut at = from;
    while let Some(letter) = text[at..].chars().next() {
        let rest = &text[at..];
        let length = if rest.starts_with("--") {
            rest.find('\n')
        } else if rest.starts_with("/*") {
            length_of_comment(rest)
        } else {
            if found(at, letter) {
                return at;
            }
            match letter {
                // A doubled quote ends one text and begins the next, which comes to the same.
                '\'' | '"' | '`' => rest[1..].find(letter).map(|end| end + 2),
                _ => Some(letter.len_utf8()),
            }
        };
        match length {
            Some(length) => at += length,
            None => return at,
        }
    }
    at
}

/// The length of a block comment that ends; they nest.
fn length_of_comment(text: &str) -> Option<usize> {
    let (mut depth, mut at) = (0usize, 0);
    loop {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest.starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return Some(at);
            }
        } else {
            at += rest.chars().next()?.len_utf8();
        }
    }
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
    fn a_long_statement_takes_time_that_grows_with_its_length_only() {
        // Read again for every line, this would be 10^11 characters.
        let mut statements = Statements::default();
        statements.push_line("INSERT INTO t VALUES");
        for row in 0..100_000 {
            assert_eq!(statements.push_line(&format!("({row}, 'a;b'), -- {row};")), []);
        }
        assert_eq!(statements.push_line("(0, '');").len(), 1);
        assert!(statements.is_empty());
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
