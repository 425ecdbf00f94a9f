// This file knows the emoji that alerts are likely to show.

package fakeslack

import "strings"

// emoji is the sign of that name, or the name itself: Slack knows thousands and
// every workspace its own. Digits alone are more likely part of a time.
func emoji(name string) span {
	sign, ok := signs[name]
	switch {
	case ok:
		return span{Kind: "emoji", Text: sign, Format: name}
	case strings.Trim(name, "0123456789") == "":
		return span{Kind: "text", Text: ":" + name + ":"}
	}
	return span{Kind: "emoji", Text: ":" + name + ":", Format: name}
}

var signs = map[string]string{
	"100": "💯", "1234": "🔢",
	"alarm_clock": "⏰", "ambulance": "🚑", "arrow_down": "⬇️", "arrow_right": "➡️", "arrow_up": "⬆️",
	"arrows_counterclockwise": "🔄", "bangbang": "‼️", "bar_chart": "📊", "bell": "🔔", "black_circle": "⚫",
	"blue_book": "📘", "boom": "💥", "bug": "🐛", "bulb": "💡", "chart_with_upwards_trend": "📈",
	"clipboard": "📋", "clock1": "🕐", "collision": "💥", "construction": "🚧", "exclamation": "❗",
	"eyes": "👀", "fire": "🔥", "fire_engine": "🚒", "gear": "⚙️", "ghost": "👻", "green_book": "📗",
	"hammer_and_wrench": "🛠️", "heavy_check_mark": "✔️", "heavy_exclamation_mark": "❗", "hourglass": "⌛",
	"hourglass_flowing_sand": "⏳", "information_source": "ℹ️", "key": "🔑", "large_blue_circle": "🔵",
	"large_green_circle": "🟢", "large_orange_circle": "🟠", "large_purple_circle": "🟣",
	"large_red_square": "🟥", "large_yellow_circle": "🟡", "link": "🔗", "lock": "🔒", "mag": "🔍",
	"memo": "📝", "moneybag": "💰", "mute": "🔇", "no_bell": "🔕", "no_entry": "⛔", "no_entry_sign": "🚫",
	"octagonal_sign": "🛑", "ok": "🆗", "orange_book": "📙", "package": "📦", "pager": "📟", "pray": "🙏",
	"pushpin": "📌", "question": "❓", "red_circle": "🔴", "repeat": "🔁", "rocket": "🚀",
	"rotating_light": "🚨", "skull": "💀", "skull_and_crossbones": "☠️", "sos": "🆘", "stethoscope": "🩺",
	"stopwatch": "⏱️", "tada": "🎉", "thinking_face": "🤔", "+1": "👍", "-1": "👎", "thumbsup": "👍",
	"ticket": "🎫", "triangular_flag_on_post": "🚩", "warning": "⚠️", "wave": "👋", "white_check_mark": "✅",
	"white_circle": "⚪", "wrench": "🔧", "x": "❌", "zap": "⚡", "zzz": "💤",
}
