//! Finds the files that paths name and reads the records in them, one after the other.

use std::collections::VecDeque;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::open::{STANDARD_INPUT, open};
use crate::split::{Piece, Refusal, Splitter};

/// Endings of files that are read when a folder is named.
const ENDINGS: [&str; 3] = [".json", ".ndjson", ".jsonl"];
const COMPRESSED: [&str; 2] = [".gz", ".zst"];
const NONE_IN_FOLDER: &str =
    "no file in this folder ends in .json, .ndjson or .jsonl, or in one of them with .gz or .zst";

/// Largest record that is read.
const RECORD_BYTES: usize = 128 << 20;
/// Bytes read at a time.
const CHUNK_BYTES: usize = 256 * 1024;

/// The records of files, in the order of the files' names.
pub struct Files {
    waiting: VecDeque<PathBuf>,
    current: Option<Current>,
    chunk: Vec<u8>,
    total_bytes: Option<u64>,
    bytes_read: Arc<AtomicU64>,
    empty: Arc<Empty>,
}

/// What was named or found and has nothing in it.
#[derive(Debug, Default)]
pub struct Empty(Mutex<Vec<String>>);

impl Empty {
    /// A sentence for each of them, as far as they were read.
    pub fn sentences(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn add(&self, sentence: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(sentence);
    }
}

struct Current {
    name: Arc<str>,
    /// Whether a piece of it has been given.
    has_pieces: bool,
    input: Box<dyn Read + Send>,
    splitter: Splitter,
}

/// A piece of a file.
#[derive(Debug)]
pub struct FilePiece {
    /// The file's path, or `-`.
    pub file: Arc<str>,
    /// The record, or why there is none.
    pub piece: Piece,
}

impl Files {
    /// Finds what is to be read: files as they are named, all files of the known endings in named
    /// folders and below them (symbolic links inside folders are left alone), and standard input
    /// for `-`. It is an error if a path does not exist.
    pub fn find(paths: &[PathBuf]) -> io::Result<Self> {
        let mut waiting = Vec::new();
        let mut total_bytes = Some(0);
        let empty = Arc::<Empty>::default();
        for path in paths {
            if path.as_os_str() == STANDARD_INPUT {
                waiting.push(path.clone());
                total_bytes = None;
                continue;
            }
            let metadata = fs::metadata(path).map_err(|error| at(path, &error))?;
            if metadata.is_dir() {
                let before = waiting.len();
                walk(path, &mut waiting, &mut total_bytes)?;
                if waiting.len() == before {
                    let other = first_file(path)
                        .map_or_else(String::new, |name| format!("; there is {}", name.display()));
                    empty.add(format!("{}: {NONE_IN_FOLDER}{other}", path.display()));
                }
            } else {
                // A pipe has no length.
                total_bytes = total_bytes.filter(|_| metadata.is_file());
                add(path.clone(), metadata.len(), &mut waiting, &mut total_bytes);
            }
        }
        Ok(Self {
            waiting: waiting.into(),
            current: None,
            chunk: vec![0; CHUNK_BYTES],
            total_bytes,
            bytes_read: Arc::default(),
            empty,
        })
    }

    /// Bytes of all files together, as they are on disk; `None` where standard input is among them.
    pub fn total_bytes(&self) -> Option<u64> {
        self.total_bytes
    }

    /// Counts the bytes read so far.
    pub fn bytes_read(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.bytes_read)
    }

    /// What has nothing in it, also while the files are read.
    pub fn empty(&self) -> Arc<Empty> {
        Arc::clone(&self.empty)
    }

    /// Opens the next file. One that cannot be opened is a refusal and not the end of it all.
    fn open_next(&mut self) -> Option<Result<(), FilePiece>> {
        let path = self.waiting.pop_front()?;
        let file: Arc<str> = path.to_string_lossy().into();
        Some(match open(&path, &self.bytes_read) {
            Ok(input) => {
                let splitter = Splitter::new(RECORD_BYTES);
                self.current = Some(Current { name: file, has_pieces: false, input, splitter });
                Ok(())
            }
            Err(error) => Err(unreadable(file, &error)),
        })
    }
}

impl Iterator for Files {
    type Item = FilePiece;

    fn next(&mut self) -> Option<FilePiece> {
        loop {
            let Some(current) = &mut self.current else {
                match self.open_next()? {
                    Ok(()) => continue,
                    Err(refusal) => return Some(refusal),
                }
            };
            if let Some(piece) = current.splitter.take() {
                current.has_pieces = true;
                return Some(FilePiece { file: Arc::clone(&current.name), piece });
            }
            if current.splitter.is_finished() {
                if !current.has_pieces {
                    self.empty.add(none_in(&current.name));
                }
                self.current = None;
                continue;
            }
            match current.input.read(&mut self.chunk) {
                Ok(0) => current.splitter.finish(),
                Ok(count) => current.splitter.feed(&self.chunk[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let message = format!("cannot be read from here on: {error}");
                    let line = current.splitter.line();
                    let file = Arc::clone(&current.name);
                    self.current = None;
                    let pointer = String::new();
                    return Some(FilePiece {
                        file,
                        piece: Err(Refusal { line, pointer, message }),
                    });
                }
            }
        }
    }
}

impl std::fmt::Debug for Files {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Files")
            .field("waiting", &self.waiting)
            .field("bytes_read", &self.bytes_read.load(Ordering::Relaxed))
            .finish_non_exhaustive()
    }
}

fn unreadable(file: Arc<str>, error: &io::Error) -> FilePiece {
    let message = format!("cannot be read: {error}");
    FilePiece { file, piece: Err(Refusal { line: 0, pointer: String::new(), message }) }
}

fn none_in(file: &str) -> String {
    if file == STANDARD_INPUT {
        return "no record on standard input".to_owned();
    }
    format!("{file}: no record in this file")
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>, total: &mut Option<u64>) -> io::Result<()> {
    let mut entries = fs::read_dir(folder)
        .and_then(Iterator::collect::<io::Result<Vec<_>>>)
        .map_err(|error| at(folder, &error))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let (path, kind) = (entry.path(), entry.file_type()?);
        if kind.is_dir() {
            walk(&path, found, total)?;
        } else if kind.is_file() && has_known_ending(&path) {
            let bytes = entry.metadata()?.len();
            add(path, bytes, found, total);
        }
    }
    Ok(())
}

/// The name of the first file of a folder.
fn first_file(folder: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?.filter_map(Result::ok);
    let files = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
    files.map(|entry| PathBuf::from(entry.file_name())).min()
}

fn add(path: PathBuf, bytes: u64, found: &mut Vec<PathBuf>, total: &mut Option<u64>) {
    found.push(path);
    *total = total.map(|total| total + bytes);
}

fn has_known_ending(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let plain = COMPRESSED.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(&name);
    ENDINGS.iter().any(|ending| plain.ends_with(ending))
}

fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("callvault-{}-{name}", std::process::id()));
        fs::create_dir_all(folder.join("inner")).unwrap();
        folder
    }

    fn read(paths: &[PathBuf]) -> Vec<String> {
        Files::find(paths)
            .unwrap()
            .map(|FilePiece { file, piece }| {
                let name = file.rsplit('/').next().unwrap().to_owned();
                match piece {
                    Ok(record) => format!("{name}:{} {}", record.line, record.text),
                    Err(refusal) => format!("{name}:{} ! {}", refusal.line, refusal.message),
                }
            })
            .collect()
    }

    #[test]
    fn a_folder_is_read_with_all_below_it_and_compression_undone() {
        let folder = folder("walk");
        fs::write(folder.join("b.json"), "{\"b\":1}").unwrap();
        fs::write(folder.join("notes.txt"), "no record").unwrap();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(b"{\"a\":1}\n{\"a\":2}\n").unwrap();
        fs::write(folder.join("a.NDJSON.gz"), gzip.finish().unwrap()).unwrap();
        let zstd = zstd::encode_all(&b"{\"c\":1}"[..], 1).unwrap();
        fs::write(folder.join("inner/c.jsonl.zst"), zstd).unwrap();
        assert_eq!(
            read(std::slice::from_ref(&folder)),
            [
                "a.NDJSON.gz:1 {\"a\":1}",
                "a.NDJSON.gz:2 {\"a\":2}",
                "b.json:1 {\"b\":1}",
                "c.jsonl.zst:1 {\"c\":1}",
            ]
        );
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_damaged_file_is_refused_and_the_next_one_read() {
        let folder = folder("damaged");
        let zstd = zstd::encode_all(&b"{\"a\":1}"[..], 1).unwrap();
        fs::write(folder.join("a.json.zst"), &zstd[..zstd.len() - 3]).unwrap();
        fs::write(folder.join("b.json"), "{\"b\":1}").unwrap();
        let found = read(std::slice::from_ref(&folder));
        assert!(found[0].starts_with("a.json.zst:1 ! cannot be read from here on: "), "{found:?}");
        assert_eq!(found.last().unwrap(), "b.json:1 {\"b\":1}");
        let lines = "{\"a\":1}\n{\"a\":2}\n{\"a\":3}";
        let zstd = zstd::stream::encode_all(lines.as_bytes(), 1).unwrap();
        fs::write(folder.join("a.json.zst"), &zstd[..zstd.len() - 3]).unwrap();
        let found = read(std::slice::from_ref(&folder));
        let told = found.iter().find(|line| line.contains("from here on")).unwrap();
        assert!(told.starts_with("a.json.zst:"), "{told}");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn empty_files_and_folders_are_told() {
        let folder = folder("empty");
        fs::write(folder.join("notes.txt"), "no record").unwrap();
        fs::write(folder.join("a.json"), " \n").unwrap();
        let paths = [folder.join("inner"), folder.join("a.json"), folder.clone()];
        let files = Files::find(&paths).unwrap();
        let empty = files.empty();
        assert_eq!(files.count(), 0);
        let found = empty.sentences();
        let [first, second, third] = &found[..] else { panic!("{found:?}") };
        assert!(first.contains("inner: no file in this folder"), "{first}");
        assert!(second.contains("a.json: no record") && second == third, "{second}, {third}");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_is_named_as_compressed_and_is_not_is_refused_unless_it_is_json() {
        let folder = folder("misnamed");
        fs::write(folder.join("a.json.gz"), "<html>").unwrap();
        fs::write(folder.join("b.json.zst"), "id;start").unwrap();
        fs::write(folder.join("c.json.gz"), "{\"c\":1}").unwrap();
        assert_eq!(
            read(std::slice::from_ref(&folder)),
            [
                "a.json.gz:0 ! cannot be read: its name ends in .gz, and it is not gzip",
                "b.json.zst:0 ! cannot be read: its name ends in .zst, and it is not zstd",
                "c.json.gz:1 {\"c\":1}",
            ]
        );
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn archive_is_named_as_one_and_a_folder_of_others_names_one_of_them() {
        let folder = folder("archives");
        let zip = folder.join("calls.json");
        fs::write(&zip, b"PK\x03\x04\x14").unwrap();
        let tar = folder.join("inner/calls.tar.gz");
        fs::write(&tar, b"\x1F\x8B\x08").unwrap();
        assert_eq!(
            read(&[zip, tar]),
            [
                "calls.json:0 ! cannot be read: it is a ZIP archive: unpack it, and import the folder",
                "calls.tar.gz:0 ! cannot be read: it is a tar archive: unpack it, and import the folder",
            ]
        );
        let files = Files::find(&[folder.join("inner")]).unwrap();
        let told = files.empty().sentences().concat();
        assert!(told.ends_with("there is calls.tar.gz"), "{told}");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_path_that_does_not_exist_is_an_error_with_its_name() {
        let error = Files::find(&[PathBuf::from("no/such/file.json")]).unwrap_err();
        assert!(error.to_string().starts_with("no/such/file.json: "), "{error}");
    }
}
