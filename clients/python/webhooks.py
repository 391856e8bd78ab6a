"""Notifications as the webhook library of Standard Webhooks takes them, unmodified."""

import json
import os
import ssl
import threading
import urllib.request
import uuid
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from urllib.parse import parse_qs, urlsplit

from msgraph.generated.models.subscription import Subscription
from standardwebhooks import Webhook, WebhookVerificationError

from subscriptions import PATIENCE, RESOURCE, keep


async def webhooks(check, client, ingest, reading):
    """Subscribes, gets a secret, and lets the library judge what comes."""
    came = Queue()
    server = ThreadingHTTPServer(("127.0.0.1", 0), receiver(came))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    made = await client.subscriptions.post(
        Subscription(
            change_type="created",
            notification_url=f"http://127.0.0.1:{server.server_port}/hook",
            resource=RESOURCE,
            expiration_date_time=datetime.now(timezone.utc) + timedelta(hours=1),
        )
    )
    secret = rotate(reading, made.id)
    record = {"id": str(uuid.uuid4()), "startDateTime": "2026-01-01T00:00:00Z", "endDateTime": "2026-01-01T00:10:00Z"}
    keep(ingest, record)
    headers, body = came.get(timeout=PATIENCE)
    told = Webhook(secret).verify(body, headers)
    check("webhook library: takes it", told["value"][0]["resourceData"]["id"], record["id"])
    try:
        Webhook(secret).verify(body.replace(b"created", b"updated"), headers)
        check("webhook library: a forged one", "taken", "refused")
    except WebhookVerificationError:
        check("webhook library: a forged one", "refused", "refused")
    await client.subscriptions.by_subscription_id(made.id).delete()
    server.shutdown()


def receiver(came):
    """Passes on the headers and the body of each message."""

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self):
            token = parse_qs(urlsplit(self.path).query).get("validationToken")
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.end_headers()
            self.wfile.write(token[0].encode() if token else b"")
            if not token:
                came.put(({name.lower(): value for name, value in self.headers.items()}, body))

        def log_message(self, *_):
            pass

    return Receiver


def rotate(reading, subscription):
    """A new secret of a subscription."""
    token = reading.get_token("https://graph.microsoft.com/.default").token
    request = urllib.request.Request(
        f"{os.environ['CALLVAULT_URL']}/v1.0/subscriptions/{subscription}/callvault.rotateSecret",
        data=b"",
        headers={"Authorization": f"Bearer {token}"},
    )
    trusted = ssl.create_default_context(cafile=os.environ["CALLVAULT_CERT"])
    with urllib.request.urlopen(request, context=trusted) as answer:
        return json.load(answer)["value"]
