//! "Did you mean": the candidate that is spelled most like a name. Not a search: it answers only when the two are close.

/// The candidate nearest to `name` by edit distance, ignoring case, or `None` when none is close enough to be a typing error.
///
/// Close means at most a third of the longer word's letters differ (and always at least one may). Among equally near ones the
/// one nearer in case wins, then the first, so the order of `candidates` is the order of preference.
pub fn nearest<'a, I>(name: &str, candidates: I) -> Option<&'a str>
where
    I: IntoIterator<Item = &'a str>,
{
    let wanted: Vec<char> = name.to_lowercase().chars().collect();
    let exactly: Vec<char> = name.chars().collect();
    let mut best: Option<((usize, usize), &str)> = None;
    for candidate in candidates {
        let letters: Vec<char> = candidate.to_lowercase().chars().collect();
        let distance = edit_distance(&wanted, &letters);
        let allowed = (wanted.len().max(letters.len()) / 3).max(1);
        if distance > allowed {
            continue;
        }
        let distance = (distance, edit_distance(&exactly, &candidate.chars().collect::<Vec<_>>()));
        if best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Optimal string alignment: insertions, deletions, replacements and swaps of neighbours each cost one.
fn edit_distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, &x) in a.iter().enumerate() {
        let mut row = Vec::with_capacity(b.len() + 1);
        row.push(i + 1);
        for (j, &y) in b.iter().enumerate() {
            let mut cost = (above[j] + usize::from(x != y)).min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && x == b[j - 1] && a[i - 1] == y {
                cost = cost.min(before[j - 1] + 1);
            }
            row.push(cost);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn of_words_that_differ_in_case_the_nearer_is_meant() {
        assert_eq!(nearest("auto_Dx", ["auto_d", "auto_D"]), Some("auto_D"));
        assert_eq!(nearest("auto_dx", ["auto_D", "auto_d"]), Some("auto_d"));
    }

    #[test]
    fn a_typing_error_finds_the_word_that_was_meant() {
        let names = ["granularity", "origin", "aggregation_policy"];
        for (typed, meant) in [
            ("granulartiy", Some("granularity")),
            ("Origins", Some("origin")),
            ("AGGREGATION-POLICY", Some("aggregation_policy")),
            ("horizon", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, names), meant, "nearest to '{typed}'");
        }
    }

    #[test]
    fn swapped_letters_count_once_and_short_words_may_differ_by_one() {
        assert_eq!(nearest("Airma", ["ETS", "Arima"]), Some("Arima"));
        assert_eq!(nearest("EST", ["ETS", "MSES"]), Some("ETS"));
        assert_eq!(nearest("W", ["H", "D"]), Some("H"), "one letter may always differ; the first candidate wins ties");
    }
}
