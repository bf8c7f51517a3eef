//! A matrix product in tiles that are handed to somebody else and come back.

/// Rows and columns of the matrices.
const N: usize = 32;
/// Rows and columns of a tile.
const TILE: usize = 16;
/// Bytes of a tile: each element is a 32-bit word.
pub const TILE_BYTES: usize = TILE * TILE * 4;
/// Tile products that make up the whole.
pub const STEPS: usize = (N / TILE) * (N / TILE) * (N / TILE);
/// Units of work of a tile product: multiplications by the thousand.
pub const UNITS: u64 = (TILE * TILE * TILE / 1000) as u64;
/// What [`multiply`] returns.
pub const EXPECTED: u32 = checksum_by_definition();

const fn a(row: usize, column: usize) -> u32 {
    (row * 3 + column * 5 + 1) as u32 % 97
}

const fn b(row: usize, column: usize) -> u32 {
    (row * 7 + column * 2 + 3) as u32 % 89
}

const fn mix(sum: u32, element: u32) -> u32 {
    sum.rotate_left(5) ^ element
}

/// The definition, without tiles.
const fn checksum_by_definition() -> u32 {
    let mut sum = 0;
    let mut row = 0;
    while row < N {
        let mut column = 0;
        while column < N {
            let mut element = 0;
            let mut k = 0;
            while k < N {
                element += a(row, k) * b(k, column);
                k += 1;
            }
            sum = mix(sum, element);
            column += 1;
        }
        row += 1;
    }
    sum
}

/// Multiplies tile by tile. `offload` is given each step's number and both tiles, and returns the first as it has
/// come back; what comes back is what is multiplied. Returns a checksum of the product.
pub fn multiply(mut offload: impl FnMut(usize, &[u8], &[u8]) -> [u8; TILE_BYTES]) -> u32 {
    let mut product = [[0u32; N]; N];
    for step in 0..STEPS {
        let tiles = N / TILE;
        let (row, column, k) = (step / tiles / tiles, step / tiles % tiles, step % tiles);
        let left = tile(|r, c| a(row * TILE + r, k * TILE + c));
        let right = tile(|r, c| b(k * TILE + r, column * TILE + c));
        let left = offload(step, &left, &right);
        for (r, line) in product.iter_mut().skip(row * TILE).take(TILE).enumerate() {
            for (c, element) in line.iter_mut().skip(column * TILE).take(TILE).enumerate() {
                for n in 0..TILE {
                    *element += word(&left, r, n) * word(&right, n, c);
                }
            }
        }
    }
    product
        .iter()
        .flatten()
        .fold(0, |sum, element| mix(sum, *element))
}

fn tile(element: impl Fn(usize, usize) -> u32) -> [u8; TILE_BYTES] {
    let mut bytes = [0; TILE_BYTES];
    for (n, word) in bytes.chunks_exact_mut(4).enumerate() {
        word.copy_from_slice(&element(n / TILE, n % TILE).to_le_bytes());
    }
    bytes
}

fn word(tile: &[u8; TILE_BYTES], row: usize, column: usize) -> u32 {
    let at = 4 * (row * TILE + column);
    let word = tile.get(at..).and_then(|rest| rest.first_chunk());
    word.map_or(0, |word| u32::from_le_bytes(*word))
}
