//! The commands that README.md tells a reader to try.

/// The lines of `sh` blocks, without their comments. A line with a word in capitals or a file that
/// the reader is to write (`my-system.toml`) is an example, and one that asks for a person is left out.
pub fn commands(text: &str) -> Vec<String> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in text.lines() {
        if line.starts_with("```") {
            inside = line == "```sh";
        } else if inside {
            let command = line.split(" # ").next().unwrap_or(line).trim();
            let example = command.contains("my-") || command.contains("--interactive");
            if !command.is_empty() && !command.starts_with('#') && !example {
                found.push(command.to_owned());
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::commands;

    #[test]
    fn commands_are_lines_of_sh_blocks_without_comments() {
        let text = "```sh\ncargo xtask demo     # builds\n\n# alone\nmaquette check my-system.toml\n\
                    maquette run a.toml --interactive\n```\n```console\n$ no\n```\n```sh\nmaquette list\n```";
        assert_eq!(commands(text), ["cargo xtask demo", "maquette list"]);
    }

    #[test]
    fn readme_of_this_checkout_begins_with_the_demo() {
        let readme = maquette_tests::places::workspace().join("README.md");
        let found = commands(&std::fs::read_to_string(readme).expect("README.md"));
        assert_eq!(found.first().map(String::as_str), Some("cargo xtask demo"));
        assert!(found.iter().any(|line| line.starts_with("maquette run")));
    }
}
