package owned

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

var me = Owner{Service: "shop", Run: "one"}

func TestAFileBelongsToOne(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	f, err := Create(dir, "kind", me)
	require.NoError(t, err)
	_, err = f.WriteString("more")
	require.NoError(t, err)
	require.True(t, f.There())
	_, err = take(f.Path)
	require.ErrorIs(t, err, errHeld)

	require.NoError(t, f.Close())
	f, err = take(f.Path)
	require.NoError(t, err)
	require.NoError(t, f.read("kind"))
	require.Equal(t, me, f.Owner)
	b, err := io.ReadAll(io.NewSectionReader(f, f.Begun, 100))
	require.NoError(t, err)
	require.Equal(t, "more", string(b))
	_, err = take(f.Path)
	require.ErrorIs(t, err, errHeld)
	require.NoError(t, f.Remove())
	_, err = take(f.Path)
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestIsNotWhatIsThereNow(t *testing.T) {
	for name, spoil := range map[string]func(path string) error{
		"removed": os.Remove,
		"renamed": func(path string) error { return os.Rename(path, path+".old") },
		"replaced": func(path string) error {
			if err := os.Rename(path, path+".old"); err != nil {
				return err
			}
			return os.WriteFile(path, nil, 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := Create(t.TempDir(), "kind", me)
			require.NoError(t, err)
			require.NoError(t, spoil(f.Path))
			require.False(t, f.There())
			require.NoError(t, f.Close())
		})
	}
}

func TestAFailureLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "one.kind"), 0o700))
	_, err := Create(dir, "kind", me)
	require.Error(t, err)
	_, err = Create(dir, "kind", Owner{Run: "long", Host: strings.Repeat("h", Begin)})
	require.ErrorContains(t, err, "want less than 4096")
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1)
}

// What isn't this service's, or can't be used, is free for those who can.
func TestASweepHoldsWhatItUsesAlone(t *testing.T) {
	dir := t.TempDir()
	paths := map[string]string{}
	for _, o := range []Owner{{Service: "shop", Run: "good"}, {Service: "shop", Run: "bad"}, {Service: "mail", Run: "other"}} {
		f, err := Create(dir, "kind", o)
		require.NoError(t, err)
		require.NoError(t, f.Close())
		paths[o.Run] = f.Path
	}
	said := map[string]string{}
	s := Sweeper{Dir: dir, Kind: "kind", Service: "shop", Say: func(path string, err error) { said[path] += err.Error() }}
	var good *File
	for range 2 {
		s.Sweep(func(f *File) error {
			if f.Owner.Run == "bad" {
				return io.ErrUnexpectedEOF
			}
			good = f
			return nil
		})
	}
	require.Equal(t, map[string]string{paths["bad"]: "unexpected EOF"}, said)
	_, err := take(paths["good"])
	require.ErrorIs(t, err, errHeld)
	require.NoError(t, good.Close())
	for _, path := range paths {
		f, err := take(path)
		require.NoError(t, err)
		require.NoError(t, f.Close())
	}
}

func TestAWatchLooksEachMinuteUntilClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun, looks := time.Now(), []time.Duration{}
		w := NewWatch(func() { looks = append(looks, time.Since(begun)) })
		time.Sleep(150 * time.Second)
		w.Close()
		time.Sleep(time.Hour)
		require.Equal(t, []time.Duration{0, time.Minute, 2 * time.Minute}, looks)
		w.Close()
		(*Watch)(nil).Close()
	})
}
