// Package heartbeat calls a URL while all is well: a dead-man's switch. Whoever is
// called raises the alarm when no call comes, so that even a machine that burned
// down is noticed.
package heartbeat

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"liqwatch/internal/alerts/outbound"
	"liqwatch/internal/config"
)

// name begins every error.
const name = "heartbeat"

// again is how soon a call that failed is made once more.
const again = 10 * time.Second

// Heartbeat calls one URL.
type Heartbeat struct {
	url    config.URL
	every  time.Duration
	client *http.Client
	// troubles are the reasons not to call; see alerts.Vitals.
	troubles func(context.Context) []string
	log      zerolog.Logger
}

// New makes a heartbeat. troubles is asked before every call: when it names any, no
// call is made.
func New(from config.Heartbeat, troubles func(context.Context) []string, log zerolog.Logger) *Heartbeat {
	return &Heartbeat{
		url: from.URL, every: from.Every, client: outbound.HTTPClient(outbound.Timeout, from.AllowPrivate),
		troubles: troubles, log: log.With().Str("component", name).Logger(),
	}
}

// Run beats until the context ends.
func (h *Heartbeat) Run(ctx context.Context) {
	silent := false
	for ctx.Err() == nil {
		wait := h.every
		why := h.troubles(ctx)
		switch {
		case len(why) > 0 && ctx.Err() == nil:
			if !silent {
				h.log.Error().Strs("because", why).Msg("no heartbeat is sent: whoever waits for it will raise the alarm")
			}
			silent = true
			wait = min(wait, again)
		case ctx.Err() == nil:
			if silent {
				h.log.Info().Msg("all is well: the heartbeat is sent again")
			}
			silent = false
			if err := h.beat(ctx); err != nil && ctx.Err() == nil {
				h.log.Warn().Err(err).Msg("the heartbeat did not get through")
				wait = min(wait, again)
			}
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-t.C:
		}
		t.Stop()
	}
}

// beat calls once. No error holds the URL, which is a secret.
func (h *Heartbeat) beat(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.url.Reveal(), nil)
	if err != nil {
		return errors.New(name + ": make the call: the address is not usable")
	}
	req.Header.Set("User-Agent", "liqwatch")
	res, err := h.client.Do(req)
	if err != nil {
		return outbound.Explain(name, err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, outbound.MaxAnswer)) // so that the server can finish
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return fmt.Errorf("%s: %s answered %d %s", name, h.url, res.StatusCode, strings.TrimSpace(http.StatusText(res.StatusCode)))
	}
	return nil
}
