//! From when on something is said.

use super::{LOST_AFTER, SPIN_READS, STORM_CLAIMS, STORM_WINDOW};
use maquette_model::SimTime;

/// From when on something is said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Thresholds {
    /// So many equal reads in a row are a spin.
    pub spin_reads: u64,
    /// So many claims without progress are a storm.
    pub storm_claims: u64,
    /// They must come within this time.
    pub storm_window: SimTime,
    /// An external interrupt that was not claimed for so long is lost.
    pub lost_after: SimTime,
}

impl Thresholds {
    /// What a machine has whose owner does not say.
    pub const USUAL: Self = Self {
        spin_reads: SPIN_READS,
        storm_claims: STORM_CLAIMS,
        storm_window: STORM_WINDOW,
        lost_after: LOST_AFTER,
    };
}

impl Default for Thresholds {
    fn default() -> Self {
        Self::USUAL
    }
}
