// A call by the SDK: while it lasts, and the record that its callChainId leads to.

import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";

import { PATIENCE } from "./subscriptions.js";

const EVENTS = "/communications/callvault.callEvents";
const ABBIE = {
  user: { id: "821809f5-0000-0000-0000-3b5136c0e777", displayName: "Abbie Wilkins" },
};
const OWEN = {
  user: { id: "f69e2c00-0000-0000-0000-185e5f5f5d8a", displayName: "Owen Franklin" },
};

/** Tells of a call, looks at it, and waits for its record. */
export async function calls(check, client, ingest) {
  const [callId, callChainId] = [randomUUID(), randomUUID()];
  const event = (second, type, more = {}) => {
    const time = `2026-01-02T00:00:${String(second).padStart(2, "0")}Z`;
    return { eventId: randomUUID(), callId, callChainId, time, type, ...more };
  };
  const events = [
    event(0, "started", { participant: ABBIE, direction: "outgoing", subject: "Rent" }),
    event(3, "participantJoined", { participant: OWEN }),
  ];
  const told = await ingest.api(EVENTS).post({ events });
  check("call: told", told.value.map((line) => line.status), ["accepted", "accepted"]);
  const call = client.api(`/communications/calls/${callId}`);
  const shown = await call.get();
  check("call: goes on", [shown.state, shown.subject], ["established", "Rent"]);
  check("call: who called", shown.source.identity.user.displayName, "Abbie Wilkins");
  const record = client.api(`/communications/callRecords/${shown.callChainId}`);
  const early = await record.get().catch((error) => error.statusCode);
  check("call: no record yet", early, 404);

  await ingest.api(EVENTS).post({ events: [event(30, "ended")] });
  check("call: over", (await call.get()).state, "terminated");
  let made = null;
  const deadline = Date.now() + PATIENCE;
  while (made === null && Date.now() < deadline) {
    made = await record.get().catch(() => setTimeout(100, null));
  }
  check("call: its record", [made?.id, made?.version], [callChainId, 1]);
  check("call: its organizer", made?.organizer_v2?.id, ABBIE.user.id);
}
