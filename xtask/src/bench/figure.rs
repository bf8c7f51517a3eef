//! One measured figure.

use anyhow::Result;
use serde::{Serialize, Serializer};

/// What a figure should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target {
    /// More is better.
    AtLeast(f64),
    /// Less is better.
    AtMost(f64),
}

impl Target {
    const fn met_by(self, value: f64) -> bool {
        match self {
            Self::AtLeast(limit) => value >= limit,
            Self::AtMost(limit) => value <= limit,
        }
    }

    fn describe(self) -> String {
        match self {
            Self::AtLeast(limit) => format!(">= {limit}"),
            Self::AtMost(limit) => format!("<= {limit}"),
        }
    }
}

impl Serialize for Target {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.describe())
    }
}

/// A measurement with a stable name.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    /// `<group>.<what>`.
    pub id: String,
    pub value: f64,
    pub unit: &'static str,
    /// Who else was measured, in the same run.
    pub peer: Option<String>,
    pub peer_value: Option<f64>,
    /// `value / peer_value`.
    pub ratio: Option<f64>,
    pub target: Option<Target>,
}

impl Figure {
    pub fn new(id: &str, value: f64, unit: &'static str) -> Self {
        Self {
            id: id.to_owned(),
            value,
            unit,
            peer: None,
            peer_value: None,
            ratio: None,
            target: None,
        }
    }

    /// The same measured on somebody else.
    pub fn against(mut self, peer: &str, value: f64) -> Self {
        self.peer = Some(peer.to_owned());
        self.peer_value = Some(value);
        self.ratio = (value != 0.0).then(|| self.value / value);
        self
    }

    /// What is promised.
    pub const fn target(mut self, target: Target) -> Self {
        self.target = Some(target);
        self
    }

    pub fn misses(&self) -> bool {
        self.target.is_some_and(|target| !target.met_by(self.value))
    }
}

pub fn json(figures: &[Figure]) -> Result<String> {
    Ok(serde_json::to_string_pretty(&serde_json::json!({ "figures": figures }))? + "\n")
}

/// A table for people.
pub fn print(figures: &[Figure]) {
    let width = figures
        .iter()
        .map(|figure| figure.id.len())
        .max()
        .unwrap_or(0);
    println!(
        "\n{:width$}  {:>10}  {:9} {:>26} {:>7}  target",
        "figure", "value", "unit", "peer", "ratio"
    );
    for figure in figures {
        let peer = match (&figure.peer, figure.peer_value) {
            (Some(name), Some(value)) => format!("{value:.2} ({name})"),
            _ => String::new(),
        };
        let ratio = figure
            .ratio
            .map(|ratio| format!("{ratio:.2}"))
            .unwrap_or_default();
        let target = figure.target.map(Target::describe).unwrap_or_default();
        let verdict = if figure.misses() { "  MISSED" } else { "" };
        let Figure {
            id, value, unit, ..
        } = figure;
        println!("{id:width$}  {value:>10.2}  {unit:9} {peer:>26} {ratio:>7}  {target}{verdict}");
    }
}

/// The middle of several measurements.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::{Figure, Target, json, median};

    #[test]
    fn figure_has_ratio_to_its_peer_and_misses_its_target() {
        let figure = Figure::new("a.b", 50.0, "mips")
            .against("qemu", 200.0)
            .target(Target::AtLeast(80.0));
        assert_eq!(figure.ratio, Some(0.25));
        assert!(figure.misses());
        assert!(
            !Figure::new("a.c", 50.0, "ms")
                .target(Target::AtMost(50.0))
                .misses()
        );
    }

    #[test]
    fn json_has_the_promised_shape() {
        let text =
            json(&[Figure::new("a.b", 1.0, "ms").target(Target::AtMost(2.0))]).expect("json");
        let value: serde_json::Value = serde_json::from_str(&text).expect("json");
        let figure = &value["figures"][0];
        for key in [
            "id",
            "value",
            "unit",
            "peer",
            "peer_value",
            "ratio",
            "target",
        ] {
            assert!(figure.get(key).is_some(), "{key} is missing");
        }
        assert_eq!(figure["target"], "<= 2");
    }

    #[test]
    fn median_of_unsorted_values_is_the_middle() {
        assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
    }
}
