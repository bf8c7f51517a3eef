//! The statistics of a whole system, and how they are written.

use super::{Accumulator, Histogram, Measured, Quantity};
use core::fmt::{Display, Write};

/// One statistic of one component.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// The component's path.
    pub component: String,
    /// What is measured.
    pub quantity: Quantity,
    /// What was measured.
    pub measured: Measured,
}

/// Statistics by component, in the order in which components were added and offer them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct StatisticsTable {
    rows: Vec<Row>,
    /// Whose statistics are being added.
    component: String,
}

const COLUMNS: &str = "component,name,kind,unit,about,count,sum,min,max,mean,variance,low,width,\
                       below,above,bins";

impl StatisticsTable {
    /// What is added from now on belongs to this component.
    pub(crate) fn of(&mut self, component: &str) {
        component.clone_into(&mut self.component);
    }

    /// Adds a component's accumulator.
    pub fn accumulator(&mut self, quantity: Quantity, all: &Accumulator) {
        self.add(quantity, Measured::Accumulator(*all));
    }

    /// Adds a component's histogram.
    pub fn histogram(&mut self, quantity: Quantity, histogram: &Histogram) {
        self.add(quantity, Measured::Histogram(histogram.clone()));
    }

    fn add(&mut self, quantity: Quantity, measured: Measured) {
        self.rows.push(Row {
            component: self.component.clone(),
            quantity,
            measured,
        });
    }

    /// All statistics.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// One statistic of one component.
    #[must_use]
    pub fn find(&self, component: &str, name: &str) -> Option<&Measured> {
        let mut rows = self.rows.iter();
        let row = rows.find(|row| row.component == component && row.quantity.name == name);
        row.map(|row| &row.measured)
    }

    /// A JSON document: `{"statistics": […]}` with an object for each statistic. What cannot be said
    /// (the mean of nothing) is `null`. Whole numbers are written with all their digits.
    #[must_use]
    pub fn to_json(&self) -> String {
        let rows: Vec<String> = self.rows.iter().map(json).collect();
        let end = if rows.is_empty() { "]}\n" } else { "\n]}\n" };
        let between = if rows.is_empty() { "" } else { "\n" };
        format!("{{\"statistics\": [{between}{}{end}", rows.join(",\n"))
    }

    /// CSV (RFC 4180 with line feeds) with a line for each statistic. What cannot be said is left empty; the
    /// counts of bins are one field, separated by spaces.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let mut text = format!("{COLUMNS}\n");
        for row in &self.rows {
            text.push_str(&csv(row));
            text.push('\n');
        }
        text
    }
}

fn json(row: &Row) -> String {
    let Row {
        component,
        quantity,
        measured,
    } = row;
    let texts = [
        ("component", component.as_str()),
        ("name", quantity.name),
        ("kind", measured.kind()),
        ("unit", quantity.unit),
        ("about", quantity.about),
    ];
    let mut fields: Vec<String> = texts.map(|(key, text)| member(key, &quoted(text))).into();
    let numbers = amounts(measured.all());
    fields.extend(numbers.map(|(key, n)| member(key, &n.unwrap_or_else(|| "null".to_owned()))));
    if let Measured::Histogram(h) = measured {
        fields.extend(edges(h).map(|(key, n)| member(key, &n.to_string())));
        fields.push(member("bins", &format!("[{}]", joined(h.bins(), ", "))));
    }
    format!("  {{{}}}", fields.join(", "))
}

fn csv(row: &Row) -> String {
    let Row {
        component,
        quantity,
        measured,
    } = row;
    let texts = [
        component,
        quantity.name,
        measured.kind(),
        quantity.unit,
        quantity.about,
    ];
    let mut cells: Vec<String> = texts.map(cell).into();
    cells.extend(amounts(measured.all()).map(|(_, n)| n.unwrap_or_default()));
    match measured {
        Measured::Accumulator(_) => cells.extend([const { String::new() }; 5]),
        Measured::Histogram(h) => {
            cells.extend(edges(h).map(|(_, n)| n.to_string()));
            cells.push(joined(h.bins(), " "));
        }
    }
    cells.join(",")
}

fn amounts(all: &Accumulator) -> [(&'static str, Option<String>); 6] {
    let whole = |n: Option<u64>| n.map(|n| n.to_string());
    let real = |n: Option<f64>| n.map(|n| n.to_string());
    [
        ("count", Some(all.count().to_string())),
        ("sum", Some(all.sum().to_string())),
        ("min", whole(all.min())),
        ("max", whole(all.max())),
        ("mean", real(all.mean())),
        ("variance", real(all.variance())),
    ]
}

fn edges(h: &Histogram) -> [(&'static str, u64); 4] {
    [
        ("low", h.low()),
        ("width", h.width()),
        ("below", h.below()),
        ("above", h.above()),
    ]
}

fn joined<T: Display>(items: &[T], between: &str) -> String {
    let texts: Vec<String> = items.iter().map(ToString::to_string).collect();
    texts.join(between)
}

fn member(key: &str, value: &str) -> String {
    format!("\"{key}\": {value}")
}

/// A JSON string (RFC 8259 §7).
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c < ' ' => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A CSV field (RFC 4180 §2).
fn cell(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
