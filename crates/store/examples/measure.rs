use std::time::Instant;
use odata::primitive::DateTimeOffset;
use simulator::{Calls, Mix, Options as Sim};
use store::{ListQuery, Filter, Options, Role, Store};
fn cpu() -> f64 {
    let t = std::fs::read_to_string("/proc/self/stat").unwrap();
    let f: Vec<&str> = t.rsplit(')').next().unwrap().split_whitespace().collect();
    (f[11].parse::<f64>().unwrap() + f[12].parse::<f64>().unwrap()) / 100.0
}
fn thread_cpu() -> f64 {
    let t = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    t.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1e9
}
fn main() {
    let n: u64 = std::env::args().nth(1).unwrap().parse().unwrap();
    let mix = if std::env::args().nth(2).as_deref() == Some("realistic") { Mix::Realistic } else { Mix::Bench };
    let dir = std::path::PathBuf::from(std::env::args().nth(3).unwrap_or("/work/target-store/m".into()));
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).unwrap();
    let path = dir.join("m.db");
    let store = Store::open(&Options::new(&path, Role::Serve)).unwrap();
    let tenant = model::TenantId::parse("dc368399-474c-4d40-900c-6265431fd81f").unwrap();
    let mut calls = Calls::new(Sim { seed: 7, calls: n, mix, from: DateTimeOffset::parse("2026-01-01T00:00:00Z").unwrap(), to: DateTimeOffset::parse("2026-03-01T00:00:00Z").unwrap(), tenant: tenant.to_string() });
    let mut lines = Vec::new();
    let mut line = Vec::new();
    while calls.write_next(&mut line) { lines.push(String::from_utf8(std::mem::take(&mut line)).unwrap()); }
    let json: usize = lines.iter().map(String::len).sum();
    let mut codec = store.codec();
    let t = thread_cpu();
    let (mut frag, mut ses, mut par, mut rows) = (0, 0, 0, 0);
    let mut records = Vec::new();
    for l in &lines { let s = model::shred(l, &mut codec).unwrap(); frag += s.record.len(); ses += s.session_packs.iter().map(Vec::len).sum::<usize>(); par += s.participant_packs.iter().map(Vec::len).sum::<usize>(); rows += s.sessions.len() + s.segments.len() + s.streams.len() + s.participant_keys.len(); records.push(s); }
    let n = lines.len() as f64;
    println!("json/record {:.0}  shred+compress {:.1} us cpu  record {:.0} sessions {:.0} participants {:.0} rows {:.1}", json as f64 / n, (thread_cpu() - t) / n * 1e6, frag as f64 / n, ses as f64 / n, par as f64 / n, rows as f64 / n);
    let keys: Vec<Vec<u8>> = records.iter().map(|r| r.id_key.clone()).collect();
    let (t, c) = (Instant::now(), cpu());
    let mut pending = std::collections::VecDeque::new();
    let mut it = records.into_iter().peekable();
    while it.peek().is_some() {
        let batch: Vec<_> = it.by_ref().take(500).collect();
        pending.push_back(store.write(&tenant, batch));
        if pending.len() > 3 { pending.pop_front().unwrap().wait().unwrap(); }
    }
    for p in pending { p.wait().unwrap(); }
    println!("write {:.0}/s wall, {:.1} us cpu a record", n / t.elapsed().as_secs_f64(), (cpu() - c) / n * 1e6);
    let mut reader = store.reader().unwrap();
    let mut out = Vec::new();
    for round in 0..2 {
    let t = thread_cpu();
    let mut at = 1usize;
    for _ in 0..20000 { at = (at * 7919 + 13) % keys.len(); std::hint::black_box(reader.record(&tenant, &keys[at], None).unwrap()); }
    let basic = (thread_cpu() - t) / 20000.0 * 1e6;
    let t = thread_cpu();
    for _ in 0..20000 { at = (at * 7919 + 13) % keys.len(); let r = reader.record(&tenant, &keys[at], None).unwrap().unwrap(); let _ = reader.session_pack(r.record_key, 0, &mut out).unwrap(); }
    println!("round {round} read basic {basic:.2} us, with sessions {:.2} us", (thread_cpu() - t) / 20000.0 * 1e6);
    }
    let t = thread_cpu();
    let q = ListQuery { filter: Filter { start_before: Some(DateTimeOffset::parse("2026-02-01T00:00:00Z").unwrap().0), ..Filter::default() }, after: None, limit: 60 };
    for _ in 0..500 { std::hint::black_box(reader.list(&tenant, &q).unwrap()); }
    println!("page of 60: {:.0} us", (thread_cpu() - t) / 500.0 * 1e6);
    reader.release();
    let d = store.doctor().unwrap();
    println!("problems {:?}", d.problems);
    drop(reader); drop(store);
    let size = std::fs::metadata(&path).unwrap().len();
    println!("file {size} = {:.0} per record = {:.3} of JSON", size as f64 / n, size as f64 / json as f64);
    for t in d.tables { println!("  {:18} {:8} rows {:7.1} bytes/record", t.name, t.rows, t.bytes as f64 / n); }
}
