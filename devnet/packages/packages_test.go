package packages

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// tarball writes a package with those files and returns its path and integrity.
func tarball(t *testing.T, files map[string]string) (path, integrity string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "p.tgz")
	f, err := os.Create(path)
	require.NoError(t, err)
	zw := gzip.NewWriter(f)
	tw := tar.NewWriter(zw)
	for name, content := range files {
		mode := int64(0o644)
		if strings.Contains(name, "bin/") {
			mode = 0o755
		}
		require.NoError(t, tw.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: mode, Size: int64(len(content))}))
		_, err := tw.Write([]byte(content))
		require.NoError(t, err)
	}
	require.NoError(t, tw.Close())
	require.NoError(t, zw.Close())
	require.NoError(t, f.Close())
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	sum := sha512.Sum512(raw)
	return path, "sha512-" + base64.StdEncoding.EncodeToString(sum[:])
}

// fakeNPM puts an npm into PATH that copies the tarball to where it is asked to
// and counts its runs in the returned file.
func fakeNPM(t *testing.T, tarball string) (runs string) {
	t.Helper()
	dir := t.TempDir()
	runs = filepath.Join(dir, "runs")
	script := "#!/bin/sh\necho x >> " + runs + "\nfor last; do :; done\nsleep 0.2\ncp " + tarball + " \"$last/p.tgz\"\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "npm"), []byte(script), 0o755))
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Setenv("LIQWATCH_CACHE", t.TempDir())
	return runs
}

func TestFetchUnpacksOnceForAll(t *testing.T) {
	path, integrity := tarball(t, map[string]string{"package/bin/tool": "#!", "package/a/b.txt": "hello", "package/package.json": "{}"})
	runs := fakeNPM(t, path)
	p := Package{"@scope/name", "1.0.0", integrity}
	var wg sync.WaitGroup
	var failed atomic.Int32
	for range 6 {
		wg.Go(func() {
			dir, err := Fetch(t.Context(), p)
			if err != nil || !strings.HasSuffix(dir, filepath.Join("npm", "scope+name@1.0.0")) {
				failed.Add(1)
			}
		})
	}
	wg.Wait()
	require.Zero(t, failed.Load())
	count, err := os.ReadFile(runs)
	require.NoError(t, err)
	require.Equal(t, "x\n", string(count), "six callers, one download")

	dir, err := Fetch(t.Context(), p)
	require.NoError(t, err)
	content, err := os.ReadFile(filepath.Join(dir, "a", "b.txt"))
	require.NoError(t, err)
	require.Equal(t, "hello", string(content))
	info, err := os.Stat(filepath.Join(dir, "bin", "tool"))
	require.NoError(t, err)
	require.NotZero(t, info.Mode()&0o100, "binaries stay executable")
}

func TestDifferentTarballIsRefused(t *testing.T) {
	path, _ := tarball(t, map[string]string{"package/x": "evil"})
	fakeNPM(t, path)
	_, other := tarball(t, map[string]string{"package/x": "good"})
	p := Package{"name", "1.0.0", other}
	_, err := Fetch(t.Context(), p)
	require.ErrorContains(t, err, "not the pinned one")
	cache, err := CacheDir()
	require.NoError(t, err)
	require.NoDirExists(t, filepath.Join(cache, "npm", "name@1.0.0"), "nothing of it stays")
}

func TestTarballMayNotLeaveItsFolder(t *testing.T) {
	for _, name := range []string{"package/../../escape", "package//etc/escape", "file-without-folder"} {
		path, integrity := tarball(t, map[string]string{name: "x"})
		fakeNPM(t, path)
		_, err := Fetch(t.Context(), Package{"name", "1.0.0", integrity})
		require.ErrorContains(t, err, "out of the package", name)
	}
}

func TestNoNPM(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv("LIQWATCH_CACHE", t.TempDir())
	_, err := Fetch(t.Context(), Solc)
	require.ErrorContains(t, err, "fetch solc@0.8.27: npm is not installed")
}

func TestFailingNPMSaysWhy(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "npm"), []byte("#!/bin/sh\necho first\necho network is down >&2\nexit 1\n"), 0o755))
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Setenv("LIQWATCH_CACHE", t.TempDir())
	_, err := Fetch(t.Context(), Solc)
	require.ErrorContains(t, err, "network is down")
}

func TestLockIsWaitedFor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.lock")
	unlock, err := Lock(t.Context(), path)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 120*time.Millisecond)
	defer cancel()
	_, err = Lock(ctx, path)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	unlock()
	again, err := Lock(t.Context(), path)
	require.NoError(t, err)
	again()
}

func TestAnvilIsPinnedOrNamed(t *testing.T) {
	t.Setenv("LIQWATCH_ANVIL", "/opt/anvil")
	path, err := Anvil(t.Context())
	require.NoError(t, err)
	require.Equal(t, "/opt/anvil", path)
}

// TestPackagesAreThePinnedOnes fetches every package from the registry, or finds it in the cache.
func TestPackagesAreThePinnedOnes(t *testing.T) {
	for p, file := range map[Package]string{
		AaveCore30: "artifacts", AaveOrigin36: "src/contracts", OpenZeppelin: "token", Solc: "soljson.js",
	} {
		dir, err := Fetch(t.Context(), p)
		require.NoError(t, err)
		_, err = os.Stat(filepath.Join(dir, file))
		require.NoError(t, err)
	}
	path, err := Anvil(t.Context())
	require.NoError(t, err)
	require.FileExists(t, path)
}
