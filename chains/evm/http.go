package evm

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxBody is the largest answer taken from a node, compressed or not.
const maxBody = 64 << 20

// conn carries JSON-RPC to one endpoint.
type conn interface {
	// ask sends calls as one request and returns one reply each. An error means
	// that none was answered.
	ask(ctx context.Context, calls []call) ([]reply, error)
	close()
}

// httpConn is a conn over HTTP POST.
type httpConn struct {
	url    string
	header http.Header
	client *http.Client
	ids    *idSource
	count  *counter
}

func newHTTPConn(url string, header http.Header, count *counter) *httpConn {
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 15 * time.Second}
	return &httpConn{
		url: url, header: header, ids: &idSource{}, count: count,
		client: &http.Client{
			Transport: &http.Transport{
				Proxy:               http.ProxyFromEnvironment,
				DialContext:         dialer.DialContext,
				TLSHandshakeTimeout: 5 * time.Second,
				MaxIdleConnsPerHost: 16,
				IdleConnTimeout:     90 * time.Second,
				ForceAttemptHTTP2:   true,
				// The answer is unpacked here, to count and to limit what came over the wire.
				DisableCompression: true,
			},
			// A redirect would carry the key to another host.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

func (c *httpConn) close() { c.client.CloseIdleConnections() }

func (c *httpConn) ask(ctx context.Context, calls []call) ([]reply, error) {
	first := c.ids.take(len(calls))
	body, err := encodeCalls(first, calls)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return nil, &fault{kind: kindTransient, text: "endpoint address not usable"}
	}
	for name, values := range c.header {
		req.Header[name] = values
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Accept-Encoding", "gzip")
	c.count.asked(calls)
	resp, err := c.client.Do(req)
	if err != nil {
		c.count.moved(len(body), 0)
		return nil, connectionFault(ctx, err)
	}
	defer resp.Body.Close()
	answer, wire, err := readBody(resp)
	c.count.moved(len(body), wire)
	if err != nil {
		return nil, connectionFault(ctx, err)
	}
	if resp.StatusCode/100 != 2 {
		return nil, statusFault(resp, answer, first, len(calls))
	}
	return decodeReplies(answer, first, len(calls))
}

// readBody unpacks and limits the answer; wire is its size as received.
func readBody(resp *http.Response) (body []byte, wire int, err error) {
	counted := &countingReader{r: io.LimitReader(resp.Body, maxBody+1)}
	var src io.Reader = counted
	if strings.EqualFold(resp.Header.Get("Content-Encoding"), "gzip") {
		zip, err := gzip.NewReader(counted)
		if err != nil {
			return nil, counted.n, lie("answer says it is gzip and is not")
		}
		src = zip
	}
	var buf bytes.Buffer
	if n := resp.ContentLength; n > 0 && n <= maxBody {
		buf.Grow(int(n) + bytes.MinRead)
	}
	_, err = buf.ReadFrom(io.LimitReader(src, maxBody+1))
	if err != nil {
		return nil, counted.n, err
	}
	if buf.Len() > maxBody {
		return nil, counted.n, &fault{kind: kindTooLarge, text: "answer is larger than 64 MiB"}
	}
	return buf.Bytes(), counted.n, nil
}

type countingReader struct {
	r io.Reader
	n int
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}

// connectionFault says why there was no answer, without the endpoint's address.
func connectionFault(ctx context.Context, err error) error {
	var f *fault
	if errors.As(err, &f) {
		return f
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return &fault{kind: kindTransient, text: "timed out", late: true}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return &fault{kind: kindTransient, text: plainCause(err)}
}

// statusFault reads an HTTP refusal. Many providers put a JSON-RPC error into its
// body, which says more than the status does.
func statusFault(resp *http.Response, body []byte, first uint64, n int) error {
	var inner *fault
	if replies, err := decodeReplies(body, first, n); err == nil {
		errors.As(replies[0].err, &inner)
	} else if errors.As(err, &inner) && inner.kind == kindLie {
		inner = classify(&rpcError{Message: string(body[:min(len(body), 2000)])})
	}
	f := &fault{kind: kindTransient, text: "HTTP " + strconv.Itoa(resp.StatusCode)}
	if inner != nil && inner.kind != kindTransient {
		*f = *inner
		f.text = "HTTP " + strconv.Itoa(resp.StatusCode) + ", " + inner.text
	}
	switch resp.StatusCode {
	case http.StatusTooManyRequests:
		f.kind = kindRate
	case http.StatusServiceUnavailable:
		if resp.Header.Get("Retry-After") != "" {
			f.kind = kindRate
		}
	case http.StatusRequestEntityTooLarge:
		f.kind = kindTooLarge
	case http.StatusUnauthorized, http.StatusPaymentRequired:
		if f.kind != kindRate {
			f.kind = kindAuth
		}
	case http.StatusForbidden:
		if f.kind == kindTransient {
			f.kind = kindAuth
		}
	}
	if body := strings.TrimSpace(string(body[:min(len(body), 1)])); body == "<" {
		f.text = "HTTP " + strconv.Itoa(resp.StatusCode) + ", an HTML page"
	}
	if wait := retryAfter(resp.Header.Get("Retry-After"), time.Now()); wait > 0 {
		f.retryAfter = wait
	}
	return f
}

// retryAfter reads the header in either of its forms.
func retryAfter(v string, now time.Time) time.Duration {
	if s, err := strconv.ParseFloat(strings.TrimSpace(v), 64); err == nil && s > 0 && s < 86_400 {
		return time.Duration(s * float64(time.Second))
	}
	if at, err := http.ParseTime(v); err == nil && at.After(now) {
		return min(at.Sub(now), 24*time.Hour)
	}
	return 0
}
