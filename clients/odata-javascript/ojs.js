// o.js, unmodified, against a running Callvault: records, what is inside, pages, batches.
//
// The client encodes every reserved character of an option that is given as an object, and reads
// options that are given as text, links among them, as forms are read: a plus is a space to it.

import { createRequire } from "node:module";

import {
  BASE,
  PAGE,
  READER,
  RECORDS,
  ROOT,
  WRITER,
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
} from "./shared.js";

const { o } = createRequire(import.meta.url)("o.js");

/** A handler of the client for the addresses below `root`. */
function handler(headers, batch = {}) {
  const endpoint = {
    endpoint: "$batch",
    boundaryPrefix: "batch_",
    changsetBoundaryPrefix: "changset_",
  };
  // What is given replaces the client's own lines, the type of bodies too.
  const lines = { "Content-Type": "application/json", ...headers };
  return o(ROOT, {
    headers: lines,
    batch: { ...endpoint, headers: new Headers(headers), ...batch },
  });
}

/** All records of a list. The client follows no links of its own, so each is given to it as an address. */
async function pages(reader, options, preferences = {}) {
  const headers = { ...reader, ...preferences };
  let page = await (await handler(headers).get(RECORDS).fetch(options)).json();
  const records = [...page.value];
  while (page["@odata.nextLink"] !== undefined) {
    page = await (await o(page["@odata.nextLink"], { headers }).get().fetch()).json();
    records.push(...page.value);
  }
  return records;
}

/** One record by its key, its sessions and segments at their own addresses, and raw values. */
async function items(reader, records) {
  const record = records.find((each) => each.sessions.length > 1 && each.sessions.length <= PAGE);
  const path = `${RECORDS}('${record.id}')`;
  const { id, version, type, startDateTime } = await handler(reader).get(path).query();
  check(
    "record: by its key",
    { id, version, type, startDateTime },
    {
      id: record.id,
      version: record.version,
      type: record.type,
      startDateTime: record.startDateTime,
    },
  );
  const sessions = await handler(reader).get(`${path}/sessions`).query();
  check("record: its sessions, unwrapped", ids(sessions), ids(record.sessions));
  const session = record.sessions.at(-1);
  const segments = await handler(reader).get(`${path}/sessions('${session.id}')/segments`).query();
  check("record: segments of a session", ids(segments), ids(session.segments));
  const modalities = await handler(reader).get(`${path}/modalities`).query();
  check("record: a collection of values", modalities, record.modalities);
  const value = await (await handler(reader).get(`${path}/type/$value`).fetch()).text();
  check("record: a raw value", value, record.type);
  const [one, other] = await handler(reader).get(path).get(`${path}/organizer_v2`).query();
  check(
    "two requests, one after the other",
    [one.id, other.id],
    [record.id, record.organizer_v2.id],
  );
}

/** `$count`, `$filter`, `$orderby`, `$top`, `$skip` and all pages. */
async function lists(reader, records) {
  const count = await handler(reader).get(`${RECORDS}/$count`).query();
  check("count: of all", count, records.length);
  const meetings = records.filter((each) => each.type === "groupCall");
  const filter = "type eq 'groupCall'";
  const some = await handler(reader).get(`${RECORDS}/$count`).query({ $filter: filter });
  check("count: of some", some, meetings.length);
  const first = await (
    await handler(reader).get(RECORDS).fetch({ $count: true, $filter: filter })
  ).json();
  check("list: counted", first["@odata.count"], meetings.length);
  check(
    "list: all pages",
    ids(await pages(reader, { $select: "id", $orderby: "endDateTime desc,id" })),
    ids(records),
  );
  const $orderby = "endDateTime desc,id";
  const part = await handler(reader)
    .get(RECORDS)
    .query({ $orderby, $top: 7, $skip: 5, $select: "id" });
  check("list: ordered, skipped, cut", ids(part), ids(records.slice(5, 12)));
  const lossy = records.filter((each) => streams(each).some((s) => s.averagePacketLossRate > 0.1));
  showing("lossy", lossy.length > 0 && lossy.length < records.length);
  const inside =
    "sessions/any(s:s/segments/any(g:g/media/any(m:m/streams/any(t:t/averagePacketLossRate gt 0.1))))";
  check(
    "filter: any in any",
    ids(await pages(reader, { $filter: inside })).sort(),
    ids(lossy).sort(),
  );
}

/** Telephone numbers keep their plus, in options as in the links that continue them. */
async function pluses(reader, records) {
  const called = records.filter((each) => numbers(each).length > 0);
  showing("pluses", called.length > 4 && called.length < records.length);
  const [number] = numbers(called[0]);
  const $filter = `type ne 'unknown' and participants_v2/any(p:p/id eq '${number}')`;
  const found = await handler(reader).get(RECORDS).query({ $filter, $select: "id" });
  const want = called.filter((each) => numbers(each).includes(number));
  check("plus: records of a number", ids(found).sort(), ids(want).sort());
  const options = { $filter: "participants_v2/any(p:startswith(p/id,'+1'))", $select: "id" };
  const all = await pages(reader, options, { Prefer: "odata.maxpagesize=3" });
  const american = called.filter((each) => numbers(each).some((each) => each.startsWith("+1")));
  check("plus: in the links of many pages", ids(all).sort(), ids(american).sort());
}

/** `$expand` with options of its own, `$apply`, `$search`. */
async function shapes(reader, records) {
  const inside = "$select=id;$expand=segments($select=id);$orderby=endDateTime desc,id;$top=2";
  const options = {
    $orderby: "endDateTime desc,id",
    $top: 20,
    $select: "id",
    $expand: `sessions(${inside})`,
  };
  const got = await handler(reader).get(RECORDS).query(options);
  const latest = (record) => [...record.sessions].sort(byEnd).slice(0, 2);
  const shape = (sessions) => sessions.map((session) => [session.id, ids(session.segments)]);
  check(
    "expand: sessions and segments",
    got.map((record) => [record.id, shape(record.sessions)]),
    records.slice(0, 20).map((record) => [record.id, shape(latest(record))]),
  );
  const $apply = "groupby((type),aggregate($count as calls))/orderby(type)";
  const groups = await handler(reader).get(RECORDS).query({ $apply });
  check(
    "apply: records of each type",
    groups.map((each) => [each.type, each.calls]),
    counted(records, (each) => each.type),
  );
  const name = records.map((each) => each.organizer.user?.displayName).find(Boolean);
  const want = records.filter((each) => JSON.stringify(each).includes(`"displayName":"${name}"`));
  showing("search", want.length > 0 && want.length < records.length);
  check(
    "search: a phrase",
    ids(await pages(reader, { $search: `"${name}"`, $select: "id" })).sort(),
    ids(want).sort(),
  );
}

/** A refused request is thrown as the answer itself. */
async function refusals(reader) {
  try {
    const answer = await handler(reader).get(RECORDS).query({ $filter: "tipe eq 'groupCall'" });
    check("misspelt: refused", answer, 400);
  } catch (answer) {
    check("misspelt: status", answer.status, 400);
    check(
      "misspelt: the right name is told",
      (await answer.json()).error.message.includes("'type'"),
      true,
    );
  }
}

/** Reads in one multipart batch, with absolute addresses, as is usual, and with relative ones. */
async function multipartReads(reader, records) {
  const [record] = records;
  for (const useRelativeURLs of [false, true]) {
    const how = useRelativeURLs ? "relative" : "absolute";
    const answers = await handler(reader, { useRelativeURLs })
      .get(`${RECORDS}('${record.id}')?$select=id,type`)
      .get(`${RECORDS}?$filter=type eq 'groupCall'&$top=2&$select=id`)
      .get(`${RECORDS}/$count`)
      .get(`${RECORDS}('none')`)
      .batch();
    const got = answers.map((each) => [each.contentId, each.status]);
    check(`batch of ${how} addresses: statuses`, got, [
      [1, 200],
      [2, 200],
      [3, 200],
      [4, 404],
    ]);
    check(
      `batch of ${how} addresses: a record`,
      [answers[0].body.id, answers[0].body.type],
      [record.id, record.type],
    );
    check(`batch of ${how} addresses: a list`, answers[1].body.length, 2);
    check(`batch of ${how} addresses: a number`, answers[2].body, records.length);
    check(`batch of ${how} addresses: an error`, answers[3].body.error.code, "NotFound");
  }
}

/** A change in a change set. The record is what it was: the same version again changes nothing. */
async function multipartChange(writer, records) {
  const [record] = records;
  const answers = await handler(writer, { useChangset: true })
    .put(`${RECORDS}('${record.id}')`, record)
    .batch();
  check("change set: read by the client", Array.isArray(answers), true);
  check(
    "change set: statuses",
    [].concat(answers).map((each) => [each.contentId, each.status]),
    [[1, 200]],
  );
}

const records = importedRecords();
const reader = await authorization(READER);
await items(reader, records);
await lists(reader, records);
await pluses(reader, records);
await shapes(reader, records);
await refusals(reader);
await multipartReads(reader, records);
await multipartChange(await authorization(WRITER), records);
finish();
