// This test holds the golden messages' blocks against Slack's own types. It sees
// structure: kinds, fields that aren't there, fields too many. Lengths it can't.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import ts from "typescript";
import { messages, within } from "./golden.mjs";

// What a type-checker must refuse; an unused @ts-expect-error is an error.
const wrong = `
// @ts-expect-error a header is plain_text
export const kind: KnownBlock[] = [{ type: "header", text: { type: "mrkdwn", text: "x" } }];
export const extra: KnownBlock[] = [
	// @ts-expect-error emoji is a plain_text thing
	{ type: "section", text: { type: "mrkdwn", text: "x", emoji: true } },
];
`;

/** known takes out what Slack documents and its types don't have yet. */
function known(blocks) {
	const copy = structuredClone(blocks);
	for (const o of within(copy)) {
		if (o.type === "rich_text_preformatted") delete o.language;
		if (o.type === "header") delete o.level;
	}
	return copy;
}

/** complaints is what tsc --strict --noEmit says of programs, by name. */
function complaints(programs) {
	const out = join(import.meta.dirname, "out");
	mkdirSync(out, { recursive: true });
	const files = Object.entries(programs).map(([name, program]) => {
		const file = join(out, name);
		writeFileSync(file, 'import type { KnownBlock } from "@slack/types";\n' + program);
		return file;
	});
	const options = { strict: true, noEmit: true, types: [], lib: ["lib.es2022.d.ts"], module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2022 };
	return ts.getPreEmitDiagnostics(ts.createProgram(files, options)).map((d) => {
		const line = d.file ? d.file.getLineAndCharacterOfPosition(d.start).line + 1 : 0;
		return `${d.file?.fileName}:${line}: ${ts.flattenDiagnosticMessageText(d.messageText, "\n")}`;
	});
}

test("Slack's types take every golden message, and refuse what is wrong", () => {
	assert.ok(messages.length > 0);
	const consts = messages.map((m, i) => `// ${m.name}\nexport const m${i}: KnownBlock[] = ${JSON.stringify(known(m.blocks), null, "\t")};\n`);
	assert.deepEqual(complaints({ "golden.ts": consts.join(""), "wrong.ts": wrong }), []);
});
