//! Hadoop's glob patterns: `*`, `?`, `[a-c]`, `[^a]` within a name, and `{a,b}` anywhere.

/// Whether a path is a pattern at all.
pub(crate) fn is_pattern(path: &str) -> bool {
    path.contains(['*', '?', '[', '{'])
}

/// The patterns without braces that a pattern stands for. A brace that is never closed stands for itself.
pub(crate) fn expand_braces(pattern: &str) -> Vec<String> {
    let Some((open, close, commas)) = first_braces(pattern) else { return vec![pattern.to_owned()] };
    let (before, after) = (&pattern[..open], &pattern[close + 1..]);
    let mut expanded = Vec::new();
    let mut start = open + 1;
    for end in commas.into_iter().chain([close]) {
        expanded.extend(expand_braces(&format!("{before}{}{after}", &pattern[start..end])));
        start = end + 1;
    }
    expanded
}

/// Positions of the first pair of braces and of the commas directly within it.
fn first_braces(pattern: &str) -> Option<(usize, usize, Vec<usize>)> {
    let open = pattern.find('{')?;
    let (mut depth, mut commas) = (0, Vec::new());
    for (at, c) in pattern.char_indices().skip_while(|(at, _)| *at < open) {
        match c {
            '{' => depth += 1,
            ',' if depth == 1 => commas.push(at),
            '}' => {
                depth -= 1;
                if depth == 0 {
                    return Some((open, at, commas));
                }
            }
            _ => {}
        }
    }
    None
}

/// Whether a name matches a pattern without braces.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    // Where to go back to when the last star has to take one more character.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        if pattern.get(p) == Some(&'*') {
            star = Some((p, n));
            p += 1;
        } else if let Some(next) = one(&pattern, p, name[n]) {
            (p, n) = (next, n + 1);
        } else if let Some((at, from)) = star {
            star = Some((at, from + 1));
            (p, n) = (at + 1, from + 1);
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// The position in the pattern behind what matches one character, if it does.
fn one(pattern: &[char], at: usize, c: char) -> Option<usize> {
    match pattern.get(at)? {
        '?' => Some(at + 1),
        '[' => match pattern[at + 1..].iter().skip(1).position(|c| *c == ']') {
            // A class has at least one character, which may be a bracket.
            Some(len) => {
                let class = &pattern[at + 1..=at + 1 + len];
                in_class(class, c).then_some(at + len + 3)
            }
            None => (c == '[').then_some(at + 1),
        },
        literal => (*literal == c).then_some(at + 1),
    }
}

fn in_class(class: &[char], c: char) -> bool {
    let (class, negated) = match class {
        ['^' | '!', rest @ ..] if !rest.is_empty() => (rest, true),
        _ => (class, false),
    };
    let mut at = 0;
    let mut found = false;
    while at < class.len() {
        if class.get(at + 1) == Some(&'-') && at + 2 < class.len() {
            found |= (class[at]..=class[at + 2]).contains(&c);
            at += 3;
        } else {
            found |= class[at] == c;
            at += 1;
        }
    }
    found != negated
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_as_in_hadoop() {
        for (pattern, name, want) in [
            ("*", "a.csv", true),
            ("*.csv", "a.csv", true),
            ("*.csv", "a.csv.gz", false),
            ("part-*-c000.csv", "part-00001-x-c000.csv", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("[ab]x", "bx", true),
            ("[^ab]x", "bx", false),
            ("[^ab]x", "cx", true),
            ("201[0-2]", "2011", true),
            ("201[0-2]", "2013", false),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXc", false),
            ("[", "[", true),
            ("[a", "[a", true),
            ("ü*", "über", true),
            ("", "", true),
            ("**", "", true),
        ] {
            assert_eq!(matches(pattern, name), want, "{pattern} and {name}");
        }
    }

    #[test]
    fn braces_stand_for_each_of_their_parts() {
        assert_eq!(expand_braces("a{1,2}/b{x,y}"), ["a1/bx", "a1/by", "a2/bx", "a2/by"]);
        assert_eq!(expand_braces("{a,b{1,2}}"), ["a", "b1", "b2"]);
        assert_eq!(expand_braces("a{b"), ["a{b"]);
        assert_eq!(expand_braces("{a}"), ["a"]);
    }
}
