package telegram

import (
	"net/http"
	"testing"
	"unicode/utf8"

	"liqwatch/internal/alerts"
)

func FuzzAnswer(f *testing.F) {
	f.Add(200, []byte(`{"ok":true}`))
	f.Add(429, []byte(`{"ok":false,"error_code":429,"parameters":{"retry_after":7}}`))
	f.Add(400, []byte(`{"ok":false,"error_code":400,"description":"can't parse entities","parameters":{"migrate_to_chat_id":-1004503599627370495}}`))
	f.Add(502, []byte(`<html>`))
	f.Fuzz(func(t *testing.T, status int, raw []byte) {
		a := read(&http.Response{StatusCode: status, Header: http.Header{}}, raw)
		if a.OK {
			return
		}
		if err := a.judge(); err == nil {
			t.Fatal("a refusal without an error")
		}
	})
}

func FuzzCut(f *testing.F) {
	f.Add("<b>🙂</b>&amp;", 5)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		if !utf8.ValidString(s) || limit < 1 || limit > 5000 {
			return
		}
		if got := cut(s, limit); units(got) > limit || !utf8.ValidString(got) {
			t.Fatalf("cut(%q, %d) = %q", s, limit, got)
		}
		m := alerts.Message{Title: s, Text: s}
		if got := asPlain(m); units(got) > maxUnits {
			t.Fatalf("%d units", units(got))
		}
	})
}
