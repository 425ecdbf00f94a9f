package who

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestOf(t *testing.T) {
	for key, want := range map[string]Role{
		"user": User, "user_id": User, "userId": User, "user.email": User, "USER-NAME": User, "http.user": User, "auth.session.user": User,
		"method": Method, "http.method": Method, "http.request.method": Method, "req.method": Method,
		"path": Path, "url.path": Path, "requestURI": Path, "http.route": Route, "endpoint": Route,
		"status": Status, "statusCode": Status, "http.status_code": Status, "response_status": Status,
		"request_id": Request, "requestId": Request, "X-Request-Id": Request, "trace.id": Request, "ctx.trace_id": Request,
		"db.user": Other, "payment.method": Other, "file.path": Other, "users": Other, "order": Other, "": Other, ".": Other,
		"http.": Other, "users" + strings.Repeat("x", 200): Other, strings.Repeat("http.", 50) + "user": User,
	} {
		assert.Equal(t, want, Of(key), key)
	}
}

func TestKeysCanBeFound(t *testing.T) {
	for key, role := range keys {
		assert.Equal(t, role, Of(key))
	}
}
