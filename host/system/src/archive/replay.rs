//! The outside of a run that was recorded: everything arrives again when it arrived then.

use super::recording::Record;
use maquette_model::SimTime;
use maquette_sim::{Input, Rim, RimAction, Serial};
use std::vec::IntoIter;

/// A rim that feeds in what a recording holds, around another one that only ends the run (signals).
pub struct Replay<'a> {
    inputs: IntoIter<Input>,
    outside: &'a mut dyn Rim,
}

impl<'a> Replay<'a> {
    /// The inputs of a recording, for the components of `serial`; `Err` names one that is not there.
    ///
    /// # Errors
    /// The path of a component that this system does not have.
    pub fn new(
        records: &[Record],
        serial: &Serial,
        outside: &'a mut dyn Rim,
    ) -> Result<Self, String> {
        let mut inputs = Vec::new();
        for record in records {
            let Record::Input { at, to, port, msg } = record else {
                continue;
            };
            let Some(id) = serial.find(to) else {
                return Err(to.clone());
            };
            inputs.push(Input {
                at: *at,
                to: id,
                port: *port,
                msg: msg.clone(),
            });
        }
        Ok(Self {
            inputs: inputs.into_iter(),
            outside,
        })
    }
}

impl Rim for Replay<'_> {
    fn before(&mut self, t: SimTime) -> RimAction {
        // All at once and before anything happens: the engine keeps them until their time.
        match self.inputs.next() {
            Some(input) => RimAction::Inject(input),
            None => self.outside.before(t),
        }
    }

    fn idle(&mut self) -> RimAction {
        match self.inputs.next() {
            Some(input) => RimAction::Inject(input),
            None => RimAction::Go,
        }
    }

    fn window(&self) -> SimTime {
        self.outside.window()
    }
}
