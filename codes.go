// This file is the catalogue of error codes: what is known of each, and how it
// is read.

package slackalert

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"example.com/slackalert/internal/check"
	"example.com/slackalert/internal/unhandled"
	"example.com/slackalert/internal/wake"
)

// Code is what is known of one error code.
type Code struct {
	Title   string `json:"title,omitempty"`   // shown beside the code
	Channel string `json:"channel,omitempty"` // instead of Options.Channel; bot token or Sender only
	Mention string `json:"mention,omitempty"` // e.g. "<@U0123>"
	Runbook string `json:"runbook,omitempty"` // URL
	Mute    bool   `json:"mute,omitempty"`    // never an alert by its code; by its level still
}

// setCodes replaces the catalogue with a copy of codes, if all is right with
// them.
func (c *config) setCodes(codes map[string]Code) error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(codes)) {
		code := codes[name]
		where := fmt.Sprintf("Codes[%q].", name)
		if code.Channel != "" && c.opts.WebhookURL != "" {
			errs = append(errs, fmt.Errorf("%sChannel is %q; a webhook posts to the channel it was made for: want a bot token, or no channel", where, code.Channel))
		} else if c.opts.Sender == nil {
			errs = append(errs, check.Channel(where+"Channel", code.Channel))
		}
		errs = append(errs, checkMention(where+"Mention", code.Mention))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	codes = maps.Clone(codes)
	c.codes.Store(&codes)
	return nil
}

// catalogue is what is known of single codes at this moment. It must not be
// changed.
func (c *config) catalogue() map[string]Code { return *c.codes.Load() }

// checkMention refuses what calls nobody, and looks as if it did.
func checkMention(field, mention string) error {
	if mention == "" || wake.Anybody(mention) {
		return nil
	}
	return fmt.Errorf("%s is %q, which calls nobody; want %s", field, mention, wake.Forms)
}

// LoadCodes reads a catalogue of codes for Options.Codes: a JSON object of code
// to the fields of [Code] in snake_case,
//
//	{"E401": {"title": "Tampered token", "mention": "<@U0123>", "runbook": "https://…", "mute": false}}
//
// An error names the line and the field. Fields that Code doesn't have, codes
// and fields given twice, and anything behind the object are refused. An empty
// object is an empty catalogue.
func LoadCodes(r io.Reader) (map[string]Code, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("slackalert: codes: %w", err)
	}
	c := reader{dec: json.NewDecoder(bytes.NewReader(data)), data: data}
	codes := map[string]Code{}
	err = c.object("the catalogue", func(code string) error {
		if code == "" {
			return c.errorf("a code is empty; want its text")
		}
		if _, ok := codes[code]; ok {
			return c.errorf("code %q is given twice; want each code once", code)
		}
		into, err := c.code(code)
		codes[code] = into
		return err
	})
	if err == nil {
		if _, err = c.dec.Token(); err == io.EOF {
			return codes, nil
		}
		err = c.errorf("more follows the catalogue; want one JSON object")
	}
	return nil, err
}

// reader reads JSON a token at a time, to know the line of a mistake.
type reader struct {
	dec  *json.Decoder
	data []byte
}

func (c *reader) errorf(format string, args ...any) error {
	line := 1 + bytes.Count(c.data[:min(int(c.dec.InputOffset()), len(c.data))], []byte("\n"))
	return fmt.Errorf("slackalert: codes: line %d: %w", line, fmt.Errorf(format, args...))
}

// object reads an object; member is called behind each key and reads its value.
func (c *reader) object(what string, member func(key string) error) error {
	t, err := c.token()
	if err != nil {
		return err
	}
	if t != json.Delim('{') {
		return c.errorf("%s is %v; want an object", what, t)
	}
	for c.dec.More() {
		key, err := c.token()
		if err != nil {
			return err
		}
		if err := member(key.(string)); err != nil {
			return err
		}
	}
	_, err = c.token()
	return err
}

func (c *reader) token() (json.Token, error) {
	t, err := c.dec.Token()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, c.errorf("%w; want one JSON object", err)
	}
	return t, nil
}

func (c *reader) code(name string) (code Code, err error) {
	seen := map[string]bool{}
	err = c.object(fmt.Sprintf("code %q", name), func(field string) error {
		if seen[field] {
			return c.errorf("code %q: field %q is given twice", name, field)
		}
		seen[field] = true
		texts := map[string]*string{"title": &code.Title, "channel": &code.Channel, "mention": &code.Mention, "runbook": &code.Runbook}
		if texts[field] == nil && field != "mute" {
			return c.errorf("code %q: unknown field %q; want title, channel, mention, runbook or mute", name, field)
		}
		v, err := c.token()
		if err != nil {
			return err
		}
		ok, want := false, "a string"
		if into := texts[field]; into != nil {
			*into, ok = v.(string)
		} else {
			want = "true or false"
			code.Mute, ok = v.(bool)
		}
		if !ok {
			return c.errorf("code %q: %s is %v; want %s", name, field, v, want)
		}
		if err := checkMention("mention", code.Mention); err != nil {
			return c.errorf("code %q: %w", name, err)
		}
		return nil
	})
	return code, err
}

// SetCodes replaces Options.Codes while the handler runs, at once and as a whole,
// for it and all handlers derived from it: alerts logged from then on are muted
// and routed by the new codes, and messages written from then on show them. It
// copies codes; nil is an empty catalogue. It refuses what New refuses, and keeps
// the old codes then. It may be called from many goroutines, also after Shutdown.
func (h *Handler) SetCodes(codes map[string]Code) error {
	if err := h.core.config.setCodes(codes); err != nil {
		return fmt.Errorf("slackalert: %w", err)
	}
	return nil
}

// lead is a code as a message's head begins with it. That of what nobody gave
// another says nothing to who reads.
func lead(code string) string {
	if code == unhandled.Code {
		return ""
	}
	return code
}
