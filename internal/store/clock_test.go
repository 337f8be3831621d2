package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"liqwatch/devnet/postgres"
	"liqwatch/internal/alerts"
	"liqwatch/internal/store"
	"liqwatch/internal/store/storetest"
)

// A process whose clock is five minutes wrong, either way, hands what it holds over to
// one whose clock is right: nothing is given out early, and nothing waits for longer.
func TestClocksThatDisagree(t *testing.T) {
	for what, behind := range map[string]time.Duration{"behind": 5 * time.Minute, "ahead": -5 * time.Minute} {
		t.Run(what, func(t *testing.T) {
			name := postgres.Database(t)
			wrong := lead(t, process(t, name), "wrong", "everything")
			store.SetBack(wrong.Store(), behind)
			there := func() time.Time { return time.Now().Add(-behind) }
			s := wrong.Store()
			for _, k := range []string{"held", "asked to wait"} {
				require.NoError(t, s.Post(bg, there(), storetest.Post(t, k, alerts.Info, "a", "b")))
			}
			held, err := s.Claim(bg, "a", there(), time.Minute, 1)
			require.NoError(t, err)
			require.Len(t, held, 1)
			require.WithinDuration(t, there().Add(time.Minute), held[0].Until, 5*time.Second, "by its own clock")
			require.WithinDuration(t, there(), held[0].Created, 5*time.Second)
			hold, err := s.Claim(bg, "b", there(), time.Minute, 1)
			require.NoError(t, err)
			until := there().Add(90 * time.Second)
			require.NoError(t, s.Settle(bg, hold[0], alerts.Result{Fate: alerts.Pending, At: there(), Next: until, Hold: true}))
			due, waits, err := s.NextDue(bg, "b")
			require.NoError(t, err)
			require.True(t, waits)
			require.WithinDuration(t, until, due, 5*time.Second)
			taken, err := s.Take(bg, "b", there(), alerts.Terms{Lease: time.Minute})
			require.NoError(t, err)
			require.Empty(t, taken.Deliveries)
			require.WithinDuration(t, until, taken.Next, 5*time.Second)
			require.NoError(t, wrong.Resign(bg))

			right := lead(t, process(t, name), "right", "everything").Store()
			rest, err := right.Claim(bg, "a", time.Now(), time.Minute, 10)
			require.NoError(t, err)
			require.Len(t, rest, 1, "what the other holds is not given out")
			require.WithinDuration(t, time.Now(), rest[0].Created, 10*time.Second)
			none, err := right.Claim(bg, "b", time.Now(), time.Minute, 10)
			require.NoError(t, err)
			require.Empty(t, none, "who asked to be left alone is")
			taken, err = right.Take(bg, "b", time.Now(), alerts.Terms{Lease: time.Minute})
			require.NoError(t, err)
			require.Empty(t, taken.Deliveries)
			require.WithinDuration(t, time.Now().Add(90*time.Second), taken.Next, 10*time.Second)
			due, _, err = right.NextDue(bg, "b")
			require.NoError(t, err)
			require.WithinDuration(t, time.Now().Add(90*time.Second), due, 10*time.Second)
		})
	}
}
