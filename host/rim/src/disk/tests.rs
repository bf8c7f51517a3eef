use super::*;
use maquette_virtio::Overlay;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use tempfile::TempDir;

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn image(dir: &TempDir, bytes: &[u8]) -> PathBuf {
    let path = dir.path().join("disk.img");
    fs::write(&path, bytes).unwrap();
    path
}

fn error(path: &Path, access: DiskAccess) -> DiskError {
    let e = FileDisk::open(path, access).expect_err("it opened");
    let text = e.to_string();
    assert!(
        text.contains(path.to_str().unwrap()),
        "names the path: {text}"
    );
    assert!(!e.remedy().is_empty());
    e
}

/// Runs `f` as nobody, on a thread of its own: users of threads are apart in Linux.
fn as_nobody<T: Send>(f: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|s| {
        let thread = s.spawn(|| {
            if rustix::process::geteuid().is_root() {
                let nobody = rustix::process::Uid::from_raw(65_534);
                rustix::thread::set_thread_res_uid(nobody, nobody, nobody).unwrap();
            }
            f()
        });
        thread.join().unwrap()
    })
}

#[test]
fn file_reads_and_writes_in_place() {
    let dir = folder();
    let path = image(&dir, &[7; 2048]);
    let mut d = FileDisk::open(&path, DiskAccess::ReadWrite).unwrap();
    assert_eq!((d.size(), d.read_only()), (2048, false));
    d.write_at(510, &[1, 2, 3, 4]).unwrap();
    d.write_zeroes(1024, 600).unwrap();
    d.flush().unwrap();
    let mut buf = [0; 6];
    d.read_at(509, &mut buf).unwrap();
    assert_eq!(buf, [7, 1, 2, 3, 4, 7]);
    let kept = fs::read(&path).unwrap();
    assert_eq!(kept[1023..1625], [&[7][..], &[0; 600], &[7]].concat());
    assert_eq!(kept.len(), 2048);
}

#[test]
fn ranges_outside_the_image_are_refused() {
    let dir = folder();
    let mut d = FileDisk::open(&image(&dir, &[7; 1024]), DiskAccess::ReadWrite).unwrap();
    for offset in [1024, 1023, u64::MAX] {
        let outside = Err(BlockError::OutOfRange {
            offset,
            len: 2,
            size: 1024,
        });
        assert_eq!(d.read_at(offset, &mut [0; 2]), outside);
        assert_eq!(d.write_at(offset, &[0; 2]), outside);
    }
}

#[test]
fn read_only_image_is_never_written() {
    let dir = folder();
    let path = image(&dir, &[7; 512]);
    let mut d = FileDisk::open(&path, DiskAccess::ReadOnly).unwrap();
    assert_eq!(d.write_at(0, &[1]), Err(BlockError::ReadOnly));
    assert!(d.write_zeroes(0, 512).is_err());
    assert_eq!(d.flush(), Ok(()));
    assert_eq!(fs::read(&path).unwrap(), [7; 512]);
}

#[test]
fn overlay_keeps_writes_off_the_file() {
    let dir = folder();
    let path = image(&dir, &[7; 8192]);
    let mut d = Overlay::new(FileDisk::open(&path, DiskAccess::ReadOnly).unwrap());
    d.write_at(4000, &[1; 200]).unwrap();
    let mut buf = [0; 202];
    d.read_at(3999, &mut buf).unwrap();
    assert_eq!(buf[..], [&[7][..], &[1; 200], &[7]].concat());
    assert_eq!(fs::read(&path).unwrap(), [7; 8192]);
}

#[test]
fn paths_that_hold_no_image_are_named_with_a_remedy() {
    let dir = folder();
    let at = |name: &str| dir.path().join(name);
    let ro = DiskAccess::ReadOnly;
    assert!(matches!(error(&at("none"), ro), DiskError::Missing { .. }));
    symlink("gone.img", at("link")).unwrap();
    let e = error(&at("link"), ro);
    assert!(matches!(e, DiskError::DanglingLink { .. }) && e.to_string().contains("gone.img"));
    symlink("loop", at("loop")).unwrap();
    assert!(matches!(error(&at("loop"), ro), DiskError::Host { .. }));
    let _socket = UnixListener::bind(at("socket")).unwrap();
    let special = [
        (dir.path().to_path_buf(), "directory"),
        (at("socket"), "socket"),
    ];
    for (path, name) in special.into_iter().chain([("/dev/null".into(), "device")]) {
        assert!(matches!(error(&path, ro), DiskError::NotAFile { kind, .. } if kind == name));
    }
    let inside = image(&dir, &[0; 512]).join("x");
    assert!(matches!(error(&inside, ro), DiskError::Host { .. }));
}

#[test]
fn pipe_is_refused_without_waiting_for_its_other_end() {
    let dir = folder();
    let path = dir.path().join("pipe");
    let (fifo, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU);
    rustix::fs::mknodat(rustix::fs::CWD, &path, fifo, mode, 0).unwrap();
    let e = error(&path, DiskAccess::ReadWrite);
    assert!(matches!(e, DiskError::NotAFile { kind: "pipe", .. }));
}

#[test]
fn empty_and_odd_images_are_refused_with_the_size_they_need() {
    let dir = folder();
    let path = image(&dir, b"");
    assert!(matches!(
        error(&path, DiskAccess::ReadOnly),
        DiskError::Empty { .. }
    ));
    fs::write(&path, [0; 1000]).unwrap();
    let e = error(&path, DiskAccess::ReadWrite);
    assert!(matches!(e, DiskError::Size { size: 1000, .. }));
    assert!(e.remedy().contains("truncate -s 1024"), "{}", e.remedy());
}

#[test]
fn file_whose_read_fails_is_refused() {
    // An attribute of sysfs claims a page and gives a few bytes.
    let path = Path::new("/sys/devices/system/cpu/online");
    let e = error(path, DiskAccess::ReadOnly);
    assert!(matches!(e, DiskError::Host { verb: "read", .. }), "{e}");
}

#[test]
fn images_without_permission_are_refused_for_what_is_missing() {
    use std::os::unix::fs::PermissionsExt;
    let dir = folder();
    let path = image(&dir, &[0; 512]);
    let mode = |p: &Path, mode| fs::set_permissions(p, fs::Permissions::from_mode(mode)).unwrap();
    mode(dir.path(), 0o755);
    mode(&path, 0o000);
    let e = as_nobody(|| error(&path, DiskAccess::ReadOnly));
    assert!(matches!(e, DiskError::Denied { verb: "read", .. }), "{e}");
    mode(&path, 0o444);
    let e = as_nobody(|| error(&path, DiskAccess::ReadWrite));
    assert!(matches!(e, DiskError::Denied { verb: "write", .. }), "{e}");
    assert!(e.remedy().contains("copy-on-write"));
    assert!(as_nobody(
        || FileDisk::open(&path, DiskAccess::ReadOnly).is_ok()
    ));
}

#[test]
fn image_in_use_for_writing_is_refused() {
    let dir = folder();
    let path = image(&dir, &[0; 512]);
    let writer = FileDisk::open(&path, DiskAccess::ReadWrite).unwrap();
    assert!(matches!(
        error(&path, DiskAccess::ReadOnly),
        DiskError::Busy { .. }
    ));
    drop(writer);
    let _one = FileDisk::open(&path, DiskAccess::ReadOnly).unwrap();
    let _two = FileDisk::open(&path, DiskAccess::ReadOnly).unwrap();
    assert!(matches!(
        error(&path, DiskAccess::ReadWrite),
        DiskError::Busy { .. }
    ));
}

#[test]
fn image_cut_while_in_use_is_an_io_error_that_names_it() {
    let dir = folder();
    let path = image(&dir, &[7; 4096]);
    let mut d = FileDisk::open(&path, DiskAccess::ReadWrite).unwrap();
    fs::OpenOptions::new()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(1024)
        .unwrap();
    let mut buf = [0; 512];
    assert_eq!(d.read_at(512, &mut buf), Ok(()));
    for result in [d.read_at(1024, &mut buf), d.write_at(2048, &buf)] {
        let Err(BlockError::Host(text)) = result else {
            panic!("{result:?}");
        };
        assert!(
            text.contains("disk.img") && text.contains("4096") && text.contains("1024"),
            "{text}"
        );
    }
    assert_eq!(
        fs::metadata(&path).unwrap().len(),
        1024,
        "not made longer again"
    );
}

#[test]
fn saved_disk_loads_only_onto_one_of_its_size() {
    let dir = folder();
    let d = FileDisk::open(&image(&dir, &[7; 1024]), DiskAccess::ReadOnly).unwrap();
    let mut w = Writer::default();
    d.save(&mut w);
    let bytes = w.into_bytes();
    drop(d);
    let mut same = FileDisk::open(&image(&dir, &[1; 1024]), DiskAccess::ReadOnly).unwrap();
    assert_eq!(same.load(&mut Reader::new(&bytes)), Ok(()));
    drop(same);
    let mut other = FileDisk::open(&image(&dir, &[1; 512]), DiskAccess::ReadOnly).unwrap();
    assert!(other.load(&mut Reader::new(&bytes)).is_err());
}
