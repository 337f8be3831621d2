package telegram

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"
	"time"

	"liqwatch/internal/alerts"
	"liqwatch/internal/alerts/outbound"
)

const (
	timeout     = 20 * time.Second // for one call
	pollTimeout = 50 * time.Second // how long the server keeps a question for updates open
	maxAnswer   = 64 << 10         // bytes of an answer that are read
	maxUpdates  = 4 << 20          // and of an answer with updates
	maxWait     = 24 * time.Hour   // the longest retry_after that is obeyed
	busy        = 5 * time.Second  // the wait after a 429 that names none
)

// bot calls the Bot API for one token.
type bot struct {
	token, api string
	client     *http.Client // for what is short
	patient    *http.Client // for updates
}

func newBot(token, api string) *bot {
	return &bot{token: token, api: api, client: client(timeout), patient: client(pollTimeout + timeout)}
}

// client goes through the proxy of the environment: in some countries there is no
// other way to this server. No connection is kept: one that the other side closes
// just then would leave it unknown whether a message arrived.
func client(timeout time.Duration) *http.Client {
	return &http.Client{
		Timeout:       timeout,
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true, TLSHandshakeTimeout: 10 * time.Second, MaxResponseHeaderBytes: maxAnswer},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// call makes one call of a method with its parameters as JSON, or as a form with a
// picture. An error means that there is no answer, and is one to retry.
func (b *bot) call(ctx context.Context, method string, params any, picture []byte) (answer, error) {
	body, kind, err := encode(params, picture)
	if err != nil {
		return answer{}, alerts.Refused(fmt.Errorf("telegram: write the request: %w", err))
	}
	return b.post(ctx, b.client, maxAnswer, method, kind, body)
}

func (b *bot) post(ctx context.Context, via *http.Client, most int64, method, kind string, body []byte) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.api+"/bot"+b.token+"/"+method, bytes.NewReader(body))
	if err != nil {
		return answer{}, alerts.Refused(errors.New("telegram: make the request: the token or api_url is not usable"))
	}
	req.Header.Set("Content-Type", kind)
	res, err := via.Do(req)
	if err != nil {
		return answer{}, outbound.Explain("telegram: "+method, err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, most))
	if err != nil {
		return answer{}, alerts.Unsure(fmt.Errorf("telegram: read the answer to %s: it was cut off", method))
	}
	a := read(res, raw)
	a.method, a.Description = method, b.clean(a.Description)
	return a, nil
}

// encode writes parameters as JSON. With a picture it is a form: there the values
// that are no text are JSON.
func encode(params any, picture []byte) (body []byte, kind string, err error) {
	plain, err := json.Marshal(params)
	if err != nil || picture == nil {
		return plain, "application/json", err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(plain, &fields); err != nil {
		return nil, "", err
	}
	var out bytes.Buffer
	form := multipart.NewWriter(&out)
	for name, value := range fields {
		text := string(value)
		if strings.HasPrefix(text, `"`) {
			if err := json.Unmarshal(value, &text); err != nil {
				return nil, "", err
			}
		}
		if err := form.WriteField(name, text); err != nil {
			return nil, "", err
		}
	}
	part, err := form.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {`form-data; name="photo"; filename="ladder.png"`}, "Content-Type": {"image/png"},
	})
	if err != nil {
		return nil, "", err
	}
	if _, err := part.Write(picture); err != nil {
		return nil, "", err
	}
	if err := form.Close(); err != nil {
		return nil, "", err
	}
	return out.Bytes(), form.FormDataContentType(), nil
}

// clean takes the token out of a text that somebody else wrote, and keeps it short.
func (b *bot) clean(s string) string {
	s = strings.ReplaceAll(s, b.token, "[secret]")
	if _, key, ok := strings.Cut(b.token, ":"); ok {
		s = strings.ReplaceAll(s, key, "[secret]")
	}
	return cut(s, 300)
}
