package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"liqwatch/internal/alerts"
)

// Every path of the file is asked and its answer held against the file: a property
// that is missing, of another type, or not in the file, is a failure. Every path
// of the server is in the file.
func TestAnswersAreWhatTheOpenAPIFileSays(t *testing.T) {
	w := demoPage(t)
	post := alerts.Post{Alert: alerts.Alert{Key: "k", Kind: alerts.KindApproach, Rule: "eth"}, Message: alerts.Message{Title: "t"}, Notify: []string{"risk"}}
	require.NoError(t, w.store.Post(context.Background(), w.now, post))
	require.NoError(t, w.store.SaveLiquidations(context.Background(), "devnet", w.now.Add(-time.Minute), someLiquidations(), quoteUSD))
	doc := object(t, get(t, w, "/api/v1/openapi.json"))
	asks := map[string][]string{
		"/api/v1/whatif": {"?axis=ETH&price=2200", "?axis=ETH&price=2200&shock=BTC=-5%25"}, "/api/v1/ladder": {"?axis=ETH", "?axis=ETH&levels=2200"},
		"/api/v1/history": {"?axis=ETH&range=24h", "?axis=BTC&range=1y"},
	}
	asked := 0
	for path, item := range doc["paths"].(map[string]any) {
		op, ok := item.(map[string]any)["get"].(map[string]any)
		if !ok || path == "/api/v1/events" {
			continue
		}
		schema := dig(t, op, "responses", "200", "content", "application/json", "schema")
		queries := asks[path]
		if queries == nil {
			queries = []string{""}
		}
		for _, q := range queries {
			asked++
			check(t, doc, path+q, schema, decoded(t, get(t, w, path+q)))
		}
		_, _, body := ask(t, w, "GET "+path+"?axis=DOGE&limit=x", "")
		if strings.HasPrefix(body, `{"error"`) {
			check(t, doc, path+" refused", dig(t, op, "responses", "4XX", "content", "application/json", "schema"), decoded(t, body))
		}
	}
	require.Greater(t, asked, 12)
	routes, err := os.ReadFile("routes.go")
	require.NoError(t, err)
	for _, m := range regexp.MustCompile(`"(GET|POST|DELETE) (/api/v1/[^"]+)"`).FindAllStringSubmatch(string(routes), -1) {
		item, ok := doc["paths"].(map[string]any)[m[2]].(map[string]any)
		require.True(t, ok, "%s is not in the file", m[2])
		require.Contains(t, item, strings.ToLower(m[1]), m[2])
	}
}

func decoded(t *testing.T, text string) any {
	t.Helper()
	var v any
	require.NoError(t, json.Unmarshal([]byte(text), &v))
	return v
}

func dig(t *testing.T, v any, path ...string) map[string]any {
	t.Helper()
	for _, p := range path {
		m, ok := v.(map[string]any)
		require.True(t, ok && m[p] != nil, "%v", path)
		v = m[p]
	}
	return v.(map[string]any)
}

// check holds a value against a schema: the part of JSON Schema that the file uses.
func check(t *testing.T, doc map[string]any, at string, schema map[string]any, v any) {
	t.Helper()
	if ref, ok := schema["$ref"].(string); ok {
		check(t, doc, at, dig(t, doc, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...), v)
		return
	}
	if either, ok := schema["anyOf"].([]any); ok { // one schema, or null
		if v != nil {
			check(t, doc, at, either[0].(map[string]any), v)
		}
		return
	}
	kind := kindOf(v)
	allowed := fmt.Sprint(schema["type"])
	require.Contains(t, strings.Fields(strings.Trim(allowed, "[]")), kind, "%s: %v", at, v)
	switch v := v.(type) {
	case string:
		if p, ok := schema["pattern"].(string); ok {
			require.Regexp(t, p, v, at)
		}
		if e, ok := schema["enum"].([]any); ok {
			require.Contains(t, e, v, at)
		}
		if schema["format"] == "date-time" {
			_, err := time.Parse(time.RFC3339, v)
			require.NoError(t, err, at)
		}
	case []any:
		for i, one := range v {
			check(t, doc, fmt.Sprintf("%s[%d]", at, i), schema["items"].(map[string]any), one)
		}
	case map[string]any:
		checkObject(t, doc, at, schema, v)
	}
}

func checkObject(t *testing.T, doc map[string]any, at string, schema, v map[string]any) {
	t.Helper()
	properties, _ := schema["properties"].(map[string]any)
	if required, ok := schema["required"].([]any); ok {
		for _, name := range required {
			require.Contains(t, v, name, at)
		}
	}
	for name, one := range v {
		switch p, ok := properties[name].(map[string]any); {
		case ok:
			check(t, doc, at+"."+name, p, one)
		default:
			more, ok := schema["additionalProperties"].(map[string]any)
			require.True(t, ok || schema["additionalProperties"] == nil, "%s.%s is not in the file", at, name)
			if ok {
				check(t, doc, at+"."+name, more, one)
			}
		}
	}
}

func kindOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case float64:
		if v == math.Trunc(v) {
			return "integer"
		}
		return "number"
	case []any:
		return "array"
	}
	return "object"
}

// The examples of the documentation are run as they stand there.
func TestExamplesOfTheDocumentationWork(t *testing.T) {
	w := demoPage(t)
	text, err := os.ReadFile("../../docs/page.md")
	require.NoError(t, err)
	examples := regexp.MustCompile(`(?m)^    curl (.+)$`).FindAllStringSubmatch(string(text), -1)
	require.Greater(t, len(examples), 6)
	for _, m := range examples {
		words := regexp.MustCompile(`'[^']*'|"[^"]*"|\S+`).FindAllString(m[1], -1)
		for i := range words {
			words[i] = strings.Trim(words[i], `'"`)
		}
		method, headers, body, path := "GET", []string{}, "", ""
		for i := 0; i < len(words); i++ {
			switch {
			case words[i] == "-X":
				i++
				method = words[i]
			case words[i] == "-H":
				i++
				name, value, _ := strings.Cut(strings.ReplaceAll(words[i], "$TOKEN", worldToken), ": ")
				headers = append(headers, name, value)
			case words[i] == "-d":
				i++
				method, body = "POST", words[i]
			case strings.HasPrefix(words[i], "http://127.0.0.1:8787"):
				path = strings.TrimPrefix(words[i], "http://127.0.0.1:8787")
			}
		}
		if strings.Contains(path, "/events") {
			continue // it does not end; the browser's test listens to it
		}
		code, _, answer := ask(t, w, method+" "+path, body, headers...)
		require.True(t, slices.Contains([]int{200, 204}, code), "%s: %d %s", m[0], code, answer)
	}
}
