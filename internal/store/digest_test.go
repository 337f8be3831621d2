package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"liqwatch/devnet/postgres"
	"liqwatch/internal/alerts"
	"liqwatch/internal/store"
	"liqwatch/internal/store/storetest"
)

// digestFor is the message that stands for many, as a dispatcher makes it.
func digestFor(now time.Time, reason alerts.Reason, h alerts.Heap) (alerts.Post, error) {
	a := alerts.Alert{
		Key: "digest|chat|" + h.Last, Kind: alerts.KindDigest, Reason: reason, Severity: h.Counts[0].Severity,
		Rule: "delivery", Notify: []string{"chat"}, Seen: now, Heap: &h,
	}
	m, err := alerts.Compose(a)
	return alerts.Post{Alert: a, Message: m, Notify: a.Notify}, err
}

// An alert that another transaction commits while a digest is written is either told
// in it or waits for its own turn. Only a database with several writers can have it so.
func TestADigestSettlesOnlyWhatItTells(t *testing.T) {
	s := openNamed(t, postgres.Database(t))
	ctx, now := context.Background(), time.Now()
	for i := range 12 {
		require.NoError(t, s.Post(ctx, now, storetest.Post(t, fmt.Sprint(i), alerts.Warning, "chat")))
	}
	looks, told := 0, alerts.Heap{}
	terms := alerts.Terms{Lease: time.Minute, Limits: alerts.Limits{DigestOver: 10}}
	terms.Compose = func(reason alerts.Reason, h alerts.Heap) (alerts.Post, error) {
		if looks++; looks == 1 {
			require.NoError(t, s.Post(ctx, now, storetest.Post(t, "late", alerts.Critical, "chat")))
		}
		told = h
		return digestFor(now, reason, h)
	}
	taken, err := s.Take(ctx, "chat", now, terms)
	require.NoError(t, err)
	require.Equal(t, told.Count, taken.Digested)
	require.Len(t, taken.Deliveries, 1)
	require.Equal(t, "note of late", taken.Deliveries[0].Message.Text, "the most urgent is told by itself, and first")
	all, err := s.Alerts(ctx, 100)
	require.NoError(t, err)
	digested := 0
	for _, a := range all {
		for _, d := range a.Deliveries {
			if d.Fate == alerts.Digested {
				digested++
			}
		}
	}
	require.Equal(t, told.Count, digested, "as many are settled as the digest says that it tells")
}

// A digest that quiet hours hold back does not keep what is urgent from being told as one.
func TestADigestThatIsHeldBackHoldsNoOtherUp(t *testing.T) {
	withStore(t, func(t *testing.T, s *store.Store) {
		ctx, now := context.Background(), time.Now()
		put := func(what string, n int, severity alerts.Severity) {
			for i := range n {
				require.NoError(t, s.Post(ctx, now, storetest.Post(t, fmt.Sprint(what, i), severity, "chat")))
			}
		}
		terms := alerts.Terms{Lease: time.Minute, Limits: alerts.Limits{DigestOver: 10}}
		terms.Compose = func(reason alerts.Reason, h alerts.Heap) (alerts.Post, error) {
			return digestFor(now, reason, h)
		}
		put("evening", 20, alerts.Warning)
		taken, err := s.Take(ctx, "chat", now, terms)
		require.NoError(t, err)
		require.Equal(t, 10, taken.Digested)
		terms.Least, terms.Until = alerts.Critical.Rank(), now.Add(time.Hour)
		put("night", 30, alerts.Critical)
		taken, err = s.Take(ctx, "chat", now, terms)
		require.NoError(t, err)
		require.Equal(t, 20, taken.Digested)
		put("later", 30, alerts.Critical)
		taken, err = s.Take(ctx, "chat", now, terms)
		require.NoError(t, err)
		require.Zero(t, taken.Digested, "one at a time of those that may be told now")
	})
}
