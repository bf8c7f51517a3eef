//! What the benchmark programs compute. Each kernel retires 300 to 500 million instructions and
//! returns a checksum that depends on all of them.

use core::hint::black_box;

use maquette_guest_rt::arch;

/// Integer arithmetic in registers: shifts, multiplications, rotations.
#[must_use]
pub fn alu() -> u64 {
    let mut a = black_box(0x9e37_79b9_7f4a_7c15_u64);
    let mut b = black_box(1_u64);
    for i in 0..28_000_000_u64 {
        a ^= a << 13;
        a ^= a >> 7;
        a ^= a << 17;
        b = b
            .rotate_left(9)
            .wrapping_add(a)
            .wrapping_mul(0xd134_2543_de82_ef95)
            ^ i;
    }
    a ^ b
}

/// Branches that depend on data: lengths of Collatz sequences.
#[must_use]
pub fn branchy() -> u64 {
    let mut sum = 0_u64;
    for start in 1..black_box(600_000_u64) {
        let mut n = start;
        let mut steps = 0_u64;
        while n != 1 {
            if n & 1 == 0 {
                n /= 2;
            } else {
                n = 3 * n + 1;
            }
            steps += 1;
        }
        sum = sum.wrapping_mul(31).wrapping_add(steps);
    }
    sum
}

/// Loads and stores over 4 MiB: the sieve of Eratosthenes on words.
#[must_use]
pub fn sieve() -> u64 {
    const LEN: usize = 1 << 20;
    let words = arch::take_spare_words(LEN);
    let mut sum = 0_u64;
    for round in 0..black_box(15_u32) {
        words.fill(round);
        let mut n = 2;
        while n * n < LEN {
            if words.get(n) == Some(&round) {
                let multiples = words.iter_mut().skip(n * n).step_by(n);
                multiples.for_each(|w| *w += 1);
            }
            n += 1;
        }
        let untouched = words.iter().skip(2).filter(|w| **w == round).count();
        sum = sum.wrapping_mul(31).wrapping_add(untouched as u64);
    }
    sum
}

/// Heap sort of pseudo-random words: compares, swaps, unpredictable branches.
#[must_use]
pub fn sort() -> u64 {
    let words = arch::take_spare_words(450_000);
    let mut sum = 0_u64;
    for round in 0..black_box(2_u32) {
        let mut seed = 12_345 + round;
        for word in words.iter_mut() {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *word = seed;
        }
        heap_sort(words);
        for (i, word) in words.iter().enumerate().step_by(997) {
            sum = sum
                .wrapping_mul(31)
                .wrapping_add(u64::from(*word) ^ i as u64);
        }
    }
    sum
}

fn heap_sort(words: &mut [u32]) {
    for top in (0..words.len() / 2).rev() {
        sift_down(words, top);
    }
    for end in (1..words.len()).rev() {
        words.swap(0, end);
        if let Some(heap) = words.get_mut(..end) {
            sift_down(heap, 0);
        }
    }
}

fn sift_down(heap: &mut [u32], mut at: usize) {
    loop {
        let left = 2 * at + 1;
        let Some(mut largest) = heap.get(left).copied() else {
            return;
        };
        let mut child = left;
        if let Some(right) = heap.get(left + 1).filter(|r| **r > largest) {
            largest = *right;
            child += 1;
        }
        if heap.get(at).is_none_or(|w| *w >= largest) {
            return;
        }
        heap.swap(at, child);
        at = child;
    }
}

/// Calls and returns: recursion, and calls through a table.
#[must_use]
pub fn calls() -> u64 {
    const TABLE: [fn(u64) -> u64; 8] = [
        |x| x.wrapping_add(3),
        |x| x ^ 0x55,
        |x| x.wrapping_mul(5),
        |x| x.rotate_left(3),
        |x| x.wrapping_sub(7),
        |x| !x,
        |x| x ^ (x >> 9),
        |x| x.wrapping_add(x << 2),
    ];
    let table = black_box(TABLE);
    let mut x = fibonacci(black_box(32));
    let mut choice = black_box(1_u64);
    for _ in 0..black_box(18_000_000_u64) {
        // The upper bits of a linear congruential generator: no pattern short enough to predict.
        choice = choice
            .wrapping_mul(0x5851_f42d_4c95_7f2d)
            .wrapping_add(0x1405_7b7e_f767_814f);
        if let Some(f) = table.get((choice >> 61) as usize) {
            x = f(x);
        }
    }
    x
}

#[inline(never)]
fn fibonacci(n: u64) -> u64 {
    if n < 2 {
        return n;
    }
    // Hidden from the optimiser, which would make one of the two calls a loop.
    black_box(fibonacci(n - 1)).wrapping_add(black_box(fibonacci(n - 2)))
}

/// Double-precision arithmetic: points of the Mandelbrot set, and square roots by Newton's method.
#[must_use]
pub fn float() -> u64 {
    let mut sum = 0_u64;
    let mut roots = 0.0_f64;
    let size = black_box(360_u32);
    for y in 0..size {
        for x in 0..size {
            let re = f64::from(x) / f64::from(size) * 3.0 - 2.0;
            let im = f64::from(y) / f64::from(size) * 2.0 - 1.0;
            sum = sum.wrapping_mul(31).wrapping_add(escape_time(re, im));
            roots += newton_root(f64::from(x * y) + 0.5);
        }
    }
    sum ^ roots.to_bits()
}

fn escape_time(re: f64, im: f64) -> u64 {
    let (mut a, mut b) = (0.0_f64, 0.0_f64);
    for n in 0..800 {
        let (aa, bb) = (a * a, b * b);
        if aa + bb > 4.0 {
            return n;
        }
        b = 2.0 * a * b + im;
        a = aa - bb + re;
    }
    800
}

fn newton_root(x: f64) -> f64 {
    let mut r = x;
    for _ in 0..12 {
        r = 0.5 * (r + x / r);
    }
    r
}
