//! The key that secrets are sealed under before they are stored.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

/// Bytes of the key.
const LEN: usize = 32;

/// First byte of what is sealed: the form of the rest (nonce, ciphertext, tag of AES-256-GCM).
const FORM: u8 = 1;

/// A 256-bit key that seals and opens secrets. Cheap to clone.
#[derive(Clone)]
pub struct MasterKey(Arc<RandomizedNonceKey>);

impl fmt::Debug for MasterKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("MasterKey(..)")
    }
}

/// Why there is no master key.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file or its folder can't be read or made.
    #[error("cannot {action} {path}")]
    File {
        /// What was tried.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The text isn't a key.
    #[error("a master key is 32 bytes as base64 or as 64 hexadecimal digits")]
    Form,
}

/// Sealed bytes didn't open: another master key, another purpose, or damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("sealed under another master key, for another purpose, or damaged")]
pub struct OpenError;

impl MasterKey {
    /// Reads the key from a file, or makes the file with a new key when there is none.
    ///
    /// The file (mode 0600, its folder 0700) appears whole or not at all, and survives a power cut
    /// before this returns: what is sealed under a key that is lost is lost too. When two processes
    /// start at once, both get the same key.
    ///
    /// # Errors
    /// [`KeyFileError`] when the file can't be read or made, or holds something else.
    pub fn load_or_create(path: &Path) -> Result<Self, KeyFileError> {
        if let Some(found) = Self::load_if_there(path)? {
            return Ok(found);
        }
        let at = |action: &'static str, path: &Path| {
            let path = path.to_owned();
            move |source| KeyFileError::File { action, path, source }
        };
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        make_folder(folder).map_err(at("make the folder", folder))?;
        let draft = folder.join(format!(".master-{}", crate::guid::random_guid()));
        let key: [u8; LEN] = crate::random::bytes();
        let written = write_private(&draft, &format!("{}\n", STANDARD.encode(key)))
            // A link, unlike a rename, fails when another process was faster.
            .and_then(|()| fs::hard_link(&draft, path));
        // The draft is either linked or of no use; a leftover does no harm.
        let _ = fs::remove_file(&draft);
        match written {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                Err(at("make the master key", path)(error))
            }
            _ => {
                let flushed = File::open(folder).and_then(|folder| folder.sync_all());
                flushed.map_err(at("flush the folder", folder))?;
                Self::load(path)
            }
        }
    }

    /// Reads the key from a file; `None` when there is no such file.
    ///
    /// # Errors
    /// [`KeyFileError`] when the file can't be read, or holds something else.
    pub fn load_if_there(path: &Path) -> Result<Option<Self>, KeyFileError> {
        match Self::load(path) {
            Err(KeyFileError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Ok(None)
            }
            found => found.map(Some),
        }
    }

    fn load(path: &Path) -> Result<Self, KeyFileError> {
        let text = fs::read_to_string(path).map_err(|source| KeyFileError::File {
            action: "read the master key",
            path: path.to_owned(),
            source,
        })?;
        if readable_by_others(path) {
            tracing::warn!(path = %path.display(), "the master key can be read by other users");
        }
        Self::from_text(&text)
    }

    /// Takes the key from text: 32 bytes as base64 (with or without padding, either alphabet) or
    /// as 64 hexadecimal digits.
    ///
    /// # Errors
    /// [`KeyFileError::Form`] for anything else.
    pub fn from_text(text: &str) -> Result<Self, KeyFileError> {
        let text = text.trim();
        let decoded = hex(text).or_else(|| {
            [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD]
                .iter()
                .find_map(|alphabet| alphabet.decode(text).ok())
        });
        let bytes: [u8; LEN] =
            decoded.and_then(|bytes| bytes.try_into().ok()).ok_or(KeyFileError::Form)?;
        let key = RandomizedNonceKey::new(&AES_256_GCM, &bytes)
            .expect("AES-256-GCM takes every key of 32 bytes");
        Ok(Self(Arc::new(key)))
    }

    /// Seals bytes so that only this key opens them, and only for the same purpose.
    pub fn seal(&self, purpose: &str, plain: &[u8]) -> Vec<u8> {
        let mut sealed = plain.to_vec();
        let nonce = self
            .0
            .seal_in_place_append_tag(Aad::from(purpose), &mut sealed)
            .expect("only inputs beyond 64 GiB are refused");
        [&[FORM], &nonce.as_ref()[..], &sealed].concat()
    }

    /// Opens what [`MasterKey::seal`] made.
    ///
    /// # Errors
    /// [`OpenError`] with another key or purpose, or when a bit was changed.
    pub fn open(&self, purpose: &str, sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
        let (&form, rest) = sealed.split_first().ok_or(OpenError)?;
        let (nonce, rest) = rest.split_first_chunk::<NONCE_LEN>().ok_or(OpenError)?;
        if form != FORM {
            return Err(OpenError);
        }
        let mut bytes = rest.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let plain =
            self.0.open_in_place(nonce, Aad::from(purpose), &mut bytes).map_err(|_| OpenError)?;
        Ok(plain.to_vec())
    }
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.len() == 2 * LEN && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let pairs = digits.then(|| (0..text.len()).step_by(2))?;
    pairs.map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(unix)]
fn readable_by_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn readable_by_others(_: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of its own that goes when the test ends.
    struct Folder(PathBuf);

    impl Folder {
        fn new() -> Self {
            Self(std::env::temp_dir().join(format!("identity-{}", crate::guid::random_guid())))
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn from_hex(digit: &str) -> MasterKey {
        MasterKey::from_text(&digit.repeat(64)).expect("a key")
    }

    #[test]
    fn what_is_sealed_opens_again_for_the_same_purpose_only() {
        let key = from_hex("a");
        let sealed = key.seal("page token", b"secret");
        assert_eq!(key.open("page token", &sealed).as_deref(), Ok(&b"secret"[..]));
        assert_eq!(key.open("signing key", &sealed), Err(OpenError));
        assert_eq!(from_hex("b").open("page token", &sealed), Err(OpenError));
        assert_ne!(key.seal("page token", b"secret"), sealed, "the nonce is new each time");
    }

    #[test]
    fn every_changed_bit_and_every_missing_byte_is_noticed() {
        let key = from_hex("0");
        let sealed = key.seal("p", b"secret");
        for bit in 0..sealed.len() * 8 {
            let mut changed = sealed.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(key.open("p", &changed), Err(OpenError), "bit {bit}");
        }
        for end in 0..sealed.len() {
            assert_eq!(key.open("p", &sealed[..end]), Err(OpenError), "{end} bytes");
        }
    }

    #[test]
    fn a_key_is_read_from_base64_and_hex() {
        let sealed = from_hex("f").seal("p", b"x");
        let bytes = [0xff; 32];
        let spellings = [STANDARD.encode(bytes), URL_SAFE_NO_PAD.encode(bytes), "Ff".repeat(32)];
        for text in spellings.iter().flat_map(|text| [text.clone(), format!(" {text}\n")]) {
            let key = MasterKey::from_text(&text).expect(&text);
            assert_eq!(key.open("p", &sealed).as_deref(), Ok(&b"x"[..]), "{text}");
        }
        for text in ["", "secret", &"f".repeat(63), &STANDARD.encode([1; 31]), &"\u{e9}".repeat(32)]
        {
            assert!(matches!(MasterKey::from_text(text), Err(KeyFileError::Form)), "{text}");
        }
    }

    #[test]
    fn the_file_is_made_once_and_is_private() {
        let folder = Folder::new();
        let path = folder.0.join("keys").join("master");
        let made = MasterKey::load_or_create(&path).expect("made");
        let sealed = made.seal("p", b"x");
        let loaded = MasterKey::load_or_create(&path).expect("loaded");
        assert_eq!(loaded.open("p", &sealed).as_deref(), Ok(&b"x"[..]));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode =
                |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
            assert_eq!(mode(&path), 0o600);
            assert_eq!(mode(path.parent().expect("a folder")), 0o700);
        }
        let left: Vec<_> = fs::read_dir(path.parent().expect("a folder")).expect("read").collect();
        assert_eq!(left.len(), 1, "no draft stays behind");
    }

    #[test]
    fn many_that_start_at_once_get_one_key() {
        let folder = Folder::new();
        let path = folder.0.join("master");
        let keys: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..8).map(|_| scope.spawn(|| MasterKey::load_or_create(&path))).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });
        let sealed = keys[0].as_ref().expect("a key").seal("p", b"x");
        for key in &keys {
            assert!(key.as_ref().expect("a key").open("p", &sealed).is_ok());
        }
    }

    #[test]
    fn a_damaged_file_is_refused_and_kept() {
        let folder = Folder::new();
        fs::create_dir_all(&folder.0).expect("a folder");
        let path = folder.0.join("master");
        fs::write(&path, "half a ke").expect("written");
        assert!(matches!(MasterKey::load_or_create(&path), Err(KeyFileError::Form)));
        assert_eq!(fs::read_to_string(&path).expect("there"), "half a ke");
    }

    #[test]
    fn the_key_is_never_printed() {
        assert_eq!(format!("{:?}", from_hex("a")), "MasterKey(..)");
    }
}
