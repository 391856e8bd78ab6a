"""Both collectors in every scenario of the emulator, and faulty ones of which it has to warn.

Run by `cargo xtask scenarios`, which says by CALLVAULT_BIN where the binary is. For each scenario
and each collector the emulator is started; when the scenario is at its end the collector is
stopped, and what it has is compared with what the server has, read here in the plainest way. With
names of scenarios, or of mistakes, as arguments only these are run; CALLVAULT_SCENARIOS says which
folder to take the scenarios from, if not from the repository. Prints a line for each check and exits
1 if one failed.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path

HERE = Path(__file__).resolve().parent
BINARY = os.environ["CALLVAULT_BIN"]
TENANT = "5f0b1a52-9a0e-4a6b-8f0e-0d5c6f6f2f11"
ROLE = "CallRecords.Read.All"
RECORDS = "/v1.0/communications/callRecords"
END = "The scenario is at its end."
BAD_SUBNETS = {"10.12.33.0", "10.15.16.0", "10.17.32.0"}
AT_ONCE = 3
# Far longer than any scenario, and than what a collector still does when it is stopped.
PATIENCE = 1200
# How many times longer each step of a scenario is waited for. When a collector has missed something
# in the time that users get, it plays once more in one that is long enough on a busy machine.
PACES = [1, 8]

COLLECTORS = {
    "python": [sys.executable, str(HERE / "python/collector.py")],
    "javascript": ["node", str(HERE / "javascript/collector.mjs")],
}

# Mistakes with the scenario that shows them, and the warning.
MISTAKES = {
    "first-page-only": ("large-meeting", "firstPageOnly"),
    "edits-links": ("pstn-late-rows", "linkEdited"),
    "ignores-retry-after": ("throttled-collector", "retryAfterIgnored"),
    "created-only": ("versions", "createdOnly"),
    "client-state-not-checked": ("unreliable-notifications", "clientStateNotChecked"),
    "no-client-state": ("failed-call", "noClientState"),
}


class Run:
    """What became of a collector in a scenario."""

    def __init__(self, scenario, command, pace):
        self.scenario, self.command, self.pace = scenario, command, pace
        with tempfile.TemporaryDirectory() as folder:
            self.folder = Path(folder)
            self.play()

    def play(self):
        """Starts the emulator and the collector, waits for the end, stops both."""
        data = self.folder / "data"
        words = ["demo", "--scenario", self.place(), "--listen", "127.0.0.1:0"]
        words += ["--admin-listen", "off", "--data-dir", str(data)]
        errors = (self.folder / "errors").open("w+")
        emulator = subprocess.Popen(
            [BINARY, *words], stdout=subprocess.PIPE, stderr=errors, text=True, env=environment()
        )
        killer = threading.Timer(PATIENCE, emulator.kill)
        killer.start()
        try:
            self.url = self.line_with(emulator, "listening on ").split()[-1]
            self.line_with(emulator, "TOKEN=")
            # Two applications, so that what is asked here is not taken for the collector's.
            self.token = token(data, app(data, "checker"))
            collector = app(data, "collector")
            self.collect(emulator, token(data, collector))
            self.ask("DELETE", "/callvault.faults")
            log = json.loads(self.ask("GET", "/callvault.requests?final=true"))
            is_its = lambda entry: entry["application"] == collector
            self.requests = list(filter(is_its, log["requests"]))
            self.warnings = list(filter(is_its, log["warnings"]))
            self.truth, self.true_rows = self.read_records(), self.read_rows()
        except Exception:
            errors.seek(0)
            sys.stderr.write(errors.read())
            raise
        finally:
            killer.cancel()
            emulator.send_signal(signal.SIGINT)
            emulator.wait(PATIENCE)

    def place(self):
        """The scenario at the pace, as the binary is told it."""
        folder = os.environ.get("CALLVAULT_SCENARIOS")
        if self.pace == 1 and not folder:
            return self.scenario
        text = Path(folder or HERE.parent.parent / "scenarios", f"{self.scenario}.toml").read_text()
        slower = lambda wait: f'wait = "{int(wait[1]) * self.pace}s"'
        slow = self.folder / f"{self.scenario}.toml"
        slow.write_text(re.sub(r'^wait = "(\d+)s"$', slower, text, flags=re.MULTILINE))
        return str(slow)

    def line_with(self, emulator, text):
        """The next line that the emulator prints with this text."""
        for line in emulator.stdout:
            if text in line:
                return line
        raise RuntimeError(f"the emulator ended before it printed '{text}'")

    def collect(self, emulator, its_token):
        """Lets the collector work until the scenario is at its end."""
        out = self.folder / "records.ndjson"
        words = ["--url", self.url, "--token", its_token, "--out", str(out), "--every", "2"]
        collector = subprocess.Popen(self.command + words, stdout=subprocess.PIPE, text=True)
        try:
            began = time.monotonic()
            self.line_with(emulator, END)
            self.seconds = time.monotonic() - began
            collector.send_signal(signal.SIGTERM)
            self.said = collector.communicate(timeout=PATIENCE)[0]
        finally:
            collector.kill()
        if collector.returncode != 0:
            raise RuntimeError(f"the collector ended with {collector.returncode}: {self.said}")
        self.got = by_id(out)
        self.rows = by_id(out.with_stem("records-rows"))

    def ask(self, method, address):
        """An answer's body; waits where that is asked for."""
        url = address if "://" in address else self.url + address
        request = urllib.request.Request(url, method=method)
        request.add_header("Authorization", f"Bearer {self.token}")
        while True:
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    return answer.read()
            except urllib.error.HTTPError as error:
                if error.code != 429:
                    text = error.read(500).decode()
                    raise RuntimeError(f"{method} {url}: {error.code} {text}") from None
                time.sleep(int(error.headers["Retry-After"]))

    def pages(self, address):
        """What stands on all pages."""
        while address:
            page = json.loads(self.ask("GET", address))
            yield from page["value"]
            address = page.get("@odata.nextLink")

    def read_records(self):
        """All records that the server has, whole, each part read from its own list."""
        records = {}
        for row in self.pages(RECORDS):
            path = f"{RECORDS}/{row['id']}"
            record = json.loads(self.ask("GET", path))
            record["sessions"] = list(self.pages(f"{path}/sessions?$expand=segments"))
            record["participants_v2"] = list(self.pages(f"{path}/participants_v2"))
            records[row["id"]] = record
        return records

    def read_rows(self):
        """All rows of both logs."""
        day = lambda days: f"{datetime.now(timezone.utc) + timedelta(days=days):%Y-%m-%d}"
        rows = {}
        for log in ("getPstnCalls", "getDirectRoutingCalls"):
            times = f"(fromDateTime={day(-30)},toDateTime={day(30)})"
            rows |= {row["id"]: {"log": log, **row} for row in self.pages(f"{RECORDS}/{log}{times}")}
        return rows

    def statuses(self, method="", path=""):
        """The statuses that answers to the collector had."""
        return [
            entry["status"]
            for entry in self.requests
            if method in entry["method"] and path in entry["url"]
        ]


def environment():
    """Ours, without settings of the server."""
    return {name: value for name, value in os.environ.items() if not name.startswith("CALLVAULT_")}


def app(data, name):
    """Makes an application and gives its id."""
    return json.loads(command("app", "create", "--json", "--name", name, data=data))["clientId"]


def token(data, of):
    """A bearer token for an application."""
    return command("token", "--app", of, data=data).strip()


def command(*words, data):
    """What a command of the binary prints."""
    words = [BINARY, *words, "--data-dir", str(data), "--tenant", TENANT, "--role", ROLE]
    made = subprocess.run(words, env=environment(), capture_output=True, text=True)
    if made.returncode != 0:
        raise RuntimeError(f"{' '.join(words)}: {made.stderr}")
    return made.stdout


def by_id(path):
    """The objects of a file with a line for each."""
    with path.open() as lines:
        return {value["id"]: value for value in map(json.loads, lines)}


def bare(value):
    """A value without its contexts, which say how it was asked for."""
    if isinstance(value, dict):
        kept = {name: bare(inner) for name, inner in value.items() if "@odata.context" not in name}
        return dict(sorted(kept.items()))
    return [bare(inner) for inner in value] if isinstance(value, list) else value


def difference(got, want):
    """The first thing that two collections by id don't agree on. None if there is none."""
    for one in sorted(want.keys() - got.keys()):
        return f"{one} is missing, of {len(want)} there are {len(got)}"
    for one in sorted(got.keys() - want.keys()):
        return f"{one} is too much"
    for one, value in want.items():
        mine, its = bare(got[one]), bare(value)
        for name in mine.keys() | its.keys():
            if mine.get(name) != its.get(name):
                return f"{one}: {name}: {str(mine.get(name))[:200]} for {str(its.get(name))[:200]}"
    return None


# What an app can see in each scenario, beside that it has everything: texts and whether they hold.


def large_meeting(run):
    sizes = sorted((len(r["sessions"]), len(r["participants_v2"])) for r in run.got.values())
    yield "437 sessions of 298 people, 105 of 68", sizes[-2:] == [(105, 68), (437, 298)]


def pstn_late_rows(run):
    pages = [entry for entry in run.requests if "getPstnCalls" in entry["url"]]
    yield "more than a page of rows", sum(r["log"] == "getPstnCalls" for r in run.rows.values()) > 1000
    yield "the second page was asked for", any("$skip=1000" in entry["url"] for entry in pages)
    known = {r["id"] for r in run.got.values()}
    direct = [r for r in run.rows.values() if r["log"] == "getDirectRoutingCalls"]
    yield "rows of direct routing lead to records", any(r["correlationId"] in known for r in direct)


def failed_call(run):
    stages = [
        (session["failureInfo"]["stage"], record["type"])
        for record in run.got.values()
        for session in record["sessions"]
        if session["failureInfo"]
    ]
    yield "three calls were not set up", stages.count(("callSetup", "peerToPeer")) == 3
    yield "one broke off", stages.count(("midcall", "peerToPeer")) == 1
    yield "meetings of which a session broke off", stages.count(("midcall", "groupCall")) >= 3
    unanswered = [r for r in run.got.values() if r["startDateTime"] == r["endDateTime"]]
    yield "nobody answered", any(not r["sessions"][0]["failureInfo"] for r in unanswered)


def poor_network_site(run):
    loss = {True: [], False: []}
    for record in run.got.values():
        for media in (m for s in record["sessions"] for g in s["segments"] for m in g["media"]):
            networks = [media["callerNetwork"] or {}, media["calleeNetwork"] or {}]
            is_bad = any(network.get("subnet") in BAD_SUBNETS for network in networks)
            rates = [stream["averagePacketLossRate"] for stream in media["streams"] or []]
            loss[is_bad] += [rate for rate in rates if rate is not None]
    mean = {is_bad: sum(rates) / max(1, len(rates)) for is_bad, rates in loss.items()}
    yield f"{len(loss[True])} streams of the bad subnets", len(loss[True]) >= 40
    yield f"loss {mean[True]:.4f} there, {mean[False]:.4f} elsewhere", mean[True] > 3 * mean[False]


def versions(run):
    found = sorted(record["version"] for record in run.got.values())
    yield "version 3 of three calls, 1 of one", found == [1, 3, 3, 3]
    changed = [r for r in run.got.values() if r["version"] == 3 and r["type"] == "groupCall"]
    yield "one became a group call", len(changed) >= 1


def expiring_subscription(run):
    yield "the subscription was prolonged", 200 in run.statuses("PATCH", "/subscriptions/")
    made = run.statuses("POST", "/subscriptions")
    yield "a new one was made, not at the first try", made[0] == made[-1] == 201 and 400 in made


def throttled_collector(run):
    yield "records were throttled", run.statuses("GET", "/callRecords/").count(429) >= 3
    yield "the first subscription was", run.statuses("POST", "/subscriptions")[:2] == [429, 201]
    yield "the list was", 503 in run.statuses("GET", "/callRecords?")


def outage_and_backfill(run):
    yield "503 and 504", {503, 504} <= set(run.statuses())
    yield "broken off", any(entry["fault"] == "broken off" for entry in run.requests)
    yield "version 2 that nobody told of", 2 in {r["version"] for r in run.got.values()}


def unreliable_notifications(run):
    yield "records that were not to be seen yet", 404 in run.statuses("GET", "/callRecords/")


EXPECTED = {
    "large-meeting": large_meeting,
    "pstn-late-rows": pstn_late_rows,
    "failed-call": failed_call,
    "poor-network-site": poor_network_site,
    "versions": versions,
    "expiring-subscription": expiring_subscription,
    "throttled-collector": throttled_collector,
    "outage-and-backfill": outage_and_backfill,
    "unreliable-notifications": unreliable_notifications,
}


def good(scenario, language, pace):
    """The checks of a correct collector in a scenario."""
    run = Run(scenario, COLLECTORS[language], pace)
    wrong = difference(run.got, run.truth)
    yield wrong or f"{len(run.truth)} records, whole, after {run.seconds:.1f} s", not wrong
    wrong = difference(run.rows, run.true_rows)
    yield wrong or f"{len(run.true_rows)} rows of the logs", not wrong
    codes = [warning["code"] for warning in run.warnings]
    yield f"{len(run.requests)} requests, warnings {codes}", run.requests and not codes
    yield from EXPECTED[scenario](run)


def bad(mistake, pace):
    """The check of a faulty collector: it is warned of its mistake, and of nothing else."""
    scenario, code = MISTAKES[mistake]
    run = Run(scenario, [sys.executable, str(HERE / "python/faulty.py"), mistake], pace)
    codes = [warning["code"] for warning in run.warnings]
    yield f"in {scenario}, warnings {codes}", codes == [code]


def guide(_):
    """The checks of the guide: it shows the two integration tests as they are."""
    text = (HERE.parent.parent / "docs/testing-your-app.md").read_text()
    for test in ("python/test_collector.py", "javascript/collector.test.mjs"):
        yield f"shows {test} as it is", (HERE / test).read_text() in text


def outcome(name, checks):
    """All checks of a run, in the first pace in which they hold."""
    for pace in PACES:
        made = outcome_at(pace, name if pace == 1 else f"{name}, {pace} times slower", checks)
        if all(holds for _, holds in made):
            break
    return made


def outcome_at(pace, name, checks):
    """All checks of a run in a pace; one that can't be made is a failed one."""
    try:
        return [(f"{name}: {what}", holds) for what, holds in checks(pace)]
    except Exception as error:
        return [(f"{name}: {type(error).__name__}: {error}", False)]


def main():
    wanted = set(sys.argv[1:])
    runs = [
        (f"{scenario}, {language}", partial(good, scenario, language))
        for scenario in EXPECTED
        for language in COLLECTORS
        if not wanted or scenario in wanted
    ]
    runs += [(mistake, partial(bad, mistake)) for mistake in MISTAKES if not wanted or mistake in wanted]
    if not wanted:
        runs.append(("the guide", guide))
    passed = failed = 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for checks in pool.map(lambda run: outcome(*run), runs):
            for what, holds in checks:
                print("ok  " if holds else "FAIL", what, flush=True)
                passed, failed = passed + bool(holds), failed + (not holds)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
