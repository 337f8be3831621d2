package store_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"liqwatch/internal/store"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func openStore(t testing.TB) (*store.Store, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "liqwatch.db")
	s, err := store.Open(t.Context(), "sqlite:"+path)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s, path
}

func usd(n int64) decimal.Decimal { return decimal.NewFromInt(n) }

// What was recorded comes back: buckets exactly, amounts to three digits, rounded down.
func TestHistoryComesBack(t *testing.T) {
	withStore(t, func(t *testing.T, s *store.Store) {
		at := noon
		rapid.Check(t, func(t *rapid.T) {
			at = at.Add(time.Minute)
			var bands []store.BandPoint
			bucket := rapid.IntRange(-900, 900).Draw(t, "first")
			for range rapid.IntRange(0, 80).Draw(t, "bands") {
				bands = append(bands, store.BandPoint{Bucket: bucket, USD: rapid.Uint64().Draw(t, "usd")})
				bucket += rapid.IntRange(1, 40).Draw(t, "gap")
			}
			require.NoError(t, s.Record(bg, store.Sample{At: at, Bands: map[string]map[string][]store.BandPoint{"ETH": {"m": bands}}}))
			got, err := s.HistoryBands(bg, "ETH", "m", store.Minute, at, at)
			require.NoError(t, err)
			column := got[store.Minute.Bucket(at)]
			require.Len(t, column, len(bands))
			for _, b := range bands {
				require.LessOrEqual(t, column[b.Bucket], b.USD)
				require.LessOrEqual(t, b.USD-column[b.Bucket], b.USD/512)
			}
		})
	})
}

// The grid is one: a price lies in the bucket whose edges hold it.
func TestBucketsHoldTheirPrices(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.Float64Range(1e-6, 1e9).Draw(t, "price")
		k := store.Bucket(p)
		low, high := store.BucketFrom(k).InexactFloat64(), store.BucketFrom(k+1).InexactFloat64()
		require.LessOrEqual(t, low*(1-1e-6), p)
		require.Greater(t, high*(1+1e-6), p)
	})
}

func TestHistoryMergesPricesAndThins(t *testing.T) {
	withStore(t, func(t *testing.T, s *store.Store) {
		for i, p := range []int64{2000, 1900, 2100, 2050} {
			require.NoError(t, s.Record(bg, store.Sample{At: noon.Add(time.Duration(i) * 10 * time.Second), Prices: map[string]decimal.Decimal{"ETH": usd(p)}}))
		}
		for _, r := range []store.Resolution{store.Minute, store.Hour, store.Day} {
			got, err := s.HistoryPrices(bg, "ETH", r, noon.Add(-24*time.Hour), noon.Add(time.Hour))
			require.NoError(t, err)
			require.Len(t, got, 1)
			require.Equal(t, []string{"1900", "2100", "2050"}, []string{got[0].Low.String(), got[0].High.String(), got[0].Close.String()})
		}
		require.NoError(t, s.Record(bg, store.Sample{At: noon.Add(61 * 24 * time.Hour), Prices: map[string]decimal.Decimal{"ETH": usd(1)}}))
		for r, left := range map[store.Resolution]int{store.Minute: 1, store.Hour: 1, store.Day: 2} {
			got, err := s.HistoryPrices(bg, "ETH", r, noon.Add(-24*time.Hour), noon.Add(100*24*time.Hour))
			require.NoError(t, err)
			require.Len(t, got, left, "resolution %d", r)
		}
	})
}

func TestHistoryAddsMarketsUp(t *testing.T) {
	withStore(t, func(t *testing.T, s *store.Store) {
		one := []store.BandPoint{{Bucket: 700, USD: 1000}, {Bucket: 701, USD: 8}}
		require.NoError(t, s.Record(bg, store.Sample{At: noon, Bands: map[string]map[string][]store.BandPoint{"ETH": {"a": one, "b": one}, "BTC": {"a": one}},
			Totals: map[string]store.MarketTotals{"a": {SuppliedUSD: usd(10), BorrowedUSD: usd(4), TVLUSD: usd(6)}}}))
		all, err := s.HistoryBands(bg, "ETH", "", store.Minute, noon, noon)
		require.NoError(t, err)
		require.Equal(t, map[int64]map[int]uint64{noon.Unix(): {700: 2000, 701: 16}}, all)
		totals, ok, err := s.HistoryTotals(bg, "a", store.Hour, noon.Add(30*time.Minute))
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, "4", totals.BorrowedUSD.String())
		_, ok, err = s.HistoryTotals(bg, "a", store.Hour, noon.Add(-24*time.Hour))
		require.NoError(t, err)
		require.False(t, ok, "nothing was recorded then")
	})
}

// A year of 50 markets on three axes, each with a hundred bands, fits in 200 MB.
// LIQWATCH_HISTORY_MARKETS=50 (make history-year) writes all of them; else a few are, and
// each may take its part. After the year time goes on minute by minute, as it does in
// life: what thinning forgets must make place for what comes.
func TestAYearOfHistoryIsSmall(t *testing.T) {
	const all, most = 50, int64(200e6)
	markets, more := 2, 4*60
	if text := os.Getenv("LIQWATCH_HISTORY_MARKETS"); text != "" {
		n, err := strconv.Atoi(text)
		require.NoError(t, err)
		markets, more = n, 2*24*60
	}
	s, path := openStore(t)
	start := time.Now()
	require.NoError(t, fillYear(s, markets))
	require.NoError(t, s.Close())
	year := historySize(t, path)
	s, err := store.Open(bg, "sqlite:"+path)
	require.NoError(t, err)
	for m := 1; m <= more; m++ {
		require.NoError(t, s.Record(bg, yearSample(noon.Add(time.Duration(m)*time.Minute), markets)))
	}
	require.NoError(t, s.Close())
	after := historySize(t, path)
	t.Logf("%d markets: %.1f MB after a year, %.1f MB after %d minutes more; %.0f bytes per market and day; written in %s",
		markets, float64(year)/1e6, float64(after)/1e6, more, float64(after)/float64(markets)/365, time.Since(start).Round(time.Second))
	require.Less(t, after/int64(markets), most/all, "bytes per market")
	require.Less(t, after, year+year/5, "what is forgotten makes place")
}

func historySize(t *testing.T, path string) int64 {
	t.Helper()
	var size int64
	for _, suffix := range []string{"", "-wal"} {
		if info, err := os.Stat(path + suffix); err == nil {
			size += info.Size()
		}
	}
	return size
}

// fillYear writes the buckets that are left after a year: it skips the samples
// that thinning would have removed.
func fillYear(s *store.Store, markets int) error {
	end := noon
	var at []time.Time
	for d := 365; d > 60; d-- {
		at = append(at, end.AddDate(0, 0, -d).Add(time.Minute))
	}
	for h := 60 * 24; h > 24; h-- {
		at = append(at, end.Add(-time.Duration(h)*time.Hour+time.Minute))
	}
	for m := 24*60 - 1; m >= 0; m-- {
		at = append(at, end.Add(-time.Duration(m)*time.Minute))
	}
	for _, when := range at {
		if err := s.Record(bg, yearSample(when, markets)); err != nil {
			return err
		}
	}
	return nil
}

// yearSample is one look at so many markets, with amounts that do not compress.
func yearSample(at time.Time, markets int) store.Sample {
	r := rand.New(rand.NewPCG(1, uint64(at.Unix())))
	sample := store.Sample{At: at, Prices: map[string]decimal.Decimal{}, Bands: map[string]map[string][]store.BandPoint{}, Totals: map[string]store.MarketTotals{}}
	for _, axis := range []string{"ETH", "BTC", "market"} {
		sample.Prices[axis] = decimal.New(200000+r.Int64N(10000), -2)
		sample.Bands[axis] = map[string][]store.BandPoint{}
		for m := range markets {
			var bands []store.BandPoint
			for k := range 100 {
				bands = append(bands, store.BandPoint{Bucket: 700 + k, USD: r.Uint64N(1e9)})
			}
			sample.Bands[axis][fmt.Sprintf("market-%02d", m)] = bands
		}
	}
	for m := range markets {
		sample.Totals[fmt.Sprintf("market-%02d", m)] = store.MarketTotals{SuppliedUSD: usd(r.Int64N(1e10)), BorrowedUSD: usd(r.Int64N(1e10)), TVLUSD: usd(r.Int64N(1e10))}
	}
	return sample
}

func FuzzHistoryBodies(f *testing.F) {
	s, path := openStore(f)
	require.NoError(f, s.Record(bg, store.Sample{At: noon, Bands: map[string]map[string][]store.BandPoint{"ETH": {"m": {{Bucket: 1, USD: 1}}}}}))
	f.Add([]byte{0xff, 0xff}, []byte("1 2"))
	f.Fuzz(func(t *testing.T, bands, numbers []byte) {
		writeBody(t, path, bands)
		if got, err := s.HistoryBands(bg, "ETH", "m", store.Minute, noon, noon); err != nil {
			require.ErrorIs(t, err, store.ErrDamaged, "%v", got)
		}
		writeBody(t, path, numbers)
		if _, err := s.HistoryPrices(bg, "ETH", store.Minute, noon, noon); err != nil {
			require.ErrorIs(t, err, store.ErrDamaged)
		}
	})
}
