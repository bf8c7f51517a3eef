//! Debian's riscv64 kernel, and a first file system to meet it in.
//!
//! The kernel stays as Debian ships it (an EFI image that unpacks itself): loading it is the
//! machine's work. The first file system holds busybox, the virtio modules and `/init`.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use lzma_rust2::XzReader;

use super::apt::Apt;
use super::cpio::Cpio;
use super::{Recipe, Resolved};
use crate::progress::Progress;

const META: &str = "linux-image-riscv64";
const BUSYBOX: &str = "busybox-static";

/// Inserted by `/init` in this order, each after what it depends on.
const MODULES: [&str; 4] = ["virtio_mmio", "virtio_blk", "virtio_rng", "virtio_net"];

pub(super) const RECIPE: Recipe = Recipe {
    name: "linux-riscv",
    arch: "riscv64",
    suites: &["sid"],
    revision: 3,
    resolve,
    build,
};

/// Debian 13's kernel: the fall-back that does not move.
pub(super) const STABLE: Recipe = Recipe {
    name: "linux-riscv-stable",
    suites: &["trixie"],
    ..RECIPE
};

/// The word `plain` on the kernel's command line reaches `/init` as an argument. The shell then
/// neither echoes nor edits: what it prints is the same however fast somebody types. Without it
/// the shell is for people: it echoes, edits, and asks the terminal where its cursor is.
const INIT: &str = r#"#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin HOME=/ PS1='linux# '
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
for module in $(cat /modules/order); do
	insmod "/modules/$module" || echo "init: cannot insert $module"
done
echo "init: $(uname -r) with $(nproc) hart(s)"
case " $* " in
*" plain "*) terminal='cols 80 rows 24 -echo' ;;
*) terminal='cols 80 rows 24' ;;
esac
setsid cttyhack sh -c "stty $terminal; exec sh"
sync
poweroff -f
"#;

/// What busybox's DHCP client calls when it has got, or lost, an address.
const DHCP: &str = r#"#!/bin/busybox sh
case "$1" in
deconfig)
	ip address flush dev "$interface"
	ip link set "$interface" up
	;;
bound | renew)
	ip address flush dev "$interface"
	ip address add "$ip/${mask:-24}" dev "$interface"
	for via in $router; do
		ip route replace default via "$via" dev "$interface"
	done
	: > /etc/resolv.conf
	for server in $dns; do
		echo "nameserver $server" >> /etc/resolv.conf
	done
	;;
esac
"#;

fn resolve(apt: &Apt) -> Result<Resolved> {
    let meta = apt.newest(META, None)?;
    let image = meta
        .depends()
        .into_iter()
        .find(|name| name.starts_with("linux-image-"))
        .ok_or_else(|| anyhow!("{META} depends on no kernel"))?;
    let control = apt.newest(&image, None)?;
    // Since 7.x the image is a meta package of a binary and its modules; before, it was all three.
    let is_half =
        |name: &String| name.starts_with("linux-binary-") || name.starts_with("linux-modules-");
    let halves: Vec<String> = control.depends().into_iter().filter(is_half).collect();
    let mut names = if halves.is_empty() {
        vec![image]
    } else {
        halves
    };
    names.push(BUSYBOX.to_owned());
    let packages = names
        .iter()
        .map(|name| apt.newest(name, None)?.package())
        .collect::<Result<Vec<_>>>()?;
    Ok(Resolved {
        version: control.field("Version")?.to_owned(),
        via: META,
        packages,
    })
}

fn build(unpacked: &Path, part: &Path, say: &Progress) -> Result<()> {
    let kernel = find(unpacked, |path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name == "vmlinuz" || name.starts_with("vmlinuz-") || name.starts_with("vmlinux-")
    })
    .ok_or_else(|| anyhow!("the packages hold no kernel"))?;
    fs::copy(&kernel, part.join("vmlinuz"))?;
    say.step("packing the first file system");
    let modules = unpacked.join("usr/lib/modules");
    fs::write(part.join("release"), only_entry(&modules)?)?;
    fs::write(part.join("initramfs.cpio"), initramfs(unpacked, &modules)?)?;
    Ok(())
}

fn initramfs(unpacked: &Path, modules: &Path) -> Result<Vec<u8>> {
    let busybox = unpacked.join("usr/bin/busybox");
    let busybox = fs::read(&busybox).with_context(|| busybox.display().to_string())?;
    let mut cpio = Cpio::default();
    for folder in [
        "bin",
        "dev",
        "etc",
        "etc/udhcpc",
        "mnt",
        "modules",
        "proc",
        "sys",
        "tmp",
    ] {
        cpio.folder(folder)?;
    }
    cpio.device("dev/console", 5, 1)?;
    cpio.file("bin/busybox", 0o755, &busybox)?;
    cpio.file("init", 0o755, INIT.as_bytes())?;
    cpio.file("etc/udhcpc/default.script", 0o755, DHCP.as_bytes())?;
    let mut order = Vec::new();
    for name in MODULES {
        insert(modules, name, &mut order)?;
    }
    let mut listing = String::new();
    for (name, content) in &order {
        cpio.file(&format!("modules/{name}.ko"), 0o644, content)?;
        listing.push_str(&format!("{name}.ko\n"));
    }
    cpio.file("modules/order", 0o644, listing.as_bytes())?;
    cpio.finish()
}

/// Appends a module to the order, after the modules it depends on.
fn insert(modules: &Path, name: &str, order: &mut Vec<(String, Vec<u8>)>) -> Result<()> {
    if order.iter().any(|(inserted, _)| inserted == name) {
        return Ok(());
    }
    let path = find(modules, |path| module_name(path).as_deref() == Some(name))
        .ok_or_else(|| anyhow!("the kernel has no module {name}"))?;
    let content = module_content(&path).with_context(|| path.display().to_string())?;
    for dependency in dependencies(&content) {
        insert(modules, &dependency, order)?;
    }
    order.push((name.to_owned(), content));
    Ok(())
}

/// `…/virtio-rng.ko.xz` is the module `virtio_rng`: the kernel makes no difference between the
/// two signs, file names do.
fn module_name(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let stem = name
        .strip_suffix(".ko.xz")
        .or_else(|| name.strip_suffix(".ko"))?;
    Some(stem.replace('-', "_"))
}

fn module_content(path: &Path) -> Result<Vec<u8>> {
    let packed = fs::read(path)?;
    if path.extension().is_none_or(|extension| extension != "xz") {
        return Ok(packed);
    }
    let mut content = Vec::new();
    XzReader::new(packed.as_slice(), true).read_to_end(&mut content)?;
    Ok(content)
}

/// What a module says of itself in its `.modinfo`: `depends=a,b`, zero-terminated.
fn dependencies(module: &[u8]) -> BTreeSet<String> {
    const KEY: &[u8] = b"\0depends=";
    let Some(at) = module.windows(KEY.len()).position(|window| window == KEY) else {
        return BTreeSet::new();
    };
    let value = module[at + KEY.len()..]
        .split(|&byte| byte == 0)
        .next()
        .unwrap_or_default();
    let names = value
        .split(|&byte| byte == b',')
        .filter(|name| !name.is_empty());
    names
        .map(|name| String::from_utf8_lossy(name).replace('-', "_"))
        .collect()
}

/// The first file below `folder`, in order of names, that `wanted` accepts.
fn find(folder: &Path, wanted: impl Fn(&Path) -> bool + Copy) -> Option<PathBuf> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .ok()?
        .flatten()
        .map(|e| e.path())
        .collect();
    entries.sort();
    entries.iter().find_map(|path| {
        if path.is_dir() && !path.is_symlink() {
            find(path, wanted)
        } else {
            wanted(path).then(|| path.clone())
        }
    })
}

fn only_entry(folder: &Path) -> Result<String> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let names: Vec<String> = entries
        .flatten()
        .map(|e| e.file_name().to_string_lossy().into_owned())
        .collect();
    match names.as_slice() {
        [name] => Ok(name.clone()),
        _ => bail!(
            "{} holds {} entries where one release was expected",
            folder.display(),
            names.len()
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{dependencies, module_name};

    #[test]
    fn module_name_ignores_packing_and_hyphens() {
        assert_eq!(
            module_name(Path::new("a/virtio-rng.ko.xz")).as_deref(),
            Some("virtio_rng")
        );
        assert_eq!(
            module_name(Path::new("virtio_blk.ko")).as_deref(),
            Some("virtio_blk")
        );
        assert_eq!(module_name(Path::new("modules.order")), None);
    }

    #[test]
    fn dependencies_are_read_from_modinfo() {
        let module = b"\x7fELF\0license=GPL\0depends=net-failover,failover\0name=x\0";
        let found: Vec<String> = dependencies(module).into_iter().collect();
        assert_eq!(found, ["failover", "net_failover"]);
        assert!(dependencies(b"\0depends=\0").is_empty());
    }
}
