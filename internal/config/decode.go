package config

import (
	"encoding"
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// decoder fills typed values from a tree, strictly: every key is known, every
// value of its type, no digit lost. It goes on after an error, so that all are told.
type decoder struct {
	doc  *document
	errs Errors
}

// ownDecoder is a value with a spelling of its own.
type ownDecoder interface {
	decode(d *decoder, n *yaml.Node)
}

var textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()

func (d *decoder) refuse(n *yaml.Node, hint, format string, args ...any) {
	d.errs = append(d.errs, &Error{Position: d.doc.at(n), Problem: fmt.Sprintf(format, args...), Hint: hint})
}

// result is all that was refused, free of secrets whichever setting they were meant for.
func (d *decoder) result() error {
	for _, e := range d.errs {
		e.Problem, e.Hint = d.doc.redactor.clean(e.Problem), d.doc.redactor.clean(e.Hint)
	}
	return d.errs.orNil()
}

// quote shows a value in an error, or, when it is a secret, how it was written.
func (d *decoder) quote(n *yaml.Node) string {
	text := n.Value
	if written, ok := d.doc.written[n]; ok {
		text = written
	}
	if runes := []rune(text); len(runes) > 60 {
		text = string(runes[:60]) + "..."
	}
	return fmt.Sprintf("%q", text)
}

func kindOf(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a block of settings"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Tag == "!!null":
		return "nothing"
	case n.Tag == "!!int", n.Tag == "!!float":
		return "a number"
	case n.Tag == "!!bool":
		return "true or false"
	case n.Tag == "!!timestamp":
		return "a date"
	}
	return "text"
}

// scalar reports whether the node is a single value, and tells if not.
func (d *decoder) scalar(n *yaml.Node, want string) bool {
	if n.Kind == yaml.ScalarNode && n.Tag != "!!null" {
		return true
	}
	hint := ""
	if n.Tag == "!!null" {
		hint = "write a value after the colon, or remove the line"
	}
	d.refuse(n, hint, "%s is wanted here, not %s", want, kindOf(n))
	return false
}

// value decodes a node into an addressable value.
func (d *decoder) value(n *yaml.Node, v reflect.Value) {
	if own, ok := v.Addr().Interface().(ownDecoder); ok {
		own.decode(d, n)
		return
	}
	if d.known(n, v) {
		return
	}
	if v.Kind() != reflect.Pointer && v.Addr().Type().Implements(textUnmarshaler) {
		d.text(n, v.Addr().Interface().(encoding.TextUnmarshaler))
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		fresh := reflect.New(v.Type().Elem())
		d.value(n, fresh.Elem())
		v.Set(fresh)
	case reflect.Struct:
		d.block(n, v, nil)
	case reflect.Map:
		d.mapping(n, v)
	case reflect.Slice:
		d.list(n, v)
	case reflect.String:
		if s, ok := d.string(n); ok {
			v.SetString(s)
		}
	case reflect.Bool:
		d.bool(n, v)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		d.int(n, v)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		d.uint(n, v)
	default:
		d.refuse(n, "use an integer, decimal.Decimal, string, bool, list, map or struct",
			"this setting's type in the program (%s) cannot be configured", v.Type())
	}
}

// text decodes what reads itself, such as an address; its digits stay as written.
func (d *decoder) text(n *yaml.Node, into encoding.TextUnmarshaler) {
	if !d.scalar(n, "a value") {
		return
	}
	if err := into.UnmarshalText([]byte(n.Value)); err != nil {
		d.refuse(n, "", "%s", d.doc.redactor.clean(err.Error()))
	}
}

func (d *decoder) list(n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.SequenceNode {
		d.refuse(n, "put it in [brackets]", "a list is wanted here, not %s", kindOf(n))
		return
	}
	out := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
	for i, item := range n.Content {
		d.value(item, out.Index(i))
	}
	v.Set(out)
}

func (d *decoder) mapping(n *yaml.Node, v reflect.Value) {
	if v.Type().Key().Kind() != reflect.String {
		d.refuse(n, "use text keys", "this setting's type in the program (%s) cannot be configured", v.Type())
		return
	}
	if n.Kind != yaml.MappingNode {
		d.refuse(n, "write name: value", "names with settings are wanted here, not %s", kindOf(n))
		return
	}
	out := reflect.MakeMapWithSize(v.Type(), len(n.Content)/2)
	for i := 0; i < len(n.Content); i += 2 {
		item := reflect.New(v.Type().Elem()).Elem()
		d.value(n.Content[i+1], item)
		out.SetMapIndex(reflect.ValueOf(n.Content[i].Value).Convert(v.Type().Key()), item)
	}
	v.Set(out)
}

// block decodes a struct. Keys in handled were read by somebody else; their
// presence is fine and they are not filled.
func (d *decoder) block(n *yaml.Node, v reflect.Value, handled []string) {
	if n.Kind != yaml.MappingNode {
		d.refuse(n, "write key: value", "a block of settings is wanted here, not %s", kindOf(n))
		return
	}
	fields := fieldsOf(v.Type())
	for i := 0; i < len(n.Content); i += 2 {
		key := n.Content[i]
		if contains(handled, key.Value) {
			continue
		}
		f, ok := findField(fields, key.Value)
		if !ok {
			d.refuse(key, didYouMean(key.Value, append(names(fields), handled...)), "unknown key %q", key.Value)
			continue
		}
		d.value(n.Content[i+1], v.FieldByIndex(f.index))
	}
	for _, f := range fields {
		if _, present := child(n, f.key); present != nil {
			continue
		}
		if f.required {
			d.refuse(n, missingHint(n, f, fields), "%q is missing", f.key)
			continue
		}
		d.fillDefault(n, f, v.FieldByIndex(f.index))
	}
}

// missingHint points at a key that may be the missing one misspelt. A plug-in's
// block needs it: there, what is unknown here may be known to the plug-in.
func missingHint(n *yaml.Node, f field, fields []field) string {
	for i := 0; i < len(n.Content); i += 2 {
		key := n.Content[i].Value
		if _, known := findField(fields, key); !known && strings.HasPrefix(didYouMean(key, []string{f.key}), "did you mean") {
			return fmt.Sprintf("is %q on line %d meant to be it?", key, n.Content[i].Line)
		}
	}
	return "add it: " + f.doc
}

// fillDefault decodes the default of the field's tag as if the user had written it.
func (d *decoder) fillDefault(n *yaml.Node, f field, v reflect.Value) {
	if f.fallback != "" {
		var node yaml.Node
		if err := yaml.Unmarshal([]byte(f.fallback), &node); err != nil {
			d.refuse(n, "", "the program's own default of %q is no YAML: %v", f.key, err)
			return
		}
		d.value(node.Content[0], v)
		return
	}
	if v.Kind() == reflect.Struct && hasDefaults(v.Type()) {
		d.block(&yaml.Node{Kind: yaml.MappingNode, Line: n.Line, Column: n.Column}, v, nil)
	}
}

// field is one key of a block, from a struct's tags:
// `yaml:"key,required" default:"text" doc:"sentence"`.
type field struct {
	key      string
	index    []int
	required bool
	fallback string
	doc      string
	typ      reflect.Type
}

func fieldsOf(t reflect.Type) []field {
	var out []field
	for i := range t.NumField() {
		sf := t.Field(i)
		tag, tagged := sf.Tag.Lookup("yaml")
		if sf.Anonymous && !tagged && sf.Type.Kind() == reflect.Struct {
			for _, inner := range fieldsOf(sf.Type) {
				inner.index = append([]int{i}, inner.index...)
				out = append(out, inner)
			}
			continue
		}
		key, options, _ := strings.Cut(tag, ",")
		if !sf.IsExported() || key == "-" {
			continue
		}
		if key == "" {
			key = strings.ToLower(sf.Name)
		}
		out = append(out, field{
			key: key, index: []int{i}, required: options == "required",
			fallback: sf.Tag.Get("default"), doc: sf.Tag.Get("doc"), typ: sf.Type,
		})
	}
	return out
}

// hasDefaults reports whether leaving a block out still fills something in.
func hasDefaults(t reflect.Type) bool {
	for _, f := range fieldsOf(t) {
		if f.required {
			return false
		}
	}
	for _, f := range fieldsOf(t) {
		if f.fallback != "" || f.typ.Kind() == reflect.Struct && hasDefaults(f.typ) {
			return true
		}
	}
	return false
}

func findField(fields []field, key string) (field, bool) {
	for _, f := range fields {
		if f.key == key {
			return f, true
		}
	}
	return field{}, false
}

func names(fields []field) []string {
	out := make([]string, len(fields))
	for i, f := range fields {
		out[i] = f.key
	}
	return out
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
