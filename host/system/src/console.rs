//! The far end of the console line: shows what the guest prints, types what the script says, and
//! watches for what the system file expects and forbids.

use crate::description::{Machine, Step};
use crate::finder::Finder;
use maquette_model::{Message, PortId};
use maquette_rim::Output;
use maquette_sim::{Component, Port, SimCx, SimEvent};
use std::collections::VecDeque;
use tracing::debug;

/// The line to the machine.
pub const LINE: PortId = PortId(0);
/// What a person types comes in here.
pub const KEYBOARD: PortId = PortId(1);

/// The console of a run.
pub struct Console {
    path: String,
    screen: Screen,
    script: Script,
    expected: Sequence,
    forbidden: Vec<(String, Finder)>,
    /// The first forbidden text that appeared.
    offence: Option<String>,
    bytes_out: u64,
    bytes_in: u64,
}

impl Console {
    /// The console that a description asks for; the guest's text goes to `output`, as it is, or, if the
    /// machine is one of `several`, line by line with the machine's name in front.
    #[must_use]
    pub fn new(machine: &Machine, several: bool, output: Output) -> Self {
        let expect = &machine.expect;
        let name = &machine.board.name;
        Self {
            path: if several {
                format!("{name}.console")
            } else {
                "console".to_owned()
            },
            screen: Screen {
                output,
                label: several.then(|| format!("[{name}] ")),
                line: Vec::new(),
            },
            script: Script::new(&machine.console.script),
            expected: Sequence::new(&expect.console),
            forbidden: expect
                .forbid
                .iter()
                .map(|text| (text.clone(), Finder::new(text)))
                .collect(),
            offence: None,
            bytes_out: 0,
            bytes_in: 0,
        }
    }

    /// Shows what a line without an end holds: the run is over.
    pub fn flush(&mut self) {
        if !self.screen.line.is_empty() {
            self.screen.show_line();
        }
    }

    /// The first expected text that has not appeared (after those before it).
    #[must_use]
    pub fn still_expected(&self) -> Option<&str> {
        self.expected.next()
    }

    /// The script's text that is being waited for.
    #[must_use]
    pub fn script_waits_for(&self) -> Option<&str> {
        self.script.waits_for()
    }

    /// The first forbidden text that appeared.
    #[must_use]
    pub fn offence(&self) -> Option<&str> {
        self.offence.as_deref()
    }

    /// Bytes from and to the guest.
    #[must_use]
    pub const fn bytes(&self) -> (u64, u64) {
        (self.bytes_out, self.bytes_in)
    }

    fn printed(&mut self, cx: &mut SimCx<'_>, byte: u8) {
        self.bytes_out += 1;
        self.screen.put(byte);
        self.expected.feed(byte);
        for (text, finder) in &mut self.forbidden {
            if finder.feed(byte) && self.offence.is_none() {
                self.offence = Some(text.clone());
                // Waiting for the end of a run that has gone wrong helps nobody.
                let now = cx.now();
                cx.stop(now);
            }
        }
        if let Some(text) = self.script.feed(byte) {
            debug!(time = %cx.now(), send = text, "the script types");
            for byte in text.bytes() {
                self.typed(cx, byte);
            }
        }
    }

    fn typed(&mut self, cx: &mut SimCx<'_>, byte: u8) {
        self.bytes_in += 1;
        let now = cx.now();
        cx.send(LINE, Message::Byte(byte), now);
    }
}

impl Component for Console {
    fn path(&self) -> &str {
        &self.path
    }

    fn ports(&self) -> Vec<Port> {
        vec![Port::new(LINE.0, "line"), Port::new(KEYBOARD.0, "keyboard")]
    }

    fn event(&mut self, cx: &mut SimCx<'_>, event: SimEvent) {
        let SimEvent::Message { port, msg } = event else {
            return;
        };
        let one;
        let bytes = match &msg {
            Message::Byte(byte) => {
                one = [*byte];
                &one[..]
            }
            Message::Bytes(bytes) => bytes,
            Message::Word(_) => &[],
        };
        for byte in bytes {
            if port == LINE {
                self.printed(cx, *byte);
            } else {
                self.typed(cx, *byte);
            }
        }
    }

    fn idle_report(&self) -> Option<String> {
        let text = self.script.waits_for()?;
        Some(format!("the script waits for {text:?}"))
    }
}

/// A line that does not end is shown in pieces of this length.
const LONGEST_LINE: usize = 4096;

/// Where the guest's text is shown.
struct Screen {
    output: Output,
    /// What each line begins with, where several machines share the output.
    label: Option<String>,
    /// The line that has not ended; always empty without a label.
    line: Vec<u8>,
}

impl Screen {
    fn put(&mut self, byte: u8) {
        if self.label.is_none() {
            return self.output.put(byte);
        }
        if byte != b'\n' {
            self.line.push(byte);
        }
        if byte == b'\n' || self.line.len() >= LONGEST_LINE {
            self.show_line();
        }
    }

    fn show_line(&mut self) {
        let label = self.label.as_deref().unwrap_or_default();
        for byte in label.bytes().chain(self.line.drain(..)).chain([b'\n']) {
            self.output.put(byte);
        }
    }
}

/// Texts that must appear one after another.
struct Sequence {
    left: VecDeque<(String, Finder)>,
}

impl Sequence {
    fn new(texts: &[String]) -> Self {
        Self {
            left: texts
                .iter()
                .map(|text| (text.clone(), Finder::new(text)))
                .collect(),
        }
    }

    fn feed(&mut self, byte: u8) {
        if let Some((_, finder)) = self.left.front_mut()
            && finder.feed(byte)
        {
            self.left.pop_front();
        }
    }

    fn next(&self) -> Option<&str> {
        self.left.front().map(|(text, _)| text.as_str())
    }
}

/// Steps of waiting and typing.
struct Script {
    steps: VecDeque<(Step, Finder)>,
}

impl Script {
    fn new(steps: &[Step]) -> Self {
        Self {
            steps: steps
                .iter()
                .map(|step| (step.clone(), Finder::new(&step.expect)))
                .collect(),
        }
    }

    /// Takes a byte that the guest printed; the text to type, if a step's text ended with it.
    fn feed(&mut self, byte: u8) -> Option<String> {
        let (_, finder) = self.steps.front_mut()?;
        if !finder.feed(byte) {
            return None;
        }
        self.steps.pop_front().map(|(step, _)| step.send)
    }

    fn waits_for(&self) -> Option<&str> {
        self.steps.front().map(|(step, _)| step.expect.as_str())
    }
}
