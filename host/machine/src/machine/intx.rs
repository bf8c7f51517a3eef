//! Interrupt lines that several functions share: high as long as one of them drives it high.

use std::collections::BTreeSet;

/// Who drives which line high: pairs of a source at the PLIC and a device on the bus.
#[derive(Default)]
pub(super) struct SharedLines {
    high: BTreeSet<(u32, usize)>,
}

impl SharedLines {
    /// A device drives its line; gives the level of the line, if that changed.
    pub(super) fn drive(&mut self, source: u32, device: usize, level: bool) -> Option<bool> {
        let before = self.level(source);
        if level {
            self.high.insert((source, device));
        } else {
            self.high.remove(&(source, device));
        }
        let after = self.level(source);
        (before != after).then_some(after)
    }

    /// All lines are low.
    pub(super) fn clear(&mut self) {
        self.high.clear();
    }

    fn level(&self, source: u32) -> bool {
        let mut of_source = self.high.range((source, 0)..=(source, usize::MAX));
        of_source.next().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::SharedLines;

    #[test]
    fn shared_line_is_high_while_one_device_drives_it() {
        let mut lines = SharedLines::default();
        assert_eq!(lines.drive(32, 1, true), Some(true));
        assert_eq!(lines.drive(32, 5, true), None);
        assert_eq!(lines.drive(33, 2, false), None, "low already");
        assert_eq!(lines.drive(32, 1, false), None, "the other one holds it");
        assert_eq!(lines.drive(32, 5, false), Some(false));
        lines.drive(34, 5, true);
        lines.clear();
        assert_eq!(lines.drive(34, 5, false), None);
    }
}
