// Several requests in one, by the batch helpers of Microsoft's JavaScript Graph client.

import graphClient from "@microsoft/microsoft-graph-client";

const { BatchRequestContent, BatchResponseContent } = graphClient;

const RECORDS = "/communications/callRecords";

/** Reads, a chain, and a request whose predecessor fails; `check(what, got, want)` counts. */
export async function batch(check, client, base, records) {
  const [one, other] = [...records.values()];
  const step = (id, path, dependsOn) => {
    const request = new Request(`${base}/v1.0${path}`);
    return dependsOn === undefined ? { id, request } : { id, request, dependsOn };
  };
  const content = new BatchRequestContent([
    step("1", `${RECORDS}/${one.id}`),
    step("2", `${RECORDS}/${other.id}?$expand=sessions($expand=segments)`, ["1"]),
    step("3", `${RECORDS}/none`, ["2"]),
    step("4", `${RECORDS}/${one.id}`, ["3"]),
  ]);
  const answer = await client.api("/$batch").post(await content.getContent());
  const responses = new BatchResponseContent(answer);
  const statuses = ["1", "2", "3", "4"].map((id) => responses.getResponseById(id).status);
  check("batch: statuses", statuses, [200, 200, 404, 424]);
  const record = await responses.getResponseById("1").json();
  check("batch: a record", [record.id, record.version], [one.id, one.version]);
  const expanded = await responses.getResponseById("2").json();
  check(
    "batch: a record expanded",
    expanded.sessions.map((session) => session.id),
    other.sessions.slice(0, 60).map((session) => session.id),
  );
  const { error } = await responses.getResponseById("4").json();
  check("batch: who waits for a failure", error.code, "FailedDependency");
}
