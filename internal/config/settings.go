package config

import (
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// marketKeys and notifierKeys are read here; all other keys are the plug-in's own.
var (
	marketKeys   = names(fieldsOf(reflect.TypeFor[marketHead]()))
	notifierKeys = names(fieldsOf(reflect.TypeFor[notifierHead]()))
)

// Settings is a plug-in's own block of the file.
type Settings struct {
	doc     *document
	node    *yaml.Node
	handled []string
}

// Decode fills a pointer to a struct, under the rules of the whole file: a key
// that is unknown, missing, of the wrong type or not exact is told with its
// place. The struct's tags are `yaml:"key,required" default:"text" doc:"sentence"`;
// values present in it before stay where the file says nothing.
func (s Settings) Decode(into any) error {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return fmt.Errorf("decode settings: want a pointer to a struct, not %T", into)
	}
	doc, node := s.doc, s.node
	if node == nil {
		doc, node = emptyDocument("settings"), &yaml.Node{Kind: yaml.MappingNode}
	}
	d := &decoder{doc: doc}
	d.block(node, v.Elem(), s.handled)
	return d.result()
}

// At is the place of one key of the block, or of the block where it has no such key.
func (s Settings) At(key string) Position {
	if s.node == nil {
		return Position{File: "settings"}
	}
	if k, _ := child(s.node, key); k != nil {
		return s.doc.at(k)
	}
	return s.doc.at(s.node)
}

// Keys are the keys written in the block that are the plug-in's own.
func (s Settings) Keys() []string {
	var out []string
	if s.node == nil {
		return nil
	}
	for i := 0; i < len(s.node.Content); i += 2 {
		if key := s.node.Content[i].Value; !contains(s.handled, key) {
			out = append(out, key)
		}
	}
	return out
}

// FromMap makes settings of values in the program, such as those of a known
// deployment; name stands for the file in errors.
func FromMap(name string, values map[string]any) (Settings, error) {
	var node yaml.Node
	if err := node.Encode(values); err != nil {
		return Settings{}, fmt.Errorf("settings of %s: %w", name, err)
	}
	return Settings{doc: emptyDocument(name), node: &node}, nil
}

func emptyDocument(name string) *document {
	return &document{name: name, redactor: &redactor{}}
}

// into decodes a node into a pointer.
func (d *decoder) into(n *yaml.Node, into any) { d.value(n, reflect.ValueOf(into).Elem()) }

// marketHead is what every market's block has, whatever its protocol.
type marketHead struct {
	Name     string `yaml:"name,required" doc:"a name of your own"`
	Protocol string `yaml:"protocol,required" doc:"the protocol, such as aave-v3"`
	Chain    string `yaml:"chain,required" doc:"a name under chains"`
}

// notifierHead is what every notifier's block has, whatever its type.
type notifierHead struct {
	Type string `yaml:"type,required" doc:"the kind of notifier, such as telegram or webhook"`
	Delivery
}

func (m *Market) decode(d *decoder, n *yaml.Node) {
	m.Position = d.doc.at(n)
	if n.Kind == yaml.ScalarNode {
		m.Name, _ = d.string(n)
		return
	}
	var head marketHead
	m.Settings = d.head(n, &head, marketKeys, "the name of a known deployment or a block of settings")
	m.Name, m.Protocol, m.Chain = head.Name, head.Protocol, head.Chain
}

func (t *Notifier) decode(d *decoder, n *yaml.Node) {
	t.Position = d.doc.at(n)
	var head notifierHead
	t.Settings = d.head(n, &head, notifierKeys, "a block of settings")
	t.Type, t.Delivery = head.Type, head.Delivery
}

// head decodes the keys of a plug-in's block that are ours, and leaves the rest to it.
func (d *decoder) head(n *yaml.Node, head any, keys []string, want string) Settings {
	s := Settings{doc: d.doc, node: n, handled: keys}
	if n.Kind != yaml.MappingNode {
		d.refuse(n, "write key: value", "%s is wanted here, not %s", want, kindOf(n))
		return s
	}
	d.block(n, reflect.ValueOf(head).Elem(), s.Keys())
	return s
}

// Store is where accounts, history and alerts are kept. It is printed without
// its password.
type Store struct{ URL }

func (s *Store) decode(d *decoder, n *yaml.Node) {
	u, ok := d.url(n)
	if !ok {
		return
	}
	switch {
	case s.is(u, "sqlite") && s.path(u) != "":
	case s.is(u, "sqlite"):
		d.refuse(n, "write sqlite:liqwatch.db", "the database has no file name")
		return
	case s.is(u, "postgres", "postgresql"):
	default:
		d.refuse(n, "write sqlite:FILE or postgres://user@host/database", "no store of kind %q", u.Scheme())
		return
	}
	s.URL = u
}

func (*Store) is(u URL, schemes ...string) bool { return contains(schemes, u.Scheme()) }

func (*Store) path(u URL) string { _, path, _ := strings.Cut(u.Reveal(), ":"); return path }

// SQLite is the file of an SQLite database, or false for Postgres.
func (s Store) SQLite() (path string, ok bool) {
	if s.Scheme() != "sqlite" {
		return "", false
	}
	return s.path(s.URL), true
}

// String is the file name, or the scheme and host of a server.
func (s Store) String() string {
	if path, ok := s.SQLite(); ok {
		return "sqlite:" + path
	}
	return s.URL.String()
}

// Format writes what String does, whatever the verb.
func (s Store) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s.String())) }
