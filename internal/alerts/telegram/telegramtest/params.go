package telegramtest

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// parameters are those of all methods; which method takes which is in allowed.
type parameters struct {
	ChatID     json.RawMessage `json:"chat_id"`
	Thread     int64           `json:"message_thread_id"`
	MessageID  int64           `json:"message_id"`
	Text       string          `json:"text"`
	Caption    string          `json:"caption"`
	ParseMode  string          `json:"parse_mode"`
	Silent     bool            `json:"disable_notification"`
	Offset     int64           `json:"offset"`
	Limit      *int            `json:"limit"`
	Timeout    int             `json:"timeout"`
	Kinds      []string        `json:"allowed_updates"`
	QueryID    string          `json:"callback_query_id"`
	ShowAlert  bool            `json:"show_alert"`
	Scope      json.RawMessage `json:"scope"`
	Commands   []botCommand    `json:"commands"`
	LinkPolicy json.RawMessage `json:"link_preview_options"`
	Reply      *struct {
		MessageID int64 `json:"message_id"`
		Anyway    bool  `json:"allow_sending_without_reply"`
	} `json:"reply_parameters"`
	Markup *markup `json:"reply_markup"`

	all map[string]any
}

type botCommand struct {
	Command     string `json:"command"`
	Description string `json:"description"`
}

type markup struct {
	Rows [][]struct {
		Text string  `json:"text"`
		Data *string `json:"callback_data"`
		URL  *string `json:"url"`
	} `json:"inline_keyboard"`
}

// allowed are the parameters of each method, as far as anybody here uses them. The
// real server overlooks those it does not know; here they are a mistake.
var allowed = map[string][]string{
	"getMe":                  {},
	"getUpdates":             {"offset", "limit", "timeout", "allowed_updates"},
	"sendMessage":            {"chat_id", "message_thread_id", "text", "parse_mode", "link_preview_options", "disable_notification", "reply_parameters", "reply_markup"},
	"sendPhoto":              {"chat_id", "message_thread_id", "photo", "caption", "parse_mode", "disable_notification", "reply_parameters", "reply_markup"},
	"answerCallbackQuery":    {"callback_query_id", "text", "show_alert"},
	"editMessageReplyMarkup": {"chat_id", "message_id", "reply_markup"},
	"setMyCommands":          {"commands", "scope"},
}

// readParams reads JSON or a form.
func readParams(w http.ResponseWriter, r *http.Request, method string) (p parameters, photo []byte, refusal *answer) {
	no := func(a answer) (parameters, []byte, *answer) { return parameters{}, nil, &a }
	names, known := allowed[method]
	if !known {
		return no(refuse(http.StatusNotFound, "Not Found: method not found"))
	}
	if r.Method != http.MethodPost && r.Method != http.MethodGet {
		return no(refuse(http.StatusMethodNotAllowed, "Method Not Allowed"))
	}
	r.Body = http.MaxBytesReader(w, r.Body, 50<<20)
	fields := map[string]json.RawMessage{}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch kind {
	case "application/json":
		raw, err := io.ReadAll(r.Body)
		if err != nil || json.Unmarshal(raw, &fields) != nil {
			return no(bad("can't parse request body JSON object"))
		}
		if !utf8.Valid(raw) {
			return no(bad("strings must be encoded in UTF-8"))
		}
	case "multipart/form-data":
		var err *answer
		if fields, photo, err = readForm(r); err != nil {
			return no(*err)
		}
	case "":
	default:
		return no(bad("unsupported content type %q", kind))
	}
	for name := range fields {
		if !slices.Contains(names, name) {
			return no(bad("method %s has no parameter %q", method, name))
		}
	}
	raw, _ := json.Marshal(fields)
	if err := json.Unmarshal(raw, &p); err != nil {
		return no(bad("can't parse parameters: %v", err))
	}
	_ = json.Unmarshal(raw, &p.all)
	return p, photo, nil
}

// readForm reads a form; what is text there may be JSON.
func readForm(r *http.Request) (map[string]json.RawMessage, []byte, *answer) {
	fields := map[string]json.RawMessage{}
	if err := r.ParseMultipartForm(20 << 20); err != nil { //nolint:gosec // the body is limited by who calls
		a := bad("can't parse the form: %v", err)
		return nil, nil, &a
	}
	for name, values := range r.MultipartForm.Value {
		text := values[0]
		if !utf8.ValidString(text) {
			a := bad("strings must be encoded in UTF-8")
			return nil, nil, &a
		}
		value, _ := json.Marshal(text)
		if !slices.Contains([]string{"text", "caption", "parse_mode"}, name) && json.Valid([]byte(text)) {
			value = []byte(text)
		}
		fields[name] = value
	}
	files := r.MultipartForm.File["photo"]
	if len(files) == 0 {
		return fields, nil, nil
	}
	f, err := files[0].Open()
	if err != nil {
		a := bad("can't read the file: %v", err)
		return nil, nil, &a
	}
	defer func() { _ = f.Close() }()
	var out bytes.Buffer
	_, _ = out.ReadFrom(f)
	return fields, out.Bytes(), nil
}

func (p parameters) chat() string { return strings.Trim(string(p.ChatID), `"`) }

func (p parameters) buttons() [][]Button {
	if p.Markup == nil {
		return nil
	}
	var out [][]Button
	for _, row := range p.Markup.Rows {
		var buttons []Button
		for _, b := range row {
			data := ""
			if b.Data != nil {
				data = *b.Data
			}
			buttons = append(buttons, Button{b.Text, data})
		}
		out = append(out, buttons)
	}
	return out
}

// checkButtons refuses what the real server refuses of an inline keyboard.
func checkButtons(m *markup) *answer {
	no := func(text string) *answer { a := bad("%s", text); return &a }
	if m == nil {
		return nil
	}
	for _, row := range m.Rows {
		if len(row) > 8 {
			return no("REPLY_MARKUP_TOO_LONG")
		}
		for _, b := range row {
			switch {
			case strings.TrimSpace(b.Text) == "":
				return no("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
			case b.Data == nil && b.URL == nil:
				return no("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
			case b.Data != nil && (*b.Data == "" || len(*b.Data) > 64):
				return no("BUTTON_DATA_INVALID")
			}
		}
	}
	return nil
}

// checkCommands refuses what the real server refuses of a list of commands.
func (p parameters) checkCommands() *answer {
	no := func(text string) *answer { a := bad("%s", text); return &a }
	if len(p.Commands) > 100 {
		return no("BOT_COMMANDS_TOO_MUCH")
	}
	for _, c := range p.Commands {
		name := strings.Trim(c.Command, "abcdefghijklmnopqrstuvwxyz0123456789_")
		if c.Command == "" || len(c.Command) > 32 || name != "" {
			return no("BOT_COMMAND_INVALID")
		}
		if n := utf8.RuneCountInString(c.Description); n < 1 || n > 256 {
			return no("BOT_COMMAND_DESCRIPTION_INVALID")
		}
	}
	return nil
}
