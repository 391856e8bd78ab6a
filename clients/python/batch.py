"""Several requests in one, by the batch helpers of Microsoft's Python Graph SDK."""

from msgraph_core.requests.batch_request_builder import BatchRequestBuilder
from msgraph_core.requests.batch_request_content import BatchRequestContent
from msgraph_core.requests.batch_request_item import BatchRequestItem


async def batch(check, client, records):
    """Records and one that is absent; `check(what, got, want)` counts."""
    ids = [*sorted(records)[:3], "00000000-0000-4000-8000-000000000000"]
    requests = {}
    for record in ids:
        item = client.communications.call_records.by_call_record_id(record)
        information = item.to_get_request_information()
        information.path_parameters["baseurl"] = client.request_adapter.base_url
        requests[record] = BatchRequestItem(information, id=record)
    builder = BatchRequestBuilder(client.request_adapter)
    answer = await builder.post(BatchRequestContent(requests))
    statuses = answer.get_response_status_codes()
    check("batch: statuses", [statuses.get(each) for each in ids], [200, 200, 200, 404])
    # Of bodies that are JSON objects its parser makes nothing; the lines beside them it has.
    got = {answer.get_response_by_id(each).content_type.split(";")[0] for each in ids}
    check("batch: header lines", got, {"application/json"})
