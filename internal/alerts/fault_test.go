package alerts

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
)

// forgetful is a ledger that keeps beats only, and fails when told to.
type forgetful struct {
	beats map[string]Beat
	posts []Post
	fail  error
}

func (f *forgetful) LoadState(context.Context, string) (State, error) { return State{}, nil }

func (f *forgetful) Kept(context.Context) ([]string, error) { return nil, nil }

func (f *forgetful) LoadBeats(context.Context) ([]Beat, error) {
	var out []Beat
	for _, b := range f.beats {
		out = append(out, b)
	}
	return out, nil
}

func (f *forgetful) Commit(_ context.Context, c Change) error {
	if f.fail != nil {
		return f.fail
	}
	for _, b := range c.Beats {
		f.beats[b.Source] = b
	}
	f.posts = append(f.posts, c.Posts...)
	return nil
}

func TestFaultsAreToldOnceAndSoIsTheirEnd(t *testing.T) {
	ledger := &forgetful{beats: map[string]Beat{}}
	now := time.Unix(1_700_000_000, 0)
	start := func() *Tracker {
		tr, err := NewTracker(t.Context(), ledger, nil, StaleRule{Notify: []string{"desk"}}, zerolog.Nop(), nil)
		require.NoError(t, err)
		return tr
	}
	tr := start()
	sum := Fault{Market: "m", Kind: "sum", Detail: "off by 12"}
	look := func(faults ...Fault) []Alert {
		made, err := tr.Faults(t.Context(), now, []string{"m"}, faults)
		require.NoError(t, err)
		return made
	}
	made := look(sum, Fault{Market: "m", Kind: "sum", Detail: "and by 3"})
	require.Len(t, made, 1)
	require.Equal(t, KindFault, made[0].Kind)
	require.Equal(t, []string{"desk"}, made[0].Notify)
	require.Empty(t, look(sum))
	tr = start()
	require.Empty(t, look(sum), "a restart does not tell again")

	ledger.fail = errors.New("disk full")
	_, err := tr.Faults(t.Context(), now, []string{"m"}, nil)
	require.Error(t, err)
	ledger.fail = nil
	made = look()
	require.Len(t, made, 1)
	require.Equal(t, KindMended, made[0].Kind)
	again := look(sum)
	require.Len(t, again, 1)
	require.NotEqual(t, ledger.posts[0].Alert.Key, again[0].Key, "a second time is news")

	made, err = tr.Faults(t.Context(), now, []string{"other"}, nil)
	require.NoError(t, err)
	require.Empty(t, made, "nothing is known of a market that was not looked at")
}
