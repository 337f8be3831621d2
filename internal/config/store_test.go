package config

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// A file's name is no secret: an operator looks for it in logs and errors.
func TestStoreNamesItsFile(t *testing.T) {
	const file = "chains:\n  ethereum: {rpc: [\"https://rpc.example.org\"]}\nmarkets: [aave-v3-ethereum]\nstore: %s\n"
	c, err := Parse("liqwatch.yaml", fmt.Appendf(nil, file, "sqlite:/var/lib/liqwatch/long-name.db"))
	require.NoError(t, err)
	for _, shown := range []string{c.Store.String(), fmt.Sprint(c.Store), fmt.Sprintf("%+v", c.Store), c.Redact("sqlite:/var/lib/liqwatch/long-name.db")} {
		require.Equal(t, "sqlite:/var/lib/liqwatch/long-name.db", shown)
	}
	c, err = Parse("liqwatch.yaml", fmt.Appendf(nil, file, "postgres://me:hidden-word@db.example.org/liqwatch"))
	require.NoError(t, err)
	for _, shown := range []string{fmt.Sprint(c.Store), fmt.Sprintf("%#v", c.Store), c.Redact("dial postgres://me:hidden-word@db.example.org/liqwatch")} {
		require.NotContains(t, shown, "hidden-word")
	}
}
