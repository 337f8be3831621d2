package store_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"liqwatch/internal/alerts"
	"liqwatch/internal/store/storetest"
)

// shift is a watcher that is started anew at every step.
type shift struct {
	t      *testing.T
	name   string
	now    time.Time
	number uint64
	steps  int
	s      *leading
	tr     *alerts.Tracker
	follow *alerts.FollowUps
}

func (w *shift) start() {
	w.t.Helper()
	ctx := context.Background()
	var err error
	w.s, err = openLeading(w.name)
	require.NoError(w.t, err)
	rule := storetest.Rule()
	rule.Rearm = decimal.New(5, -2)
	w.tr, err = alerts.NewTracker(ctx, w.s, []alerts.Rule{rule}, alerts.StaleRule{}, zerolog.Nop(), nil)
	require.NoError(w.t, err)
	require.NoError(w.t, w.tr.KeepMutes(ctx, w.s))
	w.follow = &alerts.FollowUps{
		Tracker: w.tr, Keeper: w.s, Now: func() time.Time { return w.now }, Wake: func() {}, Log: zerolog.Nop(),
		Rules: []alerts.FollowUp{{Rule: "eth", Remind: time.Hour, Escalate: &alerts.Escalation{After: 15 * time.Minute, Notify: []string{"pager"}}}},
	}
}

// price brings a block with a price.
func (w *shift) price(cents int64) {
	w.t.Helper()
	w.number++
	o := storetest.Look(storetest.Rule(), w.number, 0, cents)
	o.Seen = w.now
	_, err := w.tr.Observe(w.t.Context(), o)
	require.NoError(w.t, err)
}

// pass lets time go by, looks every five minutes, twice, and starts anew in between;
// it says what was told when, in minutes from the beginning.
func (w *shift) pass(d time.Duration, begin time.Time) (told []string) {
	w.t.Helper()
	for end := w.now.Add(d); w.now.Before(end); {
		w.now = w.now.Add(5 * time.Minute)
		for range 2 {
			made, err := w.follow.Look(w.t.Context())
			require.NoError(w.t, err)
			if w.steps++; !w.s.Shared() || w.steps%20 == 0 { // a file is opened quickly
				require.NoError(w.t, w.s.Close())
				w.start()
			}
			for _, a := range made {
				told = append(told, fmt.Sprintf("%d %s %s %s", int(w.now.Sub(begin)/time.Minute), a.Kind, strings.Join(a.Notify, ","), a.Level))
			}
		}
		w.deliver()
	}
	return told
}

// deliver says of everything that waits that it arrived.
func (w *shift) deliver() {
	w.t.Helper()
	for _, n := range []string{"a", "pager"} {
		all, err := w.s.Claim(w.t.Context(), n, w.now, time.Minute, 100)
		require.NoError(w.t, err)
		for _, d := range all {
			require.NoError(w.t, w.s.Settle(w.t.Context(), d, alerts.Result{Fate: alerts.Sent, At: w.now}))
		}
	}
}

func (w *shift) newest() alerts.Listed {
	w.t.Helper()
	all, err := w.s.Alerts(w.t.Context(), 1)
	require.NoError(w.t, err)
	return all[0]
}

// A night with restarts at every step, on every database: reminders each hour,
// others called once, and nothing after somebody has answered.
func TestRemindersAndEscalation(t *testing.T) {
	onEach(t, func(t *testing.T, name string) {
		begin := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
		w := &shift{t: t, name: name, now: begin}
		w.start()
		t.Cleanup(func() { _ = w.s.Close() })
		w.price(270_000)
		w.price(243_000)
		w.deliver()
		require.Equal(t, []string{
			"15 escalation pager 2400", "60 reminder a 2400", "120 reminder a 2400",
		}, w.pass(150*time.Minute, begin))
		last := w.newest()
		require.Equal(t, alerts.KindReminder, last.Alert.Kind)
		require.Equal(t, alerts.ReasonStill, last.Alert.Reason)
		require.Contains(t, last.Message.Title, "Still: ETH 2,430 is 1.25% above 2,400")
		require.Contains(t, last.Message.Text, "Told 2 h ago and not acknowledged; reminder 2.")
		require.Contains(t, string(last.Message.Data), `"type":"liqwatch.reminder"`)

		// To acknowledge a reminder is to acknowledge what it reminds of.
		desk := alerts.NewDesk(w.tr, w.s, func() time.Time { return w.now })
		_, err := desk.Acknowledge(t.Context(), last.ID, "ada")
		require.NoError(t, err)
		require.Empty(t, w.pass(3*time.Hour, begin))

		// It gets worse: what was acknowledged was something else.
		at := w.now
		w.price(239_000)
		w.deliver()
		require.Equal(t, []string{"15 escalation pager 2400"}, w.pass(20*time.Minute, at))
		require.Contains(t, w.newest().Message.Title, "Unacknowledged for 15 min: ETH fell to 2,400, now 2,390")

		// A mute keeps reminders back; they go on when it ends.
		desk = alerts.NewDesk(w.tr, w.s, func() time.Time { return w.now })
		_, err = desk.Mute(t.Context(), alerts.Scope{Rule: "eth", Subject: "2400"}, 2*time.Hour, "ada")
		require.NoError(t, err)
		require.Empty(t, w.pass(115*time.Minute, at))
		require.Equal(t, []string{"140 reminder a 2400"}, w.pass(10*time.Minute, at))

		// It is over: nothing more is said.
		w.price(260_000)
		require.Equal(t, alerts.KindRearmed, w.newest().Alert.Kind)
		require.Empty(t, w.pass(3*time.Hour, at))
	})
}

// A notifier that has not even been told the news is not piled up with reminders.
func TestNobodyIsRemindedOfWhatTheyWereNotTold(t *testing.T) {
	onEach(t, func(t *testing.T, name string) {
		begin := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
		w := &shift{t: t, name: name, now: begin}
		w.start()
		t.Cleanup(func() { _ = w.s.Close() })
		w.price(270_000)
		w.price(243_000)
		for range 48 {
			w.now = w.now.Add(15 * time.Minute)
			made, err := w.follow.Look(t.Context())
			require.NoError(t, err)
			for _, a := range made {
				require.Equal(t, alerts.KindEscalation, a.Kind)
			}
		}
		w.deliver()
		w.now = w.now.Add(time.Hour)
		made, err := w.follow.Look(t.Context())
		require.NoError(t, err)
		require.Len(t, made, 1)
		require.Equal(t, alerts.KindReminder, made[0].Kind)
		require.Equal(t, 13, made[0].Follows.Count)
	})
}

// The daily digest is told once a day, whatever restarts come, and late after a downtime.
func TestTheDailyDigestIsToldOnceADay(t *testing.T) {
	onEach(t, func(t *testing.T, name string) {
		berlin, err := time.LoadLocation("Europe/Berlin")
		require.NoError(t, err)
		now := time.Date(2026, 3, 27, 12, 0, 0, 0, time.UTC)
		var told []string
		for now.Before(time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC)) {
			s, err := openLeading(name)
			require.NoError(t, err)
			woken := 0
			d := &alerts.DailyDigest{
				Daily: alerts.Daily{At: alerts.Clock{Hour: 8}, Zone: berlin, Notify: []string{"a"}},
				Report: func(context.Context, time.Time) (alerts.Report, bool, error) {
					return alerts.Report{Accounts: 7}, true, nil
				},
				Poster: s, Now: func() time.Time { return now }, Wake: func() { woken++ }, Log: zerolog.Nop(),
			}
			for range 3 {
				require.NoError(t, d.Look(t.Context()))
			}
			require.LessOrEqual(t, woken, 1)
			got, err := s.Claim(t.Context(), "a", now, time.Minute, 10)
			require.NoError(t, err)
			for _, one := range got {
				told = append(told, now.Format("02 15:04"))
				require.Contains(t, one.Message.Title, "all is well")
				require.NoError(t, s.Settle(t.Context(), one, alerts.Result{Fate: alerts.Sent, At: now}))
			}
			require.NoError(t, s.Close())
			now = now.Add(20 * time.Minute)
			if now.Day() == 29 && now.Hour() == 5 { // down from before the hour until after it; the clocks went forward at one
				now = now.Add(5 * time.Hour)
			}
		}
		require.Equal(t, []string{"27 12:00", "28 07:00", "29 10:00", "30 06:00"}, told)
	})
}
