package ledger

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/slackalert"
	"example.com/slackalert/fleet/internal/fleettest"
)

func bucket(t *testing.T) (jetstream.JetStream, jetstream.KeyValue) {
	return fleettest.Bucket(t, jetstream.KeyValueConfig{Bucket: "told", Storage: jetstream.FileStorage})
}

func entry(id string, counts ...int) *Entry {
	e := &Entry{At: time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC), Batch: slackalert.Batch{ID: id, Channel: "C1"}}
	for i, n := range counts {
		e.Before = append(e.Before, 10)
		e.Batch.Groups = append(e.Batch.Groups, slackalert.Group{Fingerprint: fmt.Sprint("f", i), Count: n, Total: n + 10, Stack: "main.main"})
	}
	return e
}

// open is what a leader with this epoch reads: the entries' IDs, claims in
// brackets.
func open(t *testing.T, js jetstream.JetStream, kv jetstream.KeyValue, epoch uint64) (*Ledger, []*Entry, string) {
	l, entries, bad, err := Open(t.Context(), js, kv, epoch)
	require.NoError(t, err)
	require.Empty(t, bad)
	var ids []string
	for _, e := range entries {
		id := e.Batch.ID
		if e.Ref == "" {
			id = "(" + id + ")"
		}
		ids = append(ids, id)
	}
	return l, entries, strings.Join(ids, " ")
}

func TestASuccessorReadsWhatWasClaimedAndNoted(t *testing.T) {
	js, kv := bucket(t)
	l, _, ids := open(t, js, kv, 1)
	assert.Empty(t, ids)
	a, b, c := entry("A", 3, 4), entry("B", 1), entry("C", 2)
	for _, e := range []*Entry{a, b, c} {
		require.NoError(t, l.Claim(t.Context(), e))
	}
	a.Ref = "C1/1.5"
	a.Batch.Groups[0].Count = 30
	require.NoError(t, l.Note(t.Context(), a))
	require.NoError(t, l.Drop(t.Context(), "C"))

	next, entries, ids := open(t, js, kv, 2)
	assert.Equal(t, "(B) A", ids)
	assert.Less(t, entries[1].Order, entries[0].Order, "A was claimed first, though written last")
	assert.Equal(t, []int64{40, 14}, []int64{entries[1].UpTo(0), entries[1].UpTo(1)})
	assert.Equal(t, a.Batch, entries[1].Batch)
	assert.Equal(t, a.At, entries[1].At)
	require.NoError(t, next.Note(t.Context(), entries[1]), "what was read can be written on")
	_, _, ids = open(t, js, kv, 3)
	assert.Equal(t, "(B) A", ids)
}

func TestOnlyOneWrites(t *testing.T) {
	js, kv := bucket(t)
	l, _, _ := open(t, js, kv, 1)
	a := entry("A", 3)
	require.NoError(t, l.Claim(t.Context(), a))
	assert.ErrorIs(t, l.Claim(t.Context(), entry("A", 3)), ErrTaken)
	next, entries, _ := open(t, js, kv, 2)
	entries[0].Ref = "C1/2"
	require.NoError(t, next.Note(t.Context(), entries[0]))
	a.Ref = "C1/1"
	assert.ErrorIs(t, l.Note(t.Context(), a), ErrTaken, "the successor has settled it")

	require.NoError(t, next.Drop(t.Context(), "A"))
	assert.ErrorIs(t, l.Note(t.Context(), a), ErrTaken, "the successor has dropped it")
}

func TestANoteThatArrivedThoughItsAnswerDidnt(t *testing.T) {
	js, kv := bucket(t)
	l, _, _ := open(t, js, kv, 1)
	a := entry("A", 3)
	require.NoError(t, l.Claim(t.Context(), a))
	before := *a
	a.Ref = "C1/1"
	require.NoError(t, l.Note(t.Context(), a))
	before.Ref = "C1/1"
	require.NoError(t, l.Note(t.Context(), &before))
	assert.Equal(t, a.rev, before.rev)
}

// TestAClaimAfterTheNextChapterIsVoid: a leader that was frozen claims when
// another has taken over. It asks for its lease then, and doesn't post; what it
// noted of a message that was posted before is no claim, and counts.
func TestAClaimAfterTheNextChapterIsVoid(t *testing.T) {
	js, kv := bucket(t)
	frozen, _, _ := open(t, js, kv, 1)
	noted := entry("N", 1)
	require.NoError(t, frozen.Claim(t.Context(), noted))
	_, _, _ = open(t, js, kv, 5)
	noted.Ref = "C1/1"
	require.NoError(t, frozen.Note(t.Context(), noted))
	require.NoError(t, frozen.Claim(t.Context(), entry("V", 1)))
	_, _, ids := open(t, js, kv, 7)
	assert.Equal(t, "N", ids)
	require.NoError(t, frozen.Claim(t.Context(), entry("W", 1)), "even later")
	_, _, ids = open(t, js, kv, 9)
	assert.Equal(t, "N", ids)

	stream, err := js.Stream(t.Context(), "KV_told")
	require.NoError(t, err)
	info, err := stream.Info(t.Context(), jetstream.WithSubjectFilter(">"))
	require.NoError(t, err)
	assert.Len(t, info.State.Subjects, 2, "the entry and the last chapter; what is void is gone without a mark: %v", info.State.Subjects)
}

func TestEntriesThatCantBeRead(t *testing.T) {
	js, kv := bucket(t)
	for key, data := range map[string]string{
		"message.1": "garbage", "message.2": `{"v":2,"batch":{"id":"x"}}`, "message.3": `{"v":1,"batch":{"id":"x","groups":[{}]}}`, "message.4": `{"v":1}`,
		"else": "not ours",
	} {
		_, err := kv.PutString(t.Context(), key, data)
		require.NoError(t, err)
	}
	_, entries, bad, err := Open(t.Context(), js, kv, 1)
	require.NoError(t, err)
	assert.Empty(t, entries)
	assert.Len(t, bad, 4)
	keys, err := kv.Keys(t.Context())
	require.NoError(t, err)
	assert.Len(t, keys, 6, "they are left alone")
}

func TestALargeEntryIsWrittenWithoutItsTexts(t *testing.T) {
	js, kv := bucket(t)
	l, _, _ := open(t, js, kv, 1)
	e := entry("A", make([]int, 100)...)
	for i := range e.Batch.Groups {
		e.Batch.Groups[i].Stack = strings.Repeat("s", 8000)
		e.Batch.Groups[i].Message = "message"
	}
	require.NoError(t, l.Claim(t.Context(), e))
	assert.NotEmpty(t, e.Batch.Groups[0].Stack, "the caller's is as it was")
	_, entries, _ := open(t, js, kv, 2)
	assert.Equal(t, []string{"message", ""}, []string{entries[0].Batch.Groups[99].Message, entries[0].Batch.Groups[99].Stack})
}

func TestNoServer(t *testing.T) {
	js, kv := bucket(t)
	l, _, _ := open(t, js, kv, 1)
	js.Conn().Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	assert.Error(t, l.Claim(ctx, entry("A", 1)))
	err := l.Note(ctx, entry("A", 1))
	require.Error(t, err)
	assert.NotErrorIs(t, err, ErrTaken, "it may be tried again")
	assert.Error(t, l.Drop(ctx, "A"))
	_, _, _, err = Open(ctx, js, kv, 2)
	assert.Error(t, err)
}
