//! What a report looks like, whatever the file holds.

use super::*;

#[test]
fn override_is_shown_as_it_was_written_in_every_style() {
    let set = "machine.harts=99".to_owned();
    let problems = parse("x.toml", SMALL, &[set], &places()).expect_err("99 harts");
    let drawn = problems.render(Style::Drawn {
        width: 80,
        color: false,
    });
    for shown in [problems.render(Style::Plain), drawn] {
        assert!(
            shown.starts_with("--set machine.harts=99: error: "),
            "{shown}"
        );
        assert!(shown.contains("      |               ^^\n"), "{shown}");
    }
}

/// The most characters that a report may have, whatever the file holds.
const MOST: usize = 200_000;

#[test]
fn thousands_of_devices_are_refused_before_they_are_looked_at() {
    let text = format!(
        "{SMALL}{}",
        "[[device]]\ntype = \"virtio-rng\"\nsise = 1\n".repeat(20_000)
    );
    let problems = parse("x.toml", &text, &[], &places()).expect_err("too many");
    let shown: Vec<String> = (problems.list.iter())
        .map(|p| format!("{}: {}", p.field, p.fault))
        .collect();
    let refused =
        "device[39]: the board has only 39 slots for devices, and there are 20000 of [[device]]";
    assert!(shown.iter().any(|p| p == refused), "{shown:?}");
    let unknown = |p: &&String| p.contains("there is no parameter `sise`");
    assert_eq!(shown.iter().filter(unknown).count(), 39);
    let text = format!(
        "{SMALL}{}",
        "[[link]]\nfrom = \"a\"\nto = \"b\"\n".repeat(20_000)
    );
    let refused =
        "link[312]: no system has devices for so many cables, and there are 20000 of [[link]]";
    let problems = parse("x.toml", &text, &[], &places()).expect_err("too many");
    let shown: Vec<String> = (problems.list.iter())
        .map(|p| format!("{}: {}", p.field, p.fault))
        .collect();
    assert!(shown.iter().any(|p| p == refused), "{shown:?}");
}

#[test]
fn report_of_an_absurd_file_can_be_read() {
    let long = "x".repeat(500_000);
    for text in [
        "[machine]\n".to_owned()
            + &(0..50_000)
                .map(|i| format!("p{i} = 1\n"))
                .collect::<String>(),
        format!("{SMALL}{}", "[[console.script]]\n".repeat(40_000)),
        format!("[machine]\n{long} = 1"),
        format!("[machine]\nclock = \"{long}\""),
        format!("[boot]\nmode = \"{long}\"\nkernel = \"guest:{long}\""),
        format!("[boot]\nmode = \"sbi\"\nkernel = \"part:{long}/x\""),
        format!("[machine]\nharts = [{}]", "1,\n".repeat(200_000)),
        format!("{SMALL}[console]\ndevice = \"{long}\""),
        "a\n".repeat(300_000),
        "=".repeat(500_000),
    ] {
        let head: String = text.chars().take(60).collect();
        let problems = parse("x.toml", &text, &[], &places()).expect_err(&head);
        let drawn = Style::Drawn {
            width: 80,
            color: true,
        };
        for style in [Style::Plain, drawn] {
            let shown = problems.render(style);
            assert!(shown.len() < MOST, "{} bytes of {head}", shown.len());
            assert!(shown.contains("error"), "{head}");
            let count = problems.list.len();
            if count > 50 {
                let footer = format!("x.toml: {count} errors; {} more are not shown", count - 50);
                assert!(shown.contains(&footer), "{head}");
            }
        }
    }
}

#[test]
fn long_line_is_quoted_around_the_place() {
    let text = format!(
        "[machine]\nname = \"{}\" # {}\nharts = 99",
        "a".repeat(70),
        "b".repeat(500)
    );
    assert!(bad(&text).contains("    3 | harts = 99\n      |         ^^\n"));
    let text = format!(
        "machine = {{ name = \"{}\", harts = 99, seed = \"{}\" }}",
        "a".repeat(400),
        "b".repeat(400)
    );
    let shown = bad(&text);
    let lines: Vec<&str> = shown.lines().collect();
    let quoted = lines
        .iter()
        .position(|l| l.contains("harts = 99"))
        .expect("the line");
    let (line, marks) = (lines[quoted], lines[quoted + 1]);
    let column = marks.chars().position(|c| c == '^').expect("the marks");
    assert_eq!(line.chars().skip(column).take(2).collect::<String>(), "99");
    assert!(line.contains('…') && line.chars().count() < 200, "{line}");
}

#[test]
fn message_with_control_characters_commands_no_terminal() {
    for text in [
        "[machine]\n\"\\u001b[31m\\r\" = 1\n",
        "[machine]\nclock = \"\\r\\u001b]0;x\\u0007\"\n",
        "[boot]\nkernel = \"part:a\\r/b\"\n",
        "[machine]\nharts = 99 # \r \u{1b}[31m\n",
    ] {
        let problems = parse("x.toml", text, &[], &places()).expect_err(text);
        let drawn = Style::Drawn {
            width: 80,
            color: false,
        };
        for shown in [problems.render(Style::Plain), problems.render(drawn)] {
            assert!(!shown.contains(['\u{1b}', '\u{7}', '\r']), "{shown:?}");
        }
    }
}

#[test]
fn file_that_is_no_utf_8_is_refused_at_the_byte() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.toml");
    for (bytes, words) in [
        (
            &b"[machine]\nname = \"a\xffb\"\n"[..],
            [
                "x.toml:2:10: error: byte 0xff is not UTF-8",
                "save the file as UTF-8",
            ],
        ),
        (
            b"\xff\xfe[\0m\0",
            ["x.toml:1:1: error: this is UTF-16 text", "iconv -f UTF-16"],
        ),
        (
            b"\xfe\xff\0[\0m",
            ["x.toml:1:1: error: this is UTF-16 text", "iconv -f UTF-16"],
        ),
    ] {
        std::fs::write(&path, bytes).expect("a file");
        let shown = open(&path, &[]).expect_err("no text").render(Style::Plain);
        assert!(words.iter().all(|word| shown.contains(word)), "{shown}");
    }
    std::fs::write(&path, b"\xef\xbb\xbf[machine]\nharts = 99\n").expect("a file");
    let shown = open(&path, &[]).expect_err("99 harts").render(Style::Plain);
    assert!(
        shown.contains("x.toml:2:9: error: machine.harts"),
        "{shown}"
    );
}
