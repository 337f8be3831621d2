package evm

import (
	"errors"
	"net"
	"net/url"
	"strings"
)

// redact is all of an endpoint's address that may be shown: scheme and host.
// Keys of providers live in user info, path and query.
func redact(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return "(endpoint address not readable)"
	}
	return u.Scheme + "://" + u.Host
}

// plainCause is what went wrong with a connection, without the address that
// net/http and net/url put in front of it.
func plainCause(err error) string {
	var ue *url.Error
	for errors.As(err, &ue) {
		err = ue.Err
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return "name does not resolve"
	}
	text := err.Error()
	if strings.Contains(text, "://") {
		return "connection failed"
	}
	return clip(text)
}
