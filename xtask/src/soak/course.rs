//! Which slice is next, and what is kept of it.

use std::path::Path;

use anyhow::Result;

use super::state::State;

/// One kind of work, cut into slices that are numbered from 0.
#[derive(Clone, Debug)]
pub struct Activity {
    pub name: &'static str,
    pub unit: &'static str,
    /// A soak is complete when each activity has done so much.
    pub goal: u64,
    /// Only when all others are complete.
    pub last: bool,
}

/// A slice that has been done.
pub struct Done {
    pub ok: bool,
    /// What it adds, in the activity's unit.
    pub amount: u64,
    pub seconds: f64,
}

/// Does slice after slice until `over` says so, or the goals are reached and `beyond` is not wanted.
/// The state is saved after each slice; a slice that `run` gives up by an error has not been done.
pub struct Course<'a> {
    pub activities: &'a [Activity],
    pub file: &'a Path,
    /// Go on when the goals are reached.
    pub beyond: bool,
}

impl Course<'_> {
    pub fn run(
        &self,
        state: &mut State,
        mut over: impl FnMut() -> bool,
        mut run: impl FnMut(&Activity, u64) -> Result<Done>,
        mut told: impl FnMut(&State, &Activity, u64, &Done),
    ) -> Result<()> {
        let mut again = self.failed(state);
        while !over() {
            let next = again.pop().or_else(|| self.next(state));
            let Some((activity, slice)) = next else { break };
            let done = run(activity, slice)?;
            state.note(activity.name, slice, done.amount, done.seconds);
            state.judge(activity.name, slice, done.ok);
            state.save(self.file)?;
            told(state, activity, slice, &done);
        }
        Ok(())
    }

    /// Slices that failed earlier, the oldest at the end.
    fn failed(&self, state: &State) -> Vec<(&Activity, u64)> {
        let known = |name: &str| {
            self.activities
                .iter()
                .find(|activity| activity.name == name)
        };
        let failures = state.failures.iter().rev();
        failures
            .filter_map(|failure| Some((known(&failure.activity)?, failure.slice)))
            .collect()
    }

    /// The activity that is least far. What comes last waits for the others.
    fn next(&self, state: &State) -> Option<(&Activity, u64)> {
        let share =
            |activity: &Activity| state.of(activity.name).done as f64 / activity.goal as f64;
        let least = |last: bool| {
            let those = self
                .activities
                .iter()
                .filter(|activity| activity.last == last);
            those.min_by(|a, b| share(a).total_cmp(&share(b)))
        };
        let open = |activity: &&Activity| share(activity) < 1.0;
        let next = least(false)
            .filter(open)
            .or_else(|| least(true).filter(open))
            .or_else(|| least(false).filter(|_| self.beyond))?;
        Some((next, state.of(next.name).next))
    }

    /// Whether all goals are reached.
    pub fn complete(&self, state: &State) -> bool {
        self.activities
            .iter()
            .all(|activity| state.of(activity.name).done >= activity.goal)
    }
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::{Activity, Course, Done, State};

    const ACTIVITIES: [Activity; 3] = [
        Activity {
            name: "a",
            unit: "rounds",
            goal: 30,
            last: false,
        },
        Activity {
            name: "b",
            unit: "rounds",
            goal: 4,
            last: false,
        },
        Activity {
            name: "z",
            unit: "times",
            goal: 1,
            last: true,
        },
    ];

    const PASSED: Done = Done {
        ok: true,
        amount: 1,
        seconds: 0.5,
    };

    /// Runs slices until the one numbered `until`, which is interrupted, and returns what was run.
    fn sitting(
        folder: &std::path::Path,
        until: usize,
        bad: Option<u64>,
    ) -> Vec<(&'static str, u64)> {
        let file = folder.join("state.json");
        let course = Course {
            activities: &ACTIVITIES,
            file: &file,
            beyond: false,
        };
        let mut state = State::load(&file, "c").expect("a state");
        let mut ran = Vec::new();
        let _ = course.run(
            &mut state,
            || false,
            |activity, slice| {
                if ran.len() == until {
                    bail!("interrupted");
                }
                ran.push((activity.name, slice));
                let ok = activity.name != "a" || Some(slice) != bad;
                Ok(Done { ok, ..PASSED })
            },
            |_, _, _, _| {},
        );
        ran
    }

    #[test]
    fn rv_37_soak_interrupted_anywhere_does_each_slice_once() {
        let whole = tempfile::tempdir().expect("a folder");
        let expected = sitting(whole.path(), usize::MAX, None);
        assert_eq!(expected.len(), 35);
        assert_eq!(expected.last(), Some(&("z", 0)), "the last comes last");
        for cut in 1..8 {
            let folder = tempfile::tempdir().expect("a folder");
            let mut ran = Vec::new();
            loop {
                let more = sitting(folder.path(), cut, None);
                if more.is_empty() {
                    break;
                }
                ran.extend(more);
            }
            assert_eq!(ran, expected, "interrupted after each {cut}");
        }
    }

    #[test]
    fn rv_37_slice_that_failed_is_tried_again_first() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = sitting(folder.path(), 10, Some(3));
        assert!(first.contains(&("a", 3)));
        let second = sitting(folder.path(), 5, Some(3));
        assert_eq!(second[0], ("a", 3));
        let third = sitting(folder.path(), usize::MAX, None);
        assert_eq!(third[0], ("a", 3));
        let state = State::load(&folder.path().join("state.json"), "c").expect("a state");
        assert_eq!(state.failures, []);
        assert_eq!(state.of("a").done, 30, "tried again is not done twice");
    }

    #[test]
    fn activities_take_turns_by_how_far_they_are() {
        let folder = tempfile::tempdir().expect("a folder");
        let ran = sitting(folder.path(), 17, None);
        assert_eq!(ran.iter().filter(|(name, _)| *name == "b").count(), 2);
    }

    #[test]
    fn work_of_another_commit_does_not_count() {
        let folder = tempfile::tempdir().expect("a folder");
        sitting(folder.path(), 5, None);
        let file = folder.path().join("state.json");
        assert_eq!(State::load(&file, "c").expect("a state").of("a").next, 4);
        assert_eq!(State::load(&file, "d").expect("a state").of("a").next, 0);
    }
}
