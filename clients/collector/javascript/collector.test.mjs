// The collector against the emulator: node --test collector.test.mjs

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import test from "node:test";
import { fileURLToPath } from "node:url";

const CALLVAULT = process.env.CALLVAULT_BIN ?? "callvault";
const COLLECTOR = fileURLToPath(new URL("collector.mjs", import.meta.url));

test("the highest version is kept and nothing is done wrong", async (context) => {
  const words = ["demo", "--scenario", "versions", "--listen", "127.0.0.1:0", "--admin-listen", "off"];
  const emulator = spawn(CALLVAULT, words, { stdio: ["ignore", "pipe", "inherit"] });
  context.after(() => emulator.kill("SIGINT"));
  const lines = createInterface({ input: emulator.stdout })[Symbol.asyncIterator]();
  const url = (await lineWith("listening on ", lines)).split(" ").at(-1);
  const token = (await lineWith("TOKEN=", lines)).replace("export TOKEN=", "");

  const folder = await mkdtemp(join(tmpdir(), "collector-"));
  context.after(() => rm(folder, { recursive: true }));
  const out = join(folder, "records.ndjson");
  const given = ["--url", url, "--token", token, "--out", out];
  const collector = spawn(process.execPath, [COLLECTOR, ...given], { stdio: "inherit" });
  context.after(() => collector.kill("SIGKILL"));
  await lineWith("The scenario is at its end.", lines);
  collector.kill("SIGTERM");
  assert.deepEqual(await once(collector, "exit"), [0, null]);

  const records = (await readFile(out, "utf8")).trim().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(records.map((record) => record.version).sort(), [1, 3, 3, 3]);
  for (const record of records) {
    assert.ok(record.sessions.length > 0 && record.participants_v2.length > 0);
  }
  const log = await (await fetch(`${url}/callvault.requests?final=true`)).json();
  assert.deepEqual(log.warnings, []);
});

/** The next line with this text that a program prints. */
async function lineWith(text, lines) {
  for (;;) {
    const { value, done } = await lines.next();
    if (done) throw new Error(`the emulator ended before it printed '${text}'`);
    if (value.includes(text)) return value;
  }
}
