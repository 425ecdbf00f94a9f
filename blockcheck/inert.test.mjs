// This test reads the golden messages' markup with a parser that was not made
// here: no logged text may be a mention, a link, an emoji or markup in it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { NodeType, parse } from "slack-message-parser";
import { configuredLink, mentions, messages, within } from "./golden.mjs";

/** configured says that the caller asked for node: its mention, its link, a date. */
function configured(node) {
	switch (node.type) {
		case NodeType.UserLink:
			return mentions.includes("@" + node.userID);
		case NodeType.Command:
			return node.name === "date" || mentions.includes(`!${node.name}^${node.arguments.join("^")}`);
		case NodeType.URL:
			return configuredLink(node.url);
		case NodeType.Bold: // sign and count of one of many kinds
			return /^\*(?:🚨|🔴|🟠|🔵|🟣|⚪)(?: PANIC| FATAL| quiet)? ×[0-9,]+(?: or more)?(?: \(\+[0-9,]+\))?\*$/u.test(node.source);
	}
	return false;
}

// The parser takes anything between two colons for an emoji, the minutes of a
// time among them, and a word joiner. Slack's names are letters, digits, _ + -.
const falseAlarm = (node) => node.type === NodeType.Emoji && !/^(?=.*\p{L})[\p{L}\p{N}_+'-]+$/u.test(node.name);

/** active is what in a markup text acts and wasn't asked for. */
function active(markup) {
	const found = [];
	const visit = (node) => {
		const fine = node.type === NodeType.Root || node.type === NodeType.Text || configured(node) || falseAlarm(node);
		if (!fine) found.push(`${NodeType[node.type]}: ${node.source}`);
		for (const kid of [...(node.children ?? []), ...(node.label ?? [])]) visit(kid);
	};
	visit(parse(markup));
	return found;
}

const markups = (m) => [m.text, m.plain, ...[...within(m.blocks)].filter((o) => o.type === "mrkdwn").map((o) => o.text)];

for (const m of messages) {
	test(`${m.name}: nothing logged acts`, () => {
		for (const markup of markups(m)) assert.deepEqual(active(markup), [], markup);
		for (const o of within(m.blocks)) {
			if (o.type === "mrkdwn") assert.equal(o.verbatim, true, o.text);
			if (o.type === "plain_text") assert.equal(o.emoji, false, o.text);
			if (o.type === "link") assert.ok(configuredLink(o.url), o.url);
			if (o.type === "user") assert.ok(mentions.includes("@" + o.user_id), o.user_id);
			if (o.type === "usergroup") assert.ok(mentions.includes("!subteam^" + o.usergroup_id), o.usergroup_id);
			assert.ok(!["broadcast", "channel", "emoji", "markdown"].includes(o.type), o.type);
		}
	});
}

test("what acts is seen", () => {
	for (const raw of ["<!channel>", "<@U0BOSS>", "<http://evil.example|click>", "<#C0>", ":fire:", "*pay*", "`rm`", "_up_", "~now~", "&gt; quote"]) {
		assert.equal(active(raw).length, 1, raw);
	}
	assert.deepEqual(active("<@U0SEC> <!subteam^S0ONCALL> <https://logs.example/q|Logs> <!date^1^{time}|12:03:04 UTC>"), []);
});
