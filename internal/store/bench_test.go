package store

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"liqwatch/devnet/postgres"
	"liqwatch/internal/alerts"
	"liqwatch/internal/store/storetest"
)

// 10,000 alerts with two deliveries each: in one commit, as one block makes them,
// against one commit an alert, in the same run.
func BenchmarkBurst(b *testing.B) {
	const n = 10_000
	template := storetest.Post(b, "k", alerts.Critical, "risk", "hook")
	posts := func(round int) []alerts.Post {
		out := make([]alerts.Post, n)
		for i := range out {
			out[i] = template
			out[i].Alert.Key = fmt.Sprint(round, "/", i)
		}
		return out
	}
	for _, way := range []string{"one commit", "a commit each"} {
		b.Run(way, func(b *testing.B) {
			s, err := Open(b.Context(), "sqlite:"+filepath.Join(b.TempDir(), "x.db"))
			require.NoError(b, err)
			b.Cleanup(func() { _ = s.Close() })
			round := 0
			for b.Loop() {
				all := posts(round)
				round++
				if way == "one commit" {
					require.NoError(b, s.Commit(b.Context(), alerts.Change{At: time.Now(), Posts: all}))
					continue
				}
				for _, p := range all {
					require.NoError(b, s.Commit(b.Context(), alerts.Change{At: time.Now(), Posts: []alerts.Post{p}}))
				}
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "alerts/s")
		})
	}
}

// Claiming and settling one delivery out of 10,000 that wait, against out of 10.
func BenchmarkDeliver(b *testing.B) {
	for kind, name := range map[string]func() string{
		"SQLite":   func() string { return "sqlite:" + filepath.Join(b.TempDir(), "x.db") },
		"Postgres": func() string { return postgres.Database(b) },
	} {
		for _, waiting := range []int{10, 10_000} {
			b.Run(fmt.Sprint(kind, ", ", waiting, " waiting"), func(b *testing.B) { benchmarkDeliver(b, name(), waiting) })
		}
	}
}

func benchmarkDeliver(b *testing.B, name string, waiting int) {
	opened, err := Open(b.Context(), name)
	require.NoError(b, err)
	b.Cleanup(func() { _ = opened.Close() })
	lead, err := opened.Lead(b.Context(), "bench", []string{"everything"}, nil)
	require.NoError(b, err)
	b.Cleanup(func() { _ = lead.Resign(context.Background()) })
	s := lead.Store()
	now := time.Now()
	template := storetest.Post(b, "k", alerts.Critical, "risk")
	fill := func(from int) {
		var all []alerts.Post
		for i := range waiting {
			p := template
			p.Alert.Key = fmt.Sprint(from + i)
			all = append(all, p)
		}
		require.NoError(b, s.Commit(b.Context(), alerts.Change{At: now, Posts: all}))
	}
	fill(0)
	done := 0
	for b.Loop() {
		d, err := s.Claim(b.Context(), "risk", now, time.Minute, 1)
		require.NoError(b, err)
		if len(d) == 0 {
			done += waiting
			fill(done)
			continue
		}
		require.NoError(b, s.Settle(b.Context(), d[0], alerts.Result{Fate: alerts.Sent, At: now}))
	}
}
