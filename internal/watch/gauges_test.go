package watch_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"liqwatch/chains"
	"liqwatch/chains/recorded"
	"liqwatch/internal/alerts"
	"liqwatch/internal/catalog"
	"liqwatch/internal/config"
	"liqwatch/internal/store"
	"liqwatch/internal/watch"
	"liqwatch/protocols"
)

// story is the demo's recording played through an engine with gauge rules, a real
// tracker and a real store.
type story struct {
	t        *testing.T
	rec      *recorded.Recording
	store    *store.Store
	engine   *watch.Engine
	follower *watch.Follower
	recorder *watch.Recorder
	tracker  *heard
	now      time.Time
	alerts   []alerts.Alert
	done     []protocols.Liquidation
	outcome  watch.Outcome
}

// heard is a tracker that remembers what it was shown.
type heard struct {
	*alerts.Tracker
	looks   []alerts.Readings
	sources []alerts.Source
}

func (h *heard) Read(ctx context.Context, looks []alerts.Readings) (alerts.Outcome, error) {
	h.looks = append(h.looks, looks...)
	return h.Tracker.Read(ctx, looks)
}

func (h *heard) Pulse(ctx context.Context, now time.Time, sources []alerts.Source) ([]alerts.Alert, error) {
	h.sources = sources
	return h.Tracker.Pulse(ctx, now, sources)
}

// of are the newest readings of a rule, by subject.
func (h *heard) of(rule string) map[string]alerts.Reading {
	out := map[string]alerts.Reading{}
	for _, l := range h.looks {
		if l.Rule == rule {
			clear(out)
			for _, r := range l.Readings {
				out[r.Subject] = r
			}
		}
	}
	return out
}

func (h *heard) last(rule string) alerts.Readings {
	for i := len(h.looks) - 1; i >= 0; i-- {
		if h.looks[i].Rule == rule {
			return h.looks[i]
		}
	}
	return alerts.Readings{}
}

// gaugeRule is a rule with its gauge.
type gaugeRule struct {
	alerts.Rule
	watch.Gauge
}

func rule(name, gauge string, side alerts.Side, g watch.Gauge, bounds ...string) gaugeRule {
	g.Rule = name
	r := alerts.Rule{Name: name, Gauge: gauge, Side: side, Rearm: dec("0.05"), Notify: []string{"me"}}
	for _, b := range bounds {
		r.Levels = append(r.Levels, dec(b))
	}
	return gaugeRule{r, g}
}

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

func tell(t *testing.T, rules ...gaugeRule) *story {
	t.Helper()
	rec, err := recorded.OpenFile("../../cmd/liqwatch/demo.recording")
	require.NoError(t, err)
	s := &story{t: t, rec: rec}
	s.store, err = store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "story.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.store.Close()) })
	s.start(rules)
	return s
}

// start makes all that judges, as a restart would. The follower stays: a recording
// holds no answers for one that begins in the middle.
func (s *story) start(rules []gaugeRule) {
	t := s.t
	cfg, err := config.Parse("recording", []byte(s.rec.Meta().Config))
	require.NoError(t, err)
	markets, err := catalog.Markets(cfg)
	require.NoError(t, err)
	var plain []alerts.Rule
	for _, r := range rules {
		plain = append(plain, r.Rule)
	}
	tracker, err := alerts.NewTracker(t.Context(), s.store, plain, alerts.StaleRule{}, zerolog.Nop(), nil)
	require.NoError(t, err)
	s.tracker = &heard{Tracker: tracker}
	chain := s.rec.Chains()[0]
	s.engine = watch.NewEngine(s.tracker, plain, []string{chain.Name()}, zerolog.Nop())
	s.engine.Now, s.engine.Past = func() time.Time { return s.now }, s.store
	for _, r := range rules {
		require.NoError(t, s.engine.WatchGauge(r.Gauge))
	}
	if s.follower == nil {
		s.follower = watch.NewFollower(chain, markets, s.store, zerolog.Nop())
		s.follower.Chunk = 5_000_000
	}
	s.recorder = watch.NewRecorder(s.store, s.engine.Books, zerolog.Nop())
	s.recorder.Axes, s.recorder.Now = []string{"ETH"}, s.engine.Now
}

func (s *story) head() chains.Block {
	b, err := s.rec.Chains()[0].Head(s.t.Context())
	require.NoError(s.t, err)
	return b
}

// step looks at the head.
func (s *story) step() {
	head := s.head()
	s.now = time.Unix(int64(head.Time), 0)
	out, err := s.follower.Pass(s.t.Context(), head)
	require.NoError(s.t, err)
	require.Empty(s.t, out.Failed)
	made, err := s.engine.Take(s.t.Context(), s.rec.Chains()[0].Name(), out, s.follower)
	require.NoError(s.t, err)
	s.alerts, s.outcome, s.done = append(s.alerts, made...), out, append(s.done, out.Liquidations...)
	require.NoError(s.t, s.recorder.Look(s.t.Context()))
}

// play goes through the whole recording.
func (s *story) play(after ...func()) {
	for more := true; more; _, more = s.rec.Advance() {
		s.step()
		for _, f := range after {
			f()
		}
	}
}

func (s *story) book() protocols.Book { return s.engine.Books()[0] }

func TestHealthFactorsOfTheLargestAreTheContractsOwn(t *testing.T) {
	s := tell(t, rule("largest", "health_factor", alerts.Down, watch.Gauge{Largest: 10}, "1.1"))
	s.play(func() {
		b := s.book()
		read := s.tracker.of("largest")
		require.GreaterOrEqual(t, len(read), 10)
		for subject, r := range read {
			i, ok := b.Find(strings.TrimPrefix(subject, b.Market()+"|"))
			require.True(t, ok)
			require.True(t, b.Position(i).HealthFactor.Equal(r.Value))
		}
		// Nobody outside has a larger debt than the tenth inside.
		prices, larger := b.Prices(), 0
		least := decimal.NewFromInt(1 << 60)
		for subject := range read {
			i, _ := b.Find(strings.TrimPrefix(subject, b.Market()+"|"))
			f := b.Figures(i, prices)
			least = decimal.Min(least, prices.USD(&f.Debt, b.QuoteDecimals()))
		}
		for i := range b.Len() {
			f := b.Figures(i, prices)
			if prices.USD(&f.Debt, b.QuoteDecimals()).GreaterThan(least) {
				larger++
			}
		}
		require.Less(t, larger, 13+len(s.tracker.Episodes("largest")), "those that stay are within a quarter of the last place, or told of")
	})
	for _, a := range s.alerts {
		t.Log(message(t, a))
	}
	require.NotEmpty(t, s.alerts)
}

func message(t *testing.T, a alerts.Alert) string {
	t.Helper()
	m, err := alerts.Compose(a)
	require.NoError(t, err)
	out := m.Title + "\n" + m.Text
	for _, f := range m.Fields {
		out += "\n  " + f.Name + ": " + f.Value
	}
	return out
}

// A restart says nothing twice, and goes on watching whom it told of.
func TestARestartRepeatsNothing(t *testing.T) {
	rules := []gaugeRule{
		rule("largest", "health_factor", alerts.Down, watch.Gauge{Largest: 10}, "1.1"),
		rule("gone", "liquidations", alerts.Up, watch.Gauge{Within: 10 * time.Minute}, "100000"),
		rule("share", "at_risk_share", alerts.Up, watch.Gauge{Axis: "ETH", Shock: dec("-0.1")}, "0.2"),
	}
	whole := tell(t, rules...)
	whole.play()
	halves := tell(t, rules...)
	n, more := 0, true
	for ; more; _, more = halves.rec.Advance() {
		if n++; n%40 == 0 {
			halves.start(rules)
		}
		halves.step()
	}
	var want, got []string
	for _, a := range whole.alerts {
		want = append(want, a.Key)
	}
	for _, a := range halves.alerts {
		got = append(got, a.Key)
	}
	require.NotEmpty(t, want)
	require.Subset(t, want, got, "what comes after a restart would have come without one")
	seen := map[string]bool{}
	for _, key := range got {
		require.False(t, seen[key], "%s is told twice", key)
		seen[key] = true
	}
}
