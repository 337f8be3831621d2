package outbound

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"liqwatch/internal/alerts"
)

// Explain says what went wrong with a call, and whether it may have arrived. What
// happened before anything was sent is told as it is, without the URL. From then on
// an error's text may hold what the server wrote, which may be what was sent to it:
// it is told in our words.
func Explain(name string, err error) error {
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err
	}
	var op *net.OpError
	if errors.Is(err, ErrBlocked) || errors.As(err, &op) && op.Op == "dial" {
		return fmt.Errorf("%s: connect: %w", name, err)
	}
	why := cause(err)
	if errors.Is(why, errTLS) { // nothing was sent yet
		return fmt.Errorf("%s: connect: %w", name, why)
	}
	return alerts.Unsure(fmt.Errorf("%s: %w", name, why))
}

var (
	errSlow    = errors.New("no answer in time")
	errHungUp  = errors.New("the connection was closed before there was an answer")
	errGarbled = errors.New("the answer is no HTTP that can be read")
	errTLS     = errors.New("the server is not who it should be, or speaks no TLS")
)

func cause(err error) error {
	var timeout net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return errSlow
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return errHungUp
	case errors.Is(err, http.ErrSchemeMismatch), strings.Contains(err.Error(), "tls: "), strings.Contains(err.Error(), "x509: "):
		return errTLS
	}
	return errGarbled
}

// RetryAfter reads a Retry-After header, seconds or a date; 0 for neither.
func RetryAfter(value string, now time.Time) time.Duration {
	if s, err := strconv.ParseUint(strings.TrimSpace(value), 10, 32); err == nil {
		return time.Duration(s) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return at.Sub(now)
	}
	return 0
}
