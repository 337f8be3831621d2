package store_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"liqwatch/internal/alerts"
	"liqwatch/internal/alerts/webhook"
	"liqwatch/internal/store"
	"liqwatch/internal/store/storetest"
)

// sink is a notifier that does what it is told and remembers when it was called.
type sink struct {
	mu       sync.Mutex
	schedule []time.Duration
	answer   func(n int, m alerts.Message) error
	calls    []time.Time
	got      []alerts.Message
}

func (s *sink) Send(_ context.Context, m alerts.Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls, s.got = append(s.calls, time.Now()), append(s.got, m)
	if s.answer == nil {
		return nil
	}
	return s.answer(len(s.calls), m)
}

// times are those of the calls so far.
func (s *sink) times() []time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]time.Time{}, s.calls...)
}

func (s *sink) titles() []string {
	var out []string
	for _, m := range s.got {
		out = append(out, m.Title+" / "+m.Text)
	}
	return out
}

type scheduled struct{ *sink }

func (s scheduled) Schedule() []time.Duration { return s.schedule }

func open(t *testing.T, path string) *store.Store {
	t.Helper()
	s, err := store.Open(context.Background(), "sqlite:"+path)
	require.NoError(t, err)
	return s
}

// deliver runs a dispatcher over a store for a time of the fake clock, and closes both.
func deliver(t *testing.T, path string, d time.Duration, notifiers map[string]alerts.Notifier) {
	t.Helper()
	s := open(t, path)
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	alerts.NewDispatcher(s, notifiers, alerts.DispatchOptions{Poll: 10 * time.Minute}, zerolog.Nop()).Run(ctx)
	require.NoError(t, s.Close())
}

func TestTheScheduleIsKeptOverRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "x.db")
		hook := scheduled{&sink{schedule: (&webhook.Notifier{}).Schedule(), answer: func(int, alerts.Message) error { return errors.New("busy") }}}
		other := &sink{}
		s := open(t, path)
		begin := time.Now()
		require.NoError(t, s.Post(t.Context(), begin, storetest.Post(t, "k", alerts.Critical, "hook")))
		require.NoError(t, s.Close())
		for time.Since(begin) < 90*time.Hour {
			deliver(t, path, 37*time.Minute+11*time.Second, map[string]alerts.Notifier{"hook": hook, "other": other})
		}
		require.Len(t, hook.calls, 10)
		want := begin
		for i, wait := range hook.schedule {
			want = want.Add(wait)
			late := hook.calls[i].Sub(want)
			require.GreaterOrEqual(t, late, time.Duration(0), "attempt %d was early", i+1)
			require.Less(t, late, time.Minute, "attempt %d was late", i+1)
			want = hook.calls[i] // the next wait counts from the failure
			require.Equal(t, hook.got[0].ID, hook.got[i].ID)
			require.Equal(t, string(hook.got[0].Data), string(hook.got[i].Data))
		}
		told := strings.Join(other.titles(), "\n")
		require.Contains(t, told, "It is still being tried")
		require.Contains(t, told, "given up after 10 attempts")
	})
}

func TestAWaitIsObeyedByEveryMessageAndNeverEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "x.db")
		var free time.Time
		early := 0
		waits := []time.Duration{3 * time.Second, time.Hour, time.Second}
		chat := &sink{answer: func(n int, _ alerts.Message) error {
			if time.Now().Before(free) {
				early++
			}
			if n%2 == 1 && n/2 < len(waits) {
				free = time.Now().Add(waits[n/2])
				return alerts.Wait(waits[n/2], errors.New("too many requests"))
			}
			return nil
		}}
		s := open(t, path)
		for i := range 6 {
			require.NoError(t, s.Post(t.Context(), time.Now(), storetest.Post(t, fmt.Sprint(i), alerts.Info, "chat")))
		}
		require.NoError(t, s.Close())
		for range 20 { // restarts in the middle of the waits
			deliver(t, path, 7*time.Minute, map[string]alerts.Notifier{"chat": chat})
		}
		require.Zero(t, early)
		require.Len(t, chat.calls, 6+3)
		texts := map[string]int{}
		for _, m := range chat.got {
			texts[m.Text]++
		}
		require.Len(t, texts, 6)
	})
}

func TestOneThatIsGoneIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "x.db")
		hook := &sink{answer: func(int, alerts.Message) error { return alerts.Gone(errors.New("410 Gone")) }}
		other := &sink{}
		s := open(t, path)
		for i := range 5 {
			require.NoError(t, s.Post(t.Context(), time.Now(), storetest.Post(t, fmt.Sprint(i), alerts.Info, "hook")))
		}
		require.NoError(t, s.Close())
		deliver(t, path, time.Hour, map[string]alerts.Notifier{"hook": hook, "other": other})
		require.Len(t, hook.calls, 1)
		require.Len(t, other.got, 1, "%v", other.titles())
		require.Contains(t, other.got[0].Text, "410 Gone")
		s = open(t, path)
		_, waits, err := s.NextDue(t.Context(), "hook")
		require.NoError(t, err)
		require.False(t, waits)
		require.NoError(t, s.Close())
	})
}

func TestASlowNotifierHoldsUpNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "x.db")
		slow := &sink{answer: func(int, alerts.Message) error { time.Sleep(29 * time.Second); return nil }}
		quick := &sink{}
		s := open(t, path)
		for i := range 5 {
			require.NoError(t, s.Post(t.Context(), time.Now(), storetest.Post(t, fmt.Sprint(i), alerts.Info, "slow", "quick")))
		}
		require.NoError(t, s.Close())
		begin := time.Now()
		deliver(t, path, 10*time.Minute, map[string]alerts.Notifier{"slow": slow, "quick": quick})
		require.Len(t, quick.calls, 5)
		require.Less(t, quick.calls[4].Sub(begin), time.Second)
		require.Len(t, slow.calls, 5)
	})
}

func TestWhatWasInHandAtTheEndIsFinished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "x.db")
		slow := &sink{answer: func(int, alerts.Message) error { time.Sleep(10 * time.Second); return nil }}
		s := open(t, path)
		require.NoError(t, s.Post(t.Context(), time.Now(), storetest.Post(t, "k", alerts.Info, "slow")))
		require.NoError(t, s.Close())
		deliver(t, path, 5*time.Second, map[string]alerts.Notifier{"slow": slow})
		deliver(t, path, 10*time.Minute, map[string]alerts.Notifier{"slow": slow})
		require.Len(t, slow.calls, 1)
	})
}

func TestANewAlertIsFoundWithoutBeingWoken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, filepath.Join(t.TempDir(), "x.db"))
		got := &sink{}
		ctx, cancel := context.WithCancel(t.Context())
		d := alerts.NewDispatcher(s, map[string]alerts.Notifier{"a": got}, alerts.DispatchOptions{}, zerolog.Nop())
		done := make(chan struct{})
		go func() { defer close(done); d.Run(ctx) }()
		time.Sleep(12 * time.Second)
		at := time.Now()
		require.NoError(t, s.Post(t.Context(), at, storetest.Post(t, "1", alerts.Info, "a")))
		time.Sleep(6 * time.Second)
		require.Len(t, got.times(), 1)
		require.LessOrEqual(t, got.times()[0].Sub(at), 5*time.Second)
		at = time.Now()
		require.NoError(t, s.Post(t.Context(), at, storetest.Post(t, "2", alerts.Info, "a")))
		d.Wake()
		synctest.Wait()
		require.Len(t, got.times(), 2)
		require.Zero(t, got.times()[1].Sub(at))
		cancel()
		<-done
		require.NoError(t, s.Close())
	})
}

func TestWhatWaitsForANotifierThatIsGoneIsToldElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "x.db")
		other := &sink{}
		s := open(t, path)
		for i := range 150 {
			require.NoError(t, s.Post(t.Context(), time.Now(), storetest.Post(t, fmt.Sprint(i), alerts.Info, "renamed")))
		}
		require.NoError(t, s.Close())
		deliver(t, path, time.Hour, map[string]alerts.Notifier{"other": other})
		require.Len(t, other.got, 1)
		require.Contains(t, other.got[0].Text, `The notifier "renamed" did not deliver`)
		require.Contains(t, other.got[0].Text, "no longer configured")
		s = open(t, path)
		names, err := s.Waiting(t.Context())
		require.NoError(t, err)
		require.Empty(t, names)
		require.NoError(t, s.Close())
	})
}

type noticer struct {
	*sink
	notices []alerts.Notice
}

func (n *noticer) Notices() []alerts.Notice {
	out := n.notices
	n.notices = nil
	return out
}

func TestWhatANotifierLearnsIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "x.db")
		chat := &noticer{sink: &sink{}, notices: []alerts.Notice{{Key: "moved", Text: "the group moved"}}}
		other := &sink{}
		s := open(t, path)
		require.NoError(t, s.Post(t.Context(), time.Now(), storetest.Post(t, "k", alerts.Info, "chat")))
		require.NoError(t, s.Close())
		deliver(t, path, time.Hour, map[string]alerts.Notifier{"chat": chat, "other": other})
		require.Equal(t, []string{"A notifier needs a look / the group moved"}, other.titles())
		require.Len(t, chat.got, 2, "and to the group itself")
	})
}
