// Package house holds the tests that keep the promises of the whole tree: who
// may import whom, how things are named, how large they get, what the
// documentation says. It has no code of its own.
package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const root = "../.."

// source is one Go file, parsed.
type source struct {
	path      string // from the root, with slashes
	text      string
	file      *ast.File
	set       *token.FileSet
	generated bool
}

func (s source) dir() string  { return filepath.ToSlash(filepath.Dir(s.path)) }
func (s source) isTest() bool { return strings.HasSuffix(s.path, "_test.go") }

// line is where a node stands.
func (s source) line(n ast.Node) int { return s.set.Position(n.Pos()).Line }

// parsed reads all Go files once. It parses them itself and at test time: asking
// the go command would let the test cache keep an answer after a file changed.
var parsed = sync.OnceValues(func() ([]source, error) {
	var out []source
	err := walk(func(path string) error {
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		text, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			return err
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		out = append(out, source{path, string(text), file, set, ast.IsGenerated(file)})
		return nil
	})
	return out, err
})

func sources(t *testing.T) []source {
	t.Helper()
	list, err := parsed()
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 50 {
		t.Fatalf("only %d Go files found below %s: is the test in its place?", len(list), root)
	}
	return list
}

// walk calls visit for every file that belongs to the project.
func walk(visit func(path string) error) error {
	return filepath.WalkDir(root, func(full string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		path, err := filepath.Rel(root, full)
		if err != nil {
			return err
		}
		path = filepath.ToSlash(path)
		if entry.IsDir() {
			switch entry.Name() {
			case ".git", ".cache", "node_modules", "fuzz", "rapid":
				return fs.SkipDir
			}
			return nil
		}
		if !entry.Type().IsRegular() {
			return nil
		}
		return visit(path)
	})
}
