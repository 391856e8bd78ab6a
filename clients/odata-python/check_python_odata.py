"""python-odata, unmodified, against a running Callvault.

The client reads `$metadata` and makes its classes from it. It asks entity sets only, so the program
says where call records are: they are contained in a singleton.
"""

import json
import os
from datetime import timedelta

from odata import ODataService
from odata.exceptions import ODataError, NoResultsFound

from shared import (
    ROOT,
    check,
    counted,
    finish,
    ids,
    imported_records,
    instant,
    numbers,
    session,
    some,
    streams,
)

PAGE = 60


def reflected(service):
    """What the client finds in `$metadata`: sets, types, members, functions, enumerations."""
    check("$metadata: the sets", sorted(service.entities), ["communications", "subscriptions"])
    described = service.types["microsoft.graph.callRecords.callRecord"]
    names = [name for name in ("id", "version", "startDateTime", "joinWebUrl") if hasattr(described, name)]
    check("$metadata: members", names, ["id", "version", "startDateTime", "joinWebUrl"])
    check("$metadata: the key, of the base type", described.id.primary_key, True)
    check("$metadata: a collection", described.sessions.is_collection, True)
    session_type = service.types["microsoft.graph.callRecords.session"]
    check("$metadata: what a collection is of", described.sessions.entitycls, session_type)
    kinds = [member.name for member in service.types["microsoft.graph.callRecords.callType"]]
    check("$metadata: an enumeration", "groupCall" in kinds and "peerToPeer" in kinds, True)


def call_records(service):
    """The class of call records, told where they are and what can be asked of one."""

    class _Versions(service.Function):
        name = "callvault.versions"
        parameters = {}

    class CallRecord(service.types["microsoft.graph.callRecords.callRecord"]):
        __odata_collection__ = "communications/callRecords"
        versions = _Versions()

    _Versions.return_type_collection = CallRecord
    return CallRecord


def items(service, call_record, records):
    """One record by its key, with its members, what it contains, and a function."""
    record = next(r for r in records if 1 < len(r["sessions"]) <= PAGE)
    got = service.query(call_record).get(record["id"])
    check("get: id and version", (got.id, got.version), (record["id"], record["version"]))
    check("get: an enumeration", got.type.name, record["type"])
    check("get: a time", got.startDateTime, instant(record["startDateTime"]))
    check("navigation: sessions", [s.id for s in got.sessions], [s["id"] for s in record["sessions"]])
    check("navigation: the organizer", got.organizer_v2.id, record["organizer_v2"]["id"])
    people = [each.id for each in got.participants_v2]
    check("navigation: participants", people, [p["id"] for p in record["participants_v2"]])
    check("function: versions", got.versions()[-1].version, record["version"])
    try:
        found = service.query(call_record).get("none")
        check("get: nothing", found, None)
    except NoResultsFound:
        check("get: nothing", True, True)


def lists(service, call_record, records):
    """All pages, counts, orders, parts."""
    query = service.query(call_record)
    check("all: over all pages", sorted(each.id for each in query), ids(records))
    check("count: of all", query.count(), len(records))
    ordered = query.order_by(call_record.endDateTime.desc(), call_record.id.asc())
    part = ordered.limit(7).offset(5).all()
    check("order_by, limit, offset", [r.id for r in part], [r["id"] for r in records[5:12]])
    chosen = ordered.select(call_record.id, call_record.version).all()
    check("select: over all pages", [r["id"] for r in chosen], [r["id"] for r in records])
    check("select: nothing else", sorted(chosen[0]), ["id", "version"])


def filters(service, call_record, records):
    """Filters of members, and as text where the client has no words for them."""

    def found(what, condition, holds):
        query = service.query(call_record).filter(condition)
        want = some(records, holds)
        check(f"filter: {what}", sorted(each.id for each in query), ids(want))
        check(f"filter: {what}, counted", query.count(), len(want))

    middle = instant(records[len(records) // 2]["startDateTime"])
    found("a moment", call_record.startDateTime < middle, lambda r: instant(r["startDateTime"]) < middle)
    found(
        "a number or nothing",
        (call_record.version > 1) | call_record.joinWebUrl.is_null(),
        lambda r: r["version"] > 1 or r["joinWebUrl"] is None,
    )
    organizer = records[0]["organizer_v2"]["id"]
    found(
        "a member of what is contained",
        call_record.organizer_v2.id == organizer,
        lambda r: r["organizer_v2"]["id"] == organizer,
    )
    found("an enumeration", "type eq 'groupCall'", lambda r: r["type"] == "groupCall")
    found(
        "any in any",
        "sessions/any(s:s/segments/any(g:g/media/any(m:m/streams/any(t:"
        "t/averagePacketLossRate gt 0.1))))",
        lambda r: any((s.get("averagePacketLossRate") or 0) > 0.1 for s in streams(r)),
    )
    number = next(numbers(record)[0] for record in records if numbers(record))
    found(
        "a telephone number",
        f"participants_v2/any(p:p/id eq '{number}')",
        lambda r: number in numbers(r),
    )


def shapes(service, call_record, records):
    """`$expand` in `$expand`, and `$apply`."""
    ordered = service.query(call_record).order_by(call_record.endDateTime.desc(), call_record.id.asc())
    got = ordered.expand(call_record.sessions.segments, call_record.participants_v2).limit(5).all()
    check(
        "expand: sessions and segments",
        [[(s.id, [g.id for g in s.segments]) for s in record.sessions] for record in got],
        [[(s["id"], [g["id"] for g in s["segments"]]) for s in r["sessions"]] for r in records[:5]],
    )
    check(
        "expand: participants",
        [[each.id for each in record.participants_v2] for record in got],
        [[each["id"] for each in record["participants_v2"]] for record in records[:5]],
    )
    transformation = "groupby((type),aggregate($count as calls))"
    groups = service.query(call_record).raw({"$apply": transformation})
    check("apply: raw", {g["type"]: g["calls"] for g in groups}, counted(records, "type"))
    types = [each.type.name for each in service.query(call_record).apply(transformation)]
    check("apply: groups as records", sorted(types), sorted(counted(records, "type")))


def log(call_record):
    """A function of the list, which the client finds in `$metadata`: a day of the telephone log."""
    with open(os.environ["CALLVAULT_ROWS"], encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    day = min(row["startDateTime"] for row in rows)[:10]
    start = instant(f"{day}T00:00:00Z")
    end = start + timedelta(days=1, microseconds=-1)
    want = [row for row in rows if start <= instant(row["startDateTime"]) <= end]
    # A page holds 1,000 rows, and the client follows no links of functions.
    assert 0 < len(want) < 1000, "would show nothing"
    got = call_record.getPstnCalls(fromDateTime=start, toDateTime=end)
    check("getPstnCalls: a day", sorted(row["id"] for row in got), sorted(row["id"] for row in want))


def refusals(service, call_record):
    """An error arrives as the client's own, with the server's code and message."""
    try:
        service.query(call_record).filter("tipe eq 'groupCall'").all()
        check("misspelt: refused", False, True)
    except ODataError as error:
        check("misspelt: the right name is told", "BadRequest" in str(error) and "'type'" in str(error), True)


def main():
    records = imported_records()
    service = ODataService(ROOT, session=session(), reflect_entities=True, quiet_progress=True)
    reflected(service)
    call_record = call_records(service)
    items(service, call_record, records)
    lists(service, call_record, records)
    filters(service, call_record, records)
    shapes(service, call_record, records)
    log(call_record)
    refusals(service, call_record)
    finish()


main()
