//! Quantities with units, as people write them: `"256MiB"`, `"1GHz"`, `"10ms"`, `"3/2"`.
//!
//! Everything is computed in integers, so that `"1.5GiB"` is exactly 1 610 612 736 bytes and a
//! quantity that is no whole number of base units is an error and not a rounding. Decimal multiples
//! of bytes (`MB`) are refused: a megabyte that may mean two sizes has no place in a system file.

use maquette_model::{Frequency, SimTime};
use thiserror::Error;

/// Why a text is not the quantity it should be.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum UnitError {
    /// There is no text at all.
    #[error("an empty text is no {}", wanted.what)]
    Empty {
        /// What was expected.
        wanted: Wanted,
    },
    /// The text is not of the form that it should have.
    #[error("`{text}` is no {}", wanted.what)]
    NoNumber {
        /// The whole text.
        text: String,
        /// What was expected.
        wanted: Wanted,
    },
    /// The number is below zero.
    #[error("`{text}` is negative, and no {} is", wanted.what)]
    Negative {
        /// The whole text.
        text: String,
        /// What was expected.
        wanted: Wanted,
    },
    /// A number without the unit that it needs.
    #[error("`{text}` has no unit")]
    NoUnit {
        /// The whole text.
        text: String,
        /// The units to choose from.
        units: &'static str,
    },
    /// A unit that does not exist.
    #[error("`{unit}` is no unit of {what}")]
    UnknownUnit {
        /// The unit that was written.
        unit: String,
        /// What was expected.
        what: &'static str,
        /// The units to choose from.
        units: &'static str,
        /// The unit that was probably meant.
        meant: Option<&'static str>,
    },
    /// The quantity does not fit.
    #[error("`{text}` is too large to be represented")]
    TooLarge {
        /// The whole text.
        text: String,
    },
    /// The quantity is a fraction of a base unit.
    #[error("`{text}` is no whole number of {base}")]
    NotWhole {
        /// The whole text.
        text: String,
        /// The base unit.
        base: &'static str,
    },
    /// A ratio with a zero in it.
    #[error("`{text}`: both parts of a ratio must be at least 1")]
    ZeroRatio {
        /// The whole text.
        text: String,
    },
}

/// What a text should be, for remedies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wanted {
    /// Its name, for example "size".
    pub what: &'static str,
    /// One as it is written in TOML.
    pub example: &'static str,
    /// The units to choose from; empty where there are none.
    pub units: &'static str,
}

impl Wanted {
    fn remedy(self) -> String {
        let Self {
            what,
            example,
            units,
        } = self;
        if units.is_empty() {
            format!("write a {what} such as {example}")
        } else {
            format!("write a {what} with its unit, such as {example} (units: {units})")
        }
    }
}

impl UnitError {
    /// What to write instead.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::Empty { wanted }
            | Self::NoNumber { wanted, .. }
            | Self::Negative { wanted, .. } => wanted.remedy(),
            Self::NoUnit { units, .. } => format!("add a unit: {units}"),
            Self::UnknownUnit {
                units,
                meant: Some(meant),
                ..
            } => format!("did you mean `{meant}`? (units: {units})"),
            Self::UnknownUnit { units, .. } => format!("use one of the units {units}"),
            Self::TooLarge { .. } => "write a smaller quantity".to_owned(),
            Self::NotWhole { base, .. } => format!("write a whole number of {base}"),
            Self::ZeroRatio { .. } => "write a ratio such as \"3/2\" or \"1.5\"".to_owned(),
        }
    }
}

/// One family of units: names and how many base units each is.
struct Family {
    wanted: Wanted,
    base: &'static str,
    units: &'static [(&'static str, u128)],
    /// What a bare number means, where it means anything.
    bare: Option<u128>,
}

const SIZE: Family = Family {
    wanted: Wanted {
        what: "size",
        example: "\"64MiB\"",
        units: "B, KiB, MiB, GiB, TiB",
    },
    base: "bytes",
    units: &[
        ("B", 1),
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("TiB", 1 << 40),
    ],
    bare: Some(1),
};

const RATE: Family = Family {
    wanted: Wanted {
        what: "frequency",
        example: "\"1GHz\"",
        units: "Hz, kHz, MHz, GHz, THz",
    },
    base: "hertz",
    units: &[
        ("Hz", 1),
        ("kHz", 1_000),
        ("MHz", 1_000_000),
        ("GHz", 1_000_000_000),
        ("THz", 1_000_000_000_000),
    ],
    bare: None,
};

const BANDWIDTH: Family = Family {
    wanted: Wanted {
        what: "bandwidth",
        example: "\"1Gbit/s\"",
        units: "bit/s, kbit/s, Mbit/s, Gbit/s",
    },
    base: "bits a second",
    units: &[
        ("bit/s", 1),
        ("kbit/s", 1_000),
        ("Mbit/s", 1_000_000),
        ("Gbit/s", 1_000_000_000),
    ],
    bare: None,
};

const TIME: Family = Family {
    wanted: Wanted {
        what: "time",
        example: "\"10ms\"",
        units: "ps, ns, us, ms, s, min, h",
    },
    base: "picoseconds",
    units: &[
        ("ps", 1),
        ("ns", 1_000),
        ("us", 1_000_000),
        ("µs", 1_000_000),
        ("ms", 1_000_000_000),
        ("s", 1_000_000_000_000),
        ("min", 60_000_000_000_000),
        ("h", 3_600_000_000_000_000),
    ],
    bare: None,
};

const RATIO: Wanted = Wanted {
    what: "ratio",
    example: "\"3/2\", 1.5 or 2, both parts at least 1",
    units: "",
};

/// A decimal number as `digits / 10^scale`.
#[derive(Clone, Copy)]
struct Decimal {
    digits: u128,
    scale: u32,
}

/// Splits `text` into its leading decimal number and the rest.
fn number(text: &str, wanted: Wanted) -> Result<(Decimal, &str), UnitError> {
    let no_number = || UnitError::NoNumber {
        text: text.to_owned(),
        wanted,
    };
    if text.starts_with('-') {
        let text = text.to_owned();
        return Err(UnitError::Negative { text, wanted });
    }
    let too_large = || UnitError::TooLarge {
        text: text.to_owned(),
    };
    let mut value = Decimal {
        digits: 0,
        scale: 0,
    };
    let mut seen = false;
    let mut point = false;
    for (at, c) in text.char_indices() {
        match c {
            '_' if seen => {}
            '.' if seen && !point => point = true,
            _ => {
                let Some(digit) = c.to_digit(10) else {
                    return if seen {
                        Ok((value, text.get(at..).unwrap_or("").trim_start()))
                    } else {
                        Err(no_number())
                    };
                };
                seen = true;
                value.digits = value
                    .digits
                    .checked_mul(10)
                    .and_then(|v| v.checked_add(u128::from(digit)))
                    .filter(|v| *v <= u128::MAX >> 64)
                    .ok_or_else(too_large)?;
                value.scale += u32::from(point);
            }
        }
    }
    if seen {
        Ok((value, ""))
    } else {
        Err(no_number())
    }
}

fn quantity(text: &str, family: &Family) -> Result<u64, UnitError> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(UnitError::Empty {
            wanted: family.wanted,
        });
    }
    let (value, unit) = number(trimmed, family.wanted)?;
    let factor = if unit.is_empty() {
        family.bare.ok_or_else(|| UnitError::NoUnit {
            text: text.to_owned(),
            units: family.wanted.units,
        })?
    } else {
        find_unit(unit, family)?
    };
    // At most 64 bits times 52 bits: no overflow.
    let scaled = value.digits.saturating_mul(factor);
    let divisor = 10u128
        .checked_pow(value.scale)
        .ok_or_else(|| UnitError::NotWhole {
            text: text.to_owned(),
            base: family.base,
        })?;
    if !scaled.is_multiple_of(divisor) {
        return Err(UnitError::NotWhole {
            text: text.to_owned(),
            base: family.base,
        });
    }
    u64::try_from(scaled / divisor).map_err(|_| UnitError::TooLarge {
        text: text.to_owned(),
    })
}

fn find_unit(unit: &str, family: &Family) -> Result<u128, UnitError> {
    if let Some((_, factor)) = family.units.iter().find(|(name, _)| *name == unit) {
        return Ok(*factor);
    }
    let meant = family
        .units
        .iter()
        .map(|(name, _)| *name)
        .find(|name| name.eq_ignore_ascii_case(unit))
        .or_else(|| decimal_multiple(unit, family))
        .or_else(|| crate::suggest::closest(unit, family.units.iter().map(|(name, _)| *name)));
    Err(UnitError::UnknownUnit {
        unit: unit.to_owned(),
        what: family.wanted.what,
        units: family.wanted.units,
        meant,
    })
}

/// `MB`, `mb` and `M` mean `MiB` to most who write them.
fn decimal_multiple(unit: &str, family: &Family) -> Option<&'static str> {
    let first = unit.chars().next()?.to_ascii_uppercase();
    family
        .units
        .iter()
        .map(|(name, _)| *name)
        .find(|name| unit.len() <= 2 && name.ends_with("iB") && name.starts_with(first))
}

/// A number of bytes: `"256MiB"`, `"4096"`, `"1.5GiB"`.
///
/// # Errors
/// When the text is no size.
pub fn size(text: &str) -> Result<u64, UnitError> {
    quantity(text, &SIZE)
}

/// A clock rate: `"1GHz"`, `"12.5MHz"`.
///
/// # Errors
/// When the text is no frequency.
pub fn hertz(text: &str) -> Result<u64, UnitError> {
    quantity(text, &RATE)
}

/// A clock rate as the models take it.
///
/// # Errors
/// When the text is no frequency.
pub fn frequency(text: &str) -> Result<Frequency, UnitError> {
    hertz(text).map(Frequency::from_hz)
}

/// A length of time: `"10ms"`, `"1.5s"`.
///
/// # Errors
/// When the text is no time.
pub fn time(text: &str) -> Result<SimTime, UnitError> {
    quantity(text, &TIME).map(SimTime::from_ps)
}

/// A ratio of two whole numbers, both at least 1: `"3/2"`, `"1.5"`, `"2"`.
///
/// # Errors
/// When the text is no ratio, or one part is zero.
pub fn ratio(text: &str) -> Result<(u64, u64), UnitError> {
    let too_large = || UnitError::TooLarge {
        text: text.to_owned(),
    };
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(UnitError::Empty { wanted: RATIO });
    }
    let (num, rest) = number(trimmed, RATIO)?;
    let (den, rest) = match rest.strip_prefix('/') {
        Some(den) => number(den.trim_start(), RATIO)?,
        None => (
            Decimal {
                digits: 1,
                scale: 0,
            },
            rest,
        ),
    };
    if !rest.is_empty() {
        return Err(UnitError::NoNumber {
            text: text.to_owned(),
            wanted: RATIO,
        });
    }
    let scale = |value: Decimal, other: Decimal| {
        10u128
            .checked_pow(other.scale)
            .and_then(|p| p.checked_mul(value.digits))
            .ok_or_else(too_large)
    };
    let (n, d) = (scale(num, den)?, scale(den, num)?);
    if n == 0 || d == 0 {
        return Err(UnitError::ZeroRatio {
            text: text.to_owned(),
        });
    }
    let common = gcd(n, d);
    let part = |v: u128| u64::try_from(v / common).map_err(|_| too_large());
    Ok((part(n)?, part(d)?))
}

const fn gcd(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// A size as people read it: the largest unit that divides it.
#[must_use]
pub fn show_size(bytes: u64) -> String {
    let wide = u128::from(bytes);
    SIZE.units
        .iter()
        .rev()
        .find(|(_, factor)| bytes != 0 && wide.is_multiple_of(*factor))
        .map_or_else(
            || format!("{bytes}B"),
            |(name, factor)| format!("{}{name}", wide / factor),
        )
}

/// Bits a second.
///
/// # Errors
/// When the text is no bandwidth.
pub fn bits_per_second(text: &str) -> Result<u64, UnitError> {
    quantity(text, &BANDWIDTH)
}

/// A bandwidth as people write it.
#[must_use]
pub fn show_bits_per_second(bits: u64) -> String {
    show_exact(bits, &BANDWIDTH, "bit/s")
}

/// A clock rate as people read it.
#[must_use]
pub fn show_hertz(hz: u64) -> String {
    show_exact(hz, &RATE, "Hz")
}

/// In the largest unit of which it is a whole number.
fn show_exact(value: u64, family: &Family, least: &str) -> String {
    let wide = u128::from(value);
    let units = family.units.iter().rev();
    let exact = |(_, factor): &&(&str, u128)| value != 0 && wide.is_multiple_of(*factor);
    units.clone().find(exact).map_or_else(
        || format!("{value}{least}"),
        |(name, factor)| format!("{}{name}", wide / factor),
    )
}

/// A length of time as people read it: the largest unit up to seconds that divides it.
#[must_use]
pub fn show_time(t: SimTime) -> String {
    let wide = u128::from(t.as_ps());
    TIME.units
        .iter()
        .rev()
        .filter(|(name, _)| !matches!(*name, "h" | "min" | "µs"))
        .find(|(_, factor)| wide != 0 && wide.is_multiple_of(*factor))
        .map_or_else(
            || "0s".to_owned(),
            |(name, factor)| format!("{}{name}", wide / factor),
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn size_with_every_unit_is_exact() {
        for (text, bytes) in [
            ("4096", 4096),
            ("64 KiB", 65_536),
            ("256MiB", 256 << 20),
            ("1.5GiB", 3 << 29),
            ("1_000B", 1_000),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn size_decimal_multiple_is_refused_with_the_binary_one_named() {
        for text in ["256MB", "256M", "256mb", "256mib"] {
            let error = size(text).expect_err(text);
            assert!(
                error.remedy().contains("`MiB`"),
                "{text}: {}",
                error.remedy()
            );
        }
    }

    #[test]
    fn time_and_frequency_without_unit_are_refused() {
        assert!(matches!(time("10"), Err(UnitError::NoUnit { .. })));
        assert!(matches!(hertz("1000"), Err(UnitError::NoUnit { .. })));
        assert_eq!(time("10 ms"), Ok(SimTime::from_ms(10)));
        assert_eq!(hertz("12.5MHz"), Ok(12_500_000));
    }

    #[test]
    fn quantity_that_is_no_whole_number_is_refused() {
        assert!(matches!(time("0.5ps"), Err(UnitError::NotWhole { .. })));
        assert!(matches!(size("0.3B"), Err(UnitError::NotWhole { .. })));
        assert!(matches!(
            size("99999999TiB"),
            Err(UnitError::TooLarge { .. })
        ));
        assert!(matches!(
            size("99999999999999999999999999"),
            Err(UnitError::TooLarge { .. })
        ));
    }

    #[test]
    fn negative_or_senseless_quantity_names_the_unit_and_an_example() {
        for (error, words) in [
            (ratio("-1").err(), ["`-1` is negative", "\"3/2\""]),
            (ratio("nan").err(), ["`nan` is no ratio", "\"3/2\""]),
            (ratio("1e3").err(), ["`1e3` is no ratio", "\"3/2\""]),
            (
                time("-1s").err(),
                ["`-1s` is negative", "\"10ms\" (units: ps, "],
            ),
            (
                size("-1").err(),
                ["`-1` is negative", "\"64MiB\" (units: B, "],
            ),
            (
                hertz("fast").err(),
                ["`fast` is no frequency", "\"1GHz\" (units: Hz, "],
            ),
            (
                time("").err(),
                ["an empty text is no time", "\"10ms\" (units: ps, "],
            ),
        ] {
            let error = error.expect("an error");
            let shown = format!("{error}; {}", error.remedy());
            assert!(words.iter().all(|w| shown.contains(w)), "{shown}");
        }
    }

    #[test]
    fn ratio_is_reduced() {
        assert_eq!(ratio("3/2"), Ok((3, 2)));
        assert_eq!(ratio("1.5"), Ok((3, 2)));
        assert_eq!(ratio("4 / 2"), Ok((2, 1)));
        assert!(matches!(ratio("1/0"), Err(UnitError::ZeroRatio { .. })));
        assert!(matches!(ratio("0"), Err(UnitError::ZeroRatio { .. })));
        assert!(matches!(ratio("1/2x"), Err(UnitError::NoNumber { .. })));
    }

    proptest! {
        #[test]
        fn show_is_parsed_back(v in any::<u64>()) {
            prop_assert_eq!(size(&show_size(v)), Ok(v));
            prop_assert_eq!(hertz(&show_hertz(v)), Ok(v));
            prop_assert_eq!(time(&show_time(SimTime::from_ps(v))), Ok(SimTime::from_ps(v)));
        }

        #[test]
        fn any_text_is_a_quantity_or_an_error_with_a_remedy(text in "[0-9._/ a-zA-Zµ\\PC]{0,40}") {
            for error in [size(&text).err(), hertz(&text).err(), time(&text).err(), ratio(&text).err()].into_iter().flatten() {
                    prop_assert!(!error.remedy().is_empty());
                    prop_assert!(!error.to_string().is_empty());
            }
        }
    }
}
