//! Packages from the machine's own Debian archive, without installing any.
//!
//! A session is a private apt: its own lists, its own empty idea of what is installed, any
//! architecture, no root. Only the archive's address and apt's own ways of getting there (proxies,
//! credentials, checks) are taken over from the machine.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{fmt, fs};

use anyhow::{Context, Result, anyhow, bail};
use sha2::{Digest, Sha256};

use super::lock::Package;
use crate::process;
use crate::progress::Progress;

const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// The archive does not answer: then it has no other version either.
#[derive(Debug)]
pub struct Unreachable;

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the archive's lists cannot be read: is the network there?")
    }
}

/// A private apt, ready to answer.
pub struct Apt {
    folder: PathBuf,
}

impl Apt {
    /// Sets up a session in `folder` and reads the lists of `suites` for one architecture.
    pub fn open(folder: &Path, arch: &str, suites: &[String], say: &Progress) -> Result<Self> {
        for tool in ["apt-get", "apt-cache", "apt-config", "dpkg-deb"] {
            if !process::exists(tool) {
                bail!(
                    "{tool} is not on this machine, and real parts come from a Debian archive; \
                     run this on Debian, or in a container of it"
                );
            }
        }
        for inner in ["lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(folder.join(inner))?;
        }
        let apt = Self {
            folder: folder.to_path_buf(),
        };
        let address = archive_address()?;
        let signed = if Path::new(KEYRING).exists() {
            format!(" [signed-by={KEYRING}]")
        } else {
            String::new()
        };
        let sources: String = suites
            .iter()
            .map(|suite| format!("deb{signed} {address} {suite} main\n"))
            .collect();
        fs::write(folder.join("sources.list"), sources)?;
        fs::write(folder.join("apt.conf"), configuration(folder, arch)?)?;
        say.step(format!(
            "reading the lists of {} for {arch}",
            suites.join(", ")
        ));
        process::output(
            apt.command("apt-get")
                .args(["update", "--quiet", "--error-on=any"]),
        )
        .context(Unreachable)?;
        Ok(apt)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        // Read before /etc/apt, and says not to read that.
        command
            .env("APT_CONFIG", self.folder.join("apt.conf"))
            .env("LC_ALL", "C");
        command
    }

    /// The newest version of a package in these suites, preferring `suite` if it is given.
    pub fn newest(&self, package: &str, suite: Option<&str>) -> Result<Control> {
        let wanted = suite.map_or_else(|| package.to_owned(), |suite| format!("{package}/{suite}"));
        let text = process::output(self.command("apt-cache").args([
            "show",
            "--no-all-versions",
            &wanted,
        ]))?;
        stanzas(&text)
            .into_iter()
            .next()
            .ok_or_else(|| anyhow!("the archive has no package {package}"))
    }

    /// The packages as the archive has them now, of those that it still has in that version.
    pub fn show(&self, pinned: &[String]) -> Result<Vec<Package>> {
        // Unknown versions are complaints on stderr and a failure: what is known is printed.
        let done = self
            .command("apt-cache")
            .arg("show")
            .args(pinned)
            .stdin(Stdio::null())
            .output()
            .context("apt-cache cannot be started")?;
        let text = String::from_utf8_lossy(&done.stdout);
        let mut found = stanzas(&text)
            .iter()
            .map(Control::package)
            .collect::<Result<Vec<_>>>()?;
        // A version that is in two suites is shown twice.
        found.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
        found.dedup();
        Ok(found)
    }

    /// What installing `roots` on an empty machine would fetch.
    pub fn closure(&self, roots: &[&str], suite: &str) -> Result<Vec<Package>> {
        let fixed = [
            "install",
            "--yes",
            "--no-install-recommends",
            "--print-uris",
            "--quiet",
        ];
        let text = process::output(
            self.command("apt-get")
                .args(fixed)
                .args(["--target-release", suite])
                .args(roots),
        )?;
        let pinned = text
            .lines()
            .filter(|line| line.starts_with('\''))
            .map(pinned_of_uri_line)
            .collect::<Result<Vec<_>>>()?;
        let found = self.show(&pinned)?;
        if found.len() < pinned.len() {
            bail!(
                "apt names {} packages but shows only {}",
                pinned.len(),
                found.len()
            );
        }
        Ok(found)
    }

    /// Fetches packages into a folder, except those that are there already, and checks each.
    pub fn download(
        &self,
        packages: &[Package],
        into: &Path,
        say: &Progress,
    ) -> Result<Vec<PathBuf>> {
        fs::create_dir_all(into)?;
        let missing: Vec<_> = packages
            .iter()
            .filter(|p| fetched(into, p).is_none())
            .collect();
        let total: u64 = missing.iter().map(|p| p.size).sum();
        if !missing.is_empty() {
            let before = folder_size(into);
            say.bytes(
                format!(
                    "fetching {} packages, {} MB",
                    missing.len(),
                    total / 1_000_000
                ),
                total,
            );
            let mut command = self.command("apt-get");
            command
                .args(["download", "--quiet"])
                .args(missing.iter().map(|p| p.pinned()))
                .current_dir(into);
            watch(&mut command, || {
                say.at(folder_size(into).saturating_sub(before))
            })?;
        }
        packages
            .iter()
            .map(|p| {
                fetched(into, p).ok_or_else(|| anyhow!("{} came with a wrong checksum", p.pinned()))
            })
            .collect()
    }
}

/// Runs a quiet command, calling `look` from time to time until it ends.
fn watch(command: &mut Command, look: impl Fn()) -> Result<()> {
    let line = process::describe(command);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let stderr = child.stderr.take();
    let complaint = std::thread::spawn(move || stderr.map(std::io::read_to_string));
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        look();
        std::thread::sleep(Duration::from_millis(100));
    };
    if !status.success() {
        let text = complaint
            .join()
            .ok()
            .flatten()
            .and_then(Result::ok)
            .unwrap_or_default();
        bail!("`{line}` failed ({status}):\n{}", text.trim_end());
    }
    Ok(())
}

fn folder_size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.metadata().ok())
        .map(|m| m.len())
        .sum()
}

/// The file of a package that was fetched, if its content is right.
fn fetched(folder: &Path, package: &Package) -> Option<PathBuf> {
    let version = package.version.replace(':', "%3a");
    let start = format!("{}_{version}_", package.name);
    let entries = fs::read_dir(folder).ok()?.flatten();
    let mut paths = entries.map(|entry| entry.path());
    let path = paths.find(|path| {
        path.file_name()
            .is_some_and(|n| n.to_string_lossy().starts_with(&start))
    })?;
    let content = fs::read(&path).ok()?;
    (sha256(&content) == package.sha256).then_some(path)
}

/// A SHA-256 sum in hexadecimal.
pub fn sha256(content: &[u8]) -> String {
    Sha256::digest(content)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The address of the archive proper that this machine's apt uses.
fn archive_address() -> Result<String> {
    let format = "$(REPO_URI)|$(RELEASE)|$(ORIGIN)";
    let text = process::output(Command::new("apt-get").args(["indextargets", "--format", format]))?;
    choose_archive(&text).ok_or_else(|| {
        anyhow!(
            "apt on this machine is not configured for a Debian archive; \
             add Debian's `main` to its sources, or run this on Debian"
        )
    })
}

/// Picks the archive out of lines `address|release|origin`. The origin is known only once the
/// lists have been read; before that, the shape of the address has to do.
fn choose_archive(lines: &str) -> Option<String> {
    lines.lines().find_map(|line| {
        let mut fields = line.split('|');
        let (address, release, origin) = (fields.next()?, fields.next()?, fields.next()?);
        let main =
            !release.ends_with("-security") && address.trim_end_matches('/').ends_with("/debian");
        let debian = origin == "Debian" || origin.starts_with("$(");
        (main && debian).then(|| address.to_owned())
    })
}

fn configuration(folder: &Path, arch: &str) -> Result<String> {
    let machine = process::output(Command::new("apt-config").arg("dump"))?;
    let inherited: String = machine
        .lines()
        .filter(|line| line.starts_with("Acquire::") && !line.starts_with("Acquire::IndexTargets"))
        .map(|line| format!("{line}\n"))
        .collect();
    let place = |name: &str| folder.join(name).display().to_string();
    Ok(format!(
        r#"{inherited}APT::Architecture "{arch}";
APT::Architectures:: "{arch}";
APT::Sandbox::User "root";
Acquire::Languages "none";
Dir::Etc::main "/dev/null";
Dir::Etc::parts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::sourcelist "{}";
Dir::State::lists "{}";
Dir::State::status "/dev/null";
Dir::Cache "{}";
"#,
        place("sources.list"),
        place("lists"),
        place("cache"),
    ))
}

/// One package's record in the archive's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Control {
    fields: Vec<(String, String)>,
}

impl Control {
    pub fn field(&self, name: &str) -> Result<&str> {
        let found = self.fields.iter().find(|(field, _)| field == name);
        found
            .map(|(_, value)| value.as_str())
            .ok_or_else(|| anyhow!("a package record has no {name}"))
    }

    /// The names in `Depends`, first alternatives only, versions dropped.
    pub fn depends(&self) -> Vec<String> {
        let text = self.field("Depends").unwrap_or_default();
        let names = text
            .split(',')
            .filter_map(|one| one.split_whitespace().next());
        names
            .map(|name| name.split(':').next().unwrap_or(name).to_owned())
            .collect()
    }

    pub fn package(&self) -> Result<Package> {
        Ok(Package {
            name: self.field("Package")?.to_owned(),
            version: self.field("Version")?.to_owned(),
            size: self.field("Size")?.parse().context("a package's size")?,
            sha256: self.field("SHA256")?.to_owned(),
        })
    }
}

fn stanzas(text: &str) -> Vec<Control> {
    let blocks = text.split("\n\n").filter(|block| !block.trim().is_empty());
    blocks
        .map(|block| {
            let lines = block.lines().filter(|line| !line.starts_with(' '));
            let pairs = lines.filter_map(|line| line.split_once(": "));
            Control {
                fields: pairs
                    .map(|(k, v)| (k.to_owned(), v.trim().to_owned()))
                    .collect(),
            }
        })
        .collect()
}

/// `'<address>' name_version_arch.deb size sum` to `name=version`.
fn pinned_of_uri_line(line: &str) -> Result<String> {
    let file = line.split_whitespace().nth(1).unwrap_or_default();
    let mut words = file.split('_');
    match (words.next(), words.next()) {
        (Some(name), Some(version)) => Ok(format!("{name}={}", version.replace("%3a", ":"))),
        _ => bail!("apt printed a line that is no package: {line}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{choose_archive, pinned_of_uri_line, sha256, stanzas};

    #[test]
    fn archive_is_not_the_security_one_nor_a_foreign_one() {
        let lines = "http://x/tools|stable|Tools\n\
                     http://x/debian-security/|bookworm-security|Debian\n\
                     http://x/debian/|bookworm|Debian\n";
        assert_eq!(choose_archive(lines).as_deref(), Some("http://x/debian/"));
        assert_eq!(choose_archive("http://x/ubuntu/|noble|Ubuntu\n"), None);
    }

    #[test]
    fn archive_before_first_update_is_known_by_its_address() {
        let lines = "http://x/debian/|trixie|$(ORIGIN)\n";
        assert_eq!(choose_archive(lines).as_deref(), Some("http://x/debian/"));
    }

    #[test]
    fn control_stanzas_keep_fields_and_drop_continuations() {
        let text = "Package: a\nVersion: 1:2-3\nDepends: b (= 1), c | d, e:any\nDescription: x\n y: z\n\nPackage: f\n";
        let all = stanzas(text);
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].field("Version").ok(), Some("1:2-3"));
        assert_eq!(all[0].depends(), ["b", "c", "e"]);
        assert!(all[0].field("y").is_err());
    }

    #[test]
    fn uri_line_gives_name_and_version_with_epoch() {
        let line = "'http://x/a.deb' qemu_1%3a11.1.3+ds-1_amd64.deb 12 SHA256:00";
        assert_eq!(
            pinned_of_uri_line(line).ok().as_deref(),
            Some("qemu=1:11.1.3+ds-1")
        );
        assert!(pinned_of_uri_line("'x'").is_err());
    }

    #[test]
    fn checksum_of_nothing_is_the_known_one() {
        assert!(sha256(b"").starts_with("e3b0c44298fc1c149afbf4c8996fb924"));
    }
}
