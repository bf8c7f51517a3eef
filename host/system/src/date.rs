//! Dates as people write them: `2026-01-01T00:00:00Z` (ISO 8601, UTC), to the nanosecond.

use maquette_machine::UnixTime;
use thiserror::Error;

const NS_PER_S: u64 = 1_000_000_000;
const S_PER_DAY: u64 = 86_400;
/// Days in 400 years, after which the calendar repeats.
const DAYS_PER_ERA: u64 = 146_097;
/// From the first of March of year 0 to 1970-01-01.
const EPOCH: u64 = 719_468;

/// Why a text is no date.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum DateError {
    /// It is not of the form.
    #[error("`{0}` is no date and time")]
    Form(String),
    /// A part has a value that it cannot have.
    #[error("`{text}` has the {part} {value}, which does not exist")]
    Part {
        /// The whole text.
        text: String,
        /// Which part.
        part: &'static str,
        /// Its value.
        value: u64,
    },
    /// The clock cannot show it.
    #[error("`{0}` is before 1970 or after July 2554, which the clock cannot show")]
    OutOfRange(String),
}

/// Reads a date.
///
/// # Errors
/// When it is none, or the clock cannot show it.
pub fn parse(text: &str) -> Result<UnixTime, DateError> {
    let form = || DateError::Form(text.to_owned());
    let (date, time) = text
        .strip_suffix('Z')
        .and_then(|rest| rest.split_once('T'))
        .ok_or_else(form)?;
    let (time, fraction) = time
        .split_once('.')
        .map_or((time, None), |(t, f)| (t, Some(f)));
    let [year, month, day] = numbers(date, '-', [4, 2, 2]).ok_or_else(form)?;
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2]).ok_or_else(form)?;
    let ns = match fraction {
        None => 0,
        Some(digits) if digits.len() <= 9 => number(&format!("{digits:0<9}"), 9)
            .filter(|_| !digits.is_empty())
            .ok_or_else(form)?,
        Some(_) => return Err(form()),
    };
    let limits = [
        ("month", month, 1, 12),
        ("day", day, 1, days_in(year, month)),
        ("hour", hour, 0, 23),
        ("minute", minute, 0, 59),
        ("second", second, 0, 59),
    ];
    for (part, value, least, most) in limits {
        if value < least || value > most {
            let text = text.to_owned();
            return Err(DateError::Part { text, part, value });
        }
    }
    let days = days_before(year, month, day).checked_sub(EPOCH);
    let seconds = days.map(|days| days * S_PER_DAY + hour * 3600 + minute * 60 + second);
    seconds
        .and_then(|s| s.checked_mul(NS_PER_S)?.checked_add(ns))
        .map(UnixTime)
        .ok_or_else(|| DateError::OutOfRange(text.to_owned()))
}

/// Writes a date as [`parse`] reads it.
#[must_use]
pub fn show(time: UnixTime) -> String {
    let (seconds, ns) = (time.0 / NS_PER_S, time.0 % NS_PER_S);
    let (days, rest) = (seconds / S_PER_DAY + EPOCH, seconds % S_PER_DAY);
    // Years begin in March here, so that the leap day is the last of its year.
    let (era, in_era) = (days / DAYS_PER_ERA, days % DAYS_PER_ERA);
    let in_era_year = (in_era - in_era / 1460 + in_era / 36_524 - in_era / 146_096) / 365;
    let in_year = in_era - (365 * in_era_year + in_era_year / 4 - in_era_year / 100);
    let march_month = (5 * in_year + 2) / 153;
    let day = in_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    let year = era * 400 + in_era_year + u64::from(month <= 2);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    let fraction = match ns {
        0 => String::new(),
        ns => format!(".{ns:09}"),
    };
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
}

/// Days from the first of March of year 0.
fn days_before(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = if month <= 2 {
        (year.saturating_sub(1), month + 9)
    } else {
        (year, month - 3)
    };
    let (era, in_era) = (year / 400, year % 400);
    let in_year = (153 * month + 2) / 5 + day - 1;
    era * DAYS_PER_ERA + in_era * 365 + in_era / 4 - in_era / 100 + in_year
}

const fn days_in(year: u64, month: u64) -> u64 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn numbers(text: &str, between: char, lengths: [usize; 3]) -> Option<[u64; 3]> {
    let mut parts = text.split(between);
    let mut all = [0; 3];
    for (to, length) in all.iter_mut().zip(lengths) {
        *to = number(parts.next()?, length)?;
    }
    parts.next().is_none().then_some(all)
}

fn number(text: &str, length: usize) -> Option<u64> {
    let digits = text.len() == length && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn dates_that_date_1_knows_have_its_seconds() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T23:59:59Z", 951_868_799),
            ("2026-01-01T00:00:00Z", 1_767_225_600),
            ("2100-03-01T00:00:00Z", 4_107_542_400),
            ("2553-12-31T23:59:59Z", 18_429_292_799),
        ] {
            assert_eq!(parse(text), Ok(UnixTime(seconds * NS_PER_S)), "{text}");
        }
        let fraction = parse("1970-01-01T00:00:00.25Z");
        assert_eq!(fraction, Ok(UnixTime(250_000_000)));
    }

    #[test]
    fn what_is_no_date_says_why() {
        for text in [
            "",
            "2026-01-01",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00:00+01:00",
            "2026-1-01T00:00:00Z",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00.1234567890Z",
            "+026-01-01T00:00:00Z",
        ] {
            assert_eq!(parse(text), Err(DateError::Form(text.to_owned())));
        }
        for (text, part) in [
            ("2026-13-01T00:00:00Z", "month"),
            ("2026-00-01T00:00:00Z", "month"),
            ("2026-02-29T00:00:00Z", "day"),
            ("2026-04-31T00:00:00Z", "day"),
            ("2026-01-01T24:00:00Z", "hour"),
            ("2026-01-01T00:60:00Z", "minute"),
            ("2026-01-01T00:00:60Z", "second"),
        ] {
            match parse(text) {
                Err(DateError::Part { part: seen, .. }) => assert_eq!(seen, part, "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
        for text in [
            "1969-12-31T23:59:59Z",
            "0000-01-01T00:00:00Z",
            "9999-12-31T00:00:00Z",
        ] {
            assert_eq!(parse(text), Err(DateError::OutOfRange(text.to_owned())));
        }
    }

    proptest! {
        #[test]
        fn every_date_that_is_shown_is_read_again(ns in any::<u64>()) {
            let shown = show(UnixTime(ns));
            prop_assert_eq!(parse(&shown), Ok(UnixTime(ns)), "{}", shown);
        }

        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let _ = parse(&text);
        }
    }
}
