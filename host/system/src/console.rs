//! The far end of the console line: shows what the guest prints, types what the script says, and
//! watches for what the system file expects and forbids.

use crate::description::{Machine, Step};
use crate::finder::Finder;
use maquette_model::{
    LoadError, Message, PortId, Reader, RestoreError, SaveError, Sections, Snapshot, Tree, Writer,
};
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
    /// A text that the run is to stop for, once.
    watched: Option<Finder>,
    noticed: bool,
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
            watched: None,
            noticed: false,
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

    /// Stops the run when the guest has printed `text`, once.
    pub fn watch_for(&mut self, text: &str) {
        self.watched = Some(Finder::new(text));
    }

    /// Whether the run was stopped for the text that was watched for; asked once.
    pub const fn take_noticed(&mut self) -> bool {
        core::mem::replace(&mut self.noticed, false)
    }

    /// Sets script and expectations aside: a person takes over.
    pub fn leave_to_a_person(&mut self) {
        self.script = Script::new(&[]);
        self.expected = Sequence::new(&[]);
        self.forbidden.clear();
    }

    /// Bytes from and to the guest.
    #[must_use]
    pub const fn bytes(&self) -> (u64, u64) {
        (self.bytes_out, self.bytes_in)
    }

    fn printed(&mut self, cx: &mut SimCx<'_>, byte: u8) {
        self.bytes_out = self.bytes_out.saturating_add(1);
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
        if self
            .watched
            .as_mut()
            .is_some_and(|finder| finder.feed(byte))
        {
            self.watched = None;
            self.noticed = true;
            let now = cx.now();
            cx.stop(now);
        }
        if let Some(text) = self.script.feed(byte) {
            debug!(time = %cx.now(), send = text, "the script types");
            for byte in text.bytes() {
                self.typed(cx, byte);
            }
        }
    }

    fn typed(&mut self, cx: &mut SimCx<'_>, byte: u8) {
        self.bytes_in = self.bytes_in.saturating_add(1);
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

    fn save(&self, to: &mut Sections) -> Result<(), SaveError> {
        to.put(&self.path, self)
    }

    fn restore(&mut self, from: &mut Sections) -> Result<(), RestoreError> {
        let path = self.path.clone();
        from.take(&path, self)
    }

    fn inspect(&self, tree: &mut Tree) {
        tree.number("shown_bytes", self.bytes_out);
        tree.number("typed_bytes", self.bytes_in);
        tree.text("script_waits_for", self.script_waits_for().unwrap_or(""));
        tree.text("still_expected", self.still_expected().unwrap_or(""));
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

/// How far the script and the expectations of the system file have come.
impl Snapshot for Console {
    fn kind(&self) -> &'static str {
        "console"
    }

    fn version(&self) -> u16 {
        1
    }

    fn save(&self, w: &mut Writer) {
        w.u64(self.bytes_out);
        w.u64(self.bytes_in);
        w.bytes(&self.screen.line);
        self.script.save(w);
        self.expected.save(w);
        w.u64(self.forbidden.len() as u64);
        for (_, finder) in &self.forbidden {
            finder.save(w);
        }
        w.bool(self.offence.is_some());
        w.str(self.offence.as_deref().unwrap_or_default());
    }

    fn load(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        self.bytes_out = r.u64()?;
        self.bytes_in = r.u64()?;
        self.screen.line = r.bytes()?.to_vec();
        self.script.load(r)?;
        self.expected.load(r)?;
        r.same("number of forbidden texts", self.forbidden.len() as u64)?;
        for (_, finder) in &mut self.forbidden {
            finder.load(r)?;
        }
        let offended = r.bool("offence")?;
        let text = r.str("offence")?.to_owned();
        self.offence = offended.then_some(text);
        Ok(())
    }
}

/// Drops steps from the front until as many are left as were saved, and loads the first one's finder.
fn load_left<T>(
    r: &mut Reader<'_>,
    left: &mut VecDeque<(T, Finder)>,
    field: &'static str,
) -> Result<(), LoadError> {
    let value = r.u64()?;
    let count = usize::try_from(value).unwrap_or(usize::MAX);
    let Some(done) = left.len().checked_sub(count) else {
        return Err(LoadError::Value { field, value });
    };
    left.drain(..done);
    match left.front_mut() {
        Some((_, finder)) => finder.load(r),
        None => Ok(()),
    }
}

fn save_left<T>(w: &mut Writer, left: &VecDeque<(T, Finder)>) {
    w.u64(left.len() as u64);
    if let Some((_, finder)) = left.front() {
        finder.save(w);
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

    fn save(&self, w: &mut Writer) {
        save_left(w, &self.left);
    }

    fn load(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        load_left(r, &mut self.left, "expected texts left")
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

    fn save(&self, w: &mut Writer) {
        save_left(w, &self.steps);
    }

    fn load(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        load_left(r, &mut self.steps, "steps left")
    }

    fn waits_for(&self) -> Option<&str> {
        self.steps.front().map(|(step, _)| step.expect.as_str())
    }
}
