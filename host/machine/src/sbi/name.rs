//! Names of functions, as the specification has them, for traces.

use super::SbiCall;
use maquette_model::HypercallArgs;

/// The name of the function that is called.
#[must_use]
pub const fn name(call: &SbiCall) -> &'static str {
    match call {
        SbiCall::LegacySetTimer(_) => "sbi_set_timer (legacy)",
        SbiCall::LegacyPutchar(_) => "sbi_console_putchar (legacy)",
        SbiCall::LegacyGetchar => "sbi_console_getchar (legacy)",
        SbiCall::LegacyClearIpi => "sbi_clear_ipi (legacy)",
        SbiCall::LegacySendIpi(_) => "sbi_send_ipi (legacy)",
        SbiCall::LegacyFenceI(_) => "sbi_remote_fence_i (legacy)",
        SbiCall::LegacySfence { .. } => "sbi_remote_sfence_vma (legacy)",
        SbiCall::LegacyShutdown => "sbi_shutdown (legacy)",
        SbiCall::SpecVersion => "sbi_get_spec_version",
        SbiCall::ImplementationId => "sbi_get_impl_id",
        SbiCall::ImplementationVersion => "sbi_get_impl_version",
        SbiCall::Probe(_) => "sbi_probe_extension",
        SbiCall::VendorId => "sbi_get_mvendorid",
        SbiCall::ArchitectureId => "sbi_get_marchid",
        SbiCall::MachineImplementationId => "sbi_get_mimpid",
        SbiCall::SetTimer(_) => "sbi_set_timer",
        SbiCall::SendIpi(_) => "sbi_send_ipi",
        SbiCall::FenceI(_) => "sbi_remote_fence_i",
        SbiCall::Sfence { .. } => "sbi_remote_sfence_vma",
        SbiCall::HartStart { .. } => "sbi_hart_start",
        SbiCall::HartStop => "sbi_hart_stop",
        SbiCall::HartStatus(_) => "sbi_hart_get_status",
        SbiCall::HartSuspend { .. } => "sbi_hart_suspend",
        SbiCall::SystemReset { .. } => "sbi_system_reset",
        SbiCall::ConsoleWrite(_) => "sbi_debug_console_write",
        SbiCall::ConsoleRead(_) => "sbi_debug_console_read",
        SbiCall::ConsoleWriteByte(_) => "sbi_debug_console_write_byte",
        SbiCall::Unknown => "unknown SBI call",
    }
}

/// The name of the function whose number is in the registers.
#[must_use]
pub fn name_of(call: &HypercallArgs) -> &'static str {
    name(&SbiCall::decode(call))
}
