// Microsoft's JavaScript Graph client, unmodified, against a running Callvault.
//
// Run by `cargo xtask clients`, which says by environment variables where the server is, who may
// ask, and which records were imported (CALLVAULT_RECORDS, one expanded record a line). Prints a
// line for each check and exits 1 if one failed. NODE_EXTRA_CA_CERTS names the server's certificate.
// With the word `subscriptions` it checks change notifications and calls, for which it adds records.

import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";

import { ClientSecretCredential } from "@azure/identity";
import graphClient from "@microsoft/microsoft-graph-client";
import credentialProvider from "@microsoft/microsoft-graph-client/authProviders/azureTokenCredentials/index.js";

import { batch } from "./batch.js";
import { calls } from "./calls.js";
import { logs } from "./logs.js";
import { queryOptions } from "./query-options.js";
import { subscriptions } from "./subscriptions.js";
import { webhooks } from "./webhooks.js";

const { Client, GraphError, PageIterator } = graphClient;
const { TokenCredentialAuthenticationProvider } = credentialProvider;

const SCOPES = ["https://graph.microsoft.com/.default"];
const BASE = process.env.CALLVAULT_URL;
const PAGE = 60;
const RECORDS = "/communications/callRecords";

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

/** The newest version of each imported record, by id. */
function importedRecords() {
  const newest = new Map();
  for (const line of readFileSync(process.env.CALLVAULT_RECORDS, "utf8").split("\n")) {
    if (line === "") continue;
    const record = JSON.parse(line);
    const known = newest.get(record.id);
    if (known === undefined || known.version < record.version) newest.set(record.id, record);
  }
  return newest;
}

/** A credential of @azure/identity whose authority is the server's own issuer. */
function credential(clientId, secret) {
  return new ClientSecretCredential(process.env.CALLVAULT_TENANT, clientId, secret, {
    authorityHost: BASE,
    disableInstanceDiscovery: true,
  });
}

/** Microsoft's client, pointed at the server instead of graph.microsoft.com. */
function graph(ofCredential) {
  return Client.initWithMiddleware({
    authProvider: new TokenCredentialAuthenticationProvider(ofCredential, { scopes: SCOPES }),
    baseUrl: BASE,
    defaultVersion: "v1.0",
    customHosts: new Set([new URL(BASE).hostname]),
  });
}

/** GET of one record by its id. */
async function basic(client, record) {
  const answer = await client.api(`${RECORDS}/${record.id}`).get();
  check("get: id", answer.id, record.id);
  check("get: version", answer.version, record.version);
  check("get: type", answer.type, record.type);
  check("get: modalities", answer.modalities, record.modalities);
  check("get: startDateTime digit for digit", answer.startDateTime, record.startDateTime);
  check("get: sessions only when asked for", "sessions" in answer, false);
  const context = `${BASE}/v1.0/$metadata#communications/callRecords`;
  check("get: @odata.context", answer["@odata.context"].startsWith(context), true);
}

/** `$expand=sessions($expand=segments)`, with the derived types named. */
async function expansion(client, record) {
  const answer = await client
    .api(`${RECORDS}/${record.id}`)
    .expand("sessions($expand=segments)")
    .get();
  check("expand: session ids", ids(answer.sessions), ids(record.sessions));
  const segments = (sessions) => sessions.map((session) => ids(session.segments));
  check("expand: segment ids", segments(answer.sessions), segments(record.sessions));
  const types = (sessions) =>
    sessions.map(({ caller }) => [caller?.["@odata.type"], caller?.userAgent?.["@odata.type"]]);
  check("expand: @odata.type of callers", types(answer.sessions), types(record.sessions));
  const media = (sessions) => sessions.flatMap((s) => s.segments.flatMap((g) => g.media ?? []));
  const streams = (sessions) =>
    media(sessions).flatMap((each) =>
      (each.streams ?? []).map((s) => [s.streamId ?? null, s.averageJitter ?? null]),
    );
  check("expand: figures of streams", streams(answer.sessions), streams(record.sessions));
}

/** The whole list by the client's own page iterator. */
async function listing(client, records) {
  const first = await client.api(RECORDS).count(true).get();
  check("list: @odata.count", first["@odata.count"], records.size);
  check("list: a first page of 60", first.value.length, PAGE);
  check("list: nextLink begins with our address", first["@odata.nextLink"].startsWith(BASE), true);
  const seen = [];
  const iterator = new PageIterator(client, first, (record) => seen.push(record.id) > 0);
  await iterator.iterate();
  check("list: complete", iterator.isComplete(), true);
  check("list: each record once", new Set(seen).size, seen.length);
  check("list: all records", [...seen].sort(), [...records.keys()].sort());
}

/** `$filter`, `$select` and `$top` as the client writes them. */
async function filtered(client, records) {
  const starts = [...records.values()].map((record) => record.startDateTime).sort();
  const middle = starts[Math.floor(starts.length / 2)];
  const first = await client
    .api(RECORDS)
    .filter(`startDateTime lt ${middle}`)
    .select(["id", "startDateTime"])
    .get();
  const seen = [];
  await new PageIterator(client, first, (record) => seen.push(record) > 0).iterate();
  const want = [...records.values()].filter((r) => instant(r.startDateTime) < instant(middle));
  check("filter: records before a moment", ids(seen).sort(), ids(want).sort());
  check("select: nothing else", Object.keys(seen[0] ?? {}).filter((n) => !n.includes("@")).sort(), [
    "id",
    "startDateTime",
  ]);
  const three = await client.api(RECORDS).top(3).get();
  check("top: three and no more", [three.value.length, three["@odata.nextLink"]], [3, undefined]);
}

/** A meeting with more sessions than one page holds, both ways to read them. */
async function sessions(client, meeting) {
  const path = `${RECORDS}/${meeting.id}`;
  const want = ids(meeting.sessions);
  let got = [];
  const first = await client.api(`${path}/sessions`).get();
  await new PageIterator(client, first, (session) => got.push(session.id) > 0).iterate();
  check("sessions: each once, in order", got, want);

  const answer = await client.api(path).expand("sessions").get();
  got = ids(answer.sessions);
  check("sessions: expansion is cut at 60", got, want.slice(0, PAGE));
  let link = answer["sessions@odata.nextLink"];
  while (link !== undefined) {
    const page = await client.api(link).get();
    got.push(...ids(page.value));
    link = page["@odata.nextLink"];
  }
  check("sessions: sessions@odata.nextLink leads to the rest", got, want);
}

/** Errors arrive as GraphError, with status, code and request id. */
async function errors(client) {
  await refusal("absent record", client, `${RECORDS}/${randomUUID()}`, 404, "NotFound");
  const { CALLVAULT_INGEST_ID, CALLVAULT_INGEST_SECRET } = process.env;
  const ingest = graph(credential(CALLVAULT_INGEST_ID, CALLVAULT_INGEST_SECRET));
  await refusal("no role to read", ingest, RECORDS, 403, "Forbidden");
}

/** A GET that must be refused with this status and code. */
async function refusal(what, client, path, status, code) {
  try {
    check(`${what}: refused`, await client.api(path).get(), `${status} ${code}`);
  } catch (error) {
    check(`${what}: a GraphError`, error instanceof GraphError, true);
    check(`${what}: status and code`, [error.statusCode, error.code], [status, code]);
    check(`${what}: has a request id`, Boolean(error.requestId), true);
  }
}

/** @azure/identity tells a wrong secret by the issuer's own code. */
async function wrongSecret() {
  try {
    await credential(process.env.CALLVAULT_CLIENT_ID, "not-the-secret").getToken(SCOPES);
    check("wrong secret: refused", "a token", "a refusal");
  } catch (error) {
    check("wrong secret: AADSTS7000215", String(error).includes("7000215"), true);
  }
}

function ids(entities) {
  return entities.map((entity) => entity.id);
}

/** A time as a number that compares: seconds, then the fraction as a string of seven digits. */
function instant(text) {
  const [whole, fraction = ""] = text.replace("Z", "").split(".");
  return `${whole}.${fraction.padEnd(7, "0")}`;
}

/** Change notifications and calls, which add records. */
async function told(client) {
  const { CALLVAULT_INGEST_ID, CALLVAULT_INGEST_SECRET } = process.env;
  const ingest = graph(credential(CALLVAULT_INGEST_ID, CALLVAULT_INGEST_SECRET));
  await subscriptions(check, client, ingest);
  await calls(check, client, ingest);
  await webhooks(check, client, ingest);
}

/** Everything that is read of the imported records. */
async function asked(client) {
  const records = importedRecords();
  const bySize = [...records.values()].sort((a, b) => b.sessions.length - a.sessions.length);
  const meeting = bySize[0];
  const ordinary = bySize.find((record) => record.sessions.length <= PAGE);
  const isLarge = meeting.sessions.length > PAGE;
  check("the records hold a meeting of more than 60 sessions", isLarge, true);
  await basic(client, ordinary);
  await expansion(client, ordinary);
  await listing(client, records);
  await filtered(client, records);
  await sessions(client, meeting);
  await queryOptions(check, client, records);
  await batch(check, client, BASE, records);
  await logs(check, client);
  await errors(client);
  await wrongSecret();
}

const client = graph(
  credential(process.env.CALLVAULT_CLIENT_ID, process.env.CALLVAULT_CLIENT_SECRET),
);
await (process.argv[2] === "subscriptions" ? told(client) : asked(client));
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
