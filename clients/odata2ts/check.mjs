// A generic OData client, odata2ts, against a running Callvault. It knows nothing of Graph: its
// generator reads the server's $metadata and makes a client from it, which then asks.
//
// Run by `cargo xtask clients`, which says by environment variables where the server is, who may
// ask, and which records were imported (CALLVAULT_RECORDS, one expanded record a line). Prints a
// line for each check and exits 1 if one failed. NODE_EXTRA_CA_CERTS names the server's certificate.

import { execFileSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { isDeepStrictEqual } from "node:util";

import { FetchClient, FetchClientError } from "@odata2ts/http-client-fetch";
import { QFilterExpression } from "@odata2ts/odata-query-objects";

const require = createRequire(import.meta.url);
const BASE = process.env.CALLVAULT_URL;
const ROOT = `${BASE}/v1.0`;
const PAGE = 60;

let passed = 0;
let failed = 0;

/** Counts one check: `got` must equal `want`. */
function check(what, got, want) {
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
function showing(what, holds) {
  if (!holds) throw new Error(`${what} would show nothing`);
}

/** The newest version of each imported record, the latest end first. */
function importedRecords() {
  const newest = new Map();
  for (const line of readFileSync(process.env.CALLVAULT_RECORDS, "utf8").split("\n")) {
    if (line === "") continue;
    const record = JSON.parse(line);
    if (!(newest.get(record.id)?.version >= record.version)) newest.set(record.id, record);
  }
  return [...newest.values()].sort(byEnd);
}

/** Makes the client from what the server says of itself, and loads it. */
function generated() {
  const folder = new URL("generated/", import.meta.url);
  rmSync(folder, { recursive: true, force: true });
  const generator = require.resolve("@odata2ts/odata2ts/lib/run-cli.js");
  const from = ["--source-url", ROOT, "--refresh-file", "--source", "generated/metadata.xml"];
  const to = ["--output", "generated", "--emit-mode", "js", "--service-name", "Callvault"];
  execFileSync(process.execPath, [generator, ...from, ...to], {
    cwd: new URL(".", import.meta.url),
    stdio: ["ignore", "ignore", "inherit"],
  });
  return {
    ...require("./generated/CallvaultService.js"),
    ...require("./generated/QCallvault.js"),
  };
}

/** A token of the server's own issuer, by client credentials. */
async function token() {
  const { CALLVAULT_TENANT, CALLVAULT_CLIENT_ID, CALLVAULT_CLIENT_SECRET } = process.env;
  const answer = await fetch(`${BASE}/${CALLVAULT_TENANT}/oauth2/v2.0/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "client_credentials",
      client_id: CALLVAULT_CLIENT_ID,
      client_secret: CALLVAULT_CLIENT_SECRET,
      scope: "https://graph.microsoft.com/.default",
    }),
  });
  return (await answer.json()).access_token;
}

/** What the generator found in `$metadata`: the singleton, what it contains, keys, functions. */
async function described(service, records) {
  const list = service.communications().callRecords();
  check(
    "$metadata: a singleton and what it contains",
    list.getPath(),
    `${ROOT}/communications/callRecords`
  );
  check(
    "$metadata: the key",
    list.getKeySpec().map((each) => each.getName()),
    ["id"]
  );
  check(
    "$metadata: a key in parentheses",
    service.communications().callRecords(records[0].id).getPath(),
    `${ROOT}/communications/callRecords('${records[0].id}')`
  );
  const singleton = await service.communications().query();
  check("the singleton answers", singleton.status, 200);
}

/** One record by its key, its properties and what it contains, each at its own address. */
async function navigation(service, records) {
  const record = records.find((each) => each.sessions.length > 1 && each.sessions.length <= PAGE);
  const item = service.communications().callRecords(record.id);
  const { data } = await item.query((b) => b.select("id", "type", "startDateTime", "version"));
  const { id, type, startDateTime, version } = data;
  check(
    "record: by key, selected",
    { id, type, startDateTime, version },
    {
      id: record.id,
      type: record.type,
      startDateTime: record.startDateTime,
      version: record.version,
    }
  );
  check(
    "record: a collection of its own",
    (await item.modalities().query()).data.value,
    record.modalities
  );
  const organizer = (await item.organizer_v2().query()).data;
  check("record: what it contains", organizer.id, record.organizer_v2.id);
  const sessions = (await item.sessions().query((b) => b.count())).data;
  check("record: its sessions", ids(sessions.value), ids(record.sessions));
  check("record: their count", sessions["@odata.count"], record.sessions.length);
  const session = record.sessions.at(-1);
  const segments = await item
    .sessions(session.id)
    .segments()
    .query((b) => b.select("id"));
  check("record: segments of a session", ids(segments.data.value), ids(session.segments));
  const versions = (await item.versions()).data.value;
  check("record: callvault.versions() of it", versions.at(-1).version, record.version);
  const verdict = (await item.quality({ profile: "teams-live" })).data;
  check("record: callvault.quality() by a profile", verdict.profile, "teams-live/1");
  const standard = (await item.quality()).data;
  check("record: callvault.quality() without one", standard.profile, "cqd-2021/1");
}

/** `$filter` by the generated query objects, each over all records. */
async function conditions(service, records) {
  const found = async (what, condition, holds) => {
    const want = records.filter(holds);
    showing(what, want.length > 0 && want.length < records.length);
    const { data } = await service
      .communications()
      .callRecords()
      .query((b, q) => b.filter(condition(q)).select("id").count().top(1));
    check(`filter: ${what}, counted`, data["@odata.count"], want.length);
    const all = await pages(service, (b, q) => b.filter(condition(q)).select("id"));
    check(`filter: ${what}`, ids(all).sort(), ids(want).sort());
  };
  await found(
    "enumeration",
    (q) => q.type.eq("groupCall"),
    (r) => r.type === "groupCall"
  );
  const middle = records[records.length >> 1].startDateTime;
  await found(
    "moment and not",
    (q) => q.startDateTime.ge(middle).and(q.type.ne("peerToPeer")),
    (r) => ticks(r.startDateTime) >= ticks(middle) && r.type !== "peerToPeer"
  );
  await found(
    "text of a complex property",
    (q) => q.organizer.props.user.props.displayName.toLower().startsWith("m"),
    (r) => /^m/i.test(r.organizer.user?.displayName ?? "")
  );
  await found(
    "any in any",
    (q) =>
      q.sessions.any(
        (s) =>
          s.segments.any(
            (g) =>
              g.media.any((m) => m.streams.any((t) => t.averagePacketLossRate.gt(0.1), "t"), "m"),
            "g"
          ),
        "s"
      ),
    (r) => streamsOf(r).some(({ stream }) => stream.averagePacketLossRate > 0.1)
  );
}

/** `$orderby`, `$top`, `$skip`, `$expand` with options of its own. */
async function shapes(service, records) {
  const ordered = await pages(service, (b, q) =>
    b.orderBy(q.endDateTime.desc(), q.id.asc()).select("id")
  );
  check("orderby: all pages", ids(ordered), ids(records));
  const list = service.communications().callRecords();
  const { data } = await list.query((b, q) =>
    b
      .orderBy(q.endDateTime.desc(), q.id.asc())
      .skip(10)
      .top(15)
      .select("id", "type")
      .expanding("sessions", (sessions, s) =>
        sessions
          .filter(s.failureInfo.props.reason.eq(null))
          .orderBy(s.endDateTime.desc(), s.id.asc())
          .top(2)
          .select("id")
          .expanding("segments", (segments) => segments.select("id", "startDateTime"))
      )
  );
  const want = records.slice(10, 25);
  const healthy = (r) => r.sessions.filter((s) => s.failureInfo == null).sort(byEnd);
  showing(
    "expand",
    want.some((r) => healthy(r).length > 2)
  );
  check("orderby, skip and top", ids(data.value), ids(want));
  check(
    "expand: filtered, ordered, cut",
    data.value.map((r) => ids(r.sessions)),
    want.map((r) => ids(healthy(r).slice(0, 2)))
  );
  check(
    "expand: within what is expanded",
    data.value.map((r) => r.sessions.map((s) => ids(s.segments))),
    want.map((r) =>
      healthy(r)
        .slice(0, 2)
        .map((s) => ids(s.segments))
    )
  );
}

/** `$search` of a phrase, and `$apply` as the client's `groupBy` writes it. */
async function searchAndGroups(service, records) {
  const name = records.map((r) => r.organizer.user?.displayName).find(Boolean);
  const found = await pages(service, (b) => b.search(name).select("id"));
  const want = records.filter((r) => JSON.stringify(r).includes(`"displayName":"${name}"`));
  showing("search", want.length > 0 && want.length < records.length);
  check("search: a phrase", ids(found).sort(), ids(want).sort());
  const groups = await service
    .communications()
    .callRecords()
    .query((b) => b.groupBy("type"));
  const types = [...new Set(records.map((r) => r.type))].sort();
  check("groupBy: one of each type", groups.data.value.map((each) => each.type).sort(), types);
}

/** The bound functions of the list, over all records. */
async function functions(service, { qstreamRow }, records) {
  const list = service.communications().callRecords();
  const lossy = records
    .flatMap(streamsOf)
    .filter(({ stream }) => stream.averagePacketLossRate > 0.05);
  const rows = await list.streams({
    params: {
      $filter: qstreamRow.averagePacketLossRate.gt(0.05).toString(),
      $orderby: `${qstreamRow.averagePacketLossRate.desc()},${qstreamRow.streamId.asc()}`,
      $select: "streamId,callRecordId,sessionId",
      $count: "true",
      $top: "20",
    },
  });
  const key = ({ stream }) => [-stream.averagePacketLossRate, stream.streamId];
  lossy.sort((a, b) => compare(key(a), key(b)));
  showing("streams", lossy.length > 20);
  check("callvault.streams(): counted", rows.data["@odata.count"], lossy.length);
  check(
    "callvault.streams(): filtered, ordered, with the keys of their calls",
    rows.data.value.map((row) => [row.streamId, row.callRecordId, row.sessionId]),
    lossy
      .slice(0, 20)
      .map(({ stream, session, record }) => [stream.streamId, record.id, session.id])
  );
  // The generator knows no durations and writes them as text, which the server takes for what it is.
  const shaky = await list.streams({
    params: {
      $filter: qstreamRow.averageJitter.gt("PT0.05S").toString(),
      $count: "true",
      $top: "1",
    },
  });
  const seconds = (text) => Number(/^PT([\d.]+)S$/.exec(text)?.[1] ?? 0);
  const streams = records.flatMap(streamsOf).map(({ stream }) => seconds(stream.averageJitter));
  const above = streams.filter((jitter) => jitter > 0.05).length;
  showing("durations", above > 0 && above < streams.length);
  check("callvault.streams(): a duration as text, counted", shaky.data["@odata.count"], above);
  const failed = await list.sessions({
    params: { $filter: "failureInfo ne null", $count: "true", $top: "0" },
  });
  const sessions = records.flatMap((r) => r.sessions).filter((s) => s.failureInfo != null);
  check("callvault.sessions(): counted", failed.data["@odata.count"], sessions.length);
  const all = await list.segments({ params: { $count: "true", $top: "1" } });
  const segments = records.flatMap((r) => r.sessions.flatMap((s) => s.segments));
  check("callvault.segments(): counted", all.data["@odata.count"], segments.length);
}

/** An error arrives as the client's own, with the server's message. */
async function errors(service) {
  try {
    const misspelt = new QFilterExpression("tipe eq 'groupCall'");
    const answer = await service
      .communications()
      .callRecords()
      .query((b) => b.filter(misspelt));
    check("misspelt: refused", answer.status, 400);
  } catch (error) {
    check("misspelt: a FetchClientError", error instanceof FetchClientError, true);
    check("misspelt: status", error.status, 400);
    check("misspelt: the right name is told", error.message.includes("'type'"), true);
  }
}

/** The records of all pages. The client follows no links of its own, so they are fetched here. */
async function pages(service, query) {
  const { data } = await service.communications().callRecords().query(query);
  const records = [...data.value];
  let link = data["@odata.nextLink"];
  while (link !== undefined) {
    const page = await http.get(link);
    records.push(...page.data.value);
    link = page.data["@odata.nextLink"];
  }
  return records;
}

/** All media streams of a record, with the session that they are of. */
function streamsOf(record) {
  return record.sessions.flatMap((session) =>
    session.segments
      .flatMap((segment) => segment.media ?? [])
      .flatMap((media) => media.streams ?? [])
      .map((stream) => ({ stream, session, record }))
  );
}

/** A Graph time in steps of 100 ns. */
function ticks(text) {
  const [whole, fraction = ""] = text.replace("Z", "").split(".");
  return BigInt(Date.parse(`${whole}Z`)) * 10_000n + BigInt(fraction.padEnd(7, "0"));
}

/** The latest end first, then by id. */
function byEnd(a, b) {
  return compare([-ticks(a.endDateTime), a.id], [-ticks(b.endDateTime), b.id]);
}

/** Compares two keys, member by member. */
function compare(a, b) {
  const place = a.findIndex((each, index) => each !== b[index]);
  if (place < 0) return 0;
  return a[place] < b[place] ? -1 : 1;
}

function ids(entities) {
  return entities.map((entity) => entity.id);
}

const records = importedRecords();
const client = generated();
const http = new FetchClient({ headers: { Authorization: `Bearer ${await token()}` } });
const service = new client.CallvaultService(http, ROOT);
await described(service, records);
await navigation(service, records);
await conditions(service, records);
await shapes(service, records);
await searchAndGroups(service, records);
await functions(service, client, records);
await errors(service);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
