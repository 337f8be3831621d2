package config

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Key is one setting, as the documentation lists it.
type Key struct {
	Path     string // "chains.NAME.rpc", "rules[].levels"
	Type     string // "text", "number", "list of percentages", ...
	Default  string // empty when there is none
	Required bool
	Doc      string
}

// Keys are all settings of the file, plug-ins' own ones aside, in the order of the file.
func Keys() []Key { return keysOf("", reflect.TypeFor[Config]()) }

// KeysOf are the settings of a plug-in, from the struct that it decodes into.
func KeysOf(settings any) []Key {
	t := reflect.TypeOf(settings)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return keysOf("", t)
}

// Table writes keys as a Markdown table.
func Table(keys []Key) string {
	var b strings.Builder
	b.WriteString("| key | value | default | meaning |\n|---|---|---|---|\n")
	for _, k := range keys {
		fallback := k.Default
		switch {
		case k.Required:
			fallback = "required"
		case fallback != "":
			fallback = "`" + fallback + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", k.Path, k.Type, fallback, k.Doc)
	}
	return b.String()
}

func keysOf(prefix string, t reflect.Type) []Key {
	var out []Key
	for _, f := range fieldsOf(t) {
		k := Key{Path: prefix + f.key, Type: typeName(f.typ), Default: f.fallback, Required: f.required, Doc: f.doc}
		out = append(out, k)
		inner, path := f.typ, k.Path+"."
		for inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		switch inner.Kind() {
		case reflect.Map:
			inner, path = inner.Elem(), k.Path+".NAME."
		case reflect.Slice:
			inner, path = inner.Elem(), k.Path+"[]."
		}
		if block, ok := blockOf(inner); ok {
			out = append(out, keysOf(path, block)...)
		}
	}
	return out
}

// blockOf is the struct whose keys stand in a block of that type.
func blockOf(t reflect.Type) (reflect.Type, bool) {
	switch t {
	case reflect.TypeFor[Market]():
		return reflect.TypeFor[marketHead](), true
	case reflect.TypeFor[Notifier]():
		return reflect.TypeFor[notifierHead](), true
	}
	return t, t.Kind() == reflect.Struct && typeName(t) == "block"
}

func typeName(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[time.Duration]():
		return "time"
	case decimalType:
		return "number"
	case reflect.TypeFor[Ratio]():
		return "percentage"
	case secretType:
		return "secret"
	case urlType, reflect.TypeFor[Store]():
		return "address"
	case reflect.TypeFor[Levels]():
		return "list of numbers, or `walls`"
	case reflect.TypeFor[Market]():
		return "name or block"
	}
	if t.Implements(textUnmarshaler) || reflect.PointerTo(t).Implements(textUnmarshaler) {
		return "text"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return typeName(t.Elem())
	case reflect.Slice:
		return "list of " + plural(typeName(t.Elem()))
	case reflect.Map:
		return "names with a " + typeName(t.Elem()) + " each"
	case reflect.Struct:
		return "block"
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	}
	return "whole number"
}

func plural(name string) string {
	switch name {
	case "text":
		return "texts"
	case "address":
		return "addresses"
	case "percentage":
		return "percentages"
	case "name or block":
		return "names or blocks"
	}
	return name + "s"
}

// snapshotKeys are what decides which numbers come out; they hold no secrets.
// Of a chain the nodes and headers are left out.
var snapshotKeys = []string{"chains", "markets", "axes", "rules"}

// Snapshot is the configuration as a recording keeps it: what decides the
// numbers, as it was written, without nodes, headers, notifiers and store.
// Placeholders stay placeholders.
func (c *Config) Snapshot() string {
	out := &yaml.Node{Kind: yaml.MappingNode}
	for _, name := range snapshotKeys {
		key, value := child(c.doc.root, name)
		if value == nil {
			continue
		}
		plain := c.doc.asWritten(value)
		if name == "chains" {
			for i := 1; i < len(plain.Content); i += 2 {
				plain.Content[i] = without(plain.Content[i], "rpc", "headers")
			}
		}
		out.Content = append(out.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: key.Value}, plain)
	}
	text, err := yaml.Marshal(out)
	if err != nil { // a tree that was read can be written
		return ""
	}
	return c.Redact(string(text))
}

// asWritten copies a tree with placeholders instead of values, without comments.
func (d *document) asWritten(n *yaml.Node) *yaml.Node {
	out := &yaml.Node{Kind: n.Kind, Tag: n.Tag, Value: n.Value, Style: n.Style}
	if written, ok := d.written[n]; ok {
		out.Value = written
	}
	for _, c := range n.Content {
		out.Content = append(out.Content, d.asWritten(c))
	}
	return out
}

func without(n *yaml.Node, keys ...string) *yaml.Node {
	out := &yaml.Node{Kind: yaml.MappingNode, Style: n.Style}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if !contains(keys, n.Content[i].Value) {
			out.Content = append(out.Content, n.Content[i], n.Content[i+1])
		}
	}
	return out
}
