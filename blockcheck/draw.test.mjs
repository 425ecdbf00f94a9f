// This test lets a renderer that was not made here draw the golden messages. It
// takes plain_text for mrkdwn and verbatim mrkdwn for plain text, so of what may
// act it is no judge; that all is there, it is.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { Message } from "slack-blocks-to-jsx";
import { messages, within } from "./golden.mjs";

/** draw draws blocks; what React or the renderer complains of is thrown. */
function draw(blocks) {
	const said = [];
	const { error, warn } = console;
	console.error = console.warn = (...args) => said.push(args.join(" "));
	try {
		return renderToStaticMarkup(createElement(Message, { blocks, name: "app", logo: "data:,", time: new Date(0) }));
	} finally {
		Object.assign(console, { error, warn });
		assert.deepEqual(said, []);
	}
}

const entities = { "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#x27;": "'", "&amp;": "&" };

const shown = (html) => html.replace(/<[^>]*>/g, "").replace(/&(?:lt|gt|quot|#x27|amp);/g, (e) => entities[e]);

/** leaves is the text of a message's rich text, which is drawn as it is. */
const leaves = (blocks) => [...within(blocks)].filter((o) => o.type === "text").map((o) => o.text);

/** runs finds markup that could do more than show text. */
const runs = /<(?:script|iframe|style|link|object|form)\b|\son[a-z]+=|href="(?!https?:|mailto:)[^"]*/g;

/** drawnBlocks is how many blocks the renderer knew. */
const drawnBlocks = (html) => html.split("slack_blocks_to_jsx--block_wrapper").length - 1;

for (const m of messages) {
	test(`${m.name} is drawn whole`, () => {
		const html = draw(m.blocks);
		const out = join(import.meta.dirname, "out");
		mkdirSync(out, { recursive: true });
		writeFileSync(join(out, m.name + ".html"), `<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="../node_modules/slack-blocks-to-jsx/dist/style.css">${html}`);
		assert.equal(drawnBlocks(html), m.blocks.length);
		for (const leaf of leaves(m.blocks)) assert.ok(shown(html).includes(leaf), `not drawn: ${leaf}`);
		assert.deepEqual(html.match(runs) ?? [], []);
	});
}

test("a block that can't be drawn is seen", () => {
	assert.notEqual(drawnBlocks(draw([{ type: "divider" }, { type: "no_such_block" }])), 2);
});
