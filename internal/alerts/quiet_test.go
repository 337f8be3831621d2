package alerts

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	l, err := time.LoadLocation(name)
	require.NoError(t, err)
	return l
}

func TestQuietHoursGoByTheClockOnTheWall(t *testing.T) {
	q := Quiet{From: Clock{22, 0}, To: Clock{7, 0}, Zone: zone(t, "Europe/Berlin"), Except: Critical}
	for _, c := range []struct {
		at, until string // empty: not quiet
	}{
		{"2026-01-10T20:59:59Z", ""},
		{"2026-01-10T21:00:00Z", "2026-01-11T06:00:00Z"},
		{"2026-01-11T05:59:59Z", "2026-01-11T06:00:00Z"},
		{"2026-01-11T06:00:00Z", ""},
		{"2026-07-10T20:00:00Z", "2026-07-11T05:00:00Z"}, // summer time
		{"2026-03-28T21:00:00Z", "2026-03-29T05:00:00Z"}, // the short night
		{"2026-10-24T20:00:00Z", "2026-10-25T06:00:00Z"}, // the long one
		{"2026-10-25T05:30:00Z", "2026-10-25T06:00:00Z"},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		require.NoError(t, err)
		until, quiet := q.At(at)
		require.Equal(t, c.until != "", quiet, c.at)
		if quiet {
			require.Equal(t, c.until, until.UTC().Format(time.RFC3339), c.at)
		}
	}
}

// Whatever the hours, the zone and the moment: quiet hours end, they end outside
// themselves or in the next ones, and those that ended last ended before.
func TestQuietHoursHoldTogether(t *testing.T) {
	zones := []string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "America/St_Johns", "Africa/Casablanca"}
	rapid.Check(t, func(t *rapid.T) {
		l, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(t, "zone"))
		require.NoError(t, err)
		clock := rapid.Custom(func(t *rapid.T) Clock {
			return Clock{rapid.IntRange(0, 23).Draw(t, "hour"), rapid.IntRange(0, 59).Draw(t, "minute")}
		})
		q := Quiet{From: clock.Draw(t, "from"), To: clock.Draw(t, "to"), Zone: l}
		if q.From == q.To {
			t.Skip("refused by the configuration")
		}
		at := time.Unix(rapid.Int64Range(1_000_000_000, 2_500_000_000).Draw(t, "at"), 0)
		until, quiet := q.At(at)
		if quiet {
			require.True(t, until.After(at))
			require.LessOrEqual(t, until.Sub(at), 27*time.Hour)
			_, still := q.At(until.Add(-time.Nanosecond))
			require.True(t, still)
		}
		from, to := q.Ended(at)
		require.False(t, to.After(at))
		require.True(t, to.After(from) || to.Equal(from)) // a clock may skip them whole
		require.LessOrEqual(t, at.Sub(to), 2*27*time.Hour)
		if to.After(from) {
			end, was := q.At(from)
			require.True(t, was)
			require.False(t, end.Before(to))
		}
	})
}

// What a message was to wait for does not make it late.
func TestWhatIsHeldBackIsNotOverdue(t *testing.T) {
	p := Policy{Limits: Limits{Group: 30 * time.Second}, Quiet: &Quiet{From: Clock{22, 0}, To: Clock{7, 0}, Zone: time.UTC, Except: Critical}}
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	night := noon.Add(11 * time.Hour)
	require.Equal(t, noon, p.due(noon, Critical))
	require.Equal(t, noon.Add(30*time.Second), p.due(noon, Info))
	require.Equal(t, night, p.due(night, Critical))
	require.Equal(t, noon.Add(19*time.Hour), p.due(night, Warning))
	require.Equal(t, night, Policy{}.due(night, Info))
}

func TestTroubles(t *testing.T) {
	now := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	well := Vitals{
		Now:     now,
		Sources: []Source{{Name: "ethereum", What: "chain", Fed: now.Add(-time.Minute), Limit: 5 * time.Minute}},
		Sinks:   []Sink{{Name: "a", Failing: now.Add(-time.Hour), Why: "refused"}, {Name: "b", Overdue: now.Add(-QueueLimit)}},
	}
	require.Empty(t, well.Troubles(), "one that fails is told by the others; a minute is not late")
	require.Empty(t, Vitals{Now: now}.Troubles())
	for want, spoil := range map[string]func(*Vitals){
		"chain ethereum: no new data for 6 min: timeout": func(v *Vitals) { v.Sources[0].Fed, v.Sources[0].Why = now.Add(-6*time.Minute), "timeout" },
		"chain ethereum: its newest block is 3 h old by its own clock: the nodes are behind": func(v *Vitals) {
			v.Sources[0].Block = BlockRef{Chain: "ethereum", Number: 7, Time: uint64(now.Add(-3 * time.Hour).Unix())}
		},
		"chain base: the first pass has not ended": func(v *Vitals) { v.Starting = []string{"base"} },
		"the store cannot be written: disk full":   func(v *Vitals) { v.Unwritable = errText("disk full") },
		`the notifier "b" is 2 min late`:           func(v *Vitals) { v.Sinks[1].Overdue = now.Add(-2 * time.Minute) },
		"no notifier takes messages: a, b":         func(v *Vitals) { v.Sinks[1].Failing = now },
	} {
		sick := well
		sick.Sources, sick.Sinks = []Source{well.Sources[0]}, []Sink{well.Sinks[0], well.Sinks[1]}
		spoil(&sick)
		require.Equal(t, []string{want}, sick.Troubles())
	}
}

type errText string

func (e errText) Error() string { return string(e) }

func TestScopes(t *testing.T) {
	for text, want := range map[string]Scope{
		"*": {Rule: "*"}, "eth": {Rule: "eth"}, "eth/2400": {"eth", "2400"}, "eth/2400.00": {"eth", "2400"},
		"whales/aave|0xab/c": {"whales", "aave|0xab/c"}, "eth/1e2000000000": {"eth", "1e2000000000"},
	} {
		s, err := ParseScope(text)
		require.NoError(t, err)
		require.Equal(t, want, s)
		again, err := ParseScope(s.String())
		require.NoError(t, err)
		require.Equal(t, s, again)
	}
	for _, text := range []string{"", "/", "/x", "eth/", "*/x"} {
		_, err := ParseScope(text)
		require.Error(t, err, text)
	}
}

func TestWhoMutesEverythingStillHearsOfSilence(t *testing.T) {
	all := map[string]Mute{"*": {}}
	require.True(t, muted(all, Alert{Rule: "eth"}))
	for _, rule := range []string{silenceRule, faultRule, deliveryRule, dailyRule} {
		require.False(t, muted(all, Alert{Rule: rule}), rule)
		require.True(t, muted(map[string]Mute{rule: {}}, Alert{Rule: rule}), rule)
	}
}

// A reminder of an approach speaks of one level, however many distances were passed at once.
func TestAMutedLevelIsNotRemindedOf(t *testing.T) {
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	news := Told{ID: "msg_1", Created: noon, Alert: Alert{
		Key: "eth|ETH|2400|down|1|0.02", Kind: KindApproach, Rule: "eth", Axis: "ETH", Level: dec("2400"), Side: Down,
		Mark: dec("0.02"), Passed: decs("0.1", "0.05"), Notify: []string{"chat"},
	}}
	s := story{news: news, history: []Told{news}, episodes: []firing{{"eth|ETH|2400|down|1", func(*Alert) {}}}}
	for kind, reason := range map[Kind]Reason{KindReminder: ReasonStill, KindEscalation: ReasonUnacknowledged} {
		a := s.follow(kind, reason, 1, noon.Add(time.Hour))
		require.True(t, muted(map[string]Mute{"eth/2400": {}}, a), kind)
		require.False(t, muted(map[string]Mute{"eth/2300": {}}, a), kind)
	}
}
