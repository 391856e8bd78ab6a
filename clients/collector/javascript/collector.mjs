// Collects call records of Microsoft Graph, or of Callvault, whole and in their newest version.
//
//     node collector.mjs --url http://127.0.0.1:8080 --token TOKEN --out records.ndjson
//
// It subscribes to changes, reads what it is told of, and looks through the list of records at the
// start, every hour, after failures and at the end, since a notification can be lost. Ctrl-C (or
// SIGTERM) ends it; it then writes a line of JSON for each record, and for each row of the telephone
// logs into records-rows.ndjson. Requests are sent one after the other, so that whoever asks it to
// wait is obeyed by all of it; notifications are answered at once meanwhile.

import { randomBytes, timingSafeEqual } from "node:crypto";
import { createWriteStream } from "node:fs";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";

const RECORDS = "/communications/callRecords";
const DAY = 86_400_000;
const LIFE = DAY; // Of a subscription. Graph allows 4,230 minutes, of which half is enough.
const OVERLAP = 2 * DAY; // A long call's record comes long after the call's start.
const TRIES = 6; // Of a request that fails, and of a record that can't be seen yet.

/** There is no such thing, or not yet, or no more. */
class NotFound extends Error {}
/** The request is wrong: sending it again makes it no better. */
class Refused extends Error {}
/** It failed as often as it was tried. */
class Unreachable extends Error {}

/** Sends requests, waits when asked to, tries again what may succeed later, follows links. */
class Graph {
  failures = 0;

  constructor(url, token) {
    this.base = `${url}/v1.0`;
    this.headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  }

  /** The answer, read as JSON. `url` is a path below the version, or a link as it was given. */
  async send(method, url, body) {
    const address = url.startsWith("/") ? this.base + url : url;
    for (let tried = 0; tried < TRIES; tried++) {
      let wait = Math.min(60, 0.5 * 2 ** tried) * (1 + Math.random() / 2);
      try {
        const answer = await fetch(address, {
          method,
          headers: this.headers,
          body: body && JSON.stringify(body),
          signal: AbortSignal.timeout(60_000),
        });
        const text = await answer.text();
        if (answer.ok) return JSON.parse(text || "null");
        if (answer.status === 404) throw new NotFound(url);
        if (answer.status !== 429 && answer.status < 500) {
          throw new Refused(`${method} ${url}: ${answer.status} ${text.slice(0, 2000)}`);
        }
        if (answer.status !== 429) this.failures++;
        wait = Number(answer.headers.get("Retry-After") ?? wait);
      } catch (error) {
        if (error instanceof NotFound || error instanceof Refused) throw error;
        this.failures++; // No connection, or an answer that breaks off.
      }
      await sleep(wait * 1000);
    }
    throw new Unreachable(`${method} ${url}`);
  }

  /** What stands on the pages behind a link. A link is followed as it is, never taken apart. */
  async rest(link) {
    const found = [];
    while (link) {
      const page = await this.send("GET", link);
      found.push(...page.value);
      link = page["@odata.nextLink"];
    }
    return found;
  }

  /** What stands on all pages. */
  all(path) {
    return this.rest(this.base + path);
  }

  /** A record with all of its sessions and participants, which Graph gives one kind at a time. */
  async record(id) {
    for (;;) {
      const record = await this.send("GET", `${RECORDS}/${id}?$expand=sessions($expand=segments)`);
      record.sessions.push(...(await this.rest(record["sessions@odata.nextLink"])));
      delete record["sessions@odata.nextLink"];
      const second = await this.send(
        "GET",
        `${RECORDS}/${id}?$select=id,version&$expand=participants_v2`,
      );
      const more = await this.rest(second["participants_v2@odata.nextLink"]);
      record.participants_v2 = [...second.participants_v2, ...more];
      if (second.version === record.version) return record;
    }
  }
}

/** Keeps the newest version of each record, and each row of the logs. */
class Collector {
  clientState = randomBytes(32).toString("base64url");
  told = []; // Items of notifications, and null to wake up for the end.
  wanted = new Map(); // Ids of records to read: how often that was tried.
  later = new Map(); // The same, that can be tried again only later: when, and how often.
  records = new Map();
  rows = new Map();
  isEnding = false; // Whether the subscription is.
  isStopping = false;
  wake = () => {};

  constructor(graph, address, every) {
    Object.assign(this, { graph, address, every });
  }

  /** Collects until `stop`, and then what is still missing. */
  async run() {
    let lookAt = Date.now();
    let failures = 0;
    while (!this.isStopping) {
      if (Date.now() >= lookAt) {
        lookAt = Date.now() + this.every * 1000;
        await this.tryTo(() => this.lookAfter());
      }
      await this.hear(lookAt);
      await this.tryTo(() => this.fetchDue());
      if (failures !== this.graph.failures) {
        failures = this.graph.failures; // Notifications may be lost by now as well.
        lookAt = Math.min(lookAt, Date.now() + 5_000);
      }
    }
    await this.tryTo(() => this.readLists());
    const deadline = Date.now() + 120_000;
    while (this.wanted.size + this.later.size > 0 && Date.now() < deadline) {
      await this.hear(deadline);
      await this.tryTo(() => this.fetchDue());
    }
    await this.tryTo(() => this.unsubscribe());
  }

  /** Makes `run` come to its end. */
  stop() {
    this.isStopping = true;
    this.told.push(null);
    this.wake();
  }

  /** Does a piece of work. What can't be done now is left to the next look. */
  async tryTo(work) {
    try {
      await work();
    } catch (error) {
      const isExpected = [NotFound, Refused, Unreachable].some((kind) => error instanceof kind);
      if (!isExpected) throw error;
      this.graph.failures++;
      console.log(`collector: ${error.constructor.name}: ${error.message}`);
    }
  }

  // Subscription

  /** Subscribes. A subscription of an earlier run is of no use: its secret is forgotten. */
  async subscribe() {
    const notificationUrl = `${this.address}/notifications`;
    for (const old of await this.graph.all("/subscriptions")) {
      if (old.notificationUrl === notificationUrl) {
        await this.graph.send("DELETE", `/subscriptions/${old.id}`);
      }
    }
    this.subscription = await this.graph.send("POST", "/subscriptions", {
      changeType: "created,updated",
      resource: RECORDS,
      notificationUrl,
      lifecycleNotificationUrl: `${this.address}/lifecycle`,
      expirationDateTime: new Date(Date.now() + LIFE),
      clientState: this.clientState,
    });
    this.isEnding = false;
  }

  /** Prolongs the subscription by a day from its end, which is told in the server's time: so it does
   * not matter if the clock here is slow. */
  async renew() {
    const end = Math.max(Date.now(), Date.parse(this.subscription.expirationDateTime)) + LIFE;
    const path = `/subscriptions/${this.subscription.id}`;
    this.subscription = await this.graph.send("PATCH", path, { expirationDateTime: new Date(end) });
    this.isEnding = false;
  }

  /** Makes sure that there is a subscription, and prolongs one that is near its end. */
  async keepSubscription() {
    try {
      if (this.subscription) {
        await this.graph.send("GET", `/subscriptions/${this.subscription.id}`);
        const left = Date.parse(this.subscription.expirationDateTime) - Date.now();
        if (this.isEnding || left < LIFE / 2) await this.renew();
      }
    } catch (error) {
      if (!(error instanceof NotFound)) throw error;
      this.subscription = undefined;
    }
    if (!this.subscription) await this.subscribe();
  }

  /** Ends the subscription, since nobody will listen. */
  async unsubscribe() {
    if (this.subscription) {
      await this.graph.send("DELETE", `/subscriptions/${this.subscription.id}`);
    }
  }

  // Notifications

  /** Whether an item of a notification comes from whom the subscription was made with. */
  accepts(item) {
    const [told, known] = [Buffer.from(String(item.clientState)), Buffer.from(this.clientState)];
    return told.length === known.length && timingSafeEqual(told, known);
  }

  /** Notes what was told; it is dealt with when its turn comes. */
  tell(items) {
    this.told.push(...items.filter((item) => this.accepts(item)));
    this.wake();
  }

  /** Takes in what was told; waits for that until something else is to be done. */
  async hear(until) {
    const due = Math.min(until, ...[...this.later.values()].map(({ when }) => when));
    const wait = this.wanted.size > 0 || this.told.length > 0 ? 0 : due - Date.now();
    if (wait > 0) {
      const waiting = new AbortController();
      this.wake = () => waiting.abort();
      await sleep(Math.min(wait, DAY), undefined, { signal: waiting.signal }).catch(() => {});
    }
    for (const item of this.told.splice(0)) await this.takeIn(item);
  }

  /** An item of a notification. It says that a record has changed, not what is new in it. */
  async takeIn(item) {
    if (item?.lifecycleEvent) {
      // Its end is near, or it is gone, or something was missed.
      this.isEnding = item.lifecycleEvent === "reauthorizationRequired";
      await this.tryTo(() => this.lookAfter());
    } else if (item) {
      this.wanted.set(item.resourceData.id, 0);
    }
  }

  // Records and rows

  /** Looks after the subscription first, then for what it has not told. */
  async lookAfter() {
    await this.tryTo(() => this.keepSubscription());
    await this.readLists();
  }

  /** Finds what is new in the list of records, and reads the logs. */
  async readLists() {
    const begun = Date.now();
    const since = this.listedUntil ? this.listedUntil - OVERLAP : begun - 30 * DAY;
    const filter = encodeURIComponent(`startDateTime ge ${textOf(since)}`);
    for (const row of await this.graph.all(`${RECORDS}?$filter=${filter}`)) {
      const isNew = this.version(row.id) < row.version;
      if (isNew && !this.wanted.has(row.id)) this.wanted.set(row.id, 0);
    }
    // Rows come a day or two after their calls. The end is a day off, since clocks differ.
    const span = `fromDateTime=${textOf(begun - 4 * DAY)},toDateTime=${textOf(begun + DAY)}`;
    for (const log of ["getPstnCalls", "getDirectRoutingCalls"]) {
      for (const row of await this.graph.all(`${RECORDS}/${log}(${span})`)) {
        this.rows.set(row.id, { log, ...row });
      }
    }
    this.listedUntil = begun;
  }

  version(id) {
    return this.records.get(id)?.version ?? 0;
  }

  /** Reads the record whose turn it is. One just announced may be found only after a while. */
  async fetchDue() {
    for (const [id, { when, tried }] of this.later) {
      if (when > Date.now()) continue;
      this.later.delete(id);
      if (!this.wanted.has(id)) this.wanted.set(id, tried);
    }
    if (this.wanted.size === 0) return;
    const [[id, tried]] = this.wanted;
    this.wanted.delete(id);
    try {
      await this.fetch(id);
    } catch (error) {
      if (!(error instanceof NotFound || error instanceof Unreachable)) throw error;
      if (tried + 1 < TRIES) {
        // Else the list will tell of it again, if it is ever there.
        this.later.set(id, { when: Date.now() + 1_000 * 2 ** tried, tried: tried + 1 });
      }
    }
  }

  /** Reads a record. Of one that is known its version is asked first, which costs little. */
  async fetch(id) {
    const known = this.version(id);
    if (known > 0) {
      const newest = await this.graph.send("GET", `${RECORDS}/${id}?$select=id,version`);
      if (newest.version <= known) return;
    }
    const record = await this.graph.record(id);
    if (this.version(id) < record.version) this.records.set(id, record);
  }

  /** Writes what there is. */
  write(out) {
    for (const [path, values] of [
      [out, this.records],
      [out.replace(/(\.\w+)?$/, "-rows$1"), this.rows],
    ]) {
      const file = createWriteStream(path);
      for (const value of values.values()) file.write(`${JSON.stringify(value)}\n`);
      file.end();
    }
  }
}

/** What a notification tells; nothing if it is none, since anybody can send anything. */
function itemsOf(body) {
  try {
    return JSON.parse(body).value.filter((item) => item !== null && typeof item === "object");
  } catch {
    return [];
  }
}

/** A time as Graph's filters take it. */
function textOf(milliseconds) {
  return new Date(milliseconds).toISOString();
}

const { values: given } = parseArgs({
  options: {
    url: { type: "string" }, // Of the server, without the version.
    token: { type: "string" },
    out: { type: "string" },
    port: { type: "string", default: "0" }, // To be told at; any if not given.
    address: { type: "string" }, // By which the server reaches that port, if not loopback.
    every: { type: "string", default: "3600" }, // Seconds between looks at the list.
  },
});

let collector;
const server = createServer(async (request, response) => {
  const token = new URLSearchParams(request.url.split("?")[1]).get("validationToken");
  let body = "";
  try {
    for await (const chunk of request) body += chunk;
  } catch {
    return; // The sender went away.
  }
  // First the answer, then the work.
  response.writeHead(token === null ? 202 : 200, { "Content-Type": "text/plain" });
  response.end(token ?? "");
  if (token === null) collector?.tell(itemsOf(body));
});
await new Promise((listens) => server.listen(Number(given.port), "127.0.0.1", listens));
const address = given.address ?? `http://127.0.0.1:${server.address().port}`;
collector = new Collector(new Graph(given.url, given.token), address, Number(given.every));
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => collector.stop());
await collector.run();
collector.write(given.out);
server.close();
server.closeAllConnections();
