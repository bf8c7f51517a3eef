//! Problems drawn for a terminal: the source line with an arrow under what is meant.
//!
//! The drawing library's types stay in this file.

use crate::problem::Problem;
use crate::render::{Problems, headline, is_tame, remedy};
use crate::source::At;
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

/// Draws a problem.
///
/// # Errors
/// When it cannot be drawn well: its place is no line of a file, or the lines there are too long.
pub fn draw(
    out: &mut String,
    all: &Problems,
    problem: &Problem,
    width: usize,
    color: bool,
) -> fmt::Result {
    let source = problem.at.and_then(|at| Some((at, all.sources.of(at)?)));
    let shown = match source {
        // The drawing shows whole lines as they are.
        Some((at, _)) if !is_tame(all.sources.neighbourhood(at)) => return Err(fmt::Error),
        Some((at, source)) if !source.is_option => Shown {
            headline: headline(problem),
            remedy: remedy(problem),
            source: Some(NamedSource::new(&source.name, source.text.clone())),
            label: Some(label(all, at)),
        },
        _ => return Err(fmt::Error),
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

/// What is meant, up to the end of its first line.
fn label(all: &Problems, at: At) -> LabeledSpan {
    let place = all.sources.line_column(at);
    let line = all.sources.line_text(at);
    let before = line.chars().take(place.column - 1).map(char::len_utf8);
    let room = line.len().saturating_sub(before.sum::<usize>());
    let len = at.end.saturating_sub(at.start).min(room).max(1);
    LabeledSpan::new(Some("here".to_owned()), at.start, len)
}
