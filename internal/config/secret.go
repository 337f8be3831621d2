package config

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
)

// hidden is what every way of printing a secret prints.
const hidden = "[secret]"

// Secret is a value that is never printed: fmt in all its verbs, JSON, YAML,
// text and both kinds of logs show [secret]. Only [Secret.Reveal] gives it away.
type Secret struct{ value string }

// NewSecret hides a value.
func NewSecret(value string) Secret { return Secret{value} }

// Reveal is the value itself, for the one place that sends it.
func (s Secret) Reveal() string { return s.value }

// IsZero reports that there is no value.
func (s Secret) IsZero() bool { return s.value == "" }

// String is [secret].
func (s Secret) String() string { return hidden }

// Format prints [secret] whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

// MarshalText writes [secret].
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// MarshalJSON writes "[secret]".
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(hidden) }

// MarshalYAML writes [secret].
func (s Secret) MarshalYAML() (any, error) { return hidden, nil }

// LogValue logs nothing of the value.
func (s Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// URL is an address that may carry a key in its user, path or query: printed it
// is the scheme and the host alone.
type URL struct{ value string }

// NewURL holds an address; it is not checked.
func NewURL(value string) URL { return URL{value} }

// Reveal is the whole address.
func (u URL) Reveal() string { return u.value }

// IsZero reports that there is no address.
func (u URL) IsZero() bool { return u.value == "" }

// Scheme is what stands before the colon, in lower case.
func (u URL) Scheme() string {
	scheme, _, ok := strings.Cut(u.value, ":")
	if !ok {
		return ""
	}
	return strings.ToLower(scheme)
}

// String is the scheme and the host, such as https://rpc.example.org. An address
// without a host shows its scheme only.
func (u URL) String() string {
	parsed, err := url.Parse(u.value)
	if err != nil || parsed.Scheme == "" {
		return hidden
	}
	if parsed.Host == "" {
		return parsed.Scheme + ":"
	}
	return parsed.Scheme + "://" + parsed.Host
}

// Format prints what String does whatever the verb.
func (u URL) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(u.String())) }

// MarshalText writes what String does.
func (u URL) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// MarshalYAML writes what String does.
func (u URL) MarshalYAML() (any, error) { return u.String(), nil }

// LogValue logs what String does.
func (u URL) LogValue() slog.Value { return slog.StringValue(u.String()) }
