"""The query options of the Python Graph SDK beyond what Graph answers.

Each answer is held against what the file of records itself says.
"""

from collections import Counter
from datetime import datetime, timezone

from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph.generated.communications.call_records.call_records_request_builder import (
    CallRecordsRequestBuilder,
)
from msgraph.generated.communications.call_records.item.sessions.sessions_request_builder import (
    SessionsRequestBuilder,
)
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph_core.tasks.page_iterator import PageIterator

RECORD_PARAMETERS = CallRecordsRequestBuilder.CallRecordsRequestBuilderGetQueryParameters
SESSION_PARAMETERS = SessionsRequestBuilder.SessionsRequestBuilderGetQueryParameters
TICKS = 10_000_000


async def query_options(check, client, records):
    """All options, alone and together; `check(what, got, want)` counts."""
    asking = Asking(check, client, list(records.values()))
    await by_condition(asking)
    await by_condition_within(asking)
    await ordered(asking)
    await counted(asking)
    await searched(asking)
    await sessions_of_a_record(asking)
    await misspelt(asking)


class Asking:
    """The list of call records, asked by the SDK, and what the file of records says to it."""

    def __init__(self, check, client, records):
        self.check = check
        self.client = client
        self.records = records

    async def page(self, **options):
        """The first page of an answer to these query parameters."""
        configuration = RequestConfiguration(query_parameters=RECORD_PARAMETERS(**options))
        return await self.client.communications.call_records.get(request_configuration=configuration)

    async def ids(self, **options):
        """The ids of all pages, in the order of the answer."""
        seen = []

        def keep(record):
            seen.append(str(record.id))
            return True

        await PageIterator(await self.page(**options), self.client.request_adapter).iterate(keep)
        return seen

    def narrowed(self, what, got, wanted):
        """One check: these ids, in any order. A condition that all or none meet would show nothing."""
        assert 0 < len(wanted) < len(self.records), f"{what} would show nothing"
        self.check(what, sorted(got), sorted(record["id"] for record in wanted))

    async def filtered(self, condition, holds):
        """One check: the records for which `holds`, by `$filter`."""
        wanted = [record for record in self.records if holds(record)]
        self.narrowed(f"$filter={condition}", await self.ids(filter=condition, select=["id"]), wanted)


async def by_condition(asking):
    """Conditions on the record itself: type, durations, text, lists of values."""
    await asking.filtered("type eq 'groupCall'", lambda r: r["type"] == "groupCall")
    await asking.filtered(
        "type eq 'groupCall' and endDateTime sub startDateTime gt duration'PT45M'",
        lambda r: r["type"] == "groupCall" and duration(r) > 45 * 60 * TICKS,
    )
    await asking.filtered(
        "totalseconds(endDateTime sub startDateTime) div 60 le 5",
        lambda r: duration(r) <= 5 * 60 * TICKS,
    )
    await asking.filtered("modalities/any(m:m eq 'video')", lambda r: "video" in r["modalities"])
    await asking.filtered(
        "startswith(tolower(organizer/user/displayName),'m')",
        lambda r: name(r["organizer"]).lower().startswith("m"),
    )
    await asking.filtered(
        "hour(startDateTime) in (8,9)", lambda r: r["startDateTime"][11:13] in ("08", "09")
    )
    await asking.filtered(
        "not (type eq 'peerToPeer') or organizer/phone ne null",
        lambda r: r["type"] != "peerToPeer" or r["organizer"]["phone"] is not None,
    )


async def by_condition_within(asking):
    """Conditions on sessions, segments and streams."""
    await asking.filtered(
        "sessions/any(s:s/segments/any(g:g/media/any(m:m/streams/any(t:"
        "t/averagePacketLossRate gt 0.1))))",
        lambda r: any((s.get("averagePacketLossRate") or 0) > 0.1 for s in streams(r)),
    )
    await asking.filtered(
        "sessions/any(s:s/failureInfo/stage eq 'midcall')",
        lambda r: any((s.get("failureInfo") or {}).get("stage") == "midcall" for s in r["sessions"]),
    )
    await asking.filtered(
        "sessions/all(s:s/endDateTime sub s/startDateTime lt duration'PT10M')",
        lambda r: all(duration(s) < 600 * TICKS for s in r["sessions"]),
    )
    await asking.filtered("sessions/$count gt 3", lambda r: len(r["sessions"]) > 3)


async def ordered(asking):
    """`$orderby` of one and of several keys, over all pages and with `$top` and `$skip`."""
    by_end = sorted(asking.records, key=lambda r: (-ticks(r["endDateTime"]), r["id"]))
    want = [record["id"] for record in by_end]
    got = await asking.ids(orderby=["endDateTime desc", "id"], select=["id"])
    asking.check("$orderby=endDateTime desc,id over all pages", got, want)
    got = await asking.ids(orderby=["endDateTime desc", "id"], top=7)
    asking.check("$orderby with $top", got, want[:7])
    got = await asking.ids(orderby=["endDateTime desc", "id"], top=7, skip=5)
    asking.check("$orderby with $top and $skip", got, want[5:12])
    page = await asking.page(orderby=["endDateTime desc", "id"], top=2)
    ends = [record.end_date_time.timestamp() for record in page.value]
    asking.check("$orderby: the latest ends first", ends, sorted(ends, reverse=True))

    got = await asking.ids(orderby=["sessions/$count", "endDateTime sub startDateTime", "id"])
    by_size = sorted(asking.records, key=lambda r: (len(r["sessions"]), duration(r), r["id"]))
    want = [record["id"] for record in by_size]
    asking.check("$orderby of a count and of a duration", got, want)


async def counted(asking):
    """`$count` counts what the condition lets through, whatever `$top` says."""
    meetings = [record for record in asking.records if record["type"] == "groupCall"]
    page = await asking.page(filter="type eq 'groupCall'", count=True, top=3)
    asking.check("$count with $filter", page.odata_count, len(meetings))
    asking.check("$count: $top does not matter", len(page.value), 3)
    page = await asking.page(count=True, top=0)
    asking.check("$count with $top=0", (page.odata_count, page.value), (len(asking.records), []))


async def searched(asking):
    """`$search` of a name, as a phrase, as a word, with the other options."""
    names = Counter(each for record in asking.records for each in people(record) if " " in each)
    person = names.most_common(1)[0][0]
    wanted = [record for record in asking.records if person in people(record)]
    asking.narrowed("$search of a phrase", await asking.ids(search=f'"{person}"'), wanted)

    first = person.split()[0].lower()
    named = [r for r in asking.records if any(first in each.lower().split() for each in people(r))]
    asking.narrowed("$search of a word", await asking.ids(search=first), named)
    others = [record for record in named if record not in wanted]
    got = await asking.ids(search=f'{first} AND NOT "{person}"')
    asking.check("$search with AND NOT", sorted(got), sorted(record["id"] for record in others))

    short = [record for record in named if duration(record) < 3600 * TICKS]
    short.sort(key=lambda record: (ticks(record["endDateTime"]), record["id"]))
    page = await asking.page(
        search=first,
        filter="endDateTime sub startDateTime lt duration'PT1H'",
        orderby=["endDateTime", "id"],
        count=True,
        top=2,
    )
    got = ([str(record.id) for record in page.value], page.odata_count)
    want = ([record["id"] for record in short[:2]], len(short))
    asking.check("$search, $filter, $orderby, $count and $top together", got, want)


async def sessions_of_a_record(asking):
    """The same options on the sessions of one record."""
    meeting = max(asking.records, key=lambda record: len(record["sessions"]))
    builder = asking.client.communications.call_records.by_call_record_id(meeting["id"]).sessions
    parameters = SESSION_PARAMETERS(
        filter="endDateTime sub startDateTime ge duration'PT20M'",
        orderby=["endDateTime desc", "id"],
        count=True,
        top=4,
    )
    answer = await builder.get(request_configuration=RequestConfiguration(query_parameters=parameters))
    long = [session for session in meeting["sessions"] if duration(session) >= 1200 * TICKS]
    long.sort(key=lambda session: (-ticks(session["endDateTime"]), session["id"]))
    assert len(long) > 4, "no meeting with sessions enough"
    want = [session["id"] for session in long[:4]]
    asking.check("sessions: $filter, $orderby and $top", [each.id for each in answer.value], want)
    asking.check("sessions: $count", answer.odata_count, len(long))


async def misspelt(asking):
    """A name that isn't there is refused by an error that the SDK reads, and a better one is told."""
    try:
        page = await asking.page(filter="tipe eq 'groupCall'")
        asking.check("misspelt: refused", page, "400 BadRequest")
    except ODataError as error:
        got = (error.response_status_code, error.error.code)
        asking.check("misspelt: status and code", got, (400, "BadRequest"))
        asking.check("misspelt: the right name is told", "'type'" in error.error.message, True)


def ticks(text):
    """A Graph time in steps of 100 ns."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    seconds = datetime.fromisoformat(whole).replace(tzinfo=timezone.utc).timestamp()
    return int(seconds) * TICKS + int((fraction + "0000000")[:7])


def duration(entity):
    """How long a call or a session took, in steps of 100 ns."""
    return ticks(entity["endDateTime"]) - ticks(entity["startDateTime"])


def streams(record):
    """All media streams of a record."""
    for session in record["sessions"]:
        for segment in session["segments"]:
            for media in segment.get("media") or []:
                yield from media.get("streams") or []


def name(identities):
    """The display name of the user of an identity set, empty if there is none."""
    return ((identities or {}).get("user") or {}).get("displayName") or ""


def people(value):
    """Every display name anywhere in a record."""
    if isinstance(value, dict):
        found = {value["displayName"]} if value.get("displayName") else set()
        return found.union(*(people(each) for each in value.values()))
    if isinstance(value, list):
        return set().union(*(people(each) for each in value))
    return set()
