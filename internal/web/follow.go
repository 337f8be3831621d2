package web

import (
	"context"
	"time"

	"github.com/shopspring/decimal"

	"liqwatch/internal/store"
	"liqwatch/protocols"
)

// lookEvery is how often the page looks around when no pass wakes it: ages grow by themselves.
const lookEvery = 5 * time.Second

// follow takes over what passes bring, until the context ends.
func (s *Server) follow(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var recorded int64
	s.refresh(ctx)
	for {
		select {
		case <-ctx.Done():
			return
		case p := <-s.passes:
			s.take(ctx, p)
			for more := true; more; { // several at once are one look
				select {
				case p := <-s.passes:
					s.take(ctx, p)
				default:
					more = false
				}
			}
		case <-tick.C:
		}
		s.refresh(ctx)
		if minute := store.Minute.Bucket(s.opt.Now()); minute != recorded && s.record(ctx) {
			recorded = minute
		}
	}
}

// take keeps the liquidations of a pass.
func (s *Server) take(ctx context.Context, p pass) {
	s.meter.pass(p.chain, p.took)
	if p.undone {
		if err := s.opt.Keeper.UndoLiquidations(ctx, p.chain, p.ancestor); err != nil {
			s.log.Error().Err(err).Msg("take back liquidations that a reorg undid")
		}
	}
	if err := s.opt.Keeper.SaveLiquidations(ctx, p.chain, p.at, p.done, s.usd); err != nil {
		s.log.Error().Err(err).Msg("keep liquidations")
	}
}

// usd values quote units of a market by its newest book.
func (s *Server) usd(market string, quote *protocols.Amount) decimal.Decimal {
	for _, b := range s.views.snapshot().books {
		if b.Market() == market {
			return b.Prices().USD(&quote.Raw, quote.Decimals)
		}
	}
	return decimal.Zero
}

// refresh looks at the source, and has the ladders that somebody looks at built anew.
func (s *Server) refresh(context.Context) {
	if s.views.take() {
		s.hub.tell("state")
	}
	for _, axis := range s.hub.watched() {
		_, _ = s.views.get(axis) // an axis that has gone is told to those who ask for it
	}
}

// heightOfHistory is how far from spot history reaches, as it is on the page.
const heightOfHistory = 0.5

// record keeps a sample of everything in the store. False: there is nothing yet.
func (s *Server) record(ctx context.Context) bool {
	snap := s.views.snapshot()
	if len(snap.books) == 0 {
		return false
	}
	sample := store.Sample{
		At: s.opt.Now(), Prices: map[string]decimal.Decimal{},
		Bands: map[string]map[string][]store.BandPoint{}, Totals: map[string]store.MarketTotals{},
	}
	for _, axis := range s.opt.Axes {
		v, err := s.views.get(axis)
		if err != nil {
			continue // the page says so; nothing is recorded as if it were zero
		}
		sample.Prices[axis] = v.ladder.Spot()
		if sample.Bands[axis], err = historyOf(v.ladder, v.books); err != nil {
			s.log.Error().Err(err).Str("axis", axis).Msg("record history")
		}
	}
	for _, b := range snap.books {
		t := totalsOf(b)
		sample.Totals[b.Market()] = store.MarketTotals{SuppliedUSD: t.SuppliedUSD, BorrowedUSD: t.BorrowedUSD, TVLUSD: t.TVLUSD}
	}
	if err := s.opt.Keeper.Record(ctx, sample); err != nil {
		if ctx.Err() == nil {
			s.log.Error().Err(err).Msg("record history")
		}
		return false
	}
	s.hub.tell("history")
	return true
}
