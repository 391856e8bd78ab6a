// What the checks of OData clients share: where the server is, a token, the imported records, counting.
//
// Each check is run by `cargo xtask clients`, which says by environment variables where the server is,
// who may ask, and which records were imported (CALLVAULT_RECORDS, one expanded record a line). It
// prints a line for each check and exits 1 if one failed. NODE_EXTRA_CA_CERTS names the server's
// certificate.

import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";

export const BASE = process.env.CALLVAULT_URL;
export const ROOT = `${BASE}/v1.0/`;
export const RECORDS = "communications/callRecords";
export const PAGE = 60;
export const TOKEN_ADDRESS = `${BASE}/${process.env.CALLVAULT_TENANT}/oauth2/v2.0/token`;
export const SCOPE = "https://graph.microsoft.com/.default";
export const READER = [process.env.CALLVAULT_CLIENT_ID, process.env.CALLVAULT_CLIENT_SECRET];
export const WRITER = [process.env.CALLVAULT_INGEST_ID, process.env.CALLVAULT_INGEST_SECRET];

let passed = 0;
let failed = 0;

/** Counts one check: `got` must equal `want`. */
export function check(what, got, want) {
  if (isDeepStrictEqual(got, want)) {
    passed += 1;
    console.log(`ok   ${what}`);
  } else {
    failed += 1;
    const show = (value) => String(JSON.stringify(value)).slice(0, 300);
    console.log(`FAIL ${what}: got ${show(got)}, want ${show(want)}`);
  }
}

/** A check that could not fail is none: what the records must hold for it. */
export function showing(what, holds) {
  if (!holds) throw new Error(`${what} would show nothing`);
}

/** Prints how many checks passed, and leaves with 1 if one failed. */
export function finish() {
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

/** The newest version of each imported record, the latest end first. */
export function importedRecords() {
  const newest = new Map();
  for (const line of readFileSync(process.env.CALLVAULT_RECORDS, "utf8").split("\n")) {
    if (line === "") continue;
    const record = JSON.parse(line);
    if (!(newest.get(record.id)?.version >= record.version)) newest.set(record.id, record);
  }
  return [...newest.values()].sort(byEnd);
}

/** The line of headers that lets an application in, by a token of the server's own issuer. */
export async function authorization([id, secret]) {
  const answer = await fetch(TOKEN_ADDRESS, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "client_credentials",
      client_id: id,
      client_secret: secret,
      scope: SCOPE,
    }),
  });
  return { Authorization: `Bearer ${(await answer.json()).access_token}` };
}

/** The telephone numbers that take part in a record, each with its plus. */
export function numbers(record) {
  return record.participants_v2.map((each) => each.id).filter((id) => id.startsWith("+"));
}

/** All media streams of a record. */
export function streams(record) {
  return record.sessions
    .flatMap((session) => session.segments)
    .flatMap((segment) => segment.media ?? [])
    .flatMap((media) => media.streams ?? []);
}

/** How many records there are of each value, as `$apply` groups them, in the order of the values. */
export function counted(records, value) {
  const groups = new Map();
  for (const record of records) groups.set(value(record), (groups.get(value(record)) ?? 0) + 1);
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** A Graph time in steps of 100 ns. */
export function ticks(text) {
  const [whole, fraction = ""] = text.replace("Z", "").split(".");
  return BigInt(Date.parse(`${whole}Z`)) * 10_000n + BigInt(fraction.padEnd(7, "0"));
}

/** The latest end first, then by id. */
export function byEnd(a, b) {
  const [one, other] = [ticks(a.endDateTime), ticks(b.endDateTime)];
  if (one !== other) return one > other ? -1 : 1;
  return a.id < b.id ? -1 : 1;
}

export function ids(entities) {
  return entities.map((entity) => entity.id);
}
