//! Statistics are exact, and what is written says all of it.

use maquette_model::Reader;
use maquette_model::Writer;
use maquette_sim::{
    Accumulator, Component, Histogram, Quantity, Serial, SimCx, SimEvent, StatisticsTable,
};
use proptest::prelude::*;

const LATENCY: Quantity = Quantity {
    name: "latency",
    unit: "ps",
    about: "request to answer, \"warm\" or not",
};

const DEPTH: Quantity = Quantity {
    name: "depth",
    unit: "entries",
    about: "entries found in the queue",
};

fn accumulated(values: &[u64]) -> Accumulator {
    let mut all = Accumulator::default();
    values.iter().for_each(|&value| all.record(value));
    all
}

#[test]
fn accumulator_of_nothing_has_no_extremes() {
    let all = Accumulator::default();
    assert_eq!((all.count(), all.sum()), (0, 0));
    assert_eq!(
        (all.min(), all.max(), all.mean(), all.variance()),
        (None, None, None, None)
    );
}

#[test]
fn accumulator_large_and_close_numbers_have_the_exact_variance() {
    // Floating point would lose the differences: they are a part in 10^15.
    let base = 1_000_000_000_000_000;
    let all = accumulated(&[base, base + 1, base + 2, base + 3]);
    assert_eq!(all.variance(), Some(1.25));
    assert_eq!(all.sum(), 4_000_000_000_000_006);
}

#[test]
fn accumulator_squares_too_large_to_count_leave_the_variance_unknown() {
    let all = accumulated(&[u64::MAX; 2]);
    assert_eq!(all.sum(), u128::from(u64::MAX) * 2);
    assert_eq!(all.mean(), Some(u64::MAX as f64));
    assert_eq!(all.variance(), None);
}

#[test]
fn histogram_numbers_outside_the_bins_are_counted_at_its_sides() {
    let mut histogram = Histogram::new(10, 5, 3);
    for value in [0, 9, 10, 14, 15, 24, 25, u64::MAX] {
        histogram.record(value);
    }
    assert_eq!(histogram.bins(), [2, 1, 1]);
    assert_eq!((histogram.below(), histogram.above()), (2, 2));
    assert_eq!(histogram.all().count(), 8);
    let mut without_width = Histogram::new(0, 0, 1);
    without_width.record(0);
    assert_eq!((without_width.width(), without_width.bins()), (1, &[1][..]));
}

proptest! {
    #[test]
    fn accumulator_any_numbers_agree_with_the_definition(
        values in prop::collection::vec(0u64..1_000_000, 1..50),
    ) {
        let all = accumulated(&values);
        let count = values.len() as f64;
        let mean = values.iter().sum::<u64>() as f64 / count;
        let variance = values.iter().map(|&v| (v as f64 - mean).powi(2)).sum::<f64>() / count;
        prop_assert_eq!(all.min(), values.iter().copied().min());
        prop_assert_eq!(all.max(), values.iter().copied().max());
        prop_assert!((all.mean().unwrap() - mean).abs() <= 1e-9 * mean);
        prop_assert!((all.variance().unwrap() - variance).abs() <= 1e-6 * (1.0 + variance));
    }

    #[test]
    fn statistics_saved_and_loaded_are_equal(values in prop::collection::vec(prop::num::u64::ANY, 0..20)) {
        let mut histogram = Histogram::new(1 << 60, 1 << 59, 20);
        values.iter().for_each(|&value| histogram.record(value));
        let mut w = Writer::default();
        histogram.save(&mut w);
        let bytes = w.into_bytes();
        let mut loaded = Histogram::new(1 << 60, 1 << 59, 20);
        let mut r = Reader::new(&bytes);
        loaded.load(&mut r).unwrap();
        r.finish().unwrap();
        prop_assert_eq!(&loaded, &histogram);
        let mut other = Histogram::new(1 << 60, 1 << 59, 21);
        prop_assert!(other.load(&mut Reader::new(&bytes)).is_err());
    }
}

struct Probe {
    path: &'static str,
    latency: Accumulator,
    depth: Option<Histogram>,
}

impl Component for Probe {
    fn path(&self) -> &str {
        self.path
    }
    fn event(&mut self, _: &mut SimCx<'_>, _: SimEvent) {}
    fn statistics(&self, table: &mut StatisticsTable) {
        table.accumulator(LATENCY, &self.latency);
        if let Some(depth) = &self.depth {
            table.histogram(DEPTH, depth);
        }
    }
}

fn table() -> StatisticsTable {
    let mut depth = Histogram::new(1, 2, 2);
    [0, 1, 2, 4, 7]
        .iter()
        .for_each(|&value| depth.record(value));
    let mut serial = Serial::default();
    let probe = |path, latency, depth| {
        Box::new(Probe {
            path,
            latency,
            depth,
        })
    };
    serial
        .add(probe("a,b", Accumulator::default(), None))
        .unwrap();
    serial
        .add(probe("ram0", accumulated(&[1, 2]), Some(depth)))
        .unwrap();
    serial.statistics_table()
}

#[test]
fn table_as_json_has_every_statistic_under_its_component() {
    let expected = r#"{"statistics": [
  {"component": "a,b", "name": "latency", "kind": "accumulator", "unit": "ps", "about": "request to answer, \"warm\" or not", "count": 0, "sum": 0, "min": null, "max": null, "mean": null, "variance": null},
  {"component": "ram0", "name": "latency", "kind": "accumulator", "unit": "ps", "about": "request to answer, \"warm\" or not", "count": 2, "sum": 3, "min": 1, "max": 2, "mean": 1.5, "variance": 0.25},
  {"component": "ram0", "name": "depth", "kind": "histogram", "unit": "entries", "about": "entries found in the queue", "count": 5, "sum": 14, "min": 0, "max": 7, "mean": 2.8, "variance": 6.16, "low": 1, "width": 2, "below": 1, "above": 1, "bins": [2, 1]}
]}
"#;
    assert_eq!(table().to_json(), expected);
    assert_eq!(
        StatisticsTable::default().to_json(),
        "{\"statistics\": []}\n"
    );
}

#[test]
fn table_as_csv_has_a_line_for_each_statistic() {
    let expected = r#"component,name,kind,unit,about,count,sum,min,max,mean,variance,low,width,below,above,bins
"a,b",latency,accumulator,ps,"request to answer, ""warm"" or not",0,0,,,,,,,,,
ram0,latency,accumulator,ps,"request to answer, ""warm"" or not",2,3,1,2,1.5,0.25,,,,,
ram0,depth,histogram,entries,entries found in the queue,5,14,0,7,2.8,6.16,1,2,1,1,2 1
"#;
    assert_eq!(table().to_csv(), expected);
}
