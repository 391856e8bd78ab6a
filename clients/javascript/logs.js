// The telephone logs, by Microsoft's JavaScript Graph client.

import { readFileSync } from "node:fs";

import graphClient from "@microsoft/microsoft-graph-client";

const { GraphError, PageIterator } = graphClient;

const RECORDS = "/communications/callRecords";

/** All imported rows, page by page, by each spelling of the name; `check(what, got, want)` counts. */
export async function logs(check, client) {
  const lines = readFileSync(process.env.CALLVAULT_ROWS, "utf8").split("\n").filter(Boolean);
  const rows = lines.map((line) => JSON.parse(line));
  const starts = rows.map((row) => row.startDateTime).sort();
  const day = (text, by) => new Date(Date.parse(text) + by * 86_400_000).toISOString();
  const span = `fromDateTime=${day(starts[0], -1)},toDateTime=${day(starts.at(-1), 1)}`;
  for (const name of ["getPstnCalls", "microsoft.graph.callRecords.getPstnCalls"]) {
    const page = await client.api(`${RECORDS}/${name}(${span})`).get();
    check(`${name}: a full page`, [page.value.length, page["@odata.count"]], [1000, 1000]);
    const seen = [];
    const iterator = new PageIterator(client, page, (row) => seen.push(row.id) > 0);
    await iterator.iterate();
    check(`${name}: all rows`, seen.sort(), rows.map((row) => row.id).sort());
  }
  const encoded = encodeURIComponent(span);
  const beta = await client.api(`${RECORDS}/getPstnCalls(${encoded})`).version("beta").get();
  check("getPstnCalls: beta has more", "otherPartyCountryCode" in beta.value[0], true);
  try {
    await client.api(`${RECORDS}/getPstnCalls(fromDateTime=2020-01-01,toDateTime=2021-01-01)`).get();
    check("getPstnCalls: a year is refused", "an answer", "406");
  } catch (error) {
    const refused = [error instanceof GraphError, error.statusCode];
    check("getPstnCalls: a year is refused", refused, [true, 406]);
  }
}
