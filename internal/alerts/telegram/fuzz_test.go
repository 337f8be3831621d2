package telegram

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rivo/uniseg"

	"liqwatch/internal/alerts"
	"liqwatch/internal/alerts/telegram/telegramtest"
)

func FuzzAnswer(f *testing.F) {
	f.Add(200, []byte(`{"ok":true}`))
	f.Add(429, []byte(`{"ok":false,"error_code":429,"parameters":{"retry_after":7}}`))
	f.Add(400, []byte(`{"ok":false,"error_code":400,"description":"can't parse entities","parameters":{"migrate_to_chat_id":-1004503599627370495}}`))
	f.Add(502, []byte(`<html>`))
	f.Fuzz(func(t *testing.T, status int, raw []byte) {
		a := read(&http.Response{StatusCode: status, Header: http.Header{}}, raw)
		a.message()
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
		m := alerts.Message{Title: s, Text: s, MayRepeat: limit%2 == 0}
		plain := asPlain(m)
		if units(plain) > maxUnits {
			t.Fatalf("%d units", units(plain))
		}
		if shown, err := telegramtest.Shown(asHTML(m)); err != nil || strings.TrimSpace(shown) != strings.TrimSpace(plain) {
			t.Fatalf("%q is shown as %q, %v", plain, shown, err)
		}
	})
}

// Whatever others are called, the markup of an answer can be read, says what the
// plain one says, and keeps to its length in whole characters.
func FuzzPage(f *testing.F) {
	f.Add("<b>🙂</b>&amp;", "👩‍👩‍👧‍👦\u202e", 5)
	f.Fuzz(func(t *testing.T, a, b string, limit int) {
		if limit < 1 || limit > 5000 {
			return
		}
		p := new(page).bold("%s", a).text("x %s %d", b, 7).line().code(b).bold("%s", b)
		html, plain := p.html(limit), p.plain(limit)
		shown, err := telegramtest.Shown(html)
		if err != nil || strings.TrimSpace(shown) != plain || units(plain) > limit || !utf8.ValidString(plain) {
			t.Fatalf("limit %d: %q is shown as %q, not %q: %v", limit, html, shown, plain, err)
		}
		if h := head(b, limit); uniseg.GraphemeClusterCount(h)+uniseg.GraphemeClusterCount(b[len(h):]) != uniseg.GraphemeClusterCount(b) {
			t.Fatalf("%q is cut inside a character of %q", h, b)
		}
	})
}

// What the server sends is anybody's: nothing of it ends the listener, confirms what
// is not there, or asks for what no button asks.
func FuzzUpdates(f *testing.F) {
	f.Add([]byte(`[{"update_id":7,"message":{"message_id":1,"date":1,"chat":{"id":-1,"type":"group"},"text":"/mute eth 2h","reply_to_message":{"reply_markup":{"inline_keyboard":[[{"callback_data":"ack:msg_1"}]]}}}}]`))
	f.Add([]byte(`[{"update_id":8,"callback_query":{"id":"1","from":{"id":3,"first_name":"A"},"message":{"chat":{"id":-1}},"data":"mute:1h:msg_1"}},{"update_id":"x"}]`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		updates, offset, err := parseUpdates(json.RawMessage(raw))
		if err != nil {
			return
		}
		for _, u := range updates {
			if u.ID <= 0 || u.ID >= offset {
				t.Fatalf("update %d, offset %d", u.ID, offset)
			}
			if m := u.Message; m != nil {
				if o, ok := parseOrder(m.Text, "liqwatch_bot"); ok && (o.name == "" || strings.ContainsAny(o.name, "@ \n")) {
					t.Fatalf("%q", o.name)
				}
				if id := m.Reply.alert(); id != "" && !isID(id) {
					t.Fatalf("%q", id)
				}
				if n := units(m.From.name()); n > 120 || !utf8.ValidString(m.From.name()) {
					t.Fatalf("%d units in a name", n)
				}
			}
			if u.Press != nil {
				if p, ok := parsePress(u.Press.Data); ok && (!isID(p.id) || p.what == pressMute && p.length <= 0) {
					t.Fatalf("%+v", p)
				}
			}
		}
	})
}
