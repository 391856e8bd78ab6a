//! The write-ahead log of a file.

use crate::calls::call;
use crate::engine::{Folder, serve, tenant};

#[test]
fn the_log_starts_over_though_readers_keep_reading() {
    let folder = Folder::new();
    let store = serve(&folder);
    let mut reader = store.reader().unwrap();
    let noise: String = (0..200_000_u32)
        .map(|n| char::from(b'a' + (n.wrapping_mul(2_654_435_761) >> 24) as u8 % 26))
        .collect();
    for number in 0..600 {
        let member = format!(r#""noise":"{number}{noise}""#);
        let record = call(number).more(&member);
        store.write(&tenant(), vec![record.shred(&store)]).wait().unwrap();
        reader.record(&tenant(), &record.key(), None).unwrap();
    }
    let wal = std::fs::metadata(folder.join("callvault.db-wal")).unwrap().len();
    assert!(wal < 80 << 20, "{wal} bytes");
}
