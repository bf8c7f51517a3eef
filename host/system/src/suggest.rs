//! "Did you mean": the known word that a mistyped one resembles most.

/// Below this similarity a suggestion confuses more than it helps.
const ENOUGH: f64 = 0.75;

/// No word that is known comes near this length, and comparing takes the product of both.
const LONGEST: usize = 100;

/// The word of `known` that is closest to `word`, if any is close enough.
pub fn closest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > LONGEST {
        return None;
    }
    let word = word.to_lowercase();
    known
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&word, &name.to_lowercase()), name))
        .filter(|(score, _)| *score >= ENOUGH)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

/// The remedy for a word that is not known: the one that was probably meant, and all there are.
pub fn remedy(word: &str, known: &[&str]) -> String {
    let all = known.join(", ");
    match closest(word, known.iter().copied()) {
        Some(name) => format!("did you mean `{name}`? (known here: {all})"),
        None => format!("known here: {all}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closest_finds_the_mistyped_word_and_nothing_far_away() {
        let known = ["harts", "memory", "clock"];
        assert_eq!(closest("hart", known), Some("harts"));
        assert_eq!(closest("Memroy", known), Some("memory"));
        assert_eq!(closest("zzz", known), None);
    }
}
