// Change notifications by the SDK: a subscription, the receiver of the documentation, a record.

import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, connect } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";

const STATE = "JavaScript's secret";
const SUBSCRIPTIONS = "/subscriptions";
const RECORDS = "/communications/callRecords";
/** Milliseconds for what must come, on a machine that does other things too. */
export const PATIENCE = 120_000;

/** A port that nobody listens on now. */
async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** Whether somebody listens on a port. */
async function isListening(port) {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** Subscribes, is told of a record and its next version, renews, and ends it. */
export async function subscriptions(check, client, ingest) {
  const port = await freePort();
  const program = new URL("receiver.mjs", import.meta.url).pathname;
  const receiver = spawn(process.execPath, [program, String(port), STATE]);
  try {
    const deadline = Date.now() + PATIENCE;
    while (!(await isListening(port)) && Date.now() < deadline) {
      await setTimeout(50);
    }
    const lines = createInterface({ input: receiver.stdout })[Symbol.asyncIterator]();
    await told(check, client, ingest, lines, `http://127.0.0.1:${port}/hook`);
  } finally {
    receiver.kill();
  }
}

/** The same, with a receiver that listens. */
async function told(check, client, ingest, lines, notificationUrl) {
  const line = async () => (await lines.next()).value.split(" ");
  const hours = (count) => new Date(Math.floor(Date.now() / 1000) * 1000 + count * 3_600_000);
  const written = (date) => date.toISOString().replace(".000Z", "Z");
  const made = await client.api(SUBSCRIPTIONS).post({
    changeType: "created,updated",
    notificationUrl,
    resource: RECORDS,
    expirationDateTime: hours(2).toISOString(),
    clientState: STATE,
  });
  check("subscription: made", [made.resource, made.clientState], [RECORDS, STATE]);
  const listed = await client.api(SUBSCRIPTIONS).get();
  check("subscription: listed", listed.value.map((each) => each.id), [made.id]);
  const one = client.api(`${SUBSCRIPTIONS}/${made.id}`);
  check("subscription: its state is not shown", (await one.get()).clientState, null);

  const record = {
    id: randomUUID(),
    version: 1,
    startDateTime: "2026-01-01T00:00:00Z",
    endDateTime: "2026-01-01T00:10:00Z",
  };
  await ingest.api(RECORDS).post(record);
  check("subscription: told", await line(), ["created", record.id]);
  await ingest.api(RECORDS).post({ ...record, version: 2 });
  check("subscription: told again", await line(), ["updated", record.id]);

  const later = written(hours(3));
  const renewed = await one.patch({ expirationDateTime: later });
  check("subscription: renewed", renewed.expirationDateTime, later);
  await client.api(`${SUBSCRIPTIONS}/${made.id}/reauthorize`).post({});
  await one.delete();
  check("subscription: deleted", (await client.api(SUBSCRIPTIONS).get()).value, []);
}
