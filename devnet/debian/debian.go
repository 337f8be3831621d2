// Package debian puts programs of Debian's packages on a machine that lacks them, for
// tests that want the real thing.
package debian

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"liqwatch/devnet/packages"
)

// Program is the path of a program, from a Debian package where the machine lacks it.
func Program(t testing.TB, program, pkg string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err == nil {
		return path
	}
	if err := Install(t.Context(), pkg); err != nil {
		t.Fatalf("%v (on another system put %s into PATH)", err, program)
	}
	if path, err = exec.LookPath(program); err != nil {
		t.Fatalf("the package %s is installed, but has no %s: %v", pkg, program, err)
	}
	return path
}

// Install installs a package, one process of this machine at a time. A fresh machine
// has no list of packages yet.
func Install(ctx context.Context, pkg string) error {
	release, err := packages.Lock(ctx, filepath.Join(os.TempDir(), "liqwatch-debian"))
	if err != nil {
		return fmt.Errorf("install %s: %w", pkg, err)
	}
	defer release()
	if _, err := apt(ctx, "install", "-y", "--no-install-recommends", pkg); err == nil {
		return nil
	}
	if lists, err := apt(ctx, "update"); err != nil {
		return fmt.Errorf("install %s: fetch the list of Debian's packages: %w: %s", pkg, err, lists)
	}
	if out, err := apt(ctx, "install", "-y", "--no-install-recommends", pkg); err != nil {
		return fmt.Errorf("install %s: %w: %s", pkg, err, out)
	}
	return nil
}

// apt waits for whoever else installs.
func apt(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "apt-get", append([]string{"-o", "DPkg::Lock::Timeout=300"}, args...)...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	return cmd.CombinedOutput()
}
