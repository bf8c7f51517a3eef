//! x

mod parts;
mod process;
mod progress;

fn main() {
    let args: Vec<String> = std::env::args().skip(2).collect();
    if let Err(e) = parts::command(&args) {
        eprintln!("{e:#}");
        std::process::exit(1);
    }
}
