//! A field that begins with a quote, read as univocity 2.9.1 reads it under Spark's settings: quote `"`, escape `\`,
//! a stray quote makes the field run to the next delimiter with all its quotes kept.
//!
//! The well-formed field is one search. Everything else follows univocity's state machine, oddities and all, because
//! Spark's users see exactly those: `""hi""` keeps four quotes, `"a" x` keeps two.

use memchr::{memchr, memchr2};

const QUOTE: u8 = b'"';
const ESCAPE: u8 = b'\\';
const DELIMITER: u8 = b',';

/// Appends the value of the field at the start of `line` to `out`.
///
/// Returns the offset just behind the delimiter that ends the field, or `None` when the line ends with it.
pub(super) fn unquote(line: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    // The common case: no escape, and the closing quote is followed by a delimiter or the end.
    if let Some(len) = memchr2(QUOTE, ESCAPE, &line[1..]) {
        let close = 1 + len;
        if line[close] == QUOTE && matches!(line.get(close + 1), None | Some(&DELIMITER)) {
            out.extend_from_slice(&line[1..close]);
            return (close + 1 < line.len()).then_some(close + 2);
        }
    }
    let mut machine = Machine { line, next: 1, ch: QUOTE, prev: 0, unescaped: false, base: out.len(), out };
    match machine.quoted_value() {
        Ok(()) => Some(machine.next),
        Err(EndOfLine) => {
            machine.end_of_line();
            None
        }
    }
}

/// The line ended where another character was wanted.
struct EndOfLine;

/// univocity's `CsvParser`, reduced to one field. `ch` is the character at hand, `next` the offset of the one after.
struct Machine<'a> {
    line: &'a [u8],
    next: usize,
    ch: u8,
    prev: u8,
    unescaped: bool,
    base: usize,
    out: &'a mut Vec<u8>,
}

impl Machine<'_> {
    fn next_char(&mut self) -> Result<u8, EndOfLine> {
        let ch = *self.line.get(self.next).ok_or(EndOfLine)?;
        self.next += 1;
        Ok(ch)
    }

    fn advance(&mut self) -> Result<(), EndOfLine> {
        self.ch = self.next_char()?;
        Ok(())
    }

    /// Appends the character at hand and all up to one that `find` finds, which becomes the one at hand.
    fn append_until(&mut self, find: impl Fn(&[u8]) -> Option<usize>) -> Result<(), EndOfLine> {
        let from = self.next - 1;
        match find(&self.line[from..]) {
            Some(len) => {
                self.out.extend_from_slice(&self.line[from..from + len]);
                self.ch = self.line[from + len];
                self.next = from + len + 1;
                Ok(())
            }
            None => {
                self.out.extend_from_slice(&self.line[from..]);
                self.next = self.line.len();
                Err(EndOfLine)
            }
        }
    }

    /// univocity's `parseQuotedValue`: on success the delimiter is at hand.
    fn quoted_value(&mut self) -> Result<(), EndOfLine> {
        if self.prev != 0 {
            self.out.insert(self.base, QUOTE);
            self.advance()?;
            return self.append_until(|rest| memchr(DELIMITER, rest));
        }
        self.advance()?;
        loop {
            if self.prev == QUOTE && (self.ch <= b' ' || self.ch == DELIMITER) {
                break;
            }
            if self.ch != QUOTE && self.ch != ESCAPE {
                if self.prev == QUOTE {
                    self.unescaped = true;
                    self.out.extend_from_slice(&[QUOTE, self.ch]);
                    self.prev = self.ch;
                    return self.quoted_value();
                }
                if self.prev == ESCAPE {
                    self.out.push(ESCAPE);
                }
                self.append_until(|rest| memchr2(QUOTE, ESCAPE, rest))?;
                self.prev = self.ch;
                self.advance()?;
            } else {
                self.quote_or_escape()?;
                self.prev = self.ch;
                self.advance()?;
                if self.unescaped && self.ch == DELIMITER {
                    return Ok(());
                }
            }
        }
        if self.ch != DELIMITER {
            self.blanks_behind_the_quote()?;
        }
        Ok(())
    }

    /// Blanks between the closing quote and the delimiter are dropped; anything else there unmakes the quoting.
    fn blanks_behind_the_quote(&mut self) -> Result<(), EndOfLine> {
        let from = self.next - 1;
        while self.ch <= b' ' {
            self.advance()?;
        }
        if self.ch != DELIMITER {
            self.out.push(QUOTE);
            self.out.extend_from_slice(&self.line[from..self.next]);
            self.prev = self.ch;
            self.quoted_value()?;
        }
        Ok(())
    }

    /// univocity's `processQuoteEscape`.
    fn quote_or_escape(&mut self) -> Result<(), EndOfLine> {
        if self.ch == ESCAPE && self.prev == ESCAPE {
            self.out.push(ESCAPE);
            self.ch = 0;
        } else if self.prev == ESCAPE {
            if self.ch == QUOTE {
                self.out.push(QUOTE);
                self.ch = 0;
            } else {
                self.out.push(ESCAPE);
            }
        } else if self.ch == QUOTE && self.prev == QUOTE {
            self.out.push(QUOTE);
        } else if self.prev == QUOTE {
            return self.unescaped_quote_in_value();
        }
        Ok(())
    }

    /// univocity's `handleUnescapedQuoteInValue` and the `parseValueProcessingEscape` it goes on with.
    fn unescaped_quote_in_value(&mut self) -> Result<(), EndOfLine> {
        self.out.push(QUOTE);
        self.prev = self.ch;
        while self.ch != DELIMITER {
            if self.ch != QUOTE && self.ch != ESCAPE {
                if self.prev == QUOTE {
                    return self.unescaped_quote_in_value();
                }
                self.out.push(self.ch);
            } else {
                self.quote_or_escape()?;
            }
            self.prev = self.ch;
            self.advance()?;
        }
        Ok(())
    }

    /// univocity's `consumeValueOnEOF`: a quote that was at hand when the line ended, and closed nothing, is text.
    fn end_of_line(&mut self) {
        if self.ch == QUOTE && self.prev != QUOTE && !self.unescaped {
            self.out.push(QUOTE);
        }
    }
}
