// @odata/client, unmodified, against a running Callvault: entity sets, filters, `$apply`, batches.
//
// The client fetches tokens itself, by client credentials. It encodes nothing: what an option says
// goes into the address as it is, and the HTTP client encodes the blanks, but no plus.

import { createRequire } from "node:module";

import {
  BASE,
  READER,
  RECORDS,
  ROOT,
  SCOPE,
  TOKEN_ADDRESS,
  WRITER,
  check,
  counted,
  finish,
  ids,
  importedRecords,
  numbers,
  showing,
  streams,
} from "./shared.js";

const { EdmV4, OData, transformation } = createRequire(import.meta.url)("@odata/client");

/** A client of an application. It sends its secret in a header, as RFC 6749 has it, or in the form. */
function client([clientId, clientSecret], tokenRetrieveType = "header") {
  const credential = {
    tokenUrl: TOKEN_ADDRESS,
    clientId,
    clientSecret,
    tokenRetrieveType,
    scope: SCOPE,
  };
  return OData.New4({ serviceEndpoint: ROOT, credential });
}

/** The whole answer to a question about the list of records. */
function answer(reader, params) {
  return reader.newRequest({ collection: RECORDS, method: "GET", params });
}

/** All records of a list. The client follows no links of its own, so each is taken apart and asked anew. */
async function pages(reader, params) {
  let page = await answer(reader, params);
  const records = [...page.value];
  while (page["@odata.nextLink"] !== undefined) {
    const [, query] = page["@odata.nextLink"].split("?");
    const rest = reader.newOptions();
    for (const option of query.split("&")) rest.custom(...option.split(/=(.*)/s, 2));
    page = await answer(reader, rest);
    records.push(...page.value);
  }
  return records;
}

/** Records by key, by example, counted, and with what is inside. */
async function entities(reader, records) {
  const set = reader.getEntitySet(RECORDS);
  const record = records.find((each) => each.sessions.length > 1 && each.sessions.length <= 60);
  const options = reader.newOptions().select(["id", "type"]).expand("sessions($expand=segments)");
  const got = await set.retrieve(record.id, options);
  check("retrieve: the record", [got.id, got.type], [record.id, record.type]);
  const shape = (sessions) => sessions.map((session) => [session.id, ids(session.segments)]);
  check("retrieve: sessions and segments", shape(got.sessions), shape(record.sessions));
  const found = await set.find({ type: record.type, id: record.id });
  check("find: by example", ids(found), [record.id]);
  check("count: of all", await set.count(), records.length);
  const meetings = records.filter((each) => each.type === "groupCall");
  check("count: of some", await set.count({ type: "groupCall" }), meetings.length);
  const versions = await set.function("callvault.versions", record.id);
  check("function of a record", versions.value.at(-1).version, record.version);
  const form = await client(READER, "form").getEntitySet(RECORDS).count();
  check("a token for a secret in the form", form, records.length);
}

/** Filters as the client builds them. */
async function filters(reader, records) {
  const [later, earlier] = [records[20], records[80]].map((each) => each.startDateTime);
  const time = (text) => EdmV4.DateTimeOffset.from(new Date(text));
  const between = reader.newFilter().property("startDateTime").between(time(earlier), time(later));
  const found = await pages(reader, reader.newOptions().filter(between).select("id"));
  const [from, to] = [earlier, later].map((text) => new Date(text).getTime());
  const want = records.filter(({ startDateTime }) => {
    const [, whole, digits] = /^(.*?\.\d{3})(\d*)Z$/.exec(startDateTime);
    const start = new Date(`${whole}Z`).getTime();
    return start >= from && (start < to || (start === to && Number(digits) === 0));
  });
  check("filter: between two moments", ids(found).sort(), ids(want).sort());
  const either = reader.newFilter().property("type").in(["groupCall", "peerToPeer"]);
  const both = await pages(reader, reader.newOptions().filter(either.property("version").gt(1)));
  const renewed = records.filter((each) => each.version > 1);
  showing("filter", renewed.length > 0 && renewed.length < records.length);
  check("filter: one of several, and more", ids(both).sort(), ids(renewed).sort());
  const inside =
    "sessions/any(s:s/segments/any(g:g/media/any(m:m/streams/any(t:t/averagePacketLossRate gt 0.1))))";
  const lossy = records.filter((each) => streams(each).some((s) => s.averagePacketLossRate > 0.1));
  showing("lossy", lossy.length > 0 && lossy.length < records.length);
  const poor = await pages(reader, reader.newOptions().filter(inside).select("id"));
  check("filter: any in any", ids(poor).sort(), ids(lossy).sort());
}

/** Telephone numbers keep their plus, though the client leaves it as it is. */
async function pluses(reader, records) {
  const called = records.filter((each) => numbers(each).length > 0);
  const [number] = numbers(called[0]);
  const of = called.filter((each) => numbers(each).includes(number));
  const filter = `type ne 'unknown' and participants_v2/any(p:p/id eq '${number}')`;
  const found = await pages(reader, reader.newOptions().filter(filter).select("id"));
  check("plus: records of a number", ids(found).sort(), ids(of).sort());
  const start = "participants_v2/any(p:startswith(p/id,'+1'))";
  const counts = reader.newOptions().filter(start).count(true).top(1);
  const american = called.filter((each) => numbers(each).some((each) => each.startsWith("+1")));
  check("plus: counted", (await answer(reader, counts))["@odata.count"], american.length);
}

/** `$orderby`, `$skip`, `$top`, `$search`, and `$apply` of transformations. */
async function shapes(reader, records) {
  const order = [
    { field: "endDateTime", order: "desc" },
    { field: "id", order: "asc" },
  ];
  const options = () => reader.newOptions().orderby(order).select("id");
  check("orderby: all pages", ids(await pages(reader, options())), ids(records));
  const part = await reader.getEntitySet(RECORDS).query(options().skip(5).top(7));
  check("orderby, skip and top", ids(part), ids(records.slice(5, 12)));
  const name = records.map((each) => each.organizer.user?.displayName).find(Boolean);
  const named = records.filter((each) => JSON.stringify(each).includes(`"displayName":"${name}"`));
  const found = await pages(reader, reader.newOptions().search(`"${name}"`, false).select("id"));
  check("search: a phrase", ids(found).sort(), ids(named).sort());
  const meetings = reader.newFilter().property("type").eq("groupCall");
  const steps = [transformation().filter(meetings), transformation().aggregate("$count as calls")];
  const [{ calls }] = (await answer(reader, reader.newOptions().apply(steps))).value;
  check("apply: filtered and counted", calls, counted(records, (each) => each.type)[0][1]);
  const groups = ["groupby((type),aggregate($count as calls))", "orderby(type)"];
  const grouped = (await answer(reader, reader.newOptions().apply(groups))).value;
  const got = grouped.map((each) => [each.type, each.calls]);
  check(
    "apply: records of each type",
    got,
    counted(records, (each) => each.type),
  );
}

/** A refused request is thrown with the server's message. */
async function refusals(reader) {
  try {
    const found = await reader.getEntitySet(RECORDS).find({ tipe: "groupCall" });
    check("misspelt: refused", found, 400);
  } catch (error) {
    check("misspelt: the right name is told", error.message.includes("'type'"), true);
  }
}

/** The reads of a batch: a record, a list with blanks in its address, and one that isn't there. */
function reads(reader, records) {
  const list = reader.newOptions().filter("type eq 'groupCall'").top(2).select("id");
  return [
    reader.newBatchRequest({
      collection: RECORDS,
      id: records[0].id,
      params: reader.newOptions().select("id"),
    }),
    reader.newBatchRequest({ collection: RECORDS, params: list }),
    reader.newBatchRequest({
      collection: RECORDS,
      id: "none",
      params: reader.newOptions().select("id"),
    }),
  ];
}

/** Checks what a batch of `reads` gave. */
async function batchOfReads(how, answers, records) {
  check(
    `${how}: statuses`,
    answers.map((each) => each?.status),
    [200, 200, 404],
  );
  const [record, list, error] = await Promise.all(answers.map((each) => each?.json()));
  check(`${how}: a record`, record?.id, records[0].id);
  check(`${how}: a list`, list?.value.length, 2);
  check(`${how}: an error`, error?.error.code, "NotFound");
}

/** A batch as JSON. */
async function json(reader, records) {
  const answers = await reader.execBatchRequestsJson(reads(reader, records));
  await batchOfReads("batch as JSON", answers, records);
}

/** Multipart batches: reads, whose addresses have blanks in them, and a change in a set of its own. */
async function multipart(reader, writer, records) {
  const answers = await reader.execBatchRequests(reads(reader, records));
  await batchOfReads("multipart batch", answers, records);
  const [entity] = records;
  const change = { collection: RECORDS, id: entity.id, method: "PUT", entity };
  const changed = await writer.execBatchRequests([writer.newBatchRequest(change)]);
  check(
    "multipart batch: a change",
    changed.map((each) => each?.status),
    [200],
  );
}

const records = importedRecords();
const reader = client(READER);
await entities(reader, records);
await filters(reader, records);
await pluses(reader, records);
await shapes(reader, records);
await refusals(reader);
await json(reader, records);
await multipart(reader, client(WRITER), records);
finish();
