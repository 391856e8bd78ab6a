"""Change notifications by the SDK: a subscription, the receiver of the documentation, a record."""

import json
import os
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
import uuid
from datetime import datetime, timedelta, timezone
from pathlib import Path

from msgraph.generated.models.subscription import Subscription

STATE = "python's secret"
RESOURCE = "/communications/callRecords"
# Seconds for what must come, on a machine that does other things too.
PATIENCE = 120


def free_port():
    """A port that nobody listens on now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def start_receiver(port):
    """Starts the receiver and waits until it listens."""
    program = Path(__file__).with_name("receiver.py")
    receiver = subprocess.Popen(
        [sys.executable, str(program), str(port), STATE],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return receiver
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def keep(ingest, record):
    """Writes a record with the token of an application that may."""
    request = urllib.request.Request(
        f"{os.environ['CALLVAULT_URL']}/v1.0/communications/callRecords",
        data=json.dumps(record).encode(),
        headers={
            "Authorization": f"Bearer {ingest.get_token('https://graph.microsoft.com/.default').token}",
            "Content-Type": "application/json",
        },
    )
    trusted = ssl.create_default_context(cafile=os.environ["CALLVAULT_CERT"])
    with urllib.request.urlopen(request, context=trusted) as answer:
        return answer.status


async def subscriptions(check, client, ingest):
    """Subscribes, is told of a record and its next version, renews, and ends it."""
    port = free_port()
    receiver = start_receiver(port)
    try:
        await told(check, client, ingest, receiver, f"http://127.0.0.1:{port}/hook")
    finally:
        receiver.kill()


async def told(check, client, ingest, receiver, url):
    """The same, with a receiver that listens."""
    until = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(hours=2)
    made = await client.subscriptions.post(
        Subscription(
            change_type="created,updated",
            notification_url=url,
            resource=RESOURCE,
            expiration_date_time=until,
            client_state=STATE,
        )
    )
    check("subscription: made", (made.resource, made.change_type), (RESOURCE, "created,updated"))
    check("subscription: its end", made.expiration_date_time, until)
    listed = await client.subscriptions.get()
    check("subscription: listed", [each.id for each in listed.value], [made.id])
    one = client.subscriptions.by_subscription_id(made.id)
    check("subscription: its state is not shown", (await one.get()).client_state, None)

    record = {
        "id": str(uuid.uuid4()),
        "version": 1,
        "startDateTime": "2026-01-01T00:00:00Z",
        "endDateTime": "2026-01-01T00:10:00Z",
    }
    check("subscription: a record", keep(ingest, record), 201)
    check("subscription: told", receiver.stdout.readline().split(), ["created", record["id"]])
    check("subscription: a version", keep(ingest, {**record, "version": 2}), 200)
    check("subscription: told again", receiver.stdout.readline().split(), ["updated", record["id"]])

    later = until + timedelta(hours=1)
    renewed = await one.patch(Subscription(expiration_date_time=later))
    check("subscription: renewed", renewed.expiration_date_time, later)
    await one.reauthorize.post()
    await one.delete()
    check("subscription: deleted", (await client.subscriptions.get()).value, [])
