"""Microsoft's Python Graph SDK, unmodified, against a running Callvault.

Run by `cargo xtask clients`, which says by environment variables where the server is, who may ask,
and which records were imported (CALLVAULT_RECORDS, one expanded record a line). Prints a line for
each check and exits 1 if one failed. With the word `subscriptions` it checks change notifications
and calls, for which it adds records.
"""

import asyncio
import json
import os
import sys
import uuid
from datetime import datetime

from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientSecretCredential
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph import GraphServiceClient
from msgraph.generated.communications.call_records.call_records_request_builder import (
    CallRecordsRequestBuilder,
)
from msgraph.generated.communications.call_records.item.call_record_item_request_builder import (
    CallRecordItemRequestBuilder,
)
from msgraph.generated.models.call_records.client_user_agent import ClientUserAgent
from msgraph.generated.models.call_records.participant_endpoint import ParticipantEndpoint
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph_core.tasks.page_iterator import PageIterator

from batch import batch
from calls import calls
from logs import logs
from query_options import query_options
from subscriptions import subscriptions
from webhooks import webhooks

SCOPES = ["https://graph.microsoft.com/.default"]
BASE = os.environ["CALLVAULT_URL"]
PAGE = 60

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


def imported_records():
    """The newest version of each imported record, by id."""
    newest = {}
    with open(os.environ["CALLVAULT_RECORDS"], encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            known = newest.get(record["id"])
            if known is None or known["version"] < record["version"]:
                newest[record["id"]] = record
    return newest


def credential(client_id, secret):
    """A credential of azure-identity whose authority is the server's own issuer."""
    return ClientSecretCredential(
        os.environ["CALLVAULT_TENANT"],
        client_id,
        secret,
        authority=BASE,
        disable_instance_discovery=True,
        connection_verify=os.environ["CALLVAULT_CERT"],
    )


def graph(of_credential):
    """The SDK's client, pointed at the server instead of graph.microsoft.com."""
    client = GraphServiceClient(of_credential, SCOPES)
    client.request_adapter.base_url = f"{BASE}/v1.0"
    return client


def reader():
    """The client of the application that may read call records."""
    return graph(credential(os.environ["CALLVAULT_CLIENT_ID"], os.environ["CALLVAULT_CLIENT_SECRET"]))


def expanded(expand):
    """The request configuration for `$expand`."""
    parameters = CallRecordItemRequestBuilder.CallRecordItemRequestBuilderGetQueryParameters
    return RequestConfiguration(query_parameters=parameters(expand=expand))


def instant(text):
    """A Graph time as Python keeps it: microseconds, the seventh digit cut off."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{whole}.{(fraction + '000000')[:6]}+00:00")


async def basic(client, record):
    """GET of one record by its id."""
    answer = await client.communications.call_records.by_call_record_id(record["id"]).get()
    check("get: id", str(answer.id), record["id"])
    check("get: version", answer.version, record["version"])
    check("get: type is a member of the SDK's enum", answer.type.value, record["type"])
    check("get: modalities", [each.value for each in answer.modalities], record["modalities"])
    check("get: startDateTime", answer.start_date_time, instant(record["startDateTime"]))
    check("get: endDateTime", answer.end_date_time, instant(record["endDateTime"]))
    check("get: sessions only when asked for", answer.sessions, None)


async def expansion(client, record):
    """`$expand=sessions($expand=segments)`, with the derived types that the SDK must choose."""
    item = client.communications.call_records.by_call_record_id(record["id"])
    answer = await item.get(request_configuration=expanded(["sessions($expand=segments)"]))
    want = record["sessions"]
    check("expand: session ids", [each.id for each in answer.sessions], [s["id"] for s in want])
    check(
        "expand: segment ids",
        [[each.id for each in session.segments] for session in answer.sessions],
        [[each["id"] for each in session["segments"]] for session in want],
    )
    index, wanted = next(typed_callers(record))
    caller = answer.sessions[index].caller
    check("expand: caller is a ParticipantEndpoint", type(caller), ParticipantEndpoint)
    agent = caller.user_agent
    check("expand: its userAgent is a ClientUserAgent", type(agent), ClientUserAgent)
    check("expand: platform", agent.platform.value, wanted["userAgent"]["platform"])
    check("expand: productFamily", agent.product_family.value, wanted["userAgent"]["productFamily"])
    user = wanted.get("identity", {}).get("user") or {}
    if user.get("id"):
        check("expand: identity of the caller", str(caller.identity.user.id), user["id"])
    streams(answer, want)


def streams(answer, want):
    """Figures of the media streams, as numbers and durations."""
    got = [
        (stream.stream_id, stream.packet_utilization, stream.average_packet_loss_rate)
        for session in answer.sessions
        for segment in session.segments
        for media in segment.media or []
        for stream in media.streams or []
    ]
    wanted = [
        (stream.get("streamId"), stream.get("packetUtilization"), stream.get("averagePacketLossRate"))
        for session in want
        for segment in session["segments"]
        for media in segment.get("media") or []
        for stream in media.get("streams") or []
    ]
    check(f"expand: figures of {len(wanted)} streams", got, wanted)


def typed_callers(record):
    """The callers that are participants with a client's user agent: (index of the session, caller)."""
    for index, session in enumerate(record["sessions"]):
        caller = session.get("caller") or {}
        agent = caller.get("userAgent") or {}
        if (
            caller.get("@odata.type", "").endswith("participantEndpoint")
            and agent.get("@odata.type", "").endswith("clientUserAgent")
            and agent.get("platform") not in (None, "unknown", "unknownFutureValue")
            and agent.get("productFamily") not in (None, "unknown", "unknownFutureValue")
        ):
            yield index, caller


async def listing(client, records):
    """The whole list by the SDK's own page iterator."""
    builder = client.communications.call_records
    parameters = CallRecordsRequestBuilder.CallRecordsRequestBuilderGetQueryParameters
    counting = RequestConfiguration(query_parameters=parameters(count=True))
    first = await builder.get(request_configuration=counting)
    check("list: @odata.count", first.odata_count, len(records))
    check("list: a first page of 60", len(first.value), PAGE)
    check("list: nextLink begins with our address", first.odata_next_link[: len(BASE)], BASE)
    seen = []

    def keep(record):
        seen.append(str(record.id))
        return True

    await PageIterator(first, client.request_adapter).iterate(keep)
    check("list: each record once", len(seen), len(set(seen)))
    check("list: all records", sorted(seen), sorted(records))
    starts = [instant(records[each]["startDateTime"]) for each in seen if each in records]
    check("list: newest first", starts, sorted(starts, reverse=True))


async def filtered(client, records):
    """`$filter` and `$select` as the SDK writes them."""
    middle = sorted(record["startDateTime"] for record in records.values())[len(records) // 2]
    parameters = CallRecordsRequestBuilder.CallRecordsRequestBuilderGetQueryParameters
    query = parameters(filter=f"startDateTime ge {middle}", select=["id", "version"])
    answer = await client.communications.call_records.get(
        request_configuration=RequestConfiguration(query_parameters=query)
    )
    got = {str(record.id) for record in answer.value}
    link = answer.odata_next_link
    while link:
        answer = await client.communications.call_records.with_url(link).get()
        got |= {str(record.id) for record in answer.value}
        link = answer.odata_next_link
    want = {i for i, r in records.items() if instant(r["startDateTime"]) >= instant(middle)}
    check("filter: records from a moment on", got, want)


async def sessions(client, meeting):
    """A meeting with more sessions than one page holds, both ways to read them."""
    want = [session["id"] for session in meeting["sessions"]]
    item = client.communications.call_records.by_call_record_id(meeting["id"])
    page = await item.sessions.get()
    got = [session.id for session in page.value]
    check("sessions: a first page of 60", len(got), PAGE)
    while page.odata_next_link:
        page = await item.sessions.with_url(page.odata_next_link).get()
        got += [session.id for session in page.value]
    check("sessions: each once, in order", got, want)

    answer = await item.get(request_configuration=expanded(["sessions"]))
    got = [session.id for session in answer.sessions]
    check("sessions: expansion is cut at 60", got, want[:PAGE])
    link = answer.additional_data["sessions@odata.nextLink"]
    while link:
        page = await item.sessions.with_url(link).get()
        got += [session.id for session in page.value]
        link = page.odata_next_link
    check("sessions: sessions@odata.nextLink leads to the rest", got, want)


async def errors(client):
    """Errors arrive as ODataError, with code and request id."""
    absent = client.communications.call_records.by_call_record_id(str(uuid.uuid4()))
    await refusal("absent record", absent, 404, "NotFound")
    ingest = credential(os.environ["CALLVAULT_INGEST_ID"], os.environ["CALLVAULT_INGEST_SECRET"])
    await refusal("no role to read", graph(ingest).communications.call_records, 403, "Forbidden")


async def refusal(what, builder, status, code):
    """A GET that must be refused with this status and code."""
    try:
        answer = await builder.get()
        check(f"{what}: refused", answer, f"{status} {code}")
    except ODataError as error:
        check(f"{what}: status", error.response_status_code, status)
        check(f"{what}: code", error.error.code, code)
        check(f"{what}: has a request id", bool(error.error.inner_error.request_id), True)


def wrong_secret():
    """azure-identity tells a wrong secret by the issuer's own code."""
    try:
        credential(os.environ["CALLVAULT_CLIENT_ID"], "not-the-secret").get_token(*SCOPES)
        check("wrong secret: refused", "a token", "a refusal")
    except ClientAuthenticationError as error:
        check("wrong secret: AADSTS7000215", "AADSTS7000215" in str(error), True)


async def main():
    await (told() if sys.argv[1:] == ["subscriptions"] else asked())
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


async def told():
    """Change notifications and calls, which add records."""
    ingest = credential(os.environ["CALLVAULT_INGEST_ID"], os.environ["CALLVAULT_INGEST_SECRET"])
    await subscriptions(check, reader(), ingest)
    await calls(check, reader(), ingest)
    reading = credential(os.environ["CALLVAULT_CLIENT_ID"], os.environ["CALLVAULT_CLIENT_SECRET"])
    await webhooks(check, reader(), ingest, reading)


async def asked():
    """Everything that is read of the imported records."""
    records = imported_records()
    meeting = max(records.values(), key=lambda record: len(record["sessions"]))
    ordinary = next(
        record
        for record in records.values()
        if len(record["sessions"]) <= PAGE and any(typed_callers(record))
    )
    check("the records hold a meeting of more than 60 sessions", len(meeting["sessions"]) > PAGE, True)
    client = reader()
    await basic(client, ordinary)
    await expansion(client, ordinary)
    await listing(client, records)
    await filtered(client, records)
    await sessions(client, meeting)
    await query_options(check, client, records)
    await batch(check, client, records)
    await logs(check, client)
    await errors(client)
    wrong_secret()


asyncio.run(main())
