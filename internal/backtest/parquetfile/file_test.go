package parquetfile

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

type row struct {
	Time int64    `parquet:"time,delta"`
	Name string   `parquet:"name,dict"`
	Some *float64 `parquet:"some,optional"`
}

func TestEveryRowIsReadBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows.parquet")
	w, err := Create[row](path)
	require.NoError(t, err)
	_, err = os.Stat(path)
	require.ErrorIs(t, err, os.ErrNotExist, "an unfinished file does not have its name")
	const n = 3*batch + 17
	x := 1.5
	for i := range n {
		r := row{Time: int64(i), Name: "a"}
		if i%2 == 0 {
			r.Some = &x
		}
		require.NoError(t, w.Add(r))
	}
	rows, err := w.Close()
	require.NoError(t, err)
	require.EqualValues(t, n, rows)
	got, err := Read[row](path)
	require.NoError(t, err)
	require.Len(t, got, n)
	require.EqualValues(t, n-1, got[n-1].Time)
	require.Nil(t, got[1].Some)
	require.Equal(t, 1.5, *got[2].Some)
	left, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, left, 1)
}

func TestAFailedFileLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	w, err := Create[row](filepath.Join(dir, "rows.parquet"))
	require.NoError(t, err)
	require.NoError(t, w.Add(row{Time: 1}))
	require.NoError(t, w.file.Close()) // as if the disk were gone
	_, err = w.Close()
	require.Error(t, err)
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)
	_, err = Create[row](filepath.Join(dir, "no", "such", "rows.parquet"))
	require.ErrorContains(t, err, "write parquet")
}
