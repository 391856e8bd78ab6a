"""The telephone logs, by Microsoft's Python Graph SDK, whose addresses lose the comma between two parameters."""

import json
import os
from datetime import datetime, timedelta, timezone

from msgraph_core.tasks.page_iterator import PageIterator


async def logs(check, client):
    """All imported rows, page by page; `check(what, got, want)` counts."""
    with open(os.environ["CALLVAULT_ROWS"], encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    starts = sorted(datetime.fromisoformat(row["startDateTime"][:19] + "+00:00") for row in rows)
    span = (starts[0] - timedelta(days=1), starts[-1] + timedelta(days=1))
    calls = client.communications.call_records
    function = calls.microsoft_graph_call_records_get_pstn_calls_with_from_date_time_with_to_date_time
    page = await function(*span).get()
    check("getPstnCalls: a full page", (len(page.value), page.odata_count), (1000, 1000))
    seen = []

    def take(row):
        seen.append(row)
        return True

    await PageIterator(page, client.request_adapter).iterate(take)
    check("getPstnCalls: all rows", sorted(row.id for row in seen), sorted(row["id"] for row in rows))
    want = {row["id"]: row for row in rows}
    one = seen[0]
    check("getPstnCalls: a charge", float(one.charge), float(want[one.id]["charge"]))
    check("getPstnCalls: a duration", one.duration, want[one.id]["duration"])
    check("getPstnCalls: a start in the zone it is in", one.start_date_time.tzinfo, timezone.utc)
    function = calls.microsoft_graph_call_records_get_direct_routing_calls_with_from_date_time_with_to_date_time
    page = await function(*span).get()
    check("getDirectRoutingCalls: answers", page.value, [])
