// Notifications as the webhook library of Standard Webhooks takes them, unmodified.

import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";

import { Webhook } from "standardwebhooks";

const RECORDS = "/communications/callRecords";

/** Subscribes, gets a secret, and lets the library judge what comes. */
export async function webhooks(check, client, ingest) {
  const { promise: came, resolve } = withResolvers();
  const server = createServer(async (request, response) => {
    const token = new URL(request.url, "http://localhost").searchParams.get("validationToken");
    const chunks = await request.toArray();
    response.setHeader("Content-Type", "text/plain").end(token ?? "");
    if (token === null) {
      resolve({ headers: request.headers, body: Buffer.concat(chunks).toString() });
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const made = await client.api("/subscriptions").post({
    changeType: "created",
    notificationUrl: `http://127.0.0.1:${server.address().port}/hook`,
    resource: RECORDS,
    expirationDateTime: new Date(Date.now() + 3_600_000).toISOString(),
  });
  const one = `/subscriptions/${made.id}`;
  const secret = (await client.api(`${one}/callvault.rotateSecret`).post({})).value;
  const [startDateTime, endDateTime] = ["2026-01-01T00:00:00Z", "2026-01-01T00:10:00Z"];
  const record = { id: randomUUID(), startDateTime, endDateTime };
  await ingest.api(RECORDS).post(record);
  const { headers, body } = await came;
  const told = new Webhook(secret).verify(body, headers);
  check("webhook library: takes it", told.value[0].resourceData.id, record.id);
  let outcome = "taken";
  try {
    new Webhook(secret).verify(body.replace("created", "updated"), headers);
  } catch {
    outcome = "refused";
  }
  check("webhook library: a forged one", outcome, "refused");
  await client.api(one).delete();
  server.closeAllConnections();
  server.close();
}

/** A promise, and what keeps it. */
function withResolvers() {
  let resolve;
  const promise = new Promise((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
