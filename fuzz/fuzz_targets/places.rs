//! Files of places: nothing makes their readers panic, a file is read whole or its faults are told, and
//! looking up whatever a record may say in what was read ends.
#![no_main]

use libfuzzer_sys::fuzz_target;
use places::{Kind, MapVersion, Maps, Validity, Whereabouts, read};

fuzz_target!(|bytes: &[u8]| {
    let kinds = Kind::ALL.into_iter().map(Some).chain([None]);
    for kind in kinds {
        let outcome = read(bytes, kind);
        match outcome.read {
            Ok(map) => {
                assert_eq!(Some(map.kind()), outcome.kind);
                look_up(
                    MapVersion {
                        name: "map".to_owned(),
                        version: 1,
                        validity: Validity::default(),
                        map: map.into(),
                    },
                    bytes,
                );
            }
            Err(faults) => {
                assert!(faults.count > 0 && faults.kept.len() <= faults.count);
                assert!(faults.kept.iter().all(|fault| !fault.to_string().is_empty()));
            }
        }
    }
});

fn look_up(version: MapVersion, bytes: &[u8]) {
    let maps = Maps::new(vec![version]);
    let text = String::from_utf8_lossy(bytes);
    let cells = text.split([',', '\t', '\n', '\r', '"']).map(str::trim);
    for cell in cells.take(100).chain(["10.0.0.1", "2001:db8::1", "00:00:5e:00:53:01"]) {
        let asked = Some(cell);
        let end = Whereabouts {
            subnet: asked,
            address: asked,
            bssid: asked,
            reflexive_address: asked,
            endpoint: asked,
        };
        let _ = maps.at(0).place(&end);
    }
}
