//! The gateway as another network stack sees it, on virtual time.

mod hostile;
mod inside;
mod outside;
mod peer;
mod saved;
