//! `cargo xtask soak`: the tests with ever new seeds, for as long as one likes.
//!
//! The work is cut into slices of a minute or less, each with a number that decides its seeds. What
//! has been done stands in `target/soak/state.json` after each slice, so that an end at any moment
//! loses one slice, and the next call goes on. The state belongs to one commit.

mod activities;
mod course;
mod state;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use maquette_tests::places;

use crate::toolchain::Toolchain;
use crate::{checkout, guests, host, parts, test};
use activities::Workbench;
use course::{Activity, Course, Done};
use state::State;

/// How long, and of what.
#[derive(clap::Args)]
pub struct Options {
    /// Stop after this time (90s, 10m, 8h); without it, when every goal is reached
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    time: Option<Duration>,
    /// Forget what has been done so far
    #[arg(long)]
    anew: bool,
    /// Only these activities: programs, legality, hash, fuzz, properties, fresh
    activities: Vec<String>,
}

pub fn command(options: &Options) -> Result<()> {
    let workbench = prepare()?;
    let file = places::target().join("soak/state.json");
    let activities = chosen(activities::all(&workbench), &options.activities)?;
    let mut state = if options.anew {
        State::default()
    } else {
        State::load(&file, &checkout::commit()?)?
    };
    state.commit = checkout::commit()?;
    let course = Course {
        activities: &activities,
        file: &file,
        beyond: options.time.is_some(),
    };
    let begin = Instant::now();
    announce(&course, &state);
    course.run(
        &mut state,
        || options.time.is_some_and(|time| begin.elapsed() >= time),
        |activity, slice| workbench.run(activity, slice),
        |state, activity, slice, done| {
            let clock = clock(begin.elapsed(), options.time);
            println!("{clock} {}", line(activity, slice, done));
            println!("{:11} {}", "", account(&activities, state));
        },
    )?;
    conclude(&course, &state, &workbench.failures)
}

/// Everything that slices need, and nothing of it counts as time.
fn prepare() -> Result<Workbench> {
    for part in parts::Part::ALL {
        parts::ensure(part)?;
    }
    guests::build()?;
    Ok(Workbench {
        tool: host::build()?,
        binaries: test::binaries::build(&Toolchain::pinned()?)?,
        failures: places::target().join("soak/failures"),
    })
}

fn chosen(all: Vec<Activity>, names: &[String]) -> Result<Vec<Activity>> {
    let known: Vec<&str> = all.iter().map(|activity| activity.name).collect();
    if let Some(name) = names.iter().find(|name| !known.contains(&name.as_str())) {
        bail!(
            "there is no activity {name}; there are {}",
            known.join(", ")
        );
    }
    let wanted = |activity: &Activity| names.is_empty() || names.iter().any(|n| n == activity.name);
    Ok(all.into_iter().filter(wanted).collect())
}

fn announce(course: &Course, state: &State) {
    let slices: u64 = state
        .activities
        .values()
        .map(|progress| progress.next)
        .sum();
    if slices == 0 {
        println!("soak: begins, for commit {}", state.commit);
    } else {
        println!(
            "soak: goes on after {slices} slices, for commit {}",
            state.commit
        );
        println!("{:11} {}", "", account(course.activities, state));
    }
    println!("soak: Ctrl-C loses the slice at hand, nothing else");
}

fn conclude(course: &Course, state: &State, failures: &Path) -> Result<()> {
    let spent: f64 = state
        .activities
        .values()
        .map(|progress| progress.seconds)
        .sum();
    let what = if course.complete(state) {
        "complete"
    } else {
        "to be continued"
    };
    println!("soak: {what}, {spent:.0} s in all");
    println!("{:11} {}", "", account(course.activities, state));
    if state.failures.is_empty() {
        return Ok(());
    }
    let slices: Vec<String> = state
        .failures
        .iter()
        .map(|failure| format!("{} {}", failure.activity, failure.slice))
        .collect();
    bail!(
        "{} slices failed ({}); their output is in {}",
        slices.len(),
        slices.join(", "),
        failures.display()
    );
}

fn line(activity: &Activity, slice: u64, done: &Done) -> String {
    let verdict = if done.ok { "ok" } else { "FAILED" };
    format!(
        "{} {slice}: {verdict}, {} {} in {:.1} s",
        activity.name, done.amount, activity.unit, done.seconds
    )
}

fn account(activities: &[Activity], state: &State) -> String {
    let parts = activities.iter().map(|activity| {
        let done = state.of(activity.name).done;
        format!("{} {done}/{}", activity.name, activity.goal)
    });
    parts.collect::<Vec<_>>().join(", ")
}

fn clock(spent: Duration, of: Option<Duration>) -> String {
    let shown = |time: Duration| format!("{}:{:02}", time.as_secs() / 60, time.as_secs() % 60);
    match of {
        Some(of) => format!("[{}/{}]", shown(spent), shown(of)),
        None => format!("[{}]", shown(spent)),
    }
}

fn duration(text: &str) -> Result<Duration> {
    let usual = "write a time such as 90s, 10m or 8h";
    let at = text.len() - text.chars().last().map_or(0, char::len_utf8);
    let (number, unit) = text.split_at(at);
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => bail!("{usual}"),
    };
    let number: u64 = number.parse().context(usual)?;
    Ok(Duration::from_secs(number.saturating_mul(seconds)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{clock, duration};

    #[test]
    fn times_are_numbers_with_a_unit() {
        let seconds = |text| duration(text).expect("a time").as_secs();
        assert_eq!(
            (seconds("90s"), seconds("10m"), seconds("8h")),
            (90, 600, 28_800)
        );
        for text in ["", "10", "m", "1.5h", "-1s", "3µ"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn clock_shows_minutes_and_the_end() {
        let minute = Duration::from_secs(61);
        assert_eq!(clock(minute, None), "[1:01]");
        assert_eq!(clock(minute, Some(minute * 10)), "[1:01/10:10]");
    }
}
