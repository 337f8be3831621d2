package prices

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"liqwatch/internal/backtest/notes"
)

func read(t *testing.T, text string) (*Series, notes.Notes) {
	t.Helper()
	s, n, err := Read(strings.NewReader(text), "p.csv")
	require.NoError(t, err)
	return s, n
}

func TestBadRowsAreCountedWithTheirLine(t *testing.T) {
	s, n := read(t, "time,open,high,low,close\n"+
		"3600,1,2,0.5,1.5\n"+
		"7200,1,2,0.5\n"+ // too short
		"10800,x,2,0.5,1\n"+
		"14400,1,2,0.5,-1\n"+
		"18000,1,0.9,0.5,1\n"+ // high below open
		"yesterday,1,2,0.5,1\n"+
		"21600,1.123456789,2,0.5,1\n")
	require.Len(t, s.Ticks, 2)
	require.Equal(t, 5, n.Count(notes.BadRow))
	require.Equal(t, 1, n.Count(notes.Rounded))
	text := n.All()[0].String()
	for _, want := range []string{"p.csv:3: 4 fields, want 5", `p.csv:4: price "x"`, "p.csv:5: price -1 is not positive", "p.csv:6: high", `p.csv:7: time "yesterday"`} {
		require.Contains(t, text, want)
	}
}

func TestDisorderGapsRepeatsAndZones(t *testing.T) {
	s, n := read(t, "\ufeffTime,Open,High,Low,Close,Volume\n"+
		"2021-05-17 02:00:00,3,3,3,3,1\n"+
		"2021-05-17T00:00:00Z,1,1,1,1,1\n"+
		"2021-05-17T01:00:00+00:00,2,2,2,2,1\n"+
		"2021-05-17T01:00:00Z,4,4,4,4,1\n"+
		"2021-05-17T05:00:00Z,6,6,6,6,1\n")
	var got []Price
	for _, x := range s.Ticks {
		got = append(got, x.Close)
	}
	require.Equal(t, []Price{1e8, 4e8, 3e8, 6e8}, got)
	require.EqualValues(t, 3600, s.Step)
	require.Equal(t, 1, n.Count(notes.NoZone))
	require.Equal(t, 1, n.Count(notes.OutOfOrder))
	require.Equal(t, 1, n.Count(notes.Repeated))
	require.Equal(t, 1, n.Count(notes.Gap))
	at, ok := s.At(s.Ticks[2].Time + 7000)
	require.True(t, ok)
	require.Equal(t, Price(3e8), at.Close, "during a gap the last price stands")
	spot, ok := s.Spot(s.Ticks[2].Time)
	require.True(t, ok)
	require.Equal(t, Price(4e8), spot, "a close is known when its candle is complete")
}

func TestASinglePointGlitchIsShownAndTakenOut(t *testing.T) {
	s, n := read(t, "time,open,high,low,close\n3600,100,101,99,100\n7200,100,101,78,100\n10800,100,101,99,100\n14400,100,100,70,70\n18000,70,71,69,70\n")
	require.Equal(t, []int{1}, s.Glitches, "a fall that stays is no glitch")
	require.Contains(t, n.All()[0].String(), "p.csv:3: open 100 high 101 low 78 close 100")
	calm := s.WithoutGlitches()
	require.Equal(t, Price(100e8), calm.Ticks[1].Low)
	require.Equal(t, Price(78e8), s.Ticks[1].Low, "the series asked is unchanged")
}

func TestOracleRounds(t *testing.T) {
	s, _ := read(t, "round_id,answer,updated_at,decimals\n1,345025000000,100,8\n2,3450250000000000000000,200,18\n")
	require.True(t, s.Rounds)
	require.Equal(t, Price(3450_25000000), s.Ticks[0].Close)
	require.Equal(t, Price(3450_25000000), s.Ticks[1].Close)
	s, n := read(t, "updatedAt,answer\n100,345025000000\n")
	require.Equal(t, Price(3450_25000000), s.Ticks[0].Close)
	require.Equal(t, 1, n.Count(notes.Assumption))
}

func TestNothingUsableIsAnError(t *testing.T) {
	for text, want := range map[string]string{
		"":                                    "empty or not CSV",
		"a,b\n1,2\n":                          "the first row must name time, open, high, low, close",
		"time,open,high,low,close\n1,x,x,x,x": "no usable prices in any row",
	} {
		_, _, err := Read(strings.NewReader(text), "p.csv")
		require.ErrorIs(t, err, ErrNoPrices)
		require.ErrorContains(t, err, want)
	}
	_, _, err := Open(filepath.Join(t.TempDir(), "none.csv"))
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, "--prices")
}

func TestNamedCrashesAreCutFromTheUsersPrices(t *testing.T) {
	s, _ := read(t, "time,open,high,low,close\n1621209600,1,1,1,1\n1621213200,2,2,2,2\n1700000000,3,3,3,3\n")
	ticks, err := s.Path("may-2021")
	require.NoError(t, err)
	require.Len(t, ticks, 2)
	_, err = s.Path("january-2022")
	require.ErrorContains(t, err, "p.csv holds no prices from 2022-01-19 to 2022-01-26")
}

func FuzzRead(f *testing.F) {
	f.Add("time,open,high,low,close\n3600,1,2,0.5,1.5\n")
	f.Add("updated_at,answer,decimals\n1,1e30,36\n")
	f.Add("time,open,high,low,close\n\"3600,1,2\n0,1e999,NaN,0x1,1_0\n")
	f.Fuzz(func(t *testing.T, text string) {
		s, _, err := Read(strings.NewReader(text), "f")
		if err != nil {
			return
		}
		for i, x := range s.Ticks {
			if x.Low <= 0 || x.High < x.Low || i > 0 && x.Time <= s.Ticks[i-1].Time {
				t.Fatalf("tick %d: %+v", i, x)
			}
		}
	})
}
