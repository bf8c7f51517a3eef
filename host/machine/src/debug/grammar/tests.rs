use super::*;
use proptest::prelude::*;

const HARTS: usize = 2;

fn check(body: &str) -> Result<Verdict, Refusal> {
    Grammar::default().check(body.as_bytes(), HARTS)
}

#[track_caller]
fn all(bodies: &[&str], expected: Result<Verdict, Refusal>) {
    for body in bodies {
        assert_eq!(check(body), expected, "{body}");
    }
}

#[test]
fn grammar_passes_what_gdb_sends() {
    all(
        &[
            "qSupported:multiprocess+;swbreak+;xmlRegisters=i386",
            "vCont?",
            "vCont;c",
            "vCont;C05:1;c",
            "vCont;s:2;c:-1",
            "vCont;r80000000,80000010:p1.1;c:p1.-1",
            "Hgp0.0",
            "Hg0",
            "Hg2",
            "Hc-1",
            "Hcp1.-1",
            "qfThreadInfo",
            "qThreadExtraInfo,p1.2",
            "Tp1.1",
            "qXfer:features:read:target.xml:0,1000",
            "qRcmd,68656c70",
            "m80000000,40",
            "M80000000,4:00000000",
            "X80000000,0:",
            "X80000000,3:a}]b",
            "p20",
            "P20=0000000000000000",
            "Z0,80000000,4",
            "z4,80000000,8",
            "D;1",
            "vKill;1",
            "qAttached:1",
        ],
        Ok(Verdict::Pass),
    );
}

#[test]
fn grammar_refuses_writes_of_another_length_than_they_say() {
    all(
        &[
            "G00",
            "M80000000,4:000000",
            "M80000000,4:0000000000",
            "M80000000,ffffffffffffffff:00",
            "M80000000,0:00",
            "X80000000,2:a",
            "X80000000,1:ab",
            "X80000000,2:}]",
            "X80000000,0:}]",
        ],
        Err(Refusal::Length),
    );
}

#[test]
fn grammar_refuses_harts_that_do_not_exist() {
    all(
        &[
            "Hg3",
            "Hc99",
            "Hg-1",
            "Hgp2.1",
            "T3",
            "T0",
            "qThreadExtraInfo,3",
            "vCont;c:3",
            "vCont;s:1;c:99",
            "vCont;c:p2.1",
        ],
        Err(Refusal::NoThread),
    );
}

#[test]
fn grammar_refuses_a_step_of_all_harts() {
    all(
        &["vCont;s", "vCont;s:-1", "vCont;S05", "vCont;r0,4"],
        Err(Refusal::StepOfAll),
    );
    let mut grammar = Grammar::default();
    let mut check = |body: &[u8]| grammar.check(body, HARTS);
    assert_eq!(check(b"s"), Ok(Verdict::Pass));
    assert_eq!(check(b"Hc-1"), Ok(Verdict::Pass));
    assert_eq!(check(b"s"), Err(Refusal::StepOfAll));
    // The stop that ends a run chooses the hart that it is about.
    assert_eq!(check(b"c"), Ok(Verdict::Pass));
    assert_eq!(check(b"s"), Ok(Verdict::Pass));
}

#[test]
fn grammar_refuses_what_is_malformed() {
    all(
        &[
            "p",
            "pxx",
            "P20",
            "P20=0",
            "G0",
            "Gxx",
            "m",
            "m80000000",
            "m,4",
            "m-1,4",
            "m10000000000000000,4",
            "M80000000,4",
            "M80000000,2:0g0g",
            "X80000000,1:}",
            "Z0,80000000",
            "Z0,80000000,4;X1,0",
            "Hgzz",
            "Hg",
            "Hg00000000000000000001",
            "vCont;",
            "vCont;q",
            "vCont;C:1",
            "vCont;r5:1",
            "vCont;c:",
            "vCont;c;;c",
            "qSupported:",
            "qRcmd,zz",
            "qRcmd,6",
            "qXfer:features:read:target.xml:0",
            "qXfer:features:read::0,1",
            "vKill;",
        ],
        Err(Refusal::Malformed),
    );
    all(
        &["m80000000,2001", "m0,ffffffffffffffff"],
        Err(Refusal::TooMuch),
    );
    all(&["c80000000", "s80000000"], Err(Refusal::FromAddress));
    all(&["D;0", "D;99", "vKill;9999"], Err(Refusal::NoProcess));
    all(&["vCont;t", "vCont;t:1"], Err(Refusal::StopOfOne));
}

#[test]
fn grammar_does_not_know_packets_that_the_machine_does_not_serve() {
    all(
        &[
            "",
            "!",
            "R00",
            "qC",
            "qOffsets",
            "vMustReplyEmpty",
            "Z5,0,0",
            "Z9",
            "C05",
            "gg",
            "qSupported",
            "vRun;x",
        ],
        Ok(Verdict::Unknown),
    );
}

#[test]
fn refusals_can_be_sent_as_they_are() {
    for refusal in [
        Refusal::TooLong,
        Refusal::TooMuch,
        Refusal::Malformed,
        Refusal::Length,
        Refusal::NoThread,
        Refusal::StepOfAll,
        Refusal::FromAddress,
        Refusal::StopOfOne,
    ] {
        let words = refusal.to_string();
        // These bytes mean something to the protocol.
        assert!(
            !words.contains(['#', '$', '}', '*']) && words.is_ascii(),
            "{words}"
        );
    }
}

proptest! {
    #[test]
    fn grammar_judges_any_bytes(body in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = Grammar::default().check(&body, HARTS);
    }

    #[test]
    fn grammar_counts_data_as_it_is_escaped(data in prop::collection::vec(any::<u8>(), 0..64), said in 0usize..80) {
        let mut body = format!("X80000000,{said:x}:").into_bytes();
        for byte in &data {
            match byte {
                b'#' | b'$' | b'}' | b'*' => body.extend([b'}', byte ^ 0x20]),
                _ => body.push(*byte),
            }
        }
        let expected = if said == data.len() { Ok(Verdict::Pass) } else { Err(Refusal::Length) };
        prop_assert_eq!(Grammar::default().check(&body, HARTS), expected);
    }
}
