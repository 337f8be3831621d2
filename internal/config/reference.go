package config

import (
	"fmt"
	"reflect"
	"strings"
	"time"
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
	case reflect.TypeFor[Bound]():
		return "number or percentage"
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
	case "number or percentage":
		return "numbers or percentages"
	}
	return name + "s"
}
