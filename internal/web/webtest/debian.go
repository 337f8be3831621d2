package webtest

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// Debian is the path of a program, from a Debian package where the machine lacks it.
// A fresh machine has no list of packages yet.
func Debian(t testing.TB, program, pkg string) string {
	t.Helper()
	if path, err := exec.LookPath(program); err == nil {
		return path
	}
	install := func() ([]byte, error) {
		return exec.CommandContext(t.Context(), "apt-get", "install", "-y", "--no-install-recommends", pkg).CombinedOutput()
	}
	out, err := install()
	if err != nil {
		lists, listErr := exec.CommandContext(t.Context(), "apt-get", "update").CombinedOutput()
		require.NoError(t, listErr, "fetch the list of Debian's packages: %s", lists)
		out, err = install()
	}
	require.NoError(t, err, "install %s (on another system put %s into PATH): %s", pkg, program, out)
	path, err := exec.LookPath(program)
	require.NoError(t, err)
	return path
}
