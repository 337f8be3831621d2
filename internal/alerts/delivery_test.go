package alerts

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheDocumentNamesWhatComesOfOtherAlerts(t *testing.T) {
	text, err := os.ReadFile("../../docs/alerts.md")
	require.NoError(t, err)
	for _, reason := range constants(t, "followed.go", "Reason") {
		require.True(t, strings.Contains(string(text), "| `"+reason+"` |"), "add the reason %s to docs/alerts.md", reason)
	}
	for _, kind := range constants(t, "followed.go", "Kind") {
		require.True(t, strings.Contains(string(text), "`"+kind+"`"), "add the kind %s to docs/alerts.md", kind)
		for _, part := range []string{"title", "text"} {
			require.NotNil(t, wording.Lookup(kind+"."+part), "%s.%s", kind, part)
		}
	}
	for _, fate := range constants(t, "ledger.go", "Fate") {
		require.True(t, strings.Contains(string(text), "`"+fate+"`"), "add the fate %s to docs/alerts.md", fate)
	}
}
