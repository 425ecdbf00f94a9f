// This file reads the golden messages, and knows what in them the caller of the
// library asked for: those mentions and links may act, nothing else may.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const folder = join(import.meta.dirname, "..", "testdata", "messages");

export const messages = readdirSync(folder)
	.filter((name) => name.endsWith(".json"))
	.map((name) => ({ name: name.slice(0, -".json".length), ...JSON.parse(readFileSync(join(folder, name), "utf8")) }));

export const mentions = ["@U0SEC", "!subteam^S0ONCALL"];
const hosts = ["git.example", "wiki.example", "logs.example"];

export const configuredLink = (url) => URL.canParse(url) && hosts.includes(new URL(url).host);

/** within yields v and every object in it. */
export function* within(v) {
	if (v === null || typeof v !== "object") return;
	yield v;
	for (const inner of Object.values(v)) yield* within(inner);
}
