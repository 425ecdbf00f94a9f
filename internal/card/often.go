// This file says how often a group's alerts came, and when.

package card

import (
	"time"

	"example.com/slackalert/internal/draw"
	"example.com/slackalert/internal/words"
)

// Often is how often alerts came. Told is how many of the Total are news; those
// before were told of already.
type Often struct {
	Told, Total int
	Least       bool // there may have been more
	First, Last time.Time
}

// halfDay is the time in which a time of day says enough.
const halfDay = 12 * time.Hour

// Once reports whether there was but one.
func (o Often) Once() bool { return o.Total < 2 && !o.Least }

// Tally is the count where it stands behind what happened: "×9,120 (+4,312)",
// the total first.
func (o Often) Tally() string {
	s := "×" + words.Thousands(o.Total)
	if o.Least {
		s += " or more"
	}
	if o.Total > o.Told {
		s += " (+" + words.Thousands(o.Told) + ")"
	}
	return s
}

// Behind is the tally with a space before it, or nothing where there was but one.
func (o Often) Behind() string {
	if o.Once() {
		return ""
	}
	return " " + o.Tally()
}

// took is the time from the first to the last.
func (o Often) took() time.Duration {
	if !draw.Dated(o.First) || !draw.Dated(o.Last) {
		return 0
	}
	return max(o.Last.Sub(o.First), 0)
}

// Took is that time in words; "" where it is less than a second or unknown.
func (o Often) Took() string {
	if o.took() < time.Second {
		return ""
	}
	return words.Duration(o.took())
}

// Format tells the day where the time of day alone could be another day's.
func (o Often) Format() draw.Format {
	if o.took() < halfDay {
		return draw.Minute
	}
	return draw.Dayed
}

// Line is the count as a line of its own: "4,312 in 42 s, since 12:03". Noun is
// behind the number where it all took no time. The times are left out where they
// stand elsewhere.
func (o Often) Line(noun string, timed bool) []draw.Span {
	n := words.Thousands(o.Total)
	if o.Least {
		n += " or more"
	}
	rest := " " + noun
	if took := o.Took(); took != "" {
		rest = " in " + took
	}
	line := []draw.Span{{Text: n, Bold: true}, {Text: rest}}
	if !timed || !draw.Dated(o.First) {
		return line
	}
	line = append(line, draw.Span{Text: ", since ", At: o.First, As: o.Format()})
	if o.took() >= time.Minute {
		line = append(line, draw.Span{Text: ", last ", At: o.Last, As: o.Format()})
	}
	return line
}

// Period is from when to when, behind before: "12:03 to 12:13"; nothing if both
// are much the same.
func (o Often) Period(before string) []draw.Span {
	if !draw.Dated(o.First) || o.took() < time.Minute {
		return nil
	}
	return []draw.Span{{Text: before, At: o.First, As: o.Format()}, {Text: " to ", At: o.Last, As: o.Format()}}
}
