// This script keeps the page up to date, writes dates in the reader's zone, folds
// notifications, and copies JSON. Without it the page shows what there is, and no
// button. All markup comes from the server, escaped; none is made here.
"use strict";

const root = document.documentElement;
const list = document.getElementById("messages");
const channels = document.getElementById("channels");
const live = document.getElementById("live");
const newer = document.getElementById("newer");

// most is how many messages the page keeps while it grows.
const most = 1000;

// Dates.

const day = 24 * 60 * 60 * 1000;

function ordinal(n) {
	const tens = n % 100;
	if (tens > 10 && tens < 14) return n + "th";
	return n + ({ 1: "st", 2: "nd", 3: "rd" }[n % 10] || "th");
}

function english(when, options) {
	return new Intl.DateTimeFormat("en-US", options).format(when);
}

function clock(when, seconds) {
	const options = { hour: "numeric", minute: "2-digit" };
	if (seconds) options.second = "2-digit";
	return new Intl.DateTimeFormat(undefined, options).format(when);
}

function midnight(when) {
	return new Date(when.getFullYear(), when.getMonth(), when.getDate()).getTime();
}

// near is the word for a day next to today, or nothing.
function near(when) {
	const days = Math.round((midnight(when) - midnight(new Date())) / day);
	return { "-1": "yesterday", "0": "today", "1": "tomorrow" }[days];
}

function long(when, weekday) {
	const name = weekday ? english(when, { weekday: "long" }) + ", " : "";
	return name + english(when, { month: "long" }) + " " + ordinal(when.getDate()) + ", " + when.getFullYear();
}

function short(when) {
	return english(when, { month: "short", day: "numeric", year: "numeric" });
}

function ago(when) {
	const words = new Intl.RelativeTimeFormat("en", { numeric: "always" });
	const seconds = Math.round((when.getTime() - Date.now()) / 1000);
	for (const [unit, size] of [["year", 31557600], ["month", 2629800], ["day", 86400], ["hour", 3600], ["minute", 60]]) {
		if (Math.abs(seconds) >= size) return words.format(Math.trunc(seconds / size), unit);
	}
	return words.format(seconds, "second");
}

const two = (n) => String(n).padStart(2, "0");

const tokens = {
	date_num: (w) => `${w.getFullYear()}-${two(w.getMonth() + 1)}-${two(w.getDate())}`,
	date_slash: (w) => `${two(w.getMonth() + 1)}/${two(w.getDate())}/${w.getFullYear()}`,
	date: (w) => long(w, false),
	date_short: short,
	date_long: (w) => long(w, true),
	date_long_full: (w) => long(w, true),
	date_pretty: (w) => near(w) || long(w, false),
	date_short_pretty: (w) => near(w) || short(w),
	date_long_pretty: (w) => near(w) || long(w, true),
	day_divider_pretty: (w) => near(w) || long(w, true),
	time: (w) => clock(w, false),
	time_secs: (w) => clock(w, true),
	ago,
	when: (w) => (near(w) === "today" ? "" : english(w, { month: "short", day: "numeric" }) + " ") + clock(w, false),
};

function writeDates(within) {
	for (const t of within.querySelectorAll("time[data-unix]")) {
		const when = new Date(Number(t.dataset.unix) * 1000);
		if (isNaN(when)) continue;
		const format = t.dataset.format === "when" ? "{when}" : t.dataset.format;
		t.dateTime = when.toISOString();
		t.title = when.toLocaleString(undefined, { dateStyle: "full", timeStyle: "long" });
		const text = format.replace(/\{(\w+)\}/g, (all, token) => (Object.hasOwn(tokens, token) ? tokens[token](when) : all));
		if (t.textContent !== text) t.textContent = text;
	}
}

// Staying up to date.

function atEnd() {
	return window.innerHeight + window.scrollY >= document.body.scrollHeight - 80;
}

function toEnd() {
	window.scrollTo(0, document.body.scrollHeight);
	newer.hidden = true;
}

// place puts a message where it belongs: over an older state of itself, else at
// the end. It tells whether the message is new.
function place(message) {
	const old = document.getElementById(message.id);
	if (old && old.dataset.channel === message.dataset.channel) {
		showNotification(message, old.querySelector(".notification:not([hidden])") !== null);
		old.replaceWith(message);
		return false;
	}
	showNotification(message, false);
	list.append(message);
	message.classList.add("fresh");
	return true;
}

function change(event) {
	const parts = JSON.parse(event.data);
	const end = atEnd();
	const doc = new DOMParser().parseFromString(parts.messages, "text/html");
	let more = false;
	for (const message of doc.querySelectorAll("article.message")) {
		const adopted = document.adoptNode(message);
		writeDates(adopted);
		more = place(adopted) || more;
	}
	while (list.children.length > most) list.firstElementChild.remove();
	channels.replaceChildren(...new DOMParser().parseFromString(parts.channels, "text/html").body.childNodes);
	root.dataset.version = event.lastEventId;
	if (more && end) toEnd();
	else if (more) newer.hidden = false;
}

function listen() {
	const query = new URLSearchParams({ since: root.dataset.version, channel: root.dataset.channel });
	const events = new EventSource("/events?" + query);
	const say = (text, on) => {
		live.textContent = text;
		live.classList.toggle("off", !on);
	};
	events.onopen = () => say("live", true);
	events.onerror = () => say("server is gone", false);
	events.onmessage = change;
	events.addEventListener("reset", () => location.reload());
	window.addEventListener("pagehide", () => events.close());
	window.addEventListener("pageshow", (e) => { if (e.persisted) location.reload(); });
}

// What one can do with a message.

function showNotification(message, on) {
	const note = message.querySelector(".notification");
	if (!note) return;
	note.hidden = !on;
	message.querySelector(".push").setAttribute("aria-expanded", String(on));
}

async function copy(button) {
	const label = button.textContent;
	try {
		await navigator.clipboard.writeText(button.dataset.json);
		button.textContent = "Copied";
	} catch {
		button.textContent = "Can't copy";
	}
	setTimeout(() => { button.textContent = label; }, 1500);
}

list.addEventListener("click", (event) => {
	const button = event.target.closest("button");
	if (!button) return;
	if (button.classList.contains("copy")) copy(button);
	if (button.classList.contains("push")) {
		showNotification(button.closest(".message"), button.getAttribute("aria-expanded") !== "true");
	}
});
newer.addEventListener("click", toEnd);
window.addEventListener("scroll", () => { if (atEnd()) newer.hidden = true; }, { passive: true });

root.classList.add("scripted");
for (const message of list.children) showNotification(message, false);
writeDates(document);
setInterval(() => writeDates(document), 30000);
channels.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
if (!location.hash) toEnd();
listen();
