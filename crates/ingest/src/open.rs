//! Opens a file or standard input, undoes its compression and counts the bytes that are read.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::MultiGzDecoder;

const GZIP: &[u8] = &[0x1F, 0x8B];
const ZSTD: &[u8] = &[0x28, 0xB5, 0x2F, 0xFD];

/// Bytes asked of the operating system at a time.
const READ_BYTES: usize = 256 * 1024;

/// The name that stands for standard input.
pub(crate) const STANDARD_INPUT: &str = "-";

/// Opens `path`, or standard input for `-`. The content's first bytes tell the compression, as
/// names lie and standard input has none. `bytes_read` counts bytes before decompression.
///
/// # Errors
/// Also when the name promises a compression and the content has neither that nor the beginning of JSON.
pub(crate) fn open(path: &Path, bytes_read: &Arc<AtomicU64>) -> io::Result<Box<dyn Read + Send>> {
    let raw: Box<dyn Read + Send> = if path.as_os_str() == STANDARD_INPUT {
        Box::new(io::stdin())
    } else {
        Box::new(File::open(path)?)
    };
    let mut raw = CountingReader { inner: raw, bytes_read: Arc::clone(bytes_read) };
    let mut magic = Vec::with_capacity(ZSTD.len());
    raw.by_ref().take(ZSTD.len() as u64).read_to_end(&mut magic)?;
    let name = path.to_string_lossy().to_ascii_lowercase();
    if let Some(archive) = archive(&magic, &name) {
        let text = format!("it is {archive}: unpack it, and import the folder");
        return Err(io::Error::new(io::ErrorKind::InvalidData, text));
    }
    let (is_gzip, is_zstd) = (magic.starts_with(GZIP), magic == ZSTD);
    if !is_gzip && !is_zstd && !may_be_json(&magic) {
        for (ending, form) in [(".gz", "gzip"), (".zst", "zstd")] {
            if name.ends_with(ending) {
                let text = format!("its name ends in {ending}, and it is not {form}");
                return Err(io::Error::new(io::ErrorKind::InvalidData, text));
            }
        }
    }
    let whole = io::Cursor::new(magic).chain(raw);
    Ok(if is_gzip {
        Box::new(MultiGzDecoder::new(BufReader::with_capacity(READ_BYTES, whole)))
    } else if is_zstd {
        Box::new(zstd::Decoder::new(whole)?)
    } else {
        Box::new(whole)
    })
}

/// What holds files and is none of ours to open, by its first bytes or by its name.
fn archive(start: &[u8], name: &str) -> Option<&'static str> {
    const FORMS: [(&[u8], &str); 4] = [
        (b"PK\x03\x04", "a ZIP archive"),
        (b"7z\xBC\xAF", "a 7z archive"),
        (b"\xFD7zX", "compressed by xz"),
        (b"BZh", "compressed by bzip2"),
    ];
    const TAR: [&str; 4] = [".tar", ".tar.gz", ".tgz", ".tar.zst"];
    let form = FORMS.iter().find(|(magic, _)| start.starts_with(magic));
    let is_tar = TAR.iter().any(|ending| name.ends_with(ending));
    form.map(|(_, form)| *form).or(is_tar.then_some("a tar archive"))
}

/// Whether JSON can begin so: with an object, an array, white space, or a byte order mark before them.
fn may_be_json(start: &[u8]) -> bool {
    start
        .first()
        .is_none_or(|byte| matches!(byte, b'{' | b'[' | b' ' | b'\t' | b'\r' | b'\n' | 0xEF))
}

struct CountingReader<R> {
    inner: R,
    bytes_read: Arc<AtomicU64>,
}

impl<R: Read> Read for CountingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.bytes_read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}
