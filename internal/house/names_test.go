package house

import (
	"go/ast"
	"path"
	"slices"
	"strings"
	"testing"
)

var banned = []string{"util", "utils", "common", "helper", "helpers", "manager", "managers", "misc", "shared", "base"}

// A name says what a thing is; these say only that somebody could not decide.
func TestNamesSayWhatThingsAre(t *testing.T) {
	for _, s := range sources(t) {
		stem := strings.TrimSuffix(path.Base(s.path), ".go")
		for _, part := range append(strings.Split(s.dir(), "/"), strings.Split(stem, "_")...) {
			if slices.Contains(banned, part) {
				t.Errorf("%s: name it after what is in it, not %q", s.path, part)
			}
		}
		for _, decl := range s.file.Decls {
			for _, name := range declared(decl) {
				switch {
				case isGetter(name.Name):
					t.Errorf("%s:%d: %s: leave out the Get", s.path, s.line(name), name.Name)
				case strings.HasSuffix(name.Name, "Manager"), strings.HasSuffix(name.Name, "Helper"), strings.HasSuffix(name.Name, "Util"), strings.HasSuffix(name.Name, "Utils"):
					t.Errorf("%s:%d: %s: say what it does", s.path, s.line(name), name.Name)
				}
			}
		}
	}
}

func isGetter(name string) bool {
	rest, ok := strings.CutPrefix(name, "Get")
	return ok && rest != "" && rest[0] >= 'A' && rest[0] <= 'Z'
}

func declared(decl ast.Decl) []*ast.Ident {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		return []*ast.Ident{d.Name}
	case *ast.GenDecl:
		var out []*ast.Ident
		for _, spec := range d.Specs {
			if ts, ok := spec.(*ast.TypeSpec); ok {
				out = append(out, ts.Name)
			}
		}
		return out
	}
	return nil
}

// wellKnown are methods of interfaces that every Go programmer knows.
var wellKnown = []string{"Error", "String", "Unwrap", "Read", "Write", "Close", "ServeHTTP", "Len", "Less", "Swap"}

// What a room offers says what it is.
func TestExportedNamesAreDocumented(t *testing.T) {
	for _, s := range sources(t) {
		if s.isTest() || s.generated || s.file.Name.Name == "main" {
			continue
		}
		for _, decl := range s.file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && d.Doc == nil && !slices.Contains(wellKnown, d.Name.Name) && (d.Recv == nil || exportedReceiver(d)) {
					t.Errorf("%s:%d: %s is exported and says nothing of itself", s.path, s.line(d), d.Name.Name)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if ts, ok := spec.(*ast.TypeSpec); ok && ts.Name.IsExported() && d.Doc == nil && ts.Doc == nil {
						t.Errorf("%s:%d: %s is exported and says nothing of itself", s.path, s.line(ts), ts.Name.Name)
					}
				}
			}
		}
	}
}

func exportedReceiver(d *ast.FuncDecl) bool {
	expr := d.Recv.List[0].Type
	if star, ok := expr.(*ast.StarExpr); ok {
		expr = star.X
	}
	if index, ok := expr.(*ast.IndexExpr); ok {
		expr = index.X
	}
	id, ok := expr.(*ast.Ident)
	return ok && id.IsExported()
}
