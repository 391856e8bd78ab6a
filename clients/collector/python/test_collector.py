"""The collector against the emulator: python3 -m unittest test_collector.py"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import unittest
import urllib.request
from pathlib import Path

CALLVAULT = os.environ.get("CALLVAULT_BIN", "callvault")
COLLECTOR = Path(__file__).with_name("collector.py")


class VersionsOfRecords(unittest.TestCase):
    def test_highest_version_is_kept_and_nothing_is_done_wrong(self):
        words = ["demo", "--scenario", "versions", "--listen", "127.0.0.1:0", "--admin-listen", "off"]
        emulator = subprocess.Popen([CALLVAULT, *words], stdout=subprocess.PIPE, text=True)
        self.addCleanup(emulator.communicate)
        self.addCleanup(emulator.send_signal, signal.SIGINT)
        url = line_with("listening on ", emulator).split()[-1]
        token = line_with("TOKEN=", emulator).strip().removeprefix("export TOKEN=")

        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        out = Path(folder.name, "records.ndjson")
        words = ["--url", url, "--token", token, "--out", str(out)]
        collector = subprocess.Popen([sys.executable, str(COLLECTOR), *words])
        self.addCleanup(collector.kill)
        line_with("The scenario is at its end.", emulator)
        collector.send_signal(signal.SIGTERM)
        self.assertEqual(collector.wait(300), 0)

        records = [json.loads(line) for line in out.read_text().splitlines()]
        self.assertEqual(sorted(record["version"] for record in records), [1, 3, 3, 3])
        for record in records:
            self.assertTrue(record["sessions"] and record["participants_v2"])
        with urllib.request.urlopen(f"{url}/callvault.requests?final=true") as answer:
            self.assertEqual(json.load(answer)["warnings"], [])


def line_with(text, program):
    """The next line with this text that a program prints."""
    for line in program.stdout:
        if text in line:
            return line
    raise AssertionError(f"the emulator ended before it printed '{text}'")


if __name__ == "__main__":
    unittest.main()
