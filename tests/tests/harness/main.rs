//! The harness itself: children end, talks are heard, parts are what they should be.

mod children;
mod parts;
