package house

import (
	"go/ast"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// The documentation lists the keys that protocols and notifiers read from their
// own blocks, and no others.
func TestKeysOfPlugInsAreDocumented(t *testing.T) {
	documented := map[string]bool{}
	_, section, ok := strings.Cut(read(t, "docs/configuration.md"), "## Keys of plug-ins\n")
	if !ok {
		t.Fatal("docs/configuration.md has lost its section of plug-ins")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\|").FindAllStringSubmatch(section, -1) {
		documented[m[1]] = true
	}
	used := map[string]bool{}
	for _, s := range sources(t) {
		if s.isTest() || !strings.HasPrefix(s.path, "protocols/") && !strings.HasPrefix(s.path, "internal/alerts/") {
			continue
		}
		for _, key := range yamlKeys(s.file) {
			used[key] = true
			if !documented[key] {
				t.Errorf("%s reads the setting %q, which docs/configuration.md does not list among the keys of plug-ins", s.path, key)
			}
		}
	}
	for key := range documented {
		if !used[key] {
			t.Errorf("docs/configuration.md lists the setting %q, which no plug-in reads", key)
		}
	}
}

func yamlKeys(file *ast.File) []string {
	var out []string
	ast.Inspect(file, func(n ast.Node) bool {
		f, ok := n.(*ast.Field)
		if !ok || f.Tag == nil {
			return true
		}
		tag, err := strconv.Unquote(f.Tag.Value)
		if err != nil {
			return true
		}
		key, _, _ := strings.Cut(reflect.StructTag(tag).Get("yaml"), ",")
		if key != "" && key != "-" {
			out = append(out, key)
		}
		return true
	})
	return out
}

// Links between pages lead somewhere.
func TestLinksInTheDocumentationLeadSomewhere(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#]+)(?:#[^)]*)?\)`)
	err := walk(func(path string) error {
		if !strings.HasSuffix(path, ".md") {
			return nil
		}
		for _, m := range link.FindAllStringSubmatch(read(t, path), -1) {
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
				continue
			}
			if !exists(path, m[1]) {
				t.Errorf("%s links to %s, which is not there", path, m[1])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func exists(page, link string) bool {
	_, err := os.Stat(filepath.Join(root, filepath.Dir(page), filepath.FromSlash(link)))
	return err == nil
}
