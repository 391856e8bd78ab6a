"""Collects call records of Microsoft Graph, or of Callvault, whole and in their newest version.

    python3 collector.py --url http://127.0.0.1:8080 --token TOKEN --out records.ndjson

It subscribes to changes, reads what it is told of, and looks through the list of records at the
start, every hour, after failures and at the end, since a notification can be lost. Ctrl-C (or
SIGTERM) ends it; it then writes a line of JSON for each record, and for each row of the telephone
logs into records-rows.ndjson. One thread sends all requests, so that whoever asks it to wait is
obeyed by all of it; another one answers the notifications at once.
"""

import argparse
import http.client
import json
import queue
import random
import secrets
import signal
import threading
import time
import urllib.error
import urllib.request
from collections import OrderedDict
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

RECORDS = "/communications/callRecords"
LIFE = timedelta(days=1)  # Of a subscription. Graph allows 4,230 minutes, of which half is enough.
OVERLAP = timedelta(days=2)  # A long call's record comes long after the call's start.
TRIES = 6  # Of a request that fails, and of a record that can't be seen yet.


class NotFound(Exception):
    """There is no such thing, or not yet, or no more."""


class Refused(Exception):
    """The request is wrong: sending it again makes it no better."""


class Unreachable(Exception):
    """It failed as often as it was tried."""


class Graph:
    """Sends requests, waits when asked to, tries again what may succeed later, follows links."""

    def __init__(self, url, token):
        self.base, self.token, self.failures = f"{url}/v1.0", token, 0

    def send(self, method, url, body=None):
        """The answer, read as JSON. `url` is a path below the version, or a link as it was given."""
        request = urllib.request.Request(self.base + url if url.startswith("/") else url)
        request.method = method
        request.data = None if body is None else json.dumps(body).encode()
        request.add_header("Authorization", f"Bearer {self.token}")
        request.add_header("Content-Type", "application/json")
        for tried in range(TRIES):
            wait = min(60, 0.5 * 2**tried) * random.uniform(1, 1.5)
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    return json.loads(answer.read() or "null")
            except urllib.error.HTTPError as error:
                if error.code == 404:
                    raise NotFound(url) from None
                if error.code != 429 and error.code < 500:
                    raise Refused(f"{method} {url}: {error.code} {error.read(2000)}") from None
                self.failures += error.code != 429
                wait = self.asked_to_wait(error.headers, wait)
            except (OSError, http.client.HTTPException, ValueError):
                self.failures += 1  # No connection, or an answer that breaks off.
            time.sleep(wait)
        raise Unreachable(f"{method} {url}")

    def asked_to_wait(self, headers, otherwise):
        """Seconds that the answer asks to wait."""
        return int(headers["Retry-After"]) if "Retry-After" in headers else otherwise

    def rest(self, link):
        """What stands on the pages behind a link. A link is followed as it is, never taken apart."""
        while link:
            page = self.send("GET", link)
            yield from page["value"]
            link = page.get("@odata.nextLink")

    def all(self, path):
        """What stands on all pages."""
        return self.rest(self.base + path)

    def record(self, record_id):
        """A record with all of its sessions and participants, which Graph gives one kind at a time."""
        path = f"{RECORDS}/{record_id}"
        while True:
            record = self.send("GET", f"{path}?$expand=sessions($expand=segments)")
            record["sessions"] += self.rest(record.pop("sessions@odata.nextLink", None))
            second = self.send("GET", f"{path}?$select=id,version&$expand=participants_v2")
            more = self.rest(second.get("participants_v2@odata.nextLink"))
            record["participants_v2"] = second["participants_v2"] + list(more)
            if second["version"] == record["version"]:
                return record


class Collector:
    """Keeps the newest version of each record, and each row of the logs."""

    CHANGE_TYPES = "created,updated"

    def __init__(self, graph, address, every):
        self.graph, self.address, self.every = graph, address, every
        self.client_state = secrets.token_urlsafe(32)
        self.subscription, self.is_ending = None, False
        self.told = queue.SimpleQueue()  # Items of notifications, and None to wake up for the end.
        self.wanted = OrderedDict()  # Ids of records to read: how often that was tried.
        self.later = {}  # The same, that can be tried again only later: when, and how often.
        self.records, self.rows = {}, {}
        self.listed_until = None
        self.is_stopping = False

    def run(self):
        """Collects until `stop`, and then what is still missing."""
        look_at, failures = time.monotonic(), 0
        while not self.is_stopping:
            if time.monotonic() >= look_at:
                look_at = time.monotonic() + self.every
                self.try_to(self.look_after)
            self.hear(look_at)
            self.try_to(self.fetch_due)
            if failures != self.graph.failures:  # Notifications may be lost by now as well.
                failures, look_at = self.graph.failures, min(look_at, time.monotonic() + 5)
        self.try_to(self.read_lists)
        deadline = time.monotonic() + 120
        while (self.wanted or self.later) and time.monotonic() < deadline:
            self.hear(deadline)
            self.try_to(self.fetch_due)
        self.try_to(self.unsubscribe)

    def stop(self):
        """Makes `run` come to its end."""
        self.is_stopping = True
        self.told.put(None)

    def try_to(self, work):
        """Does a piece of work. What can't be done now is left to the next look."""
        try:
            work()
        except (NotFound, Refused, Unreachable) as error:
            self.graph.failures += 1
            print(f"collector: {error!r}", flush=True)

    # Subscription

    def subscribe(self):
        """Subscribes. A subscription of an earlier run is of no use: its secret is forgotten."""
        url = f"{self.address}/notifications"
        for old in list(self.graph.all("/subscriptions")):
            if old["notificationUrl"] == url:
                self.graph.send("DELETE", f"/subscriptions/{old['id']}")
        self.subscription = self.graph.send("POST", "/subscriptions", self.wish(url))
        self.is_ending = False

    def wish(self, url):
        """The subscription that is wanted."""
        return {
            "changeType": self.CHANGE_TYPES,
            "resource": RECORDS,
            "notificationUrl": url,
            "lifecycleNotificationUrl": f"{self.address}/lifecycle",
            "expirationDateTime": text_of(now() + LIFE),
            "clientState": self.client_state,
        }

    def renew(self):
        """Prolongs the subscription by a day from its end, which is told in the server's time: so
        it does not matter if the clock here is slow."""
        end = max(now(), time_of(self.subscription["expirationDateTime"])) + LIFE
        path = f"/subscriptions/{self.subscription['id']}"
        self.subscription = self.graph.send("PATCH", path, {"expirationDateTime": text_of(end)})
        self.is_ending = False

    def keep_subscription(self):
        """Makes sure that there is a subscription, and prolongs one that is near its end."""
        try:
            if self.subscription:
                self.graph.send("GET", f"/subscriptions/{self.subscription['id']}")
                left = time_of(self.subscription["expirationDateTime"]) - now()
                if self.is_ending or left < LIFE / 2:
                    self.renew()
        except NotFound:
            self.subscription = None
        if not self.subscription:
            self.subscribe()

    def unsubscribe(self):
        """Ends the subscription, since nobody will listen."""
        if self.subscription:
            self.graph.send("DELETE", f"/subscriptions/{self.subscription['id']}")

    # Notifications

    def accepts(self, item):
        """Whether an item of a notification comes from whom the subscription was made with."""
        told = str(item.get("clientState")).encode()
        return secrets.compare_digest(told, self.client_state.encode())

    def hear(self, until):
        """Takes in what was told; waits for that until something else is to be done."""
        due = min((when for when, _ in self.later.values()), default=until)
        wait = 0 if self.wanted else min(until, due) - time.monotonic()
        try:
            item = self.told.get(timeout=max(0, wait))
            while True:
                self.take_in(item or {})
                item = self.told.get_nowait()
        except queue.Empty:
            pass

    def take_in(self, item):
        """An item of a notification. It says that a record has changed, not what is new in it."""
        if "lifecycleEvent" in item:  # Its end is near, or it is gone, or something was missed.
            self.is_ending = item["lifecycleEvent"] == "reauthorizationRequired"
            self.try_to(self.look_after)
        elif item:
            self.wanted[item["resourceData"]["id"]] = 0

    # Records and rows

    def look_after(self):
        """Looks after the subscription first, then for what it has not told."""
        self.try_to(self.keep_subscription)
        self.read_lists()

    def read_lists(self):
        """Finds what is new in the list of records, and reads the logs."""
        begun = now()
        since = self.listed_until - OVERLAP if self.listed_until else begun - timedelta(days=30)
        filter_ = quote(f"startDateTime ge {text_of(since)}")
        for row in self.graph.all(f"{RECORDS}?$filter={filter_}"):
            if self.version(row["id"]) < row["version"]:
                self.wanted.setdefault(row["id"], 0)
        # Rows come a day or two after their calls. The end is a day off, since clocks differ.
        span = (text_of(begun - timedelta(days=4)), text_of(begun + timedelta(days=1)))
        for log in ("getPstnCalls", "getDirectRoutingCalls"):
            times = "fromDateTime={},toDateTime={}".format(*span)
            for row in self.graph.all(f"{RECORDS}/{log}({times})"):
                self.rows[row["id"]] = {"log": log, **row}
        self.listed_until = begun

    def version(self, record_id):
        return self.records.get(record_id, {"version": 0})["version"]

    def fetch_due(self):
        """Reads the record whose turn it is. One just announced may be found only after a while."""
        for record_id, (when, tried) in list(self.later.items()):
            if when <= time.monotonic():
                del self.later[record_id]
                self.wanted.setdefault(record_id, tried)
        if not self.wanted:
            return
        record_id, tried = self.wanted.popitem(last=False)
        try:
            self.fetch(record_id)
        except (NotFound, Unreachable):
            if tried + 1 < TRIES:  # Else the list will tell of it again, if it is ever there.
                self.later[record_id] = (time.monotonic() + 2**tried, tried + 1)

    def fetch(self, record_id):
        """Reads a record. Of one that is known its version is asked first, which costs little."""
        if known := self.version(record_id):
            newest = self.graph.send("GET", f"{RECORDS}/{record_id}?$select=id,version")
            if newest["version"] <= known:
                return
        record = self.graph.record(record_id)
        if self.version(record_id) < record["version"]:
            self.records[record_id] = record

    def write(self, out):
        """Writes what there is."""
        for path, values in ((out, self.records), (out.with_stem(f"{out.stem}-rows"), self.rows)):
            path.write_text("".join(json.dumps(value) + "\n" for value in values.values()))


def receiver_for(collector):
    """The class that answers notifications: first the answer, then the work."""

    class Receiver(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            token = parse_qs(urlsplit(self.path).query).get("validationToken")
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.answer(200, token[0]) if token else self.answer(202)
            for item in [] if token else items_of(body):
                if collector.accepts(item):
                    collector.told.put(item)

        def answer(self, status, text=""):
            self.send_response(status)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_):
            pass

    return Receiver


def items_of(body):
    """What a notification tells; nothing if it is none, since anybody can send anything."""
    try:
        return [item for item in json.loads(body)["value"] if isinstance(item, dict)]
    except (ValueError, KeyError, TypeError):
        return []


def now():
    return datetime.now(timezone.utc)


def text_of(instant):
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def time_of(text):
    """Reads Graph's times, in UTC and with up to seven digits of a second, which don't matter here."""
    return datetime.fromisoformat(text[:19]).replace(tzinfo=timezone.utc)


def main(collector_class=Collector, graph_class=Graph, arguments=None):
    parser = argparse.ArgumentParser(description="Collects call records until it is interrupted.")
    parser.add_argument("--url", required=True, help="of the server, without the version")
    parser.add_argument("--token", required=True)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--port", type=int, default=0, help="to be told at; any if not given")
    parser.add_argument("--address", help="by which the server reaches that port, if not loopback")
    parser.add_argument("--every", type=float, default=3600, help="seconds between looks at the list")
    given = parser.parse_args(arguments)
    server = ThreadingHTTPServer(("127.0.0.1", given.port), BaseHTTPRequestHandler)
    address = given.address or f"http://127.0.0.1:{server.server_port}"
    collector = collector_class(graph_class(given.url, given.token), address, given.every)
    server.RequestHandlerClass = receiver_for(collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: collector.stop())
    collector.run()
    collector.write(given.out)


if __name__ == "__main__":
    main()
