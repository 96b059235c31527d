//! Bytes or a file in, facts or derivatives out. The codecs live here; AWS, queues and clocks do not.
//!
//! What comes in is not trusted: every size is decided from headers before pixels are decoded, every loop has a limit,
//! and what is refused says why in words that the owner of the file understands.

mod container;
mod cpu;
mod derive;
mod facts;
mod inspect;
mod look;
mod sniff;
mod sparse;

pub use cpu::{add_cpu_ns, counted, cpu_ns};
pub use derive::{Rendered, RenderedFile, Unreadable, derive, derive_as, derive_pixels};
pub use facts::{Arrival, RawTag, Read, facts, located, with_arrivals, with_sidecar};
pub use inspect::{Inspected, Refused, inspect};
pub use look::measure;
pub use sniff::{SNIFF_BYTES, Sniffed, is_xmp, sniff};
pub use sparse::Sparse;
