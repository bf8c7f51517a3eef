//! System files and overrides.

use std::path::PathBuf;

use maquette_system::{Style, locate::Places};

/// A system file; what follows a zero byte is an override, and another one after the next.
///
/// Whatever it says, it is read or refused, and what is wrong with it can be shown.
pub fn system_file(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut parts = text.split('\0');
    let file = parts.next().unwrap_or_default();
    let overrides: Vec<String> = parts.map(str::to_owned).collect();
    // Nothing is there, so that nothing of this computer is read.
    let nowhere = PathBuf::from("/nowhere");
    let places = Places {
        base: nowhere.clone(),
        cache: nowhere.clone(),
        guests: vec![nowhere],
    };
    if let Err(problems) = maquette_system::parse("fuzz.toml", file, &overrides, &places) {
        for style in STYLES {
            assert!(!problems.render(style).is_empty(), "an error without words");
        }
    }
}

const STYLES: [Style; 2] = [
    Style::Plain,
    Style::Drawn {
        width: 80,
        color: true,
    },
];
