package telegramtest

import (
	"fmt"
	"strconv"
	"strings"
)

// tags are those that the Bot API knows, without attributes.
var tags = map[string]bool{
	"b": true, "strong": true, "i": true, "em": true, "u": true, "ins": true, "s": true, "strike": true,
	"del": true, "code": true, "pre": true, "blockquote": true, "tg-spoiler": true,
}

var entities = map[string]string{"lt": "<", "gt": ">", "amp": "&", "quot": `"`}

// Shown is the Bot API's HTML as a reader sees it; an error where the server would
// refuse it.
func Shown(html string) (string, error) { return parse(html) }

// parse reads the Bot API's HTML and gives the text without markup. Anything that
// the real server would stumble over is an error, in its words but for the first letter.
func parse(s string) (string, error) {
	var out strings.Builder
	var open []string
	for i := 0; i < len(s); {
		switch s[i] {
		case '<':
			end := strings.IndexByte(s[i:], '>')
			if end < 0 {
				return "", fmt.Errorf("unclosed start tag at byte offset %d", i)
			}
			name := s[i+1 : i+end]
			if closing, ok := strings.CutPrefix(name, "/"); ok {
				switch {
				case len(open) == 0:
					return "", fmt.Errorf("unexpected end tag at byte offset %d", i)
				case open[len(open)-1] != closing:
					return "", fmt.Errorf("unmatched end tag at byte offset %d, expected \"</%s>\", found \"</%s>\"", i, open[len(open)-1], closing)
				}
				open = open[:len(open)-1]
			} else if !tags[name] {
				return "", fmt.Errorf("unsupported start tag %q at byte offset %d", name, i)
			} else {
				open = append(open, name)
			}
			i += end + 1
		case '&':
			text, n, err := entity(s[i:])
			if err != nil {
				return "", fmt.Errorf("%w at byte offset %d", err, i)
			}
			out.WriteString(text)
			i += n
		case '>', '"':
			// The real server takes these; nothing we send has them bare.
			return "", fmt.Errorf("bare %q at byte offset %d", s[i], i)
		default:
			out.WriteByte(s[i])
			i++
		}
	}
	if len(open) > 0 {
		return "", fmt.Errorf("can't find end tag corresponding to start tag %q", open[len(open)-1])
	}
	return out.String(), nil
}

func entity(s string) (text string, n int, err error) {
	end := strings.IndexByte(s, ';')
	if end < 0 || end > 10 {
		return "", 0, fmt.Errorf("unended entity")
	}
	name := s[1:end]
	if digits, ok := strings.CutPrefix(name, "#"); ok {
		code, err := strconv.ParseUint(digits, 10, 21)
		if err != nil {
			return "", 0, fmt.Errorf("unknown entity %q", name)
		}
		return string(rune(code)), end + 1, nil
	}
	text, ok := entities[name]
	if !ok {
		return "", 0, fmt.Errorf("unknown entity %q", name)
	}
	return text, end + 1, nil
}
