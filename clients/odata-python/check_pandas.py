"""pandas, unmodified, against a running Callvault: pages of JSON as tables.

It asks nothing by itself but plain addresses, which it fetches by urllib; the rest is fetched by
requests, which encodes options as forms are encoded: a blank is a plus, and a plus is %2B.
"""

import io
from urllib.parse import quote

import pandas as pd

from shared import (
    RECORDS,
    ROOT,
    check,
    counted,
    finish,
    ids,
    imported_records,
    numbers,
    session,
    some,
    streams,
    ticks,
)


def pages(asking, address, **options):
    """The items of all pages. requests writes the options as a form."""
    answer = asking.get(address, params={f"${name}": value for name, value in options.items()})
    answer.raise_for_status()
    page = answer.json()
    found = page["value"]
    while "@odata.nextLink" in page:
        page = asking.get(page["@odata.nextLink"]).json()
        found += page["value"]
    return found


def addresses(asking, records):
    """Tables straight from an address."""
    token = {"Authorization": asking.headers["Authorization"]}
    condition = quote("type eq 'groupCall'")
    address = f"{RECORDS}?$select=id,version&$orderby=endDateTime%20desc,id&$top=9&$filter={condition}"
    table = pd.json_normalize(pd.read_json(address, storage_options=token)["value"].tolist())
    want = some(records, lambda r: r["type"] == "groupCall")[:9]
    check("read_json: rows", table["id"].tolist(), [r["id"] for r in want])
    check("read_json: whole numbers", table["version"].tolist(), [r["version"] for r in want])
    edm = "{http://docs.oasis-open.org/odata/ns/edm}"
    types = pd.read_xml(f"{ROOT}$metadata", xpath=f".//{edm}EntityType", parser="etree")
    check("read_xml: entity types", {"callRecord", "session", "segment"} <= set(types["Name"]), True)


def records_as_rows(asking, records):
    """Records flat, each member of each complex value a column."""
    table = pd.json_normalize(pages(asking, RECORDS, orderby="endDateTime desc,id"))
    check("records: all pages, in order", table["id"].tolist(), [r["id"] for r in records])
    starts = pd.to_datetime(table["startDateTime"])
    check("records: times", str(starts.dtype), "datetime64[ns, UTC]")
    ends = pd.to_datetime(table["endDateTime"])
    got = [int(each) // 100 for each in (ends - starts).astype("timedelta64[ns]").astype("int64")]
    want = [ticks(r["endDateTime"]) - ticks(r["startDateTime"]) for r in records]
    check("records: durations, to the seventh digit", got, want)
    names = table["organizer.user.displayName"].dropna().tolist()
    want = [r["organizer"]["user"]["displayName"] for r in records if r["organizer"]["user"]]
    check("records: members of members", names, want)
    check("records: groups", table.groupby("type").size().to_dict(), counted(records, "type"))


def inside_as_rows(asking, records):
    """Sessions and segments as rows, with the id of their record."""
    latest = pages(asking, RECORDS, orderby="endDateTime desc,id", top=20, expand="sessions($expand=segments)")
    sessions = pd.json_normalize(latest, "sessions", ["id"], meta_prefix="record.")
    # An expansion is cut at 60 sessions, which the link beside it continues.
    got = list(zip(sessions["record.id"], sessions["id"]))
    check("sessions", got, [(r["id"], s["id"]) for r in records[:20] for s in r["sessions"][:60]])
    segments = pd.json_normalize(latest, ["sessions", "segments"], ["id"], meta_prefix="record.")
    want = [
        (r["id"], g["id"]) for r in records[:20] for s in r["sessions"][:60] for g in s["segments"]
    ]
    check("segments", list(zip(segments["record.id"], segments["id"])), want)


def streams_as_rows(asking, records):
    """All streams, whose figures pandas sums up as `$apply` does."""
    columns = "streamId,streamDirection,averagePacketLossRate,averageJitter,callRecordId"
    address = f"{RECORDS}/callvault.streams()"
    table = pd.DataFrame(pages(asking, address, select=columns))
    check("streams: all", len(table), sum(len(list(streams(record))) for record in records))
    known = [s for r in records for s in streams(r) if s.get("averageJitter") is not None]
    jitter = pd.to_timedelta(table["averageJitter"])
    want = sum(pd.to_timedelta([s["averageJitter"] for s in known]), pd.Timedelta(0))
    check("streams: durations", jitter.sum(), want)
    own = table.groupby("streamDirection")["averagePacketLossRate"].agg(["count", "mean"])
    path = "averagePacketLossRate with average as mean"
    option = f"filter(averagePacketLossRate ne null)/groupby((streamDirection),aggregate($count as count,{path}))"
    theirs = pd.DataFrame(pages(asking, address, apply=option)).set_index("streamDirection")
    check("streams: groups", theirs["count"].to_dict(), own["count"].to_dict())
    check("streams: means", theirs["mean"].round(9).to_dict(), own["mean"].round(9).to_dict())


def forms(asking, records):
    """Options that are encoded as forms are: pluses for blanks, and %2B for a plus."""
    number = next(numbers(record)[0] for record in records if numbers(record))
    condition = f"type ne 'unknown' and participants_v2/any(p:p/id eq '{number}')"
    found = pages(asking, RECORDS, filter=condition, select="id")
    check("form: a telephone number", ids(found), ids(some(records, lambda r: number in numbers(r))))
    american = some(records, lambda r: any(each.startswith("+1") for each in numbers(r)))
    asking.headers["Prefer"] = "odata.maxpagesize=3"
    condition = "participants_v2/any(p:startswith(p/id,'+1'))"
    found = pages(asking, RECORDS, filter=condition, select="id")
    check("form: in the links of many pages", ids(found), ids(american))
    del asking.headers["Prefer"]
    answer = asking.get(RECORDS, params={"$filter": condition, "$count": "true", "$top": "0"})
    table = pd.read_json(io.StringIO(answer.text), typ="series")
    check("form: counted", table["@odata.count"], len(american))


def main():
    records = imported_records()
    asking = session()
    addresses(asking, records)
    records_as_rows(asking, records)
    inside_as_rows(asking, records)
    streams_as_rows(asking, records)
    forms(asking, records)
    finish()


main()
