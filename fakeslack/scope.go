// This file keeps what the app may do: its scopes.

package fakeslack

import (
	"net/http"
	"slices"
	"strings"
	"sync"
)

// allScopes are those that the app has when the server starts.
var allScopes = []string{"chat:write", "channels:history", "groups:history"}

// Withhold takes these scopes from the app, until the next call; without any it
// gets all back. It has "chat:write", "channels:history" and "groups:history";
// a method that wants a withheld one answers missing_scope.
func (s *Server) Withhold(scopes ...string) { s.scopes.set(scopes) }

// grants is which scopes are withheld.
type grants struct {
	mu       sync.Mutex
	withheld []string
}

func (g *grants) set(withheld []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.withheld = slices.Clone(withheld)
}

// miss is the refusal of a method whose scope is withheld, nil if it is there.
func (g *grants) miss(method string, a args) *reply {
	want := needs(method, a)
	g.mu.Lock()
	defer g.mu.Unlock()
	if !slices.Contains(g.withheld, want) {
		return nil
	}
	provided := slices.DeleteFunc(slices.Clone(allScopes), func(s string) bool { return slices.Contains(g.withheld, s) })
	rep := jsonReply(http.StatusOK, map[string]any{
		"ok": false, "error": "missing_scope", "needed": want, "provided": strings.Join(provided, ","),
	})
	return &rep
}

// needs is the scope that a method wants; "" = none. A private channel is one
// whose ID begins with G, as Slack's once did.
func needs(method string, a args) string {
	switch {
	case method == "conversations.history" && strings.HasPrefix(a["channel"], "G"):
		return "groups:history"
	case method == "conversations.history":
		return "channels:history"
	case strings.HasPrefix(method, "chat."):
		return "chat:write"
	}
	return ""
}
