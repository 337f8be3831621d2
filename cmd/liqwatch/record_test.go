package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// A recording that never began must not stand in the way of the next try.
func TestARecordingThatNeverBeganLeavesNoFile(t *testing.T) {
	dir := t.TempDir()
	cfg := filepath.Join(dir, "liqwatch.yaml")
	require.NoError(t, os.WriteFile(cfg, []byte(spotConfig), 0o600))
	file := filepath.Join(dir, "story")
	var out, errs bytes.Buffer
	code := run(t.Context(), []string{"liqwatch", "record", "-c", cfg, "--from", "1", "--to", "2", "-o", file}, &out, &errs)
	require.Equal(t, exitUnreachable, code, errs.String())
	require.NoFileExists(t, file)
}
