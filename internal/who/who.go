// This file knows the keys that tell who did what.

// Package who recognises the attributes that tell who did what: user, method,
// path, status, request. Programs spell their keys in many ways.
package who

import "strings"

// Role is what an attribute tells, in the order in which they are shown.
type Role int

const (
	User Role = iota
	Method
	Path  // what was asked for
	Route // the pattern that it fits
	Status
	Request
	Other // all the rest
)

// keys are common keys in lower case and without signs.
var keys = map[string]Role{
	"user": User, "userid": User, "username": User, "useremail": User, "userlogin": User, "uid": User, "login": User,
	"account": User, "accountid": User, "customer": User, "customerid": User, "enduserid": User, "actor": User, "principal": User,

	"method": Method, "httpmethod": Method, "requestmethod": Method, "httprequestmethod": Method,

	"path": Path, "httppath": Path, "requestpath": Path, "urlpath": Path, "uri": Path, "requesturi": Path, "url": Path,
	"httpurl": Path, "httptarget": Path,

	"route": Route, "httproute": Route, "endpoint": Route,

	"status": Status, "statuscode": Status, "httpstatus": Status, "httpstatuscode": Status, "responsestatus": Status,
	"httpresponsestatuscode": Status,

	"requestid": Request, "reqid": Request, "xrequestid": Request, "traceid": Request, "correlationid": Request,
	"xamzntraceid": Request, "traceparent": Request,
}

// groups are the first parts of dotted keys that name a request, so that what
// follows counts: user in http.user, but not in db.user.
var groups = map[string]bool{
	"http": true, "request": true, "req": true, "rpc": true, "ctx": true, "scope": true, "auth": true, "session": true,
}

// Of is the role of the attribute with this key.
func Of(key string) Role {
	var buf [maxKey]byte
	for {
		if r, ok := keys[string(squash(buf[:0], key))]; ok {
			return r
		}
		head, tail, ok := strings.Cut(key, ".")
		if !ok || !groups[string(squash(buf[:0], head))] {
			return Other
		}
		key = tail
	}
}

// maxKey is longer than any key in the tables.
const maxKey = 32

// squash makes the spellings of a key alike: requestId, request-id, request.id.
// It gives up on keys that are too long to be known.
func squash(buf []byte, key string) []byte {
	for i := range len(key) {
		switch c := key[i]; {
		case len(buf) == maxKey:
			return nil
		case 'A' <= c && c <= 'Z':
			buf = append(buf, c+'a'-'A')
		case c != '_' && c != '-' && c != '.' && c != ' ':
			buf = append(buf, c)
		}
	}
	return buf
}
