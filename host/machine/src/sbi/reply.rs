//! What a call returns.

use maquette_model::Answer;
use sbi_spec::binary::SbiRegister;
use thiserror::Error;

/// Standard errors (SBI 2.0 table 1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum SbiError {
    /// The call failed for a reason that has no code of its own.
    #[error("failed")]
    Failed,
    /// There is no such function.
    #[error("not supported")]
    NotSupported,
    /// An argument has a value that is not allowed.
    #[error("invalid parameter")]
    InvalidParam,
    /// The caller may not do this.
    #[error("denied")]
    Denied,
    /// An address is not one that the function can use.
    #[error("invalid address")]
    InvalidAddress,
    /// The hart runs already.
    #[error("already available")]
    AlreadyAvailable,
}

impl SbiError {
    /// The value for a0.
    #[must_use]
    pub const fn code(self) -> u64 {
        match self {
            Self::Failed => u64::RET_ERR_FAILED,
            Self::NotSupported => u64::RET_ERR_NOT_SUPPORTED,
            Self::InvalidParam => u64::RET_ERR_INVALID_PARAM,
            Self::Denied => u64::RET_ERR_DENIED,
            Self::InvalidAddress => u64::RET_ERR_INVALID_ADDRESS,
            Self::AlreadyAvailable => u64::RET_ERR_ALREADY_AVAILABLE,
        }
    }
}

/// How a call ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum Reply {
    /// It returns an error (a0) or a value (a1).
    Return(Result<u64, SbiError>),
    /// A legacy call returns one value in a0 and leaves a1 alone (SBI 2.0 §5).
    Legacy(u64),
    /// It does not return: the hart or the machine goes elsewhere.
    NoReturn,
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Self {
        match reply {
            Reply::Return(Ok(value)) => Self::Sbi {
                a0: u64::RET_SUCCESS,
                a1: Some(value),
            },
            Reply::Return(Err(error)) => Self::Sbi {
                a0: error.code(),
                a1: Some(0),
            },
            Reply::Legacy(a0) => Self::Sbi { a0, a1: None },
            Reply::NoReturn => Self::Nothing,
        }
    }
}
