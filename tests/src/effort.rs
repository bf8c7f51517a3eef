//! How hard tests try.

/// How many times over a test should do its work: 1 in `cargo xtask test`, more in
/// `cargo xtask soak`, which sets `MAQUETTE_EFFORT`.
///
/// A test multiplies its number of cases by this, so that the quick run and the long run are one
/// test with two settings.
#[must_use]
pub fn effort() -> u32 {
    std::env::var("MAQUETTE_EFFORT")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(1)
        .max(1)
}
