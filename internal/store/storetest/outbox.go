package storetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"liqwatch/internal/alerts"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 123456789, time.UTC)

// Post is a test alert with a key.
func Post(t testing.TB, key string, severity alerts.Severity, notify ...string) alerts.Post {
	t.Helper()
	a := alerts.Alert{Key: key, Kind: alerts.KindTest, Severity: severity, Rule: "test", Seen: noon, Note: "note of " + key, Notify: notify}
	m, err := alerts.Compose(a)
	require.NoError(t, err)
	return alerts.Post{Alert: a, Message: m, Notify: notify}
}

func claim(t *testing.T, s Store, notifier string, now time.Time) []alerts.Delivery {
	t.Helper()
	d, err := s.Claim(t.Context(), notifier, now, time.Minute, 10)
	require.NoError(t, err)
	return d
}

func once(t *testing.T, open Open) {
	s, ctx := mustOpen(t, open), t.Context()
	require.NoError(t, s.Post(ctx, noon, Post(t, "k", alerts.Info, "a", "b", "a")))
	require.NoError(t, s.Post(ctx, noon.Add(time.Hour), Post(t, "k", alerts.Info, "a", "c")))
	require.NoError(t, s.Commit(ctx, alerts.Change{At: noon, Posts: []alerts.Post{Post(t, "k", alerts.Info, "a")}}))
	first := claim(t, s, "a", noon)
	require.Len(t, first, 1)
	require.Equal(t, noon, first[0].Created)
	require.Len(t, claim(t, s, "b", noon), 1)
	require.Empty(t, claim(t, s, "c", noon))
	require.NoError(t, s.Settle(ctx, first[0], alerts.Result{Fate: alerts.Sent, At: noon}))
	require.NoError(t, s.Close())

	s = mustOpen(t, open)
	require.NoError(t, s.Post(ctx, noon, Post(t, "k", alerts.Info, "a")))
	require.Empty(t, claim(t, s, "a", noon.Add(time.Hour)))
	b := claim(t, s, "b", noon.Add(time.Hour))
	require.Equal(t, first[0].AlertID, b[0].AlertID, "the id stays")
}

func whole(t *testing.T, open Open) {
	s, ctx := mustOpen(t, open), t.Context()
	bad := Post(t, "bad", alerts.Info, "a")
	bad.Message.Data = []byte("{") // cannot be written
	err := s.Commit(ctx, alerts.Change{
		At: noon, Beats: []alerts.Beat{{Source: "chain|x", Stale: true}},
		States: []alerts.StateChange{{Rule: "eth", From: 1, To: 1, Add: []alerts.Checkpoint{{Seq: 1}}}},
		Posts:  []alerts.Post{Post(t, "good", alerts.Info, "a"), bad},
	})
	require.Error(t, err)
	require.Empty(t, claim(t, s, "a", noon))
	beats, err := s.LoadBeats(ctx)
	require.NoError(t, err)
	require.Empty(t, beats)
	st, err := s.LoadState(ctx, "eth")
	require.NoError(t, err)
	require.Empty(t, st.Checkpoints)
}

func claims(t *testing.T, open Open) {
	s, ctx := mustOpen(t, open), t.Context()
	for _, k := range []string{"1", "2", "3"} {
		require.NoError(t, s.Post(ctx, noon, Post(t, k, alerts.Info, "a")))
	}
	two, err := s.Claim(ctx, "a", noon, time.Minute, 2)
	require.NoError(t, err)
	require.Len(t, two, 2)
	require.Len(t, claim(t, s, "a", noon), 1)
	require.Empty(t, claim(t, s, "a", noon.Add(time.Minute-1)))
	require.Len(t, claim(t, s, "a", noon.Add(time.Minute)), 3)
	require.Empty(t, claim(t, s, "a", noon.Add(-time.Hour)), "a clock set back hands out nothing twice")
}

func fencing(t *testing.T, open Open) {
	s, ctx := mustOpen(t, open), t.Context()
	require.NoError(t, s.Post(ctx, noon, Post(t, "k", alerts.Info, "a")))
	old := claim(t, s, "a", noon)[0]
	later := noon.Add(2 * time.Minute)
	again := claim(t, s, "a", later)[0]
	require.NotEqual(t, old.Lease, again.Lease)
	require.ErrorIs(t, s.Settle(ctx, old, alerts.Result{Fate: alerts.Pending, At: later, Next: later, Failed: true}), alerts.ErrLeaseLost)
	require.ErrorIs(t, s.Settle(ctx, old, alerts.Result{Fate: alerts.Dead, At: later}, Post(t, "report", alerts.Info, "b")), alerts.ErrLeaseLost)
	require.Empty(t, claim(t, s, "b", later), "what comes with a lost lease is not kept")
	// It did arrive: whoever holds it now need not send it.
	require.NoError(t, s.Settle(ctx, old, alerts.Result{Fate: alerts.Sent, At: later}))
	require.ErrorIs(t, s.Settle(ctx, again, alerts.Result{Fate: alerts.Pending, At: later, Next: later}), alerts.ErrLeaseLost)
	require.Empty(t, claim(t, s, "a", later.Add(time.Hour)))
}

func urgency(t *testing.T, open Open) {
	s, ctx := mustOpen(t, open), t.Context()
	for i, sev := range []alerts.Severity{alerts.Info, alerts.Warning, alerts.Critical, alerts.Info, alerts.Critical} {
		require.NoError(t, s.Post(ctx, noon.Add(time.Duration(i)), Post(t, string(sev)+string(rune('0'+i)), sev, "a")))
	}
	var order []string
	for _, d := range claim(t, s, "a", noon.Add(time.Second)) {
		order = append(order, d.Message.Text)
	}
	require.Equal(t, []string{"note of critical2", "note of critical4", "note of warning1", "note of info0", "note of info3"}, order)
}

func hold(t *testing.T, open Open) {
	s, ctx := mustOpen(t, open), t.Context()
	require.NoError(t, s.Post(ctx, noon, Post(t, "1", alerts.Critical, "a", "b"), Post(t, "2", alerts.Info, "a")))
	d, err := s.Claim(ctx, "a", noon, time.Minute, 1)
	require.NoError(t, err)
	until := noon.Add(37 * time.Second)
	require.NoError(t, s.Settle(ctx, d[0], alerts.Result{Fate: alerts.Pending, At: noon, Next: until, Hold: true}))
	require.NoError(t, s.Close())
	s = mustOpen(t, open)
	require.NoError(t, s.Post(ctx, noon, Post(t, "3", alerts.Critical, "a")))
	require.Empty(t, claim(t, s, "a", until.Add(-1)))
	next, ok, err := s.NextDue(ctx, "a")
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, until, next)
	require.Len(t, claim(t, s, "b", noon), 1, "others are not held")
	require.Len(t, claim(t, s, "a", until), 3)
}

func uncertain(t *testing.T, open Open) {
	s, ctx := mustOpen(t, open), t.Context()
	require.NoError(t, s.Post(ctx, noon, Post(t, "k", alerts.Info, "a")))
	first := claim(t, s, "a", noon)[0]
	require.False(t, first.Uncertain)
	require.Zero(t, first.Attempts)
	require.NoError(t, s.Close()) // died with it in hand
	s = mustOpen(t, open)
	second := claim(t, s, "a", noon.Add(time.Minute))[0]
	require.True(t, second.Uncertain)
	require.Equal(t, 1, second.Attempts)
	require.NoError(t, s.Settle(ctx, second, alerts.Result{Fate: alerts.Pending, At: noon, Next: noon, Failed: true}))
	third := claim(t, s, "a", noon)[0]
	require.True(t, third.Uncertain, "a refusal says nothing of the attempt before it")
	require.Equal(t, 1, third.Failures)
}

func nextDue(t *testing.T, open Open) {
	s, ctx := mustOpen(t, open), t.Context()
	_, ok, err := s.NextDue(ctx, "a")
	require.NoError(t, err)
	require.False(t, ok)
	require.NoError(t, s.Post(ctx, noon, Post(t, "k", alerts.Info, "a")))
	due := func() time.Time {
		at, ok, err := s.NextDue(ctx, "a")
		require.NoError(t, err)
		require.True(t, ok)
		return at
	}
	require.False(t, due().After(noon.Add(-time.Hour)), "due at once, even when the clock is set back")
	d := claim(t, s, "a", noon.Add(-time.Hour))[0]
	require.Equal(t, noon.Add(-59*time.Minute), due(), "the lease")
	require.NoError(t, s.Settle(ctx, d, alerts.Result{Fate: alerts.Pending, At: noon, Next: noon}))
	d = claim(t, s, "a", noon)[0]
	require.Equal(t, noon.Add(time.Minute), due(), "the lease")
	later := noon.Add(5*time.Minute + 1)
	require.NoError(t, s.Settle(ctx, d, alerts.Result{Fate: alerts.Pending, At: noon, Next: later, Failed: true}))
	require.Equal(t, later, due())
	require.Empty(t, claim(t, s, "a", later.Add(-1)))
	d = claim(t, s, "a", later)[0]
	require.NoError(t, s.Settle(ctx, d, alerts.Result{Fate: alerts.Dead, At: later, Reason: "no"}))
	_, ok, err = s.NextDue(ctx, "a")
	require.NoError(t, err)
	require.False(t, ok)
}

func body(t *testing.T, open Open) {
	s, ctx := mustOpen(t, open), t.Context()
	p := Post(t, `<&>"\ é 🙂`, alerts.Info, "a")
	require.NoError(t, s.Post(ctx, noon, p))
	for i := range 3 {
		d := claim(t, s, "a", noon.Add(time.Duration(i)*time.Hour))[0]
		require.Equal(t, string(p.Message.Data), string(d.Message.Data))
		require.Equal(t, p.Message.Title, d.Message.Title)
		require.Equal(t, p.Message.Text, d.Message.Text)
		require.Equal(t, d.AlertID, d.Message.ID)
		require.NoError(t, s.Close())
		s = mustOpen(t, open)
	}
}
