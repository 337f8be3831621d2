package tron

import (
	"context"
	"errors"
	"fmt"
	"time"

	"liqwatch/chains"
)

// ask puts a request to the first node that is fit to be asked, and waits out rate
// limits and failures until the patience ends. Errors of the request itself come
// back at once, as *fault.
func (c *Client) ask(ctx context.Context, method string, params []any, result any) error {
	return c.askUntil(ctx, method, params, result, func() error { return nil })
}

// askUntil is ask with a check of the answer: where check fails, the answer is not
// to be trusted and the request goes out again, to another node if there is one.
func (c *Client) askUntil(ctx context.Context, method string, params []any, result any, check func() error) error {
	deadline := time.Now().Add(c.cfg.Patience)
	var last error
	for {
		n, wait := c.choose(time.Now())
		if time.Now().Add(wait).After(deadline) {
			if last == nil {
				last = errors.New("every node asked to be left alone for longer")
			}
			return fmt.Errorf("%s: %w: %w", method, chains.ErrUnreachable, last)
		}
		if err := sleep(ctx, wait); err != nil {
			return err
		}
		n.take(time.Now())
		err := n.ask(ctx, method, params, result)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil {
			n.praise()
			if err = check(); err == nil {
				return nil
			}
			err = &fault{kind: kindTransient, text: err.Error()}
		}
		var f *fault
		if !errors.As(err, &f) {
			return err
		}
		switch f.kind {
		case kindTransient, kindRate:
			rest := n.blame(f, time.Now())
			c.log.Warn().Str("node", n.label).Str("method", method).Dur("rest", rest).Msg(f.text)
		case kindAuth:
			n.blame(&fault{wait: 5 * time.Minute}, time.Now())
			c.log.Error().Str("node", n.label).Msg(f.text)
		default:
			return fmt.Errorf("%s: %w", n.label, f)
		}
		last = fmt.Errorf("%s: %w", n.label, f)
	}
}

// choose is the node that may be asked soonest; the preferred one of equals.
func (c *Client) choose(now time.Time) (*node, time.Duration) {
	best, least := c.nodes[0], c.nodes[0].ready(now)
	for _, n := range c.nodes[1:] {
		if w := n.ready(now); w < least {
			best, least = n, w
		}
	}
	return best, least
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
