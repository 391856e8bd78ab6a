"""What the checks of Python's OData clients share: a session, the imported records, counting.

Each check is run by `cargo xtask clients`, which says by environment variables where the server is,
who may ask, and which records were imported (CALLVAULT_RECORDS, one expanded record a line). It
prints a line for each check and exits 1 if one failed. REQUESTS_CA_BUNDLE and SSL_CERT_FILE name the
server's certificate.
"""

import json
import os
import sys
from collections import Counter
from datetime import datetime, timezone

import requests

BASE = os.environ["CALLVAULT_URL"]
ROOT = f"{BASE}/v1.0/"
RECORDS = f"{ROOT}communications/callRecords"
TICKS = 10_000_000

passed = 0
failed = 0


def check(what, got, want):
    """Counts one check: `got` must equal `want`."""
    global passed, failed
    if got == want:
        passed += 1
        print(f"ok   {what}")
    else:
        failed += 1
        print(f"FAIL {what}: got {str(got)[:300]}, want {str(want)[:300]}")


def finish():
    """Prints how many checks passed, and leaves with 1 if one failed."""
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


def imported_records():
    """The newest version of each imported record, the latest end first."""
    newest = {}
    with open(os.environ["CALLVAULT_RECORDS"], encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            known = newest.get(record["id"])
            if known is None or known["version"] < record["version"]:
                newest[record["id"]] = record
    return sorted(newest.values(), key=lambda r: (-ticks(r["endDateTime"]), r["id"]))


def session():
    """A session of requests with a token of the server's own issuer."""
    answer = requests.post(
        f"{BASE}/{os.environ['CALLVAULT_TENANT']}/oauth2/v2.0/token",
        data={
            "grant_type": "client_credentials",
            "client_id": os.environ["CALLVAULT_CLIENT_ID"],
            "client_secret": os.environ["CALLVAULT_CLIENT_SECRET"],
            "scope": "https://graph.microsoft.com/.default",
        },
    )
    asking = requests.Session()
    asking.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    return asking


def some(records, holds):
    """The records for which `holds`: neither none nor all, or a check of them would show nothing."""
    found = [record for record in records if holds(record)]
    assert 0 < len(found) < len(records), "would show nothing"
    return found


def ids(records):
    """The ids of records, sorted."""
    return sorted(record["id"] for record in records)


def numbers(record):
    """The telephone numbers that take part in a record, each with its plus."""
    return [each["id"] for each in record["participants_v2"] if each["id"].startswith("+")]


def streams(record):
    """All media streams of a record."""
    for each in record["sessions"]:
        for segment in each["segments"]:
            for media in segment.get("media") or []:
                yield from media.get("streams") or []


def counted(records, member):
    """How many records there are of each value of a member."""
    return dict(Counter(record[member] for record in records))


def ticks(text):
    """A Graph time in steps of 100 ns."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    seconds = datetime.fromisoformat(whole).replace(tzinfo=timezone.utc).timestamp()
    return int(seconds) * TICKS + int((fraction + "0000000")[:7])


def instant(text):
    """A Graph time as Python keeps it: microseconds, the seventh digit cut off."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{whole}.{(fraction + '000000')[:6]}+00:00")
