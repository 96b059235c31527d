//! Decoding in a process of its own, which has nothing to give away: no credentials, no files, no network, bounded memory
//! and time. A file that breaks a codec breaks that process, and the photo is rejected with the reason.
//!
//! The decoder is the same program, started again under the name [`NAME`]: every bootstrap that decodes asks
//! [`is_decoder`] first. It stays warm between photos. A photo goes in as a sealed memory file passed over a socket, so its bytes
//! are not copied; only encoded derivatives come back.

mod background;
mod bounds;
mod child;
mod confine;
mod decoder;
mod ending;
mod input;
mod photo;
#[cfg(target_os = "linux")]
mod syscalls;
mod wire;

pub use background::Background;
pub use bounds::{Bounds, PHOTO, VIDEO};
pub use child::{Made, Work, only, serve, serve_files, serve_with};
pub use confine::Protections;
pub use decoder::{Answer, Decoder};
pub use input::{Input, Mapped};
pub use photo::RenderedHeader;

/// What the program is called (argument 0) when it is a decoder.
pub const NAME: &str = "photovault-decoder";

/// Whether this process was started as a decoder. It then calls [`serve`] and nothing else.
pub fn is_decoder() -> bool {
    std::env::args_os().next().is_some_and(|name| name == NAME)
}
