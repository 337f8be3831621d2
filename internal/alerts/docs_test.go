package alerts

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// constants are the texts of all constants of a type in a file.
func constants(t *testing.T, file, typ string) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	require.NoError(t, err)
	var out []string
	ast.Inspect(f, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if id, ok := v.Type.(*ast.Ident); ok && id.Name == typ {
			text, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
			require.NoError(t, err)
			out = append(out, text)
		}
		return true
	})
	require.NotEmpty(t, out)
	return out
}

func TestTheDocumentNamesEveryReasonKindAndPhase(t *testing.T) {
	text, err := os.ReadFile("../../docs/alerts.md")
	require.NoError(t, err)
	for _, reason := range constants(t, "alert.go", "Reason") {
		require.Contains(t, string(text), "| `"+reason+"` |", "add the reason to docs/alerts.md")
	}
	for _, kind := range constants(t, "alert.go", "Kind") {
		require.Contains(t, string(text), "`"+kind+"`", "add the kind to docs/alerts.md")
	}
	for _, phase := range constants(t, "episode.go", "Phase") {
		require.Contains(t, string(text), " "+phase+" ", "draw the phase in docs/alerts.md")
	}
}

func TestEveryKindHasWords(t *testing.T) {
	for _, kind := range constants(t, "alert.go", "Kind") {
		for _, part := range []string{"title", "text"} {
			require.NotNil(t, wording.Lookup(kind+"."+part), "%s.%s", kind, part)
		}
	}
}
