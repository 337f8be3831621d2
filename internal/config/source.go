package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

const (
	maxSize  = 1 << 20 // a larger file is not a configuration
	maxDepth = 32
)

// document is one parsed file: its tree and what is known of its secrets.
type document struct {
	name     string
	root     *yaml.Node
	written  map[*yaml.Node]string // scalars that held ${...}, as they were written
	origin   map[*yaml.Node]string // scalars that came from an environment variable
	redactor *redactor
	warnings []Warning
}

// readDocument checks the bytes and makes a tree of them: one document, no
// anchors, no merge keys, no tags, no key twice.
func readDocument(name string, text []byte) (*document, error) {
	doc := &document{
		name:     name,
		written:  map[*yaml.Node]string{},
		origin:   map[*yaml.Node]string{},
		redactor: &redactor{},
	}
	if err := doc.checkText(text); err != nil {
		return nil, Errors{err}
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var file yaml.Node
	switch err := decodeNode(decoder, &file); {
	case errors.Is(err, io.EOF):
		return nil, Errors{doc.errorAt(1, 1, "the file is empty", "it needs at least chains and markets")}
	case err != nil:
		return nil, Errors{doc.syntaxError(err, text)}
	}
	root := file.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, Errors{doc.errorAt(max(1, root.Line), max(1, root.Column), "the file holds no settings",
			"it needs keys such as chains: and markets:")}
	}
	var second yaml.Node
	switch err := decodeNode(decoder, &second); {
	case errors.Is(err, io.EOF):
	case err != nil:
		return nil, Errors{doc.syntaxError(err, text)}
	default:
		return nil, Errors{doc.errorAt(second.Line, second.Column, "a second document (---) in the file",
			"only the first would be read: keep one")}
	}
	doc.root = root
	var errs Errors
	doc.checkTree(root, 0, &errs)
	if err := errs.orNil(); err != nil {
		return nil, err
	}
	return doc, nil
}

// decodeNode turns the panics that the parser keeps for its own bugs into errors.
func decodeNode(decoder *yaml.Decoder, into *yaml.Node) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("yaml: %v", p)
		}
	}()
	return decoder.Decode(into)
}

func (d *document) errorAt(line, column int, problem, hint string) *Error {
	return &Error{Position: Position{d.name, line, column}, Problem: problem, Hint: hint}
}

// checkText refuses what a YAML parser reads in silence or reports without a place.
func (d *document) checkText(text []byte) *Error {
	if len(text) > maxSize {
		return d.errorAt(0, 0, fmt.Sprintf("the file has %d bytes", len(text)), fmt.Sprintf("a configuration has at most %d", maxSize))
	}
	for _, mark := range []string{"\xff\xfe", "\xfe\xff"} {
		if bytes.HasPrefix(text, []byte(mark)) {
			return d.errorAt(1, 1, "the file is UTF-16", "save it as UTF-8")
		}
	}
	line, column := 1, 1
	indent := true
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		if problem, hint := badRune(r, size, indent); problem != "" {
			return d.errorAt(line, column, problem, hint)
		}
		column++
		if r != ' ' {
			indent = false
		}
		if r == '\n' {
			line, column, indent = line+1, 1, true
		}
		text = text[size:]
	}
	return nil
}

func badRune(r rune, size int, indent bool) (problem, hint string) {
	switch {
	case r == utf8.RuneError && size == 1:
		return "a byte that is not UTF-8", "save the file as UTF-8"
	case r == '\uFEFF':
		return "a byte order mark", "save the file as UTF-8 without BOM"
	case r == '\t' && indent:
		return "a tab in the indentation", "indent with spaces"
	case r == '\t' || r == '\n' || r == '\r':
		return "", ""
	case unicode.IsControl(r), r == '\u2028', r == '\u2029':
		return fmt.Sprintf("a control character (%U)", r), "remove it"
	case r == '\u00A0':
		return "a no-break space", "it looks like a space but is none: replace it"
	case unicode.Is(unicode.Cf, r) && r != '\u200D':
		return fmt.Sprintf("an invisible character (%U)", r), "remove it"
	}
	return "", ""
}

var syntaxLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

// syntaxError gives a parser's error its column: the first character of the line it names.
func (d *document) syntaxError(err error, text []byte) *Error {
	line, problem := 1, err.Error()
	if m := syntaxLine.FindStringSubmatch(problem); m != nil {
		problem = m[2]
		if n, err := strconv.Atoi(m[1]); err == nil {
			line = n
		}
	}
	lines := strings.Split(string(text), "\n")
	line = min(line, len(lines))
	column := 1 + len(lines[line-1]) - len(strings.TrimLeft(lines[line-1], " "))
	return d.errorAt(line, column, "not YAML: "+problem, syntaxHint(problem))
}

func syntaxHint(problem string) string {
	switch {
	case strings.Contains(problem, "mapping values are not allowed"):
		return "a colon too many, or the indentation is off: put text that holds a colon in quotes"
	case strings.Contains(problem, "did not find expected key"), strings.Contains(problem, "block"):
		return "the indentation is off here or in the lines around"
	case strings.Contains(problem, "quoted scalar"), strings.Contains(problem, "unexpected end of stream"):
		return "a quote is not closed"
	case strings.Contains(problem, "',' or"):
		return "a bracket or brace is not closed, or a comma is missing"
	case strings.Contains(problem, "cannot start any token"):
		return "put the text in quotes"
	case strings.Contains(problem, "unknown anchor"), strings.Contains(problem, "anchor '"):
		return "anchors and aliases (&, *) are not allowed: write the value out"
	}
	return "look at this line and the one before"
}

// checkTree walks the whole tree for what is never allowed.
func (d *document) checkTree(n *yaml.Node, depth int, errs *Errors) {
	refuse := func(n *yaml.Node, problem, hint string) {
		*errs = append(*errs, &Error{Position: d.at(n), Problem: problem, Hint: hint})
	}
	switch {
	case depth > maxDepth:
		refuse(n, "nested too deeply", fmt.Sprintf("at most %d levels", maxDepth))
		return
	case n.Kind == yaml.AliasNode:
		refuse(n, "an alias (*"+n.Value+")", "write the value out")
		return
	case n.Anchor != "":
		refuse(n, "an anchor (&"+n.Anchor+")", "anchors and aliases are not allowed: write the value out")
		return
	case n.Style&yaml.TaggedStyle != 0:
		refuse(n, "a tag ("+n.Tag+")", "remove it: every setting has its type already")
		return
	}
	if n.Kind == yaml.MappingNode {
		d.checkKeys(n, refuse)
	}
	for _, child := range n.Content {
		d.checkTree(child, depth+1, errs)
	}
}

func (d *document) checkKeys(n *yaml.Node, refuse func(*yaml.Node, string, string)) {
	first := map[string]*yaml.Node{}
	for i := 0; i < len(n.Content); i += 2 {
		key := n.Content[i]
		switch {
		case key.Kind != yaml.ScalarNode:
			refuse(key, "a key that is not text", "keys are plain words")
			continue
		case key.Tag == "!!merge":
			refuse(key, "a merge key (<<)", "write the settings out")
			continue
		case key.Tag == "!!null" || key.Value == "":
			refuse(key, "an empty key", "write a name before the colon")
			continue
		}
		if before, ok := first[key.Value]; ok {
			refuse(key, fmt.Sprintf("key %q appears twice", key.Value), fmt.Sprintf("first on line %d: keep one of the two", before.Line))
			continue
		}
		first[key.Value] = key
	}
}

// at is where a node stands; settings from the environment say so instead.
func (d *document) at(n *yaml.Node) Position {
	if n == nil {
		return Position{File: d.name}
	}
	if from, ok := d.origin[n]; ok {
		return Position{File: "environment " + from}
	}
	return Position{d.name, n.Line, n.Column}
}

// find follows keys (string) and list places (int) from the root; where a step is
// missing it stays at the last node that exists.
func (d *document) find(path ...any) *yaml.Node {
	n := d.root
	for _, step := range path {
		var next *yaml.Node
		switch step := step.(type) {
		case string:
			_, next = child(n, step)
		case int:
			if n.Kind == yaml.SequenceNode && step >= 0 && step < len(n.Content) {
				next = n.Content[step]
			}
		}
		if next == nil {
			return n
		}
		n = next
	}
	return n
}

// child is a mapping's key of that name and its value, or nil.
func child(n *yaml.Node, name string) (key, value *yaml.Node) {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil, nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i], n.Content[i+1]
		}
	}
	return nil, nil
}
