//! Problems drawn for a terminal: the source line with an arrow under what is meant.
//!
//! The drawing library's types stay in this file.

use crate::problem::{Problem, Problems};
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource};
use std::fmt;

/// One problem in the shape that the drawing library takes.
#[derive(Debug)]
struct Shown {
    headline: String,
    remedy: String,
    source: Option<NamedSource<String>>,
    label: Option<LabeledSpan>,
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.headline)
    }
}

impl std::error::Error for Shown {}

impl Diagnostic for Shown {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.remedy))
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.source.as_ref().map(|s| s as &dyn miette::SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label = self.label.clone()?;
        Some(Box::new(std::iter::once(label)))
    }
}

pub fn draw(
    out: &mut String,
    all: &Problems,
    problem: &Problem,
    width: usize,
    color: bool,
) -> fmt::Result {
    let text = problem.at.and_then(|at| all.sources.of(at));
    let headline = match (&problem.at, problem.field.as_str()) {
        (None, "") => format!("{}: {}", all.file, problem.fault),
        (_, "") => problem.fault.to_string(),
        (_, field) => format!("{field}: {}", problem.fault),
    };
    let shown = Shown {
        headline,
        remedy: problem.fault.remedy(),
        source: text.map(|s| NamedSource::new(&s.name, s.text.clone())),
        label: problem.at.map(|at| {
            let len = at.end.saturating_sub(at.start).max(1);
            LabeledSpan::new(Some("here".to_owned()), at.start, len)
        }),
    };
    let theme = if color {
        GraphicalTheme::unicode()
    } else {
        GraphicalTheme::unicode_nocolor()
    };
    GraphicalReportHandler::new_themed(theme)
        .with_width(width.max(40))
        .with_context_lines(1)
        .render_report(out, &shown)
}
