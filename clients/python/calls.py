"""A call by the SDK: while it lasts, and the record that its callChainId leads to."""

import asyncio
import json
import os
import ssl
import time
import urllib.request
import uuid

from msgraph.generated.models.call_state import CallState
from msgraph.generated.models.o_data_errors.o_data_error import ODataError

from subscriptions import PATIENCE

ABBIE = {"user": {"id": "821809f5-0000-0000-0000-3b5136c0e777", "displayName": "Abbie Wilkins"}}
OWEN = {"user": {"id": "f69e2c00-0000-0000-0000-185e5f5f5d8a", "displayName": "Owen Franklin"}}


async def calls(check, client, ingest):
    """Tells of a call, looks at it, and waits for its record; `check(what, got, want)` counts."""
    call, chain = str(uuid.uuid4()), str(uuid.uuid4())

    def event(second, kind, **more):
        return {
            "eventId": str(uuid.uuid4()),
            "callId": call,
            "callChainId": chain,
            "time": f"2026-01-02T00:00:{second:02}Z",
            "type": kind,
            **more,
        }

    told = tell(
        ingest,
        [
            event(0, "started", participant=ABBIE, direction="outgoing", subject="Rent"),
            event(3, "participantJoined", participant=OWEN),
        ],
    )
    check("call: told", [line["status"] for line in told], ["accepted", "accepted"])
    shown = await client.communications.calls.by_call_id(call).get()
    check("call: goes on", (shown.state, shown.subject), (CallState.Established, "Rent"))
    check("call: who called", shown.source.identity.user.display_name, "Abbie Wilkins")
    check("call: who was called", [it.identity.user.id for it in shown.targets], [OWEN["user"]["id"]])
    record = client.communications.call_records.by_call_record_id(shown.call_chain_id)
    try:
        await record.get()
        check("call: no record yet", "a record", "404")
    except ODataError as error:
        check("call: no record yet", error.response_status_code, 404)

    tell(ingest, [event(30, "ended")])
    check("call: over", (await client.communications.calls.by_call_id(call).get()).state, CallState.Terminated)
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            made = await record.get()
            break
        except ODataError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.1)
    check("call: its record", (made.id, made.version), (chain, 1))
    check("call: its organizer", made.organizer_v2.id, ABBIE["user"]["id"])


def tell(ingest, events):
    """Sends events with the token of an application that may, and gives the answers."""
    token = ingest.get_token("https://graph.microsoft.com/.default").token
    request = urllib.request.Request(
        f"{os.environ['CALLVAULT_URL']}/v1.0/communications/callvault.callEvents",
        data="\n".join(json.dumps(event) for event in events).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"},
    )
    trusted = ssl.create_default_context(cafile=os.environ["CALLVAULT_CERT"])
    with urllib.request.urlopen(request, context=trusted) as answer:
        return [json.loads(line) for line in answer]
