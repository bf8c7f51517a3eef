//! Wrong files and hostile guests: an error that names file, line, field and remedy, the right exit
//! code, no panic, nothing left behind.

mod disks;
mod images;
mod permissions;
mod systems;
