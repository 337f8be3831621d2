package telegramtest

import (
	"bytes"
	"encoding/json"
	"image"
	_ "image/png" // what is sent here
	"net/http"
	"strings"
	"unicode/utf16"
)

// judge takes or refuses a message on its merits.
func (s *Server) judge(c Call, p parameters) (string, answer) {
	moved, known := s.chats[c.Chat]
	switch {
	case len(p.ChatID) == 0:
		return "", bad("chat_id is empty")
	case !known:
		return "", bad("chat not found")
	case moved != "":
		a := bad("group chat was upgraded to a supergroup chat")
		a.Parameters = map[string]any{"migrate_to_chat_id": json.Number(moved)}
		return "", a
	}
	if topics, forum := s.topics[c.Chat]; c.Thread != 0 && (c.Thread == 1 || forum && !topics[c.Thread]) {
		return "", bad("message thread not found")
	}
	if c.Reply != 0 && !p.Reply.Anyway && (c.Reply > int64(len(s.calls)) || s.calls[c.Reply-1].ID == 0) {
		return "", bad("message to be replied not found")
	}
	if refusal := checkButtons(p.Markup); refusal != nil {
		return "", *refusal
	}
	text, refusal := shown(c)
	if refusal != nil {
		return "", *refusal
	}
	if c.Method == "sendPhoto" {
		if refusal := checkPhoto(c.Photo); refusal != nil {
			return "", *refusal
		}
	}
	return text, answer{OK: true, Result: map[string]any{"message_id": len(s.calls) + 1, "chat": map[string]any{"id": number(c.Chat)}}}
}

// shown is the text as a reader sees it.
func shown(c Call) (string, *answer) {
	no := func(a answer) (string, *answer) { return "", &a }
	text := c.Raw
	switch c.ParseMode {
	case "":
	case "HTML":
		var err error
		if text, err = parse(c.Raw); err != nil {
			why := err.Error()
			return no(bad("can't parse entities: %s", strings.ToUpper(why[:1])+why[1:]))
		}
	default:
		return no(bad("unsupported parse_mode"))
	}
	n := len(utf16.Encode([]rune(text)))
	switch {
	case c.Method == "sendPhoto" && n > 1024:
		return no(bad("message caption is too long"))
	case c.Method == "sendPhoto":
	case strings.TrimSpace(text) == "":
		return no(bad("message text is empty"))
	case n > 4096:
		return no(bad("message is too long"))
	}
	return text, nil
}

// checkPhoto refuses what is no picture, or too large a one.
func checkPhoto(raw []byte) *answer {
	no := func(a answer) *answer { return &a }
	switch {
	case raw == nil:
		return no(bad("there is no photo in the request"))
	case len(raw) > 10<<20:
		return no(refuse(http.StatusRequestEntityTooLarge, "Request Entity Too Large"))
	}
	img, _, err := image.Decode(bytes.NewReader(raw))
	if err != nil {
		return no(bad("IMAGE_PROCESS_FAILED"))
	}
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	if w+h > 10_000 || w > 20*h || h > 20*w {
		return no(bad("PHOTO_INVALID_DIMENSIONS"))
	}
	return nil
}
