package vaults

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/holiman/uint256"
	"github.com/shopspring/decimal"

	"liqwatch/chains"
	"liqwatch/internal/backtest/history"
	"liqwatch/protocols"
	"liqwatch/protocols/sky"
)

// ErrNoPrice: a moment before the first price.
var ErrNoPrice = errors.New("no price")

// replay is one run over the events.
type replay struct {
	h      *History
	ledger *ledger
	order  []string // vaults known and not left out, in order of their numbers
	osm    sky.OSM
	block  chains.Block
	next   int // event
}

// Replay streams the oracle's hours and the blocks with events, in time order. At a
// full hour the oracle's new price comes before the events of that second.
func (h *History) Replay(ctx context.Context, from, to uint64, visit func(*history.Step) error) error {
	r := &replay{h: h, ledger: newLedger(h.closeBelow)}
	for r.next < len(h.events) && h.events[r.next].Time <= from {
		if _, err := r.apply(); err != nil {
			return err
		}
	}
	hour := from - from%hop
	if err := r.poke(hour); err != nil {
		return err
	}
	r.block.Time = from
	if err := r.visit(visit, &history.Step{Priced: true}); err != nil {
		return err
	}
	for hour += hop; ; hour += hop {
		for r.next < len(h.events) && h.events[r.next].Time < hour && h.events[r.next].Time <= to {
			if err := r.nextBlock(visit); err != nil {
				return err
			}
		}
		if hour > to {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("replay vaults: %w", err)
		}
		if err := r.poke(hour); err != nil {
			return err
		}
		r.block.Time = hour
		if err := r.visit(visit, &history.Step{Priced: true}); err != nil {
			return err
		}
	}
}

// poke puts the price of the hour in force and learns the next.
func (r *replay) poke(hour uint64) error {
	cur, ok := r.h.oracle(hour)
	if !ok {
		return fmt.Errorf("replay vaults at %d: %w: the price file begins later", hour, ErrNoPrice)
	}
	nxt, ok := r.h.source(hour)
	if !ok {
		nxt = uint256.Int{}
	}
	r.osm = sky.OSM{Cur: cur, Nxt: nxt, Zzz: hour}
	return nil
}

// nextBlock applies all events of one block and visits it.
func (r *replay) nextBlock(visit func(*history.Step) error) error {
	step, number := &history.Step{}, r.h.events[r.next].Block
	for r.next < len(r.h.events) && r.h.events[r.next].Block == number {
		liquidation, err := r.apply()
		if err != nil {
			return err
		}
		e := &r.h.events[r.next-1]
		if liquidation != nil {
			step.Liquidated = append(step.Liquidated, *liquidation)
		} else if _, out := r.h.leftOut[e.Vault]; !out {
			step.Acted = append(step.Acted, r.h.key(e.Vault))
		}
	}
	return r.visit(visit, step)
}

// apply books the next event.
func (r *replay) apply() (*history.Liquidation, error) {
	e := &r.h.events[r.next]
	rate, err := r.h.rateAt(e.Time)
	if err != nil {
		return nil, fmt.Errorf("replay %s: %w", e.where(), err)
	}
	r.block = chains.Block{Number: e.Block, Time: e.Time}
	_, known := r.ledger.accounts[e.Vault]
	if _, out := r.h.leftOut[e.Vault]; !known && !out {
		at, _ := slices.BinarySearchFunc(r.order, e.Vault, inOrder)
		r.order = slices.Insert(r.order, at, e.Vault)
	}
	var liquidation *history.Liquidation
	if e.Kind == Liquidate {
		liquidation = r.liquidation(e, rate, known)
	}
	r.ledger.apply(e, rate)
	r.next++
	return liquidation, nil
}

// liquidation compares what was executed with the vault as we have it.
func (r *replay) liquidation(e *Event, rate *big.Int, known bool) *history.Liquidation {
	out := &history.Liquidation{
		Key: r.h.key(e.Vault), Time: e.Time, Line: e.where(), Known: known,
		DebtUSD: decimal.NewFromBigInt(e.Due, -18),
	}
	if !r.osm.Cur.IsZero() {
		price := decimal.NewFromBigInt(r.osm.Cur.ToBig(), -18)
		taken := decimal.NewFromBigInt(e.Amount, -18).Mul(price)
		out.Price, out.CollateralUSD = &price, &taken
	}
	a := r.ledger.account(e.Vault)
	urn, _, ok := a.urn(toUint(rate), uint256.NewInt(1))
	if !ok {
		return out
	}
	ilk := sky.Ilk{Rate: *toUint(rate), Par: *ray, Mat: *toUint(r.h.mat(e.Time).Shift(27).BigInt())}
	if p, ok := urn.LiquidationPrice(&ilk); ok {
		trigger := decimal.NewFromBigInt(p.ToBig(), -18)
		out.Trigger = &trigger
		out.Above = out.Price != nil && out.Price.GreaterThan(trigger)
	}
	// Only a vault that was liquidated once, and whole, says what its debt was.
	if r.h.liquidations[e.Vault] == 1 && e.Due.Sign() > 0 {
		debt := new(big.Int).Mul(a.art, rate)
		ratio := decimal.NewFromBigInt(debt, -45).DivRound(decimal.NewFromBigInt(e.Due, -18), 24)
		off := ratio.Sub(decimal.NewFromInt(1)).Abs()
		out.Error = &off
	}
	return out
}

// visit hands a step on, with books that are built when asked for.
func (r *replay) visit(visit func(*history.Step) error, s *history.Step) error {
	s.Block = r.block
	var books []protocols.Book
	var failed error
	s.Books = func() []protocols.Book {
		if books == nil && failed == nil {
			b, err := r.h.book(r.ledger, r.order, r.block, &r.osm)
			if err != nil {
				failed = err
				return nil
			}
			books = []protocols.Book{b}
		}
		return books
	}
	if err := visit(s); err != nil {
		return err
	}
	return failed
}
