//! Where a recording or snapshot comes from: the system file as it was, and the images that it names.

use super::error::ArchiveError;
use super::place;
use crate::date;
use crate::description::{Description, FileRef, RtcStart};
use crate::locate::Places;
use crate::open::{Opened, parse};
use crate::render::Problems;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// The system that something was made from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// The program that made it.
    pub made_by: String,
    /// The system file's name as its user gave it.
    pub file: String,
    /// The folder that the file's relative paths begin in.
    pub folder: PathBuf,
    /// The system file's text.
    pub text: String,
    /// Overrides as they were given.
    pub overrides: Vec<String>,
    /// A person had taken over the console.
    pub interactive: bool,
    /// The files that the system used.
    pub images: Vec<Image>,
}

/// A file that a system uses, and what was in it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// The field that names it.
    pub field: String,
    /// Its length.
    pub bytes: u64,
    /// The BLAKE3 hash of its content, in hexadecimal digits.
    pub blake3: String,
}

impl Origin {
    /// The origin of what is made from `opened` now; reads all images.
    ///
    /// # Errors
    /// When an image cannot be read.
    pub fn of(opened: &Opened, interactive: bool) -> Result<Self, ArchiveError> {
        let folder = Path::new(&opened.file).parent().unwrap_or(Path::new(""));
        let here = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        let mut texts = opened.sources.texts();
        Ok(Self {
            made_by: format!("maquette {}", env!("CARGO_PKG_VERSION")),
            file: opened.file.clone(),
            folder: here.canonicalize().unwrap_or_else(|_| here.to_path_buf()),
            text: texts.next().unwrap_or_default().to_owned(),
            overrides: settled(opened),
            interactive,
            images: images(&opened.description)?,
        })
    }

    /// The same origin with the images as they are now.
    ///
    /// # Errors
    /// When an image cannot be read.
    pub fn with_images_of(&self, description: &Description) -> Result<Self, ArchiveError> {
        Ok(Self {
            images: images(description)?,
            ..self.clone()
        })
    }

    /// Opens the system again, looking for its files in `root` if that is given.
    ///
    /// # Errors
    /// When this program cannot read the system file.
    pub fn open(&self, root: Option<&Path>) -> Result<Opened, Problems> {
        let folder = root.unwrap_or(&self.folder);
        let name = Path::new(&self.file).file_name().unwrap_or_default();
        let places = Places::of(&folder.join(name));
        let mut opened = parse(&self.file, &self.text, &self.overrides, &places)?;
        if self.interactive {
            opened.description.leave_to_a_person();
        }
        Ok(opened)
    }

    /// Compares the images of the system with those of the origin.
    ///
    /// # Errors
    /// Names the first that differs.
    pub fn check(&self, opened: &Opened, kind: &'static str) -> Result<(), ArchiveError> {
        // In order: several machines may have fields of one name.
        let mut recorded = self.images.iter();
        for file in opened.description.files() {
            let now = image(file)?;
            let wrong = |what| ArchiveError::Image {
                field: file.field.clone(),
                path: file.path.clone(),
                kind,
                what,
            };
            let Some(then) = recorded.next().filter(|i| i.field == now.field) else {
                return Err(wrong("there was none then".to_owned()));
            };
            if then.bytes != now.bytes {
                return Err(wrong(format!(
                    "it has {} bytes and had {}",
                    now.bytes, then.bytes
                )));
            }
            if then.blake3 != now.blake3 {
                return Err(wrong("its content differs".to_owned()));
            }
        }
        Ok(())
    }

    pub(super) fn to_json(&self) -> String {
        // Strings and numbers only: nothing here can fail to be written.
        serde_json::to_string(self).unwrap_or_default()
    }

    pub(super) fn from_json(bytes: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(bytes)
    }
}

/// The overrides, and the dates that came from the host: what is opened again must begin at the same.
fn settled(opened: &Opened) -> Vec<String> {
    let machines = &opened.description.machines;
    let mut overrides = opened.overrides.clone();
    for (index, machine) in machines.iter().enumerate() {
        if let RtcStart::Host(date) = machine.board.rtc {
            let which = match machine.prefix.as_str() {
                "" => String::new(),
                _ => format!("{index}."),
            };
            overrides.push(format!("machine.{which}rtc={}", date::show(date)));
        }
    }
    overrides
}

fn images(d: &Description) -> Result<Vec<Image>, ArchiveError> {
    d.files().map(image).collect()
}

fn image(file: &FileRef) -> Result<Image, ArchiveError> {
    place::regular(&file.path)?;
    let (bytes, hash) = digest(&file.path).map_err(|source| ArchiveError::File {
        verb: "read",
        path: file.path.clone(),
        source,
    })?;
    Ok(Image {
        field: file.field.clone(),
        bytes,
        blake3: hash.to_hex().to_string(),
    })
}

fn digest(path: &Path) -> io::Result<(u64, blake3::Hash)> {
    let mut file = File::open(path)?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 1 << 20];
    let mut bytes = 0;
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok((bytes, hasher.finalize()));
        }
        bytes += count as u64;
        hasher.update(buffer.get(..count).unwrap_or_default());
    }
}
