package alerts

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheDocumentNamesWhatComesOfOtherAlerts(t *testing.T) {
	text, err := os.ReadFile("../../docs/alerts.md")
	require.NoError(t, err)
	for _, reason := range constants(t, "followed.go", "Reason") {
		require.Contains(t, string(text), "| `"+reason+"` |", "add the reason to docs/alerts.md")
	}
	for _, kind := range constants(t, "followed.go", "Kind") {
		require.Contains(t, string(text), "`"+kind+"`", "add the kind to docs/alerts.md")
		for _, part := range []string{"title", "text"} {
			require.NotNil(t, wording.Lookup(kind+"."+part), "%s.%s", kind, part)
		}
	}
	for _, fate := range constants(t, "ledger.go", "Fate") {
		require.Contains(t, string(text), "`"+fate+"`", "add the fate to docs/alerts.md")
	}
}
