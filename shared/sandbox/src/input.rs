//! A file on its way to the decoder: a photo lies in memory, and nobody can change it any more once it is sealed; a video lies on
//! disk under no name, and the decoder gets it for reading only.

use std::{
    fs::File,
    io::{self, Write},
    os::{
        fd::{AsFd as _, BorrowedFd, OwnedFd},
        unix::fs::FileExt as _,
    },
};

/// A file's bytes, to be written once.
#[derive(Debug)]
pub struct Input {
    file: File,
    /// The same file for its reader, where it lies on disk.
    reader: Option<File>,
}

impl Input {
    /// An empty one in memory.
    pub fn new() -> io::Result<Self> {
        #[cfg(target_os = "linux")]
        let file = {
            use rustix::fs::{MemfdFlags, memfd_create};
            File::from(memfd_create("photo", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?)
        };
        #[cfg(not(target_os = "linux"))]
        let file = tempfile::tempfile()?;
        Ok(Self { file, reader: None })
    }

    /// An empty one on disk, in the folder for temporary files: for what is too large for memory.
    pub fn on_disk() -> io::Result<Self> {
        let named = tempfile::NamedTempFile::new()?;
        let reader = File::open(named.path())?;
        Ok(Self { file: named.into_file(), reader: Some(reader) })
    }

    /// The file for a reader in this process.
    pub fn reader(&self) -> io::Result<File> {
        self.reader.as_ref().unwrap_or(&self.file).try_clone()
    }

    /// One with these bytes.
    pub fn of(bytes: &[u8]) -> io::Result<Self> {
        let mut input = Self::new()?;
        input.write_all(bytes)?;
        Ok(input)
    }

    /// What it holds, for a reader in this process.
    pub fn bytes(&self) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(self.file.metadata()?.len()).unwrap_or(0)];
        self.file.read_exact_at(&mut bytes, 0)?;
        Ok(bytes)
    }

    /// Makes it immutable, so that its reader may map it, and gives it for reading. Sealing twice is fine.
    pub fn seal(&self) -> io::Result<BorrowedFd<'_>> {
        if let Some(reader) = &self.reader {
            return Ok(reader.as_fd());
        }
        #[cfg(target_os = "linux")]
        rustix::fs::fcntl_add_seals(&self.file, SEALS)?;
        Ok(self.file.as_fd())
    }
}

impl Write for Input {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(target_os = "linux")]
const SEALS: rustix::fs::SealFlags =
    rustix::fs::SealFlags::WRITE.union(rustix::fs::SealFlags::SHRINK).union(rustix::fs::SealFlags::GROW);

/// The bytes of a finished file on disk, for who sends it on: they are in memory only while they are read.
pub struct Mapped(Received);

impl Mapped {
    /// Takes a file that nobody writes any more.
    pub fn of(file: File) -> io::Result<Self> {
        #[cfg(target_os = "linux")]
        return Received::map(&file.into(), rustix::mm::MapFlags::empty()).map(Self);
        #[cfg(not(target_os = "linux"))]
        return Received::of(file.into()).map(Self);
    }
}

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        self.0.bytes()
    }
}

#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "a mapping belongs to the process, not to a thread")]
// SAFETY: the pointer is to a mapping for reading that lives as long as the value; nothing in it belongs to a thread.
unsafe impl Send for Mapped {}

/// A received photo, readable as a slice.
pub(crate) struct Received {
    #[cfg(target_os = "linux")]
    at: *mut std::ffi::c_void,
    #[cfg(target_os = "linux")]
    length: usize,
    #[cfg(not(target_os = "linux"))]
    bytes: Vec<u8>,
}

#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "a mapping spares a copy of every photo")]
impl Received {
    /// Maps a sealed file; one without seals is refused.
    #[expect(clippy::needless_pass_by_value, reason = "elsewhere the file itself is read; the mapping outlives it here")]
    pub(crate) fn of(file: OwnedFd) -> io::Result<Self> {
        if !rustix::fs::fcntl_get_seals(&file)?.contains(SEALS) {
            return Err(io::Error::other("the photo may still change"));
        }
        Self::map(&file, rustix::mm::MapFlags::POPULATE)
    }

    fn map(file: &OwnedFd, how: rustix::mm::MapFlags) -> io::Result<Self> {
        use rustix::{
            fs::fstat,
            mm::{MapFlags, ProtFlags, mmap},
        };
        let length = usize::try_from(fstat(file)?.st_size).unwrap_or(0);
        if length == 0 {
            return Ok(Self { at: std::ptr::null_mut(), length });
        }
        // SAFETY: a new mapping at an address of the kernel's choice touches no memory of ours.
        let at = unsafe { mmap(std::ptr::null_mut(), length, ProtFlags::READ, MapFlags::PRIVATE | how, file, 0)? };
        Ok(Self { at, length })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        if self.length == 0 {
            return &[];
        }
        // SAFETY: the mapping has this length and lives as long as `self`; its file is sealed against writes and cuts, so the
        // bytes neither change nor go away.
        unsafe { std::slice::from_raw_parts(self.at.cast(), self.length) }
    }
}

#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "the end of the mapping")]
impl Drop for Received {
    fn drop(&mut self) {
        if self.length > 0 {
            // SAFETY: the mapping is ours, and every slice of it borrows `self`.
            let _ = unsafe { rustix::mm::munmap(self.at, self.length) };
        }
    }
}

#[cfg(not(target_os = "linux"))]
impl Received {
    /// Reads the whole file.
    pub(crate) fn of(file: OwnedFd) -> io::Result<Self> {
        use std::io::{Read as _, Seek as _};
        let (mut file, mut bytes) = (File::from(file), Vec::new());
        file.rewind()?;
        file.read_to_end(&mut bytes)?;
        Ok(Self { bytes })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}
