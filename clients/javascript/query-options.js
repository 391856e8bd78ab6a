// The query options of Microsoft's JavaScript Graph client beyond what Graph answers, held against
// the records themselves: filter, orderby, expand with options of its own, top, skip, count, search.

import graphClient from "@microsoft/microsoft-graph-client";

const { PageIterator } = graphClient;

const RECORDS = "/communications/callRecords";
const MINUTE = 600_000_000n;

/** All options, alone and together; `check(what, got, want)` counts. */
export async function queryOptions(check, client, records) {
  const asking = new Asking(check, client, [...records.values()]);
  await conditions(asking);
  await orders(asking);
  await expansions(asking);
  await searches(asking);
  await together(asking);
  await misspelt(asking);
}

/** The list of call records, asked by the client, and what the file of records says to it. */
class Asking {
  constructor(check, client, records) {
    Object.assign(this, { check, client, records });
  }

  list() {
    return this.client.api(RECORDS);
  }

  /** The ids of all pages, in the order of the answer, by the client's own page iterator. */
  async ids(request) {
    const seen = [];
    const first = await request.select("id").get();
    await new PageIterator(this.client, first, (record) => seen.push(record.id) > 0).iterate();
    return seen;
  }

  /** One check: the records that `holds` lets through, in any order, neither none nor all. */
  async narrowed(what, request, holds) {
    const wanted = this.records.filter(holds);
    showing(what, wanted.length > 0 && wanted.length < this.records.length);
    this.check(what, (await this.ids(request)).sort(), ids(wanted).sort());
  }
}

/** `.filter()` with conditions on records and on what is inside. */
async function conditions(asking) {
  const filtered = (condition, holds) =>
    asking.narrowed(`filter(${condition})`, asking.list().filter(condition), holds);
  await filtered("type eq 'peerToPeer'", (r) => r.type === "peerToPeer");
  await filtered(
    "type ne 'peerToPeer' and endDateTime sub startDateTime ge duration'PT30M'",
    (r) => r.type !== "peerToPeer" && duration(r) >= 30n * MINUTE
  );
  await filtered(
    "sessions/any(s:s/segments/any(g:g/media/any(m:m/streams/any(t:t/averageJitter gt duration'PT0.05S'))))",
    (r) => streams(r).some((s) => seconds(s.averageJitter) > 0.05)
  );
  await filtered("sessions/any(s:s/failureInfo ne null)", (r) =>
    r.sessions.some((s) => s.failureInfo != null)
  );
  await filtered(
    "contains(organizer_v2/identity/user/displayName,'ar') and modalities/$count le 2",
    (r) =>
      (r.organizer_v2?.identity?.user?.displayName ?? "").includes("ar") && r.modalities.length <= 2
  );
  await filtered(
    "sessions/any(s:isof(s/caller,microsoft.graph.callRecords.participantEndpoint) and " +
      "s/caller/microsoft.graph.callRecords.participantEndpoint/cpuCoresCount ge 12)",
    (r) => r.sessions.some((s) => isParticipant(s.caller) && s.caller.cpuCoresCount >= 12)
  );
}

/** `.orderby()`: over all pages, with `.top()` and `.skip()`, by several keys. */
async function orders(asking) {
  const latest = [...asking.records].sort(byEnd);
  const list = () => asking.list().orderby("endDateTime desc", "id");
  asking.check("orderby: all pages in order", await asking.ids(list()), ids(latest));
  asking.check("orderby and top", await asking.ids(list().top(9)), ids(latest).slice(0, 9));
  const next = await asking.ids(list().top(9).skip(9));
  asking.check("orderby, top and skip", next, ids(latest).slice(9, 18));

  const key = (r) => [r.organizer?.user?.displayName ?? "", -ticks(r.startDateTime), r.id];
  const byName = [...asking.records].sort((a, b) => compare(key(a), key(b)));
  const named = asking.list().orderby(["organizer/user/displayName", "startDateTime desc", "id"]);
  asking.check("orderby of three keys, absent ones first", await asking.ids(named), ids(byName));
}

/** `.expand()` of the list, with options inside. */
async function expansions(asking) {
  const inside =
    "$filter=failureInfo eq null;$orderby=endDateTime desc,id;$top=2;$select=id,endDateTime;$count=true";
  const request = asking.list().orderby("endDateTime desc", "id").select("id").top(20);
  const answer = await request.expand(`sessions(${inside})`).get();
  const latest = [...asking.records].sort(byEnd).slice(0, 20);
  const healthy = (r) => r.sessions.filter((s) => s.failureInfo == null).sort(byEnd);
  showing(
    "expand",
    latest.some((r) => healthy(r).length > 2 && healthy(r).length < r.sessions.length)
  );
  asking.check("expand: the records", ids(answer.value), ids(latest));
  asking.check(
    "expand: $filter, $orderby and $top of the sessions",
    answer.value.map((r) => ids(r.sessions)),
    latest.map((r) => ids(healthy(r).slice(0, 2)))
  );
  asking.check(
    "expand: $count of the sessions",
    answer.value.map((r) => r["sessions@odata.count"]),
    latest.map((r) => healthy(r).length)
  );
  const members = new Set(answer.value.flatMap((r) => r.sessions.flatMap(Object.keys)));
  asking.check("expand: $select of the sessions", [...members].sort(), ["endDateTime", "id"]);

  const deep = "sessions($select=id;$expand=segments($select=id;$orderby=startDateTime desc,id))";
  const record = asking.records.reduce((a, b) => (segments(b) > segments(a) ? b : a));
  showing("expand of segments", segments(record) > 1);
  const one = await asking.client.api(`${RECORDS}/${record.id}`).expand(deep).get();
  const order = (a, b) => compare([-ticks(a.startDateTime), a.id], [-ticks(b.startDateTime), b.id]);
  asking.check(
    "expand: $orderby of the segments",
    one.sessions.map((s) => ids(s.segments)),
    record.sessions.slice(0, 60).map((s) => ids([...s.segments].sort(order)))
  );
}

/** `.search()` of a word and of a phrase. */
async function searches(asking) {
  const name = asking.records.map((r) => r.organizer?.user?.displayName).find(Boolean);
  const [first, last] = name.toLowerCase().split(" ");
  await asking.narrowed("search of a word", asking.list().search(last), (r) => words(r).has(last));
  await asking.narrowed("search of a phrase", asking.list().search(`"${name}"`), (r) =>
    people(r).includes(name)
  );
  const either = asking.list().search(`${first} OR ${last}`);
  await asking.narrowed("search with OR", either, (r) => words(r).has(first) || words(r).has(last));
}

/** One request with every option. */
async function together(asking) {
  const meetings = asking.records.filter((r) => r.type === "groupCall" && r.sessions.length > 2);
  const word = mostCommon(meetings.flatMap((r) => [...words(r)]));
  const wanted = meetings.filter((r) => words(r).has(word)).sort(byEnd);
  showing("together", wanted.length > 3 && wanted.length < meetings.length);
  const answer = await asking
    .list()
    .filter("type eq 'groupCall' and sessions/$count gt 2")
    .search(word)
    .orderby("endDateTime desc", "id")
    .expand("sessions($select=id;$orderby=id desc;$top=1)")
    .select(["id", "type"])
    .count(true)
    .top(3)
    .get();
  asking.check("together: $count", answer["@odata.count"], wanted.length);
  asking.check("together: records", ids(answer.value), ids(wanted).slice(0, 3));
  asking.check(
    "together: sessions",
    answer.value.map((r) => ids(r.sessions)),
    wanted.slice(0, 3).map((r) => ids(r.sessions).sort().slice(-1))
  );
}

/** A name that isn't there is refused, and the place and a better one are told. */
async function misspelt(asking) {
  try {
    const answer = await asking.list().orderby("endDatetime desc").get();
    asking.check("misspelt: refused", answer, "400 BadRequest");
  } catch (error) {
    asking.check("misspelt: status and code", [error.statusCode, error.code], [400, "BadRequest"]);
    asking.check("misspelt: the right name is told", error.message.includes("'endDateTime'"), true);
  }
}

/** A check that could not fail is none: what the records must hold for it. */
function showing(what, holds) {
  if (!holds) throw new Error(`${what} would show nothing`);
}

/** A Graph time in steps of 100 ns. */
function ticks(text) {
  const [whole, fraction = ""] = text.replace("Z", "").split(".");
  return BigInt(Date.parse(`${whole}Z`)) * 10_000n + BigInt(fraction.padEnd(7, "0"));
}

/** How long a call or a session took, in steps of 100 ns. */
function duration({ startDateTime, endDateTime }) {
  return ticks(endDateTime) - ticks(startDateTime);
}

/** Seconds of a short duration such as PT0.013S, the only form that the figures of streams have. */
function seconds(text) {
  return text == null ? 0 : Number(/^PT([\d.]+)S$/.exec(text)[1]);
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

/** All media streams of a record. */
function streams(record) {
  const media = record.sessions.flatMap((s) => s.segments.flatMap((g) => g.media ?? []));
  return media.flatMap((each) => each.streams ?? []);
}

/** The most segments that a session of the record has. */
function segments(record) {
  return Math.max(...record.sessions.map((session) => session.segments.length));
}

function isParticipant(endpoint) {
  return endpoint?.["@odata.type"] === "#microsoft.graph.callRecords.participantEndpoint";
}

/** Every display name anywhere in a record. */
function people(value) {
  if (value === null || typeof value !== "object") return [];
  const own = typeof value.displayName === "string" ? [value.displayName] : [];
  return own.concat(Object.values(value).flatMap(people));
}

/** The words of all names in a record, in lower case. */
function words(record) {
  return new Set(people(record).flatMap((name) => name.toLowerCase().split(" ")));
}

function mostCommon(values) {
  const counts = new Map();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].reduce((best, each) => (each[1] > best[1] ? each : best))[0];
}

function ids(entities) {
  return entities.map((entity) => entity.id);
}
