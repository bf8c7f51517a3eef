//! A cpio archive of the "new ASCII" kind, which Linux unpacks as its first file system
//! (Documentation/driver-api/early-userspace/buffer-format.rst in the kernel's tree).
//!
//! Equal entries give equal bytes: times and owners are zero, inode numbers count up.

use anyhow::{Context, Result};

const FOLDER: u32 = 0o040_000;
const FILE: u32 = 0o100_000;
const CHARACTER_DEVICE: u32 = 0o020_000;
const LAST: &str = "TRAILER!!!";

/// An archive under construction.
#[derive(Default)]
pub struct Cpio {
    bytes: Vec<u8>,
    inode: u32,
}

impl Cpio {
    /// A folder; its parent must have been added before.
    pub fn folder(&mut self, path: &str) -> Result<()> {
        self.entry(path, FOLDER | 0o755, 2, (0, 0), &[])
    }

    /// A file with its permission bits.
    pub fn file(&mut self, path: &str, mode: u32, content: &[u8]) -> Result<()> {
        self.entry(path, FILE | mode, 1, (0, 0), content)
    }

    /// A character device node.
    pub fn device(&mut self, path: &str, major: u32, minor: u32) -> Result<()> {
        self.entry(path, CHARACTER_DEVICE | 0o600, 1, (major, minor), &[])
    }

    /// The finished archive.
    pub fn finish(mut self) -> Result<Vec<u8>> {
        self.inode = 0;
        self.entry(LAST, 0, 1, (0, 0), &[])?;
        self.pad(512);
        Ok(self.bytes)
    }

    fn entry(
        &mut self,
        path: &str,
        mode: u32,
        links: u32,
        node: (u32, u32),
        content: &[u8],
    ) -> Result<()> {
        let size = u32::try_from(content.len())
            .with_context(|| format!("{path} is too large for cpio"))?;
        let name = u32::try_from(path.len() + 1).context("a path of 4 GiB")?;
        self.inode += u32::from(path != LAST);
        // ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor rdevminor namesize check
        let fields = [
            self.inode, mode, 0, 0, links, 0, size, 0, 0, node.0, node.1, name, 0,
        ];
        self.bytes.extend(b"070701");
        for field in fields {
            self.bytes.extend(format!("{field:08x}").bytes());
        }
        self.bytes.extend(path.bytes());
        self.bytes.push(0);
        self.pad(4);
        self.bytes.extend(content);
        self.pad(4);
        Ok(())
    }

    fn pad(&mut self, to: usize) {
        self.bytes.resize(self.bytes.len().next_multiple_of(to), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::Cpio;

    #[test]
    fn archive_header_and_name_are_padded_to_four() {
        let mut cpio = Cpio::default();
        cpio.file("ab", 0o755, b"xyz").expect("fits");
        let bytes = cpio.finish().expect("fits");
        assert_eq!(bytes.len() % 512, 0);
        // 6 + 13 * 8 = 110 bytes of header, "ab\0" ends at 113, content at the next multiple of 4.
        assert_eq!(&bytes[..6], b"070701");
        assert_eq!(&bytes[110..113], b"ab\0");
        assert_eq!(&bytes[116..119], b"xyz");
        assert_eq!(&bytes[120..126], b"070701");
    }

    #[test]
    fn archive_is_what_the_usual_reader_unpacks() {
        use std::io::Write;
        use std::process::{Command, Stdio};

        let mut cpio = Cpio::default();
        cpio.folder("bin").expect("fits");
        cpio.file("bin/tool", 0o755, b"contents").expect("fits");
        let bytes = cpio.finish().expect("fits");
        let child = Command::new("cpio")
            .args(["-t", "-v"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        // A second opinion where the machine has one; the layout test above stands alone.
        let Ok(mut child) = child else { return };
        child
            .stdin
            .take()
            .expect("piped")
            .write_all(&bytes)
            .expect("cpio reads");
        let listing =
            String::from_utf8(child.wait_with_output().expect("ends").stdout).expect("text");
        assert!(listing.contains("bin/tool"), "{listing}");
        assert!(listing.contains("-rwxr-xr-x"), "{listing}");
    }
}
