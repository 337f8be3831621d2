package outbound

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"liqwatch/internal/config"
)

// Address is the text of an http or https address with a host. The error repeats
// nothing of it.
func Address(key string, u config.URL) (string, error) {
	parsed, err := url.Parse(u.Reveal())
	if err != nil || parsed.Host == "" || (parsed.Scheme != "http" && parsed.Scheme != "https") {
		return "", fmt.Errorf("%s: want http://... or https://... with a host", key)
	}
	return parsed.String(), nil
}

// Link is an address that people are shown, such as that of the page.
type Link string

// UnmarshalText reads an http or https address without a password.
func (l *Link) UnmarshalText(b []byte) error {
	u, err := url.Parse(string(b))
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || len(b) > 500 || strings.ContainsAny(string(b), " <>|\"\r\n") {
		return errors.New("link: want the address of a page, http://... or https://..., of at most 500 characters")
	}
	if u.User != nil {
		return errors.New("link: leave out the name and password: everybody who is told sees it")
	}
	*l = Link(b)
	return nil
}
