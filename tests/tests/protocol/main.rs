//! Wire formats: the bytes that others exchange, and both ends against each other.

mod peers;
mod text;
mod vectors;
