// These tests start, stop and crowd the server.

package fakeslack

import (
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestStartRefuses(t *testing.T) {
	taken := start(t, nil)
	for name, c := range map[string]struct {
		opts Options
		want string
	}{
		"negative rate":   {Options{Rate: -time.Second}, "fakeslack: Rate is -1s, want 0 or more"},
		"every interface": {Options{Addr: "0.0.0.0:0"}, `fakeslack: Addr is "0.0.0.0:0", want a loopback address such as 127.0.0.1:8080`},
		"no port":         {Options{Addr: "127.0.0.1"}, "fakeslack: Addr: address 127.0.0.1: missing port in address"},
		"port in use":     {Options{Addr: strings.TrimPrefix(taken.base, "http://")}, "address already in use"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Start(&c.opts)
			require.ErrorContains(t, err, c.want)
			assert.Nil(t, s)
		})
	}
}

func TestAddr(t *testing.T) {
	for _, addr := range []string{":0", "localhost:0", "127.0.0.1:0"} {
		s := start(t, &Options{Addr: addr})
		assert.True(t, strings.HasPrefix(s.APIURL(), "http://127.0.0.1:"), s.APIURL())
		assert.True(t, strings.HasSuffix(s.APIURL(), "/"))
	}
}

func TestCloseCutsAndWaits(t *testing.T) {
	s := start(t, nil)
	call(t, s, "chat.postMessage", "channel", "C1", "text", "before")
	s.FailNext(1, Fault{Delay: time.Hour})
	idle, err := net.Dial("tcp", strings.TrimPrefix(s.base, "http://"))
	require.NoError(t, err)
	defer idle.Close()

	cut := make(chan error)
	go func() {
		_, err := send(t, s.APIURL()+"auth.test", "application/json", `{"token":"xoxb-1"}`)
		cut <- err
	}()
	require.Eventually(t, func() bool {
		s.faults.mu.Lock()
		defer s.faults.mu.Unlock()
		return s.faults.left == 0
	}, 5*time.Second, time.Millisecond)

	var both sync.WaitGroup
	for range 2 {
		both.Go(func() { assert.NoError(t, s.Close()) })
	}
	both.Wait()
	require.Error(t, <-cut)
	assert.NoError(t, s.Close())
	assert.Len(t, s.Messages("C1"), 1, "messages stay readable")
	s.FailNext(1, Fault{Drop: true})
	_, err = http.Get(s.PageURL())
	assert.Error(t, err)
}

func TestCloseEndsARequestWhoseBodyIsUnread(t *testing.T) {
	s := start(t, nil)
	s.FailNext(1, Fault{Delay: time.Hour})
	cut := make(chan error)
	go func() {
		_, err := send(t, s.APIURL()+"auth.test", "", "unread for want of a type")
		cut <- err
	}()
	require.Eventually(t, func() bool {
		s.faults.mu.Lock()
		defer s.faults.mu.Unlock()
		return s.faults.left == 0
	}, 5*time.Second, time.Millisecond)
	require.NoError(t, s.Close())
	require.Error(t, <-cut)
}

func TestCloseWaitsForItsGoroutines(t *testing.T) {
	s := start(t, nil)
	reached, closed := make(chan struct{}), make(chan struct{})
	s.faults.mu.Lock() // the request gets as far as this
	go func() {
		close(reached)
		_, _ = send(t, s.WebhookURL("C1"), "application/json", `{"text":"hi"}`)
	}()
	<-reached
	require.Eventually(t, func() bool {
		stacks := make([]byte, 1<<20)
		return strings.Contains(string(stacks[:runtime.Stack(stacks, true)]), "fakeslack.(*faults).take(")
	}, 5*time.Second, time.Millisecond)
	go func() {
		_ = s.Close()
		close(closed)
	}()
	select {
	case <-closed:
		t.Error("Close left a goroutine behind")
	case <-time.After(50 * time.Millisecond):
	}
	s.faults.mu.Unlock()
	<-closed
}

func TestTimeStampsGrow(t *testing.T) {
	var st store
	st.init()
	st.lastTS = time.Now().Add(time.Hour).UnixMicro() // as if the clock stood still
	first, second := st.add("C1", "t", content{}), st.add("C1", "t", content{})
	assert.Less(t, first.ts, second.ts)
}

func TestManyAtOnce(t *testing.T) {
	s := start(t, nil)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 25 {
				a := call(t, s, "chat.postMessage", "channel", "C1", "text", "hello")
				call(t, s, "chat.update", "channel", "C1", "ts", a.json(t)["ts"].(string), "text", "again")
				hook(t, s, "C1", `{"text":"hooked"}`)
				s.Messages("C1")
			}
		})
	}
	all.Wait()
	seen := map[string]bool{}
	for _, m := range s.Messages("") {
		assert.Regexp(t, `^\d{10}\.\d{6}$`, m.TS)
		seen[m.TS] = true
	}
	assert.Len(t, seen, 8*25*2, "every message has a ts of its own")
}

func TestOldestGoFirst(t *testing.T) {
	var st store
	st.init()
	first := st.add("C1", "t", content{text: "first"})
	for range maxMessages {
		st.add("C1", "t", content{text: "more"})
	}
	all, _, _ := st.all()
	assert.Len(t, all, maxMessages)
	assert.False(t, st.knows("C1", first.ts))
}
