package config

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"sort"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
)

// maxSecret bounds a secret's file: a token, not a disk.
const maxSecret = 64 << 10

var (
	placeholder = regexp.MustCompile(`\$\{([^}]*)\}`)
	envName     = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// expand replaces ${env:NAME} and ${file:/path} in every value of the tree.
func (d *document) expand(n *yaml.Node, errs *Errors) {
	switch n.Kind {
	case yaml.ScalarNode:
		d.expandScalar(n, errs)
	case yaml.MappingNode:
		for i := 1; i < len(n.Content); i += 2 {
			d.expand(n.Content[i], errs)
		}
	default:
		for _, c := range n.Content {
			d.expand(c, errs)
		}
	}
}

func (d *document) expandScalar(n *yaml.Node, errs *Errors) {
	if !strings.Contains(n.Value, "${") {
		return
	}
	refuse := func(problem, hint string) {
		*errs = append(*errs, &Error{Position: d.at(n), Problem: problem, Hint: hint})
	}
	written := n.Value
	if strings.Count(written, "${") != len(placeholder.FindAllString(written, -1)) {
		refuse("a ${ that is not closed", "write ${env:NAME} or ${file:/path}")
		return
	}
	d.written[n] = written
	n.Tag = "!!str"
	n.Value = placeholder.ReplaceAllStringFunc(written, func(whole string) string {
		kind, arg, _ := strings.Cut(whole[2:len(whole)-1], ":")
		var value string
		var problem, hint string
		switch kind {
		case "env":
			value, problem, hint = secretFromEnv(arg)
		case "file":
			value, problem, hint = d.secretFromFile(n, arg)
		default:
			problem, hint = fmt.Sprintf("%s is of no known kind", whole), "write ${env:NAME} or ${file:/path}"
		}
		if problem != "" {
			refuse(problem, hint)
			return ""
		}
		d.redactor.add(value, whole)
		return value
	})
}

func secretFromEnv(name string) (value, problem, hint string) {
	if !envName.MatchString(name) {
		return "", fmt.Sprintf("${env:%s} names no environment variable", name), "write ${env:NAME}"
	}
	value, ok := os.LookupEnv(name)
	switch {
	case !ok:
		return "", fmt.Sprintf("environment variable %s is not set", name), "set it before the start"
	case strings.TrimSpace(value) == "":
		return "", fmt.Sprintf("environment variable %s is empty", name), "set it before the start"
	}
	return value, "", ""
}

// secretFromFile reads a secret without the newline that editors and echo leave at its end.
func (d *document) secretFromFile(n *yaml.Node, path string) (value, problem, hint string) {
	if !strings.HasPrefix(path, "/") {
		return "", fmt.Sprintf("${file:%s} is not a full path", path), "begin it with a slash"
	}
	const readable = "the file must exist and be readable by the user that runs liqwatch"
	// Asked before it is opened: opening a pipe would wait for its writer.
	info, err := os.Stat(path)
	if err != nil {
		return "", "read the secret: " + err.Error(), readable
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Sprintf("secret %s is not a file", path), "name the file that holds the secret"
	}
	f, err := os.Open(path)
	if err != nil {
		return "", "read the secret: " + err.Error(), readable
	}
	defer func() { _ = f.Close() }()
	raw, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return "", "read the secret: " + err.Error(), ""
	}
	value = strings.TrimRight(string(raw), "\r\n")
	switch {
	case len(raw) > maxSecret:
		return "", fmt.Sprintf("secret %s is larger than %d bytes", path, maxSecret), "is it the right file?"
	case strings.TrimSpace(value) == "":
		return "", fmt.Sprintf("secret %s is empty", path), "write the secret into it"
	}
	if mode := info.Mode().Perm(); mode&0o007 != 0 {
		d.warnings = append(d.warnings, Warning{d.at(n), fmt.Sprintf("everybody on this machine can read the secret %s (mode %04o): chmod 600 it", path, mode)})
	}
	return value, "", ""
}

// redactor takes secrets out of texts.
type redactor struct {
	mu      sync.Mutex
	secrets []redaction
}

type redaction struct{ value, shown string }

// add remembers a value to hide. Values of under 4 characters are left alone:
// hiding "1" would hide every number.
func (r *redactor) add(value, shown string) {
	if len(value) < 4 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.secrets {
		if s.value == value {
			return
		}
	}
	r.secrets = append(r.secrets, redaction{value, shown})
	// Longest first, so that a secret within a longer one does not leave its rest.
	sort.SliceStable(r.secrets, func(i, j int) bool { return len(r.secrets[i].value) > len(r.secrets[j].value) })
}

func (r *redactor) clean(text string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.secrets {
		text = strings.ReplaceAll(text, s.value, s.shown)
	}
	return text
}
