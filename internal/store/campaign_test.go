package store_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"liqwatch/internal/alerts"
	"liqwatch/internal/store/storetest"
)

// campaign is how many messages the runs below send: LIQWATCH_MESSAGES, else few.
func campaign(t *testing.T, few int) int {
	t.Helper()
	text := os.Getenv("LIQWATCH_MESSAGES")
	if text == "" {
		return few
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err)
	return n
}

// receiver is as strict as the worst: it answers one call in three badly, notes who
// comes before the time it named, and forgets nothing.
type receiver struct {
	mu        sync.Mutex
	rng       *rand.Rand
	free      time.Time // nobody may call before
	early     int
	calls     int
	waits     int
	forgotten int               // waits that nobody heard of
	first     []alerts.Severity // of first attempts, in order
	attempted map[string]bool   // by id
	accepted  map[string]int    // by id
	bodies    map[string]string // by id
	unmarked  int               // repeats of what had arrived that did not say so
}

func (r *receiver) Send(ctx context.Context, m alerts.Message) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls++
	if time.Now().Before(r.free) {
		r.early++
	}
	if !r.attempted[m.ID] {
		r.attempted[m.ID] = true
		r.first = append(r.first, m.Severity)
	}
	if body, ok := r.bodies[m.ID]; ok && body != string(m.Data) {
		return alerts.Refused(errors.New("another body under the same id"))
	}
	r.bodies[m.ID] = string(m.Data)
	accept := func() {
		if r.accepted[m.ID]++; r.accepted[m.ID] > 1 && !m.MayRepeat {
			r.unmarked++
		}
	}
	switch r.rng.IntN(18) {
	case 0: // too many requests
		d := time.Duration(1+r.rng.IntN(3600)) * time.Second
		r.free, r.waits = time.Now().Add(d), r.waits+1
		return alerts.Wait(d, errors.New("429"))
	case 1:
		return errors.New("502")
	case 2: // the gateway gave up, the service did not
		accept()
		return alerts.Unsure(errors.New("502"))
	case 3: // taken, and no answer
		accept()
		<-ctx.Done()
		return alerts.Unsure(ctx.Err())
	case 4:
		<-ctx.Done()
		return alerts.Unsure(ctx.Err())
	}
	accept()
	return nil
}

func (r *receiver) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.free = time.Time{}
	r.forgotten++
}

// mortal is a store whose process dies at random, at the worst moment: after the
// receiver answered and before that is kept.
type mortal struct {
	alerts.Outbox
	rng  *rand.Rand
	kill context.CancelFunc
	odds int
	r    *receiver
}

var errKilled = errors.New("killed")

func (m *mortal) Settle(ctx context.Context, d alerts.Delivery, r alerts.Result, posts ...alerts.Post) error {
	if m.rng.IntN(m.odds) == 0 {
		if r.Hold { // the answer died with the process: nobody knows of the wait
			m.r.forget()
		}
		m.kill()
		return errKilled
	}
	return m.Outbox.Settle(ctx, d, r, posts...)
}

// Thousands of messages to a receiver that misbehaves, by a dispatcher that is
// killed: nothing is lost, nothing comes early, the most urgent is tried first, and
// what may be a repeat says so.
func TestNothingIsLostOnABadDay(t *testing.T) {
	messages := campaign(t, 300)
	dir := t.TempDir()
	real := time.Now()
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(dir, "x.db")
		rng := rand.New(rand.NewPCG(11, 13))
		r := &receiver{rng: rng, attempted: map[string]bool{}, accepted: map[string]int{}, bodies: map[string]string{}}
		s := open(t, path)
		severities := []alerts.Severity{alerts.Info, alerts.Warning, alerts.Critical}
		var posts []alerts.Post
		for i := range messages {
			posts = append(posts, storetest.Post(t, fmt.Sprint(i), severities[rng.IntN(3)], "hook"))
		}
		begin := time.Now()
		require.NoError(t, s.Post(t.Context(), begin, posts...))
		kills := 0
		for {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+rng.IntN(20*3600))*time.Second)
			m := &mortal{s, rng, cancel, max(25, messages/100), r}
			d := alerts.NewDispatcher(m, map[string]alerts.Notifier{"hook": scheduled{&sink{schedule: patient(), answer: func(_ int, m alerts.Message) error {
				sending, stop := context.WithTimeout(context.Background(), 30*time.Second)
				defer stop()
				return r.Send(sending, m)
			}}}}, alerts.DispatchOptions{Poll: time.Hour, Timeout: 31 * time.Second, GiveUp: 365 * 24 * time.Hour}, zerolog.Nop())
			d.Run(ctx)
			cancel()
			kills++
			require.NoError(t, s.Close())
			s = open(t, path)
			if _, waits, err := s.NextDue(t.Context(), "hook"); err == nil && !waits {
				break
			}
		}
		require.NoError(t, s.Close())
		require.Zero(t, r.early, "a call came before its time")
		require.Zero(t, r.unmarked, "a repeat that did not say so")
		require.Len(t, r.accepted, messages, "some were lost")
		for i := 1; i < len(r.first); i++ {
			require.LessOrEqual(t, r.first[i].Rank(), r.first[i-1].Rank(), "a more urgent one waited behind %d others", i)
		}
		repeats := 0
		for _, n := range r.accepted {
			repeats += n - 1
		}
		t.Logf("%d messages, %d calls, %d waits asked for (%d of them lost with the process), %d ends of the process: 0 lost, 0 early, %d repeats, all marked",
			messages, r.calls, r.waits, r.forgotten, kills, repeats)
	})
	t.Logf("took %s", time.Since(real).Round(time.Millisecond))
}

// patient tries for ever.
func patient() []time.Duration {
	out := []time.Duration{0}
	for range 200 {
		out = append(out, time.Duration(len(out))*time.Second)
	}
	return out
}

// chat is a group of people: more than twenty messages in a minute, or two in a
// second, and it is closed.
type chat struct {
	t    *testing.T
	mu   sync.Mutex
	at   []time.Time
	got  []alerts.Message
	slow time.Duration
}

func (*chat) Limits() alerts.Limits { return alerts.ChatLimits() }

func (c *chat) Send(_ context.Context, m alerts.Message) error {
	time.Sleep(c.slow)
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if n := len(c.at); n >= 20 && now.Sub(c.at[n-20]) < time.Minute || n > 0 && now.Sub(c.at[n-1]) < time.Second {
		return alerts.Gone(errors.New("banned for flooding"))
	}
	c.at, c.got = append(c.at, now), append(c.got, m)
	return nil
}

// Ten thousand positions cross in one block: all of it can be read within a minute,
// the most urgent first, within the limits of the chat; machines are told everything.
func TestABurstIsReadableWithinAMinute(t *testing.T) {
	messages := campaign(t, 1000)
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(dir, "x.db")
		s := open(t, path)
		defer func() { _ = s.Close() }()
		people, machine := &chat{t: t, slow: 150 * time.Millisecond}, &sink{}
		var posts []alerts.Post
		critical := 0
		for i := range messages {
			severity := alerts.Warning
			if i%60 == 59 {
				severity = alerts.Critical
				critical++
			}
			posts = append(posts, storetest.Post(t, fmt.Sprint(i), severity, "people", "machine"))
		}
		begin := time.Now()
		require.NoError(t, s.Post(t.Context(), begin, posts...))
		notifiers := map[string]alerts.Notifier{"people": people, "machine": machine}
		opt := alerts.DispatchOptions{Policies: map[string]alerts.Policy{
			"people": {Limits: people.Limits(), Link: "https://liqwatch.example/#alerts"}, "machine": {Singly: true},
		}}
		for time.Since(begin) < 2*time.Minute { // with a restart every few seconds
			ctx, cancel := context.WithTimeout(t.Context(), 7300*time.Millisecond)
			alerts.NewDispatcher(s, notifiers, opt, zerolog.Nop()).Run(ctx)
			cancel()
			require.NoError(t, s.Close())
			s = open(t, path)
		}
		require.Len(t, machine.got, messages)
		require.Len(t, people.got, 11, "ten, and a digest")
		require.LessOrEqual(t, people.at[10].Sub(begin), time.Minute)
		for _, m := range people.got[:10] {
			require.Equal(t, alerts.Critical, m.Severity)
		}
		digest := people.got[10]
		require.Equal(t, alerts.KindDigest, digest.Kind)
		require.Equal(t, alerts.Critical, digest.Severity)
		require.Contains(t, digest.Text, "https://liqwatch.example/#alerts")
		require.Contains(t, digest.Text, "critical: "+grouped(critical-10)+" test")
		require.Contains(t, digest.Text, "warning: "+grouped(messages-critical)+" test")
		require.Less(t, len(digest.Text), 2000, "it fits a phone")
		backlog, err := s.Backlog(t.Context())
		require.NoError(t, err)
		require.Empty(t, backlog)
		all, err := s.Alerts(t.Context(), messages+1)
		require.NoError(t, err)
		for _, a := range all {
			for _, d := range a.Deliveries {
				require.Contains(t, []alerts.Fate{alerts.Sent, alerts.Digested}, d.Fate)
			}
		}
		require.NoError(t, s.Close())
	})
}

// grouped writes thousands as messages do.
func grouped(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%d,%03d", n/1000, n%1000)
}
