package outbound

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"liqwatch/internal/alerts"
)

const (
	// Timeout is for one call, the answer included.
	Timeout = 15 * time.Second
	// MaxAnswer is how many bytes of an answer are read, and of its headers.
	MaxAnswer = 64 << 10
	// MaxWait is the longest wait that a server can ask for.
	MaxWait = 24 * time.Hour
	// Busy is the wait after a 429 that names none.
	Busy = 30 * time.Second
)

// HTTPClient makes a client that connects only where [Allowed] lets it and follows
// no redirect: one could lead anywhere, with what was meant for somebody else. It
// connects anew for every call: alerts are rare, and a kept connection may be closed
// by the other side just when it is used.
func HTTPClient(timeout time.Duration, allowPrivate bool) *http.Client {
	return &http.Client{
		Timeout: timeout,
		Transport: &http.Transport{
			DialContext:            Dialer(allowPrivate).DialContext,
			DisableKeepAlives:      true,
			TLSHandshakeTimeout:    10 * time.Second,
			MaxResponseHeaderBytes: MaxAnswer,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Client posts JSON for one notifier.
type Client struct {
	// Name begins every error.
	Name string
	HTTP *http.Client
	Now  func() time.Time
}

// New makes a client for the notifier of a name.
func New(name string, allowPrivate bool) *Client {
	return &Client{Name: name, HTTP: HTTPClient(Timeout, allowPrivate), Now: time.Now}
}

// Answer is what a server said.
type Answer struct {
	Status int
	Header http.Header
	// Body is cut at [MaxAnswer]; it may be cut earlier when the server hung up.
	Body []byte
}

// OK reports a status from 200 to 299.
func (a Answer) OK() bool { return a.Status >= 200 && a.Status < 300 }

// Post sends a value as JSON, once. An error means that there is no answer, and says
// already what that means for the next attempt.
func (c *Client) Post(ctx context.Context, url string, header http.Header, body any) (Answer, error) {
	var raw bytes.Buffer
	enc := json.NewEncoder(&raw)
	enc.SetEscapeHTML(false) // six bytes for one, where receivers count them
	if err := enc.Encode(body); err != nil {
		return Answer{}, alerts.Refused(fmt.Errorf("%s: write the request: %w", c.Name, err))
	}
	return c.do(ctx, http.MethodPost, url, header, &raw)
}

// Get asks, once.
func (c *Client) Get(ctx context.Context, url string, header http.Header) (Answer, error) {
	return c.do(ctx, http.MethodGet, url, header, http.NoBody)
}

func (c *Client) do(ctx context.Context, method, url string, header http.Header, body io.Reader) (Answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return Answer{}, alerts.Refused(fmt.Errorf("%s: make the request: the address is not usable", c.Name))
	}
	for name, values := range header {
		req.Header[name] = values
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json; charset=utf-8")
	}
	req.Header.Set("User-Agent", "liqwatch")
	res, err := c.HTTP.Do(req)
	if err != nil {
		return Answer{}, Explain(c.Name, err)
	}
	defer res.Body.Close()
	// A server that hangs up after its status has answered all the same.
	text, _ := io.ReadAll(io.LimitReader(res.Body, MaxAnswer))
	return Answer{Status: res.StatusCode, Header: res.Header, Body: text}, nil
}

// Judge says what an answer means, by the rules that most services share: a 2xx is a
// success, a 429 a wait, a 5xx perhaps a success, what may pass is to be tried again,
// and the rest is refused for good. Detail is what more is known of it; it is ours,
// not the server's.
func (c *Client) Judge(a Answer, detail string) error {
	if a.OK() {
		return nil
	}
	text := fmt.Sprintf("%s: the server answered %d %s", c.Name, a.Status, http.StatusText(a.Status))
	if detail != "" {
		text += ": " + detail
	}
	err := errors.New(text)
	after := RetryAfter(a.Header.Get("Retry-After"), c.Now())
	switch {
	case a.Status == http.StatusTooManyRequests:
		if after <= 0 {
			after = Busy
		}
		return alerts.Wait(min(after, MaxWait), err)
	case a.Status >= 500:
		return &alerts.SendError{Err: err, Uncertain: true, After: min(max(after, 0), MaxWait)}
	case a.Status < 400:
		return fmt.Errorf("%w: redirects are not followed, write the address that it leads to", err)
	case a.Status == http.StatusRequestTimeout, a.Status == http.StatusConflict, a.Status == http.StatusTooEarly:
		return err
	}
	return alerts.Refused(err)
}

// Garbled is the error for an answer that should have been the service's JSON and is
// not: something between it and us answered, and the message may be there.
func (c *Client) Garbled(a Answer) error {
	return alerts.Unsure(fmt.Errorf("%s: the answer (%d) is not what this service writes; is the address right?", c.Name, a.Status))
}
