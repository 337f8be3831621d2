package config

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the keys into docs/configuration.md")

const (
	docs       = "../../docs/configuration.md"
	keysBegin  = "<!-- keys: made from the program; go test ./internal/config -update writes them -->\n"
	keysFinish = "<!-- end of keys -->\n"
)

// The documentation lists every key there is, and none that is not.
func TestTheDocumentationListsTheKeys(t *testing.T) {
	raw, err := os.ReadFile(docs)
	require.NoError(t, err)
	before, rest, ok := strings.Cut(string(raw), keysBegin)
	require.True(t, ok, "%s has lost the mark where the keys begin", docs)
	listed, after, ok := strings.Cut(rest, keysFinish)
	require.True(t, ok, "%s has lost the mark where the keys end", docs)
	want := Table(Keys())
	if *update {
		require.NoError(t, os.WriteFile(docs, []byte(before+keysBegin+want+keysFinish+after), 0o644))
		return
	}
	require.Equal(t, want, listed, "%s does not list the keys of the program: go test ./internal/config -update", docs)
}

func TestEveryKeySaysWhatItIs(t *testing.T) {
	for _, k := range Keys() {
		require.NotEmpty(t, k.Doc, k.Path)
		require.NotEmpty(t, k.Type, k.Path)
	}
}

// The example that the documentation opens with is a right file, and so is the README's.
func TestTheExamplesAreRight(t *testing.T) {
	for name, value := range map[string]string{"ETH_RPC": "https://rpc.example.org/key", "HOOK_SECRET": "whsec_0123456789"} {
		setenv(t, name, value)
	}
	dir := t.TempDir()
	for _, name := range []string{"tron", "telegram"} {
		require.NoError(t, os.WriteFile(dir+"/"+name, []byte("token-of-"+name), 0o600))
	}
	for _, path := range []string{docs, "../../README.md"} {
		raw, err := os.ReadFile(path)
		require.NoError(t, err)
		_, rest, ok := strings.Cut(string(raw), "```yaml\n")
		require.True(t, ok, "%s shows no configuration", path)
		example, _, ok := strings.Cut(rest, "```\n")
		require.True(t, ok)
		c, err := Parse(path, []byte(strings.ReplaceAll(example, "/run/secrets", dir)))
		require.NoError(t, err)
		require.Empty(t, c.Warnings)
		require.NotEmpty(t, c.Rules)
	}
}
