package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"liqwatch/internal/alerts"
)

// digester makes the message that stands for many, as a dispatcher does.
func digester(t testing.TB, notifier string, now time.Time) func(alerts.Reason, alerts.Heap) (alerts.Post, error) {
	return func(reason alerts.Reason, h alerts.Heap) (alerts.Post, error) {
		require.NotZero(t, h.Count)
		a := alerts.Alert{
			Key: "digest|" + notifier + "|" + h.Last, Kind: alerts.KindDigest, Reason: reason, Severity: h.Counts[0].Severity,
			Rule: "delivery", Notify: []string{notifier}, Seen: now, Heap: &h,
		}
		m, err := alerts.Compose(a)
		return alerts.Post{Alert: a, Message: m, Notify: a.Notify}, err
	}
}

func take(t testing.TB, s Store, notifier string, now time.Time, terms alerts.Terms) alerts.Taken {
	t.Helper()
	terms.Lease = time.Minute
	terms.Compose = digester(t, notifier, now)
	got, err := s.Take(t.Context(), notifier, now, terms)
	require.NoError(t, err)
	return got
}

// send takes what is due at a time, one by one, and says that it arrived.
func send(t testing.TB, s Store, notifier string, now time.Time, terms alerts.Terms) (texts []string, next time.Time) {
	t.Helper()
	for {
		got := take(t, s, notifier, now, terms)
		if len(got.Deliveries) == 0 {
			return texts, got.Next
		}
		texts = append(texts, got.Deliveries[0].Message.Text)
		require.NoError(t, s.Settle(t.Context(), got.Deliveries[0], alerts.Result{Fate: alerts.Sent, At: now}))
	}
}

func post(t testing.TB, s Store, at time.Time, key string, severity alerts.Severity, notify ...string) {
	t.Helper()
	require.NoError(t, s.Post(t.Context(), at, Post(t, key, severity, notify...)))
}

func group(t *testing.T, open Open) {
	s := mustOpen(t, open)
	terms := alerts.Terms{Limits: alerts.Limits{Group: 30 * time.Second}}
	post(t, s, noon, "first", alerts.Warning, "a")
	post(t, s, noon.Add(5*time.Second), "urgent", alerts.Critical, "a")
	post(t, s, noon.Add(20*time.Second), "second", alerts.Info, "a")
	got, next := send(t, s, "a", noon.Add(29*time.Second), terms)
	require.Equal(t, []string{"note of urgent"}, got)
	require.Equal(t, noon.Add(30*time.Second), next)
	require.NoError(t, s.Close())
	s = mustOpen(t, open)
	got, next = send(t, s, "a", noon.Add(30*time.Second), terms)
	require.Equal(t, []string{"note of first"}, got, "nothing waits longer than that")
	require.Equal(t, noon.Add(50*time.Second), next)
	got, next = send(t, s, "a", noon.Add(50*time.Second), terms)
	require.Equal(t, []string{"note of second"}, got)
	require.True(t, next.IsZero(), "nothing waits")
	for i := range 5 {
		post(t, s, noon.Add(time.Minute+time.Duration(i)*time.Second), fmt.Sprint(i), alerts.Warning, "a")
	}
	terms.DigestOver = 2
	taken := take(t, s, "a", noon.Add(90*time.Second), terms)
	require.Equal(t, 3, taken.Digested, "a digest takes in all that came in the meantime")
	for range 2 {
		require.NotEmpty(t, taken.Deliveries)
		taken = take(t, s, "a", noon.Add(90*time.Second), terms)
	}
	require.Equal(t, alerts.KindDigest, taken.Deliveries[0].Message.Kind)
	terms.DigestOver = 0
	post(t, s, noon.Add(time.Hour), "ahead", alerts.Info, "b")
	got, _ = send(t, s, "b", noon.Add(time.Minute), terms)
	require.Equal(t, []string{"note of ahead"}, got, "a clock that was set back holds nothing up")
}

func keepPace(t *testing.T, open Open) {
	s := mustOpen(t, open)
	terms := alerts.Terms{Limits: alerts.Limits{PerMinute: 5, Gap: time.Second}}
	for i := range 23 {
		post(t, s, noon, fmt.Sprint(i), alerts.Info, "a")
	}
	var sent []time.Time
	now := noon
	for len(sent) < 23 {
		got := take(t, s, "a", now, terms)
		if len(got.Deliveries) > 0 {
			sent = append(sent, now)
			r := alerts.Result{Fate: alerts.Sent, At: now}
			if len(sent)%7 == 0 { // a send that failed was a send
				r = alerts.Result{Fate: alerts.Pending, At: now, Next: now, Failed: true}
				sent = sent[:len(sent)-1]
				sent = append(sent, now)
			}
			require.NoError(t, s.Settle(t.Context(), got.Deliveries[0], r))
			continue
		}
		require.True(t, got.Next.After(now), "it says when")
		require.Empty(t, take(t, s, "a", got.Next.Add(-1), terms).Deliveries, "and not before")
		now = got.Next
		if len(sent)%4 == 0 {
			require.NoError(t, s.Close())
			s = mustOpen(t, open)
		}
	}
	for i := range sent {
		if i >= 1 {
			require.GreaterOrEqual(t, sent[i].Sub(sent[i-1]), time.Second)
		}
		if i >= 5 {
			require.Greater(t, sent[i].Sub(sent[i-5]), time.Minute, "six within a minute")
		}
	}
	require.Less(t, now.Sub(noon), 5*time.Minute, "and as fast as that allows")
}

func paceBackwards(t *testing.T, open Open) {
	s := mustOpen(t, open)
	terms := alerts.Terms{Limits: alerts.Limits{PerMinute: 2, Gap: time.Second}}
	for i := range 4 {
		post(t, s, noon, fmt.Sprint(i), alerts.Info, "a")
	}
	got, _ := send(t, s, "a", noon, terms)
	require.Len(t, got, 1)
	got, _ = send(t, s, "a", noon.Add(time.Second), terms)
	require.Len(t, got, 1)
	back := noon.Add(-10 * 365 * 24 * time.Hour)
	got, next := send(t, s, "a", back, terms)
	require.Empty(t, got)
	require.LessOrEqual(t, next.Sub(back), 61*time.Second)
	got, _ = send(t, s, "a", next, terms)
	require.Len(t, got, 1)
}

func burst(t *testing.T, open Open) {
	s := mustOpen(t, open)
	const many = 500
	terms := alerts.Terms{Limits: alerts.Limits{PerMinute: 20, Gap: time.Second, DigestOver: 10}}
	var posts []alerts.Post
	for i := range many {
		severity := alerts.Info
		if i%50 == 49 {
			severity = alerts.Critical
		}
		posts = append(posts, Post(t, fmt.Sprint(i), severity, "a", "machine"))
	}
	require.NoError(t, s.Post(t.Context(), noon, posts...))
	now := noon
	var digest alerts.Message
	var single []string
	for {
		got := take(t, s, "a", now, terms)
		if len(got.Deliveries) == 0 && got.Next.IsZero() {
			break
		}
		for _, d := range got.Deliveries {
			require.Equal(t, noon, d.Created, "a digest is as old as what it tells")
			if d.Message.Kind == alerts.KindDigest {
				require.Empty(t, digest.ID, "one digest")
				digest = d.Message
			} else {
				single = append(single, d.Message.Text)
			}
			require.NoError(t, s.Settle(t.Context(), d, alerts.Result{Fate: alerts.Sent, At: now}))
		}
		if !got.Next.IsZero() {
			now = got.Next
		}
	}
	require.LessOrEqual(t, now.Sub(noon), time.Minute, "all is readable within a minute")
	require.Equal(t, []string{
		"note of 49", "note of 99", "note of 149", "note of 199", "note of 249",
		"note of 299", "note of 349", "note of 399", "note of 449", "note of 499",
	}, single)
	require.Contains(t, digest.Title, "490 alerts")
	require.Contains(t, digest.Text, "info: 490 test")
	machine, _ := send(t, s, "machine", noon, alerts.Terms{})
	require.Len(t, machine, many, "machines are told one by one")
	kept, err := s.Alerts(t.Context(), many+1)
	require.NoError(t, err)
	stands := 0
	for _, a := range kept {
		for _, d := range a.Deliveries {
			if d.Notifier == "a" && d.Fate == alerts.Digested {
				require.Equal(t, digest.ID, d.Digest)
				stands++
			} else {
				require.Equal(t, alerts.Sent, d.Fate)
			}
		}
	}
	require.Equal(t, many-10, stands, "nothing is lost")
}

func digestOnce(t *testing.T, open Open) {
	s := mustOpen(t, open)
	terms := alerts.Terms{Limits: alerts.Limits{DigestOver: 2}}
	for i := range 8 {
		post(t, s, noon.Add(time.Duration(i)*time.Second), fmt.Sprint(i), alerts.Warning, "a")
	}
	var first alerts.Delivery
	for { // the two most urgent come first, and are not settled: it died
		got := take(t, s, "a", noon.Add(time.Minute), terms)
		require.Len(t, got.Deliveries, 1)
		if first = got.Deliveries[0]; first.Message.Kind == alerts.KindDigest {
			break
		}
	}
	require.NoError(t, s.Close())
	s = mustOpen(t, open)
	post(t, s, noon.Add(2*time.Minute), "later", alerts.Warning, "a")
	var again []alerts.Message
	for range 3 {
		got := take(t, s, "a", noon.Add(3*time.Minute), terms)
		require.Len(t, got.Deliveries, 1)
		require.Zero(t, got.Digested, "not while one waits")
		require.Equal(t, got.Deliveries[0].Message.Text != "note of later", got.Deliveries[0].Uncertain)
		again = append(again, got.Deliveries[0].Message)
	}
	i := slices.IndexFunc(again, func(m alerts.Message) bool { return m.Kind == alerts.KindDigest })
	require.GreaterOrEqual(t, i, 0)
	require.Equal(t, first.AlertID, again[i].ID)
	require.Equal(t, string(first.Message.Data), string(again[i].Data), "a repeat says the same")
}

func quiet(t *testing.T, open Open) {
	s := mustOpen(t, open)
	end := noon.Add(8 * time.Hour)
	during := alerts.Terms{Limits: alerts.ChatLimits(), Least: alerts.Critical.Rank(), Until: end}
	after := alerts.Terms{Limits: alerts.ChatLimits(), HeldFrom: noon, HeldTo: end, HeldBelow: alerts.Critical.Rank()}
	post(t, s, noon.Add(time.Minute), "1", alerts.Warning, "a", "b")
	post(t, s, noon.Add(time.Hour), "2", alerts.Critical, "a")
	post(t, s, noon.Add(2*time.Hour), "3", alerts.Info, "a")
	got, next := send(t, s, "a", noon.Add(3*time.Hour), during)
	require.Equal(t, []string{"note of 2"}, got)
	require.Equal(t, end, next)
	require.NoError(t, s.Close())
	s = mustOpen(t, open)
	post(t, s, end, "morning", alerts.Info, "a")
	taken := take(t, s, "a", end, after)
	require.Equal(t, 2, taken.Digested)
	require.Equal(t, alerts.KindDigest, taken.Deliveries[0].Message.Kind)
	require.Contains(t, taken.Deliveries[0].Message.Title, "2 alerts of the quiet hours")
	require.NoError(t, s.Settle(t.Context(), taken.Deliveries[0], alerts.Result{Fate: alerts.Sent, At: end}))
	got, _ = send(t, s, "a", end.Add(2*time.Second), after)
	require.Equal(t, []string{"note of morning"}, got)
	got, _ = send(t, s, "b", end, after)
	require.Equal(t, []string{"note of 1"}, got, "one alone needs no digest")
}

func skip(t *testing.T, open Open) {
	s := mustOpen(t, open)
	mended := alerts.Alert{Key: "m", Kind: alerts.KindMended, Severity: alerts.Critical, Fault: &alerts.Fault{Market: "m", Kind: "sum"}, Notify: []string{"a"}, Seen: noon}
	m, err := alerts.Compose(mended)
	require.NoError(t, err)
	lost := Post(t, "lost", alerts.Info, "a")
	lost.Alert.Kind = alerts.KindUndelivered
	require.NoError(t, s.Post(t.Context(), noon, Post(t, "x", alerts.Info, "b"), lost, alerts.Post{Alert: mended, Message: m, Notify: mended.Notify}))
	stale := alerts.Alert{Key: "s", Kind: alerts.KindStale, Severity: alerts.Info, Source: &alerts.Source{Name: "x", What: "chain"}, Notify: []string{"a"}, Seen: noon}
	m, err = alerts.Compose(stale)
	require.NoError(t, err)
	require.NoError(t, s.Post(t.Context(), noon, alerts.Post{Alert: stale, Message: m, Notify: stale.Notify}))
	terms := alerts.Terms{Skip: alerts.Skip{Below: alerts.Warning.Rank(), Kinds: []alerts.Kind{alerts.KindMended, alerts.KindFresh}}}
	got := take(t, s, "a", noon, terms)
	require.Equal(t, 2, got.Skipped)
	require.Equal(t, "note of lost", got.Deliveries[0].Message.Text, "news of the delivery itself is never skipped")
	all, err := s.Alerts(t.Context(), 10)
	require.NoError(t, err)
	for _, a := range all {
		if a.Alert.Key == "m" || a.Alert.Key == "s" {
			require.Equal(t, alerts.Skipped, a.Deliveries[0].Fate)
		}
	}
	got2, _ := send(t, s, "b", noon, alerts.Terms{})
	require.Len(t, got2, 1, "others want it")
	over := stale
	over.Key, over.Kind, over.Notify = "o", alerts.KindFresh, []string{"machine"}
	stale.Key, stale.Notify = "s2", over.Notify
	var posts []alerts.Post
	for _, a := range []alerts.Alert{over, stale} {
		m, err := alerts.Compose(a)
		require.NoError(t, err)
		posts = append(posts, alerts.Post{Alert: a, Message: m, Notify: a.Notify})
	}
	require.NoError(t, s.Post(t.Context(), noon, posts...))
	got = take(t, s, "machine", noon, alerts.Terms{Skip: alerts.Skip{Below: alerts.Critical.Rank(), Keep: []alerts.Kind{alerts.KindFresh}}})
	require.Equal(t, 1, got.Skipped)
	require.Equal(t, alerts.KindFresh, got.Deliveries[0].Message.Kind, "whoever holds what is open hears that it is over")
}

func told(t *testing.T, open Open) {
	s, r := mustOpen(t, open), Rule()
	tr := track(t, s, r)
	for i, cents := range []int64{270_000, 243_000, 239_000} {
		_, err := tr.Observe(t.Context(), Look(r, uint64(i)+1, 0, cents))
		require.NoError(t, err)
	}
	require.NoError(t, s.Close())
	s = mustOpen(t, open)
	all, err := s.Alerts(t.Context(), 10)
	require.NoError(t, err)
	require.Len(t, all, 2)
	const episode = "eth|ETH|2400|down|1"
	got, err := s.Told(t.Context(), []string{episode, "eth|ETH|2400|down|2"})
	require.NoError(t, err)
	require.Len(t, got, 1)
	require.Len(t, got[episode], 2)
	require.Equal(t, all[1].ID, got[episode][0].ID, "oldest first")
	require.Equal(t, alerts.KindCrossing, got[episode][1].Alert.Kind)
	require.Equal(t, []string{"a"}, got[episode][1].Pending)
	require.NoError(t, s.Acknowledge(t.Context(), all[0].ID, "ada", noon.Add(time.Hour)))
	for _, d := range claim(t, s, "a", noon.Add(time.Hour)) {
		require.NoError(t, s.Settle(t.Context(), d, alerts.Result{Fate: alerts.Sent, At: noon}))
	}
	got, err = s.Told(t.Context(), []string{episode})
	require.NoError(t, err)
	require.True(t, got[episode][0].Acknowledged.IsZero())
	require.Equal(t, noon.Add(time.Hour), got[episode][1].Acknowledged)
	require.Empty(t, got[episode][1].Pending)
}

func backlog(t *testing.T, open Open) {
	s := mustOpen(t, open)
	post(t, s, noon, "1", alerts.Info, "a", "b")
	post(t, s, noon.Add(time.Second), "2", alerts.Info, "a")
	post(t, s, noon.Add(time.Minute), "3", alerts.Critical, "a")
	got, err := s.Backlog(t.Context())
	require.NoError(t, err)
	require.Equal(t, []alerts.Waiting{
		{Notifier: "a", Severity: alerts.Critical, Count: 1, Oldest: noon.Add(time.Minute)},
		{Notifier: "a", Severity: alerts.Info, Count: 2, Oldest: noon},
		{Notifier: "b", Severity: alerts.Info, Count: 1, Oldest: noon},
	}, got)
}

func desk(t *testing.T, open Open) {
	s, ctx := mustOpen(t, open), t.Context()
	post(t, s, noon, "k", alerts.Critical, "a")
	now := noon.Add(time.Minute)
	sit := func() *alerts.Desk {
		tr := track(t, s, Rule())
		require.NoError(t, tr.KeepMutes(ctx, s))
		return alerts.NewDesk(tr, s, func() time.Time { return now })
	}
	d := sit()
	list, err := d.Recent(ctx, 5)
	require.NoError(t, err)
	got, err := d.Acknowledge(ctx, list[0].ID, "ada")
	require.NoError(t, err)
	require.Equal(t, "ada", got.AcknowledgedBy)
	got, err = d.Acknowledge(ctx, list[0].ID, "bob")
	require.NoError(t, err)
	require.Equal(t, "ada", got.AcknowledgedBy, "the first stands")
	_, err = d.Acknowledge(ctx, "msg_nothing", "ada")
	require.ErrorIs(t, err, alerts.ErrNoAlert)
	_, err = d.Alert(ctx, "msg_nothing")
	require.ErrorIs(t, err, alerts.ErrNoAlert)
	for _, length := range []time.Duration{0, -time.Hour, alerts.LongestMute + 1} {
		_, err = d.Mute(ctx, alerts.Scope{Rule: "eth"}, length, "ada")
		require.ErrorIs(t, err, alerts.ErrMuteLength)
	}
	_, err = d.Mute(ctx, alerts.Scope{Rule: "nothing"}, time.Hour, "ada")
	require.ErrorIs(t, err, alerts.ErrNoRule)
	until, err := d.Mute(ctx, alerts.Scope{Rule: "eth", Subject: "2400"}, 2*time.Hour, "ada")
	require.NoError(t, err)
	require.Equal(t, now.Add(2*time.Hour), until)
	_, err = d.Mute(ctx, alerts.Scope{Rule: "*"}, time.Hour, "bob")
	require.NoError(t, err)
	require.NoError(t, s.Close())
	s = mustOpen(t, open)
	d = sit()
	mutes, err := d.Mutes(ctx)
	require.NoError(t, err)
	require.Len(t, mutes, 2)
	require.Equal(t, "*", mutes[0].Scope.String())
	require.Equal(t, "eth/2400", mutes[1].Scope.String())
	require.Equal(t, "ada", mutes[1].By)
	require.NoError(t, d.Unmute(ctx, alerts.Scope{Rule: "*"}, "ada"))
	now = now.Add(2 * time.Hour)
	mutes, err = d.Mutes(ctx)
	require.NoError(t, err)
	require.Empty(t, mutes)
}
