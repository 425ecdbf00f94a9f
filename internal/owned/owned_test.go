package owned

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAFileBelongsToOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	f, err := Create(path, []byte("begin "))
	require.NoError(t, err)
	_, err = f.WriteString("more")
	require.NoError(t, err)
	require.True(t, Is(f, path))
	_, err = Take(path)
	require.ErrorIs(t, err, ErrHeld)

	require.NoError(t, f.Close())
	f, err = Take(path)
	require.NoError(t, err)
	b, err := io.ReadAll(f)
	require.NoError(t, err)
	require.Equal(t, "begin more", string(b))
	_, err = Take(path)
	require.ErrorIs(t, err, ErrHeld)
	require.NoError(t, Remove(f, path))
	_, err = Take(path)
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
			path := filepath.Join(t.TempDir(), "file")
			f, err := Create(path, nil)
			require.NoError(t, err)
			require.NoError(t, spoil(path))
			require.False(t, Is(f, path))
			require.NoError(t, f.Close())
		})
	}
}

func TestAFailureLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "taken"), 0o700))
	_, err := Create(filepath.Join(dir, "taken"), nil)
	require.Error(t, err)
	_, err = Create(filepath.Join(dir, "missing", "file"), nil)
	require.ErrorIs(t, err, fs.ErrNotExist)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1)
}
