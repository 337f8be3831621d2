package incident

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"liqwatch/internal/alerts"
	"liqwatch/internal/alerts/notifiertest"
)

func TestWhatTheMessagesOfAnEpisodeMean(t *testing.T) {
	const level, other, data = Key("eth|ETH|2400|down|3"), Key("eth|ETH|2500|down|1"), Key("chain|ethereum|1")
	const advice = "Call the desk; see the runbook."
	want := []Incident{
		{Class: "level", Rule: "eth", Opens: level, Lasting: true, Advice: advice},
		{Class: "level", Rule: "eth", Opens: level, Lasting: true, Advice: advice}, // the deepest speaks for all
		{Class: "level", Rule: "eth", Opens: level, Lasting: true, Advice: advice}, // a correction closes nothing
		{Class: "level", Rule: "eth", Closes: []Key{level, other}, Advice: advice},
		{Class: "stale", Rule: "data-stale", Opens: data, Lasting: true},
		{Class: "stale", Rule: "data-stale", Closes: []Key{data}},
	}
	for i, m := range notifiertest.Episode(t) {
		got, err := Of(m)
		require.NoError(t, err)
		require.Equal(t, want[i], got, m.Kind)
	}
}

// message is one whose body is as given.
func message(t testing.TB, d alerts.BodyData) alerts.Message {
	t.Helper()
	raw, err := json.Marshal(alerts.Body{Data: d})
	require.NoError(t, err)
	return alerts.Message{ID: "msg_x", Data: raw}
}

func TestOthers(t *testing.T) {
	for name, tc := range map[string]struct {
		body alerts.BodyData
		want Incident
	}{
		"a fault":    {alerts.BodyData{Kind: alerts.KindFault, Key: "fault|fault|aave|sum|2"}, Incident{Class: "fault", Opens: "fault|aave|sum|2", Lasting: true}},
		"its end":    {alerts.BodyData{Kind: alerts.KindMended, Key: "mended|fault|aave|sum|2"}, Incident{Class: "fault", Closes: []Key{"fault|aave|sum|2"}}},
		"a test":     {alerts.BodyData{Kind: alerts.KindTest, Key: "test|x|1"}, Incident{Class: "test", Opens: "test|x|1"}},
		"of no name": {alerts.BodyData{Kind: "new"}, Incident{Class: "new", Opens: "msg_x"}},
		"no claims":  {alerts.BodyData{Kind: alerts.KindRearmed}, Incident{Class: "level", Opens: "msg_x"}},
		"a gauge": {
			alerts.BodyData{Kind: alerts.KindCrossing, Rule: "hf", Claims: []string{"hf|health_factor|aave|0xabc|1.1|down|2|0"}},
			Incident{Class: "gauge", Rule: "hf", Opens: "hf|health_factor|aave|0xabc|1.1|down|2", Lasting: true},
		},
		"a reminder": {
			alerts.BodyData{Kind: alerts.KindReminder, Rule: "eth", Key: "reminder|x|1", Follows: &alerts.Followed{Episodes: []string{"eth|ETH|2400|down|3"}}},
			Incident{Class: "level", Rule: "eth", Opens: "eth|ETH|2400|down|3", Lasting: true},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Of(message(t, tc.body))
			require.NoError(t, err)
			require.Equal(t, tc.want, got)
		})
	}
	_, err := Of(alerts.Message{Data: []byte("{")})
	require.Error(t, err)
}

func TestThePlaceOfAKey(t *testing.T) {
	p, ok := Key("my|rule|wstETH/ETH|0.98|up|12").Place("my|rule")
	require.True(t, ok)
	require.Equal(t, Place{Axis: "wstETH/ETH", Level: "0.98", Side: "up", Episode: "12"}, p)
	p, ok = Key("hf|health_factor|aave|0xabc|1.1|down|2").Place("hf")
	require.True(t, ok)
	require.Equal(t, Place{Gauge: "health_factor", Subject: "aave|0xabc", Level: "1.1", Side: "down", Episode: "2"}, p)
	for _, other := range []Key{"", "chain|ethereum|1", "fault|aave|sum|2", "eth|ETH|2400|sideways|3", "other|ETH|2400|down|3"} {
		_, ok := other.Place("eth")
		require.False(t, ok, other)
	}
}

// Whatever a message is, it opens or closes something: none is dropped.
func TestNoMessageIsDropped(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := alerts.BodyData{
			Kind: alerts.Kind(rapid.SampledFrom([]string{"approach", "crossing", "rearmed", "correction", "stale", "fresh", "fault", "mended", "growth", "digest", "daily", "x", ""}).Draw(rt, "kind")),
			Key:  rapid.String().Draw(rt, "key"), Rule: rapid.String().Draw(rt, "rule"), Claims: rapid.SliceOf(rapid.String()).Draw(rt, "claims"),
		}
		in, err := Of(message(t, d))
		require.NoError(t, err)
		require.True(t, in.Opens != "" || len(in.Closes) > 0)
		for _, k := range in.Closes {
			require.NotEmpty(t, k)
		}
		if p, ok := in.Opens.Place(in.Rule); ok {
			require.True(t, strings.HasSuffix(string(in.Opens), "|"+p.Level+"|"+p.Side+"|"+p.Episode))
		}
	})
}

// The claims in the body are those of the state machine: an episode's messages share
// a key, and two episodes do not.
func TestTheKeyIsTheEpisodes(t *testing.T) {
	a := alerts.Alert{Kind: alerts.KindApproach, Rule: "eth", Axis: "ETH", Seen: time.Unix(1_700_000_000, 0), Claims: []string{"eth|ETH|2400|down|1|0.05"}}
	m, err := alerts.Compose(a)
	require.NoError(t, err)
	one, err := Of(m)
	require.NoError(t, err)
	a.Claims = []string{"eth|ETH|2400|down|2|0.05"}
	m, err = alerts.Compose(a)
	require.NoError(t, err)
	two, err := Of(m)
	require.NoError(t, err)
	require.NotEqual(t, one.Opens, two.Opens)
}
