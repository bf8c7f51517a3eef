//! What the engine runs.

use crate::{SimCx, StatisticsTable};
use maquette_model::{
    LoadError, Message, PortId, Reader, RestoreError, SaveError, Sections, Tree, Writer,
};
use maquette_trace::Trace;
use std::any::Any;
use std::borrow::Cow;

/// Something that happens to a component: data, never a closure.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SimEvent {
    /// A time that the component asked for with [`SimCx::wake_at`] has come.
    Wake {
        /// The component's own name for it.
        tag: u32,
    },
    /// A message arrived.
    Message {
        /// Over which of the component's ports.
        port: PortId,
        /// What arrived.
        msg: Message,
    },
}

impl SimEvent {
    /// Appends the event to saved state.
    pub(crate) fn save(&self, w: &mut Writer) {
        match self {
            Self::Wake { tag } => {
                w.u8(0);
                w.u32(*tag);
            }
            Self::Message { port, msg } => {
                w.u8(1);
                w.u16(port.0);
                msg.save(w);
            }
        }
    }

    /// Takes an event of this form from saved state.
    pub(crate) fn load(form: u8, r: &mut Reader<'_>) -> Result<Self, LoadError> {
        match form {
            0 => Ok(Self::Wake { tag: r.u32()? }),
            1 => Ok(Self::Message {
                port: PortId(r.u16()?),
                msg: Message::load(r)?,
            }),
            form => Err(LoadError::Value {
                field: "event",
                value: form.into(),
            }),
        }
    }
}

/// A place where a link can be plugged in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Port {
    /// The number that the component sends and receives with.
    pub id: PortId,
    /// The name in messages: `machine0:console`.
    pub name: Cow<'static, str>,
}

impl Port {
    /// A port with a fixed name.
    #[must_use]
    pub const fn new(id: u16, name: &'static str) -> Self {
        Self {
            id: PortId(id),
            name: Cow::Borrowed(name),
        }
    }
}

/// A part of a simulated system: a machine, a console, a network switch, an accelerator.
///
/// A component is a state machine that owns its state, is called with events in order of time, and
/// reaches the rest only through its [`SimCx`]. All its calls come from one thread.
///
/// # Running in bulk
///
/// A component that does much between messages need not take an event for each step. At a
/// [`SimEvent::Wake`] it may act ahead of [`SimCx::now`] on its own local time, as far as
/// [`SimCx::horizon`], then ask for a wake at the time that it reached. The engine promises that
/// nothing arrives before the horizon.
///
/// The horizon is a *permission*, not an event. It depends on the scheduler, on the rim and on how a
/// run is cut into pieces, so where a component pauses must never be observable: pausing and going
/// on at the same local time has to give the same result as not pausing. A machine, for example, must
/// not end the turn of a hart because of it.
pub trait Component: Any {
    /// Where it stands in the system, for example `machine0`: unique, not empty.
    fn path(&self) -> &str;

    /// The ports that links may use. Asked once, when the component is added.
    fn ports(&self) -> Vec<Port> {
        Vec::new()
    }

    /// The ports without a link at which the component makes no sense ([`crate::Serial::check_wiring`]). Any
    /// other may stay an unplugged cable. Asked once, when the component is added.
    fn required_ports(&self) -> Vec<PortId> {
        Vec::new()
    }

    /// Called once at time zero, before any event, in the order in which components were added: the
    /// place to intern trace paths and to ask for the first wake. The horizon is still zero.
    fn start(&mut self, cx: &mut SimCx<'_>) {
        let _ = cx;
    }

    /// Something has come due at [`SimCx::now`].
    fn event(&mut self, cx: &mut SimCx<'_>, ev: SimEvent);

    /// An edge of a clock that the component has set going with [`SimCx::clock`]: `tag` is its own name for
    /// the clock, and the edge at the clock's phase is cycle 0.
    fn tick(&mut self, cx: &mut SimCx<'_>, tag: u32, cycle: u64) {
        let _ = (cx, tag, cycle);
    }

    /// The run is over: record a digest of the state that should count.
    fn finish(&mut self, trace: &mut Trace) {
        let _ = trace;
    }

    /// Saves everything that what happens from now on depends on, under paths that are the component's
    /// or begin with it. Called between events.
    ///
    /// # Errors
    /// When the component cannot be saved, which is what a component says that does not answer this.
    fn save(&self, to: &mut Sections) -> Result<(), SaveError> {
        let _ = to;
        let path = self.path().to_owned();
        Err(SaveError::Unsupported { path })
    }

    /// Takes what [`Component::save`] has put, into a component that was made alike and started.
    ///
    /// # Errors
    /// When something is missing or does not fit.
    fn restore(&mut self, from: &mut Sections) -> Result<(), RestoreError> {
        let _ = from;
        let path = self.path().to_owned();
        Err(RestoreError::Missing { path })
    }

    /// Called once after all of a system was restored, in the order in which components were added: the
    /// place for what cannot be saved to end. [`SimCx::now`] is the soonest time that nobody has passed.
    fn resumed(&mut self, cx: &mut SimCx<'_>) {
        let _ = cx;
    }

    /// Adds what the component has measured.
    fn statistics(&self, table: &mut StatisticsTable) {
        let _ = table;
    }

    /// Adds what there is to see of the component. The tree stands at the component's path.
    fn inspect(&self, tree: &mut Tree) {
        let _ = tree;
    }

    /// When nothing is left to happen: what this component still waits for, if anything, for the
    /// report of a deadlock.
    fn idle_report(&self) -> Option<String> {
        None
    }
}
