//! Tests of the image parsers: files made by [`build`], whole, cut off and damaged.

mod build;
mod damage;
mod elf;
mod firmware;
mod linux;
mod placement;
mod real;
mod refusal;
mod zboot;
