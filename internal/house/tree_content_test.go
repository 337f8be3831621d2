package house

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTheLicenceIsThere(t *testing.T) {
	if text := read(t, "LICENSE"); !strings.HasPrefix(text, "MIT License") || !strings.Contains(text, "WITHOUT WARRANTY OF ANY KIND") {
		t.Error("LICENSE is not the MIT licence")
	}
}

// Versions that are known to break something when they move.
func TestPinnedVersions(t *testing.T) {
	mod := read(t, "go.mod")
	for name, pin := range map[string]struct{ version, why string }{
		"modernc.org/sqlite":              {"v1.60.1", "its SQLite has the fix of the WAL-reset corruption; v1.61 cannot be tidied"},
		"modernc.org/libc":                {"v1.77.1", "it must be the very version that modernc.org/sqlite names"},
		"github.com/pressly/goose/v3":     {"v3.28.0", "v3.29.0 needs a version of golang.org/x/exp that go-ethereum's tests cannot be tidied with"},
		"github.com/ethereum/go-ethereum": {"v1.17.10", "all measurements were made with it"},
		"github.com/shopspring/decimal":   {"v1.6.0", "all arithmetic was tested with it"},
		"github.com/rs/zerolog":           {"v1.35.1", "it is the version of the house"},
	} {
		line := regexp.MustCompile(`(?m)^\s*(?:require )?` + regexp.QuoteMeta(name) + ` (\S+)`).FindStringSubmatch(mod)
		if line == nil || line[1] != pin.version {
			t.Errorf("go.mod has %s at %v, want %s: %s", name, line, pin.version, pin.why)
		}
	}
}

// Paths and keys that would only mean something on the machine they came from.
var foreign = []struct {
	what string
	re   *regexp.Regexp
}{
	{"a path of one machine", regexp.MustCompile(`(?:^|[\s"'` + "`" + `(=])/(?:home|Users|work|root)/[A-Za-z0-9._-]+`)},
	{"a private key", regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----`)},
	{"a Telegram token", regexp.MustCompile(`\b[0-9]{8,10}:AA[A-Za-z0-9_-]{33}\b`)},
	{"a key of a node provider", regexp.MustCompile(`(?:infura\.io/v3|alchemy\.com/v2|quiknode\.pro)/[A-Za-z0-9_-]{20,}`)},
	{"a token", regexp.MustCompile(`\b(?:ghp_[A-Za-z0-9]{36}|xox[bap]-[A-Za-z0-9-]{20,}|AKIA[A-Z0-9]{16})\b`)},
}

func TestNothingOfOneMachineIsInTheTree(t *testing.T) {
	err := walk(func(path string) error {
		switch filepath.Ext(path) {
		case ".go", ".md", ".yaml", ".yml", ".json", ".js", ".sol", ".txt", ".sql", ".html", ".css", ".mod", "":
		default:
			return nil
		}
		text, err := os.ReadFile(filepath.Join(root, path))
		if err != nil || bytes.IndexByte(text, 0) >= 0 || len(text) > 4<<20 {
			return err
		}
		for _, f := range foreign {
			if at := f.re.FindIndex(text); at != nil {
				t.Errorf("%s:%d holds %s: %q", path, 1+bytes.Count(text[:at[0]], []byte("\n")), f.what, text[at[0]:at[1]])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
