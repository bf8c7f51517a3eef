//! An error as people read it: a message never repeats its source, so whoever prints one prints both.

use std::error::Error;

/// An error and its causes as one line.
#[must_use]
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::ArchiveError;
    use maquette_model::{LoadError, RestoreError};
    use std::path::PathBuf;

    #[test]
    fn error_with_causes_names_each_once() {
        let source = RestoreError::Payload {
            path: "a.b".to_owned(),
            kind: "lamp",
            source: LoadError::Value {
                field: "on",
                value: 7,
            },
        };
        let path = PathBuf::from("x.snap");
        let error = ArchiveError::Restore { path, source };
        assert_eq!(
            with_causes(&error),
            "x.snap cannot be restored: the state of `a.b` (lamp) is damaged: \
             the saved field `on` cannot be 7"
        );
    }
}
