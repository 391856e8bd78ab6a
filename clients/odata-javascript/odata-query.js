// odata-query, unmodified, against a running Callvault: it writes addresses, and fetch sends them.
//
// The client encodes values, a plus among them, and leaves blanks to fetch.

import { createRequire } from "node:module";

import {
  PAGE,
  READER,
  RECORDS,
  ROOT,
  authorization,
  byEnd,
  check,
  counted,
  finish,
  ids,
  importedRecords,
  numbers,
  showing,
  streams,
  ticks,
} from "./shared.js";

const { ITEM_ROOT, default: buildQuery } = createRequire(import.meta.url)("odata-query");

/** What the server answers to a query that the client writes. */
async function ask(headers, query) {
  const answer = await fetch(`${ROOT}${RECORDS}${buildQuery(query)}`, { headers });
  return answer.headers.get("Content-Type").startsWith("application/json")
    ? answer.json()
    : answer.text();
}

/** The records of all pages, which fetch follows. */
async function pages(headers, query) {
  let page = await ask(headers, query);
  const records = [...page.value];
  while (page["@odata.nextLink"] !== undefined) {
    page = await (await fetch(page["@odata.nextLink"], { headers })).json();
    records.push(...page.value);
  }
  return records;
}

/** One record by its key, counts, and functions of a record. */
async function items(headers, records) {
  const record = records.find((each) => each.sessions.length > 1 && each.sessions.length <= PAGE);
  const expand = ["sessions/segments", "participants_v2"];
  const got = await ask(headers, { key: record.id, select: ["id", "type"], expand });
  const shape = (sessions) => sessions.map((session) => [session.id, ids(session.segments)]);
  check("key: the record", [got.id, got.type], [record.id, record.type]);
  check("expand: sessions and segments", shape(got.sessions), shape(record.sessions));
  check("expand: participants", ids(got.participants_v2), ids(record.participants_v2));
  const named = await ask(headers, { key: { id: record.id }, select: ["id"] });
  check("key: with its name", named.id, record.id);
  const { version } = record;
  const func = { "callvault.version": { version } };
  check(
    "function with a parameter",
    (await ask(headers, { key: record.id, func })).version,
    version,
  );
  check("count: of all", await ask(headers, { count: {} }), String(records.length));
  const meetings = records.filter((each) => each.type === "groupCall");
  check(
    "count: of some",
    await ask(headers, { count: { type: "groupCall" } }),
    String(meetings.length),
  );
}

/** Filters as the client writes them, each over all pages and counted. */
async function filters(headers, records) {
  const found = async (what, filter, holds) => {
    const want = records.filter(holds);
    showing(what, want.length > 0 && want.length < records.length);
    const all = await pages(headers, { filter, select: ["id"] });
    check(`filter: ${what}`, ids(all).sort(), ids(want).sort());
    const first = await ask(headers, { filter, select: ["id"], count: true, top: 1 });
    check(`filter: ${what}, counted`, first["@odata.count"], want.length);
  };
  const from = new Date("2000-01-01T00:00:00Z");
  const middle = new Date(records[records.length >> 1].startDateTime);
  await found(
    "a range of time",
    { startDateTime: { ge: from, lt: middle } },
    (r) => ticks(r.startDateTime) < ticks(middle.toISOString()),
  );
  await found("one of several", { version: { in: [2, 3] } }, (r) => [2, 3].includes(r.version));
  await found(
    "values of a collection",
    { modalities: { any: { [ITEM_ROOT]: { in: ["video", "data"] } } } },
    (r) => r.modalities.some((each) => ["video", "data"].includes(each)),
  );
  const inside = {
    sessions: {
      any: {
        segments: {
          any: { media: { any: { streams: { any: { averagePacketLossRate: { gt: 0.1 } } } } } },
        },
      },
    },
  };
  await found("any in any", inside, (r) => streams(r).some((s) => s.averagePacketLossRate > 0.1));
  await found(
    "not and or",
    { not: { or: [{ type: "groupCall" }, { version: { gt: 1 } }] } },
    (r) => r.type !== "groupCall" && r.version <= 1,
  );
  await found("text", { "organizer/user/displayName": { contains: "ar" } }, (r) =>
    (r.organizer.user?.displayName ?? "").includes("ar"),
  );
  const hour = { type: "duration", value: "PT1H" };
  await found(
    "a duration",
    { "endDateTime sub startDateTime": { gt: hour } },
    (r) => ticks(r.endDateTime) - ticks(r.startDateTime) > 36_000_000_000n,
  );
  const alias = { type: "alias", name: "kind", value: "groupCall" };
  await found("an alias", { type: { eq: alias } }, (r) => r.type === "groupCall");
  const record = records[3];
  await found(
    "a GUID without quotes",
    { id: { eq: { type: "guid", value: record.id } } },
    (r) => r.id === record.id,
  );
  const [number] = numbers(records.find((each) => numbers(each).length > 0));
  const called = { type: { ne: "unknown" }, participants_v2: { any: { id: number } } };
  await found("a telephone number", called, (r) => numbers(r).includes(number));
}

/** `$orderby`, `$top`, `$skip`, `$expand` with options, `$search`. */
async function shapes(headers, records) {
  const orderBy = ["endDateTime desc", "id"];
  check("orderby: all pages", ids(await pages(headers, { orderBy, select: ["id"] })), ids(records));
  const { value } = await ask(headers, { orderBy, skip: 5, top: 7, select: ["id"] });
  check("orderby, skip and top", ids(value), ids(records.slice(5, 12)));
  const sessions = {
    select: ["id"],
    filter: { failureInfo: null },
    orderBy,
    top: 2,
    count: true,
    expand: { segments: { select: ["id"] } },
  };
  const got = (await ask(headers, { orderBy, top: 20, select: ["id"], expand: { sessions } }))
    .value;
  const healthy = (record) =>
    record.sessions.filter((each) => each.failureInfo == null).sort(byEnd);
  const shape = (all) => all.map((session) => [session.id, ids(session.segments)]);
  check(
    "expand: filtered, ordered, cut",
    got.map((record) => shape(record.sessions)),
    records.slice(0, 20).map((record) => shape(healthy(record).slice(0, 2))),
  );
  check(
    "expand: counted",
    got.map((record) => record["sessions@odata.count"]),
    records.slice(0, 20).map((record) => healthy(record).length),
  );
  const name = records.map((each) => each.organizer.user?.displayName).find(Boolean);
  const named = records.filter((each) => JSON.stringify(each).includes(`"displayName":"${name}"`));
  showing("search", named.length > 0 && named.length < records.length);
  check(
    "search: a phrase",
    ids(await pages(headers, { search: `"${name}"`, select: ["id"] })).sort(),
    ids(named).sort(),
  );
}

/** `$apply` as the client writes transformations. */
async function transformations(headers, records) {
  const count = { id: { with: "countdistinct", as: "calls" } };
  const transform = { groupBy: { properties: ["type"], transform: { aggregate: count } } };
  const groups = (await ask(headers, { transform, orderBy: ["type"] })).value;
  const want = counted(records, (each) => each.type);
  check(
    "apply: records of each type",
    groups.map((each) => [each.type, each.calls]),
    want,
  );
  const least = Math.max(...want.map(([, calls]) => calls));
  const steps = [
    { filter: { version: { ge: 1 } } },
    transform,
    { filter: { calls: { ge: least } } },
  ];
  const most = (await ask(headers, { transform: steps })).value;
  const largest = want.filter(([, calls]) => calls >= least);
  check(
    "apply: filtered before and after",
    most.map((each) => [each.type, each.calls]),
    largest,
  );
  const total = { version: { with: "sum", as: "total" } };
  const [{ total: sum }] = (await ask(headers, { transform: { aggregate: total } })).value;
  check(
    "apply: a sum",
    sum,
    records.reduce((all, each) => all + each.version, 0),
  );
}

/** A refused request says what was expected. */
async function refusals(headers) {
  const { error } = await ask(headers, { filter: { tipe: "groupCall" } });
  check(
    "misspelt: the right name is told",
    [error.code, error.message.includes("'type'")],
    ["BadRequest", true],
  );
}

const records = importedRecords();
const headers = await authorization(READER);
await items(headers, records);
await filters(headers, records);
await shapes(headers, records);
await transformations(headers, records);
await refusals(headers);
finish();
