// Package packages brings the npm packages that the devnet is made of onto this
// machine: the node (anvil), the lending contracts and the Solidity compiler.
//
// They keep their own licences and are never part of this repository. Each is
// pinned to a version and to the SHA-512 of its tarball; a download that differs
// is refused. The ordinary npm client does the fetching, so a mirror or a proxy
// configured for npm is used here too.
package packages

import (
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Package is one pinned tarball of the npm registry.
type Package struct {
	Name      string
	Version   string
	Integrity string // "sha512-" and the base64 digest of the tarball
}

// String is name@version, as npm writes it.
func (p Package) String() string { return p.Name + "@" + p.Version }

// CacheDir is where packages and compiled contracts are kept:
// $LIQWATCH_CACHE, or liqwatch/devnet in the user's cache directory.
func CacheDir() (string, error) {
	if dir := os.Getenv("LIQWATCH_CACHE"); dir != "" {
		return filepath.Abs(dir)
	}
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache directory (set LIQWATCH_CACHE to choose one): %w", err)
	}
	return filepath.Join(base, "liqwatch", "devnet"), nil
}

// Fetch returns the directory that holds the package's files, downloading it
// when it is not in the cache yet. Processes that fetch at the same time wait
// for each other.
func Fetch(ctx context.Context, p Package) (string, error) {
	cache, err := CacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "npm", flat(p))
	if exists(dir) {
		return dir, nil
	}
	unlock, err := Lock(ctx, dir+".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	if exists(dir) {
		return dir, nil
	}
	if err := download(ctx, p, dir); err != nil {
		return "", fmt.Errorf("fetch %s: %w", p, err)
	}
	return dir, nil
}

func download(ctx context.Context, p Package, dir string) error {
	npm, err := exec.LookPath("npm")
	if err != nil {
		return errors.New("npm is not installed or not in PATH; the devnet needs it (on Debian: apt-get install npm)")
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), "fetch-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	cmd := exec.CommandContext(ctx, npm, "pack", p.String(), "--ignore-scripts", "--silent", "--pack-destination", tmp)
	cmd.Dir = tmp
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm pack: %w: %s", err, lastLine(out))
	}
	tarball, err := onlyTarball(tmp)
	if err != nil {
		return err
	}
	if err := verify(tarball, p.Integrity); err != nil {
		return err
	}
	files := filepath.Join(tmp, "files")
	if err := extract(tarball, files); err != nil {
		return err
	}
	return os.Rename(files, dir)
}

func onlyTarball(dir string) (string, error) {
	found, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if err != nil || len(found) != 1 {
		return "", fmt.Errorf("npm pack left %d tarballs, want 1", len(found))
	}
	return found[0], nil
}

func verify(tarball, integrity string) error {
	raw, err := os.ReadFile(tarball)
	if err != nil {
		return err
	}
	sum := sha512.Sum512(raw)
	if got := "sha512-" + base64.StdEncoding.EncodeToString(sum[:]); got != integrity {
		return fmt.Errorf("the tarball is not the pinned one: digest %s, want %s", got, integrity)
	}
	return nil
}

func flat(p Package) string {
	return strings.ReplaceAll(strings.TrimPrefix(p.Name, "@"), "/", "+") + "@" + p.Version
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func lastLine(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1]
}
