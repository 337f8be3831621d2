package watch

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"liqwatch/chains"
	"liqwatch/internal/alerts"
	"liqwatch/protocols"
)

// health watches the health factors of accounts by name, and of the largest debtors.
type health struct {
	Gauge
	rule     alerts.Rule
	accounts []named
	members  map[string]bool // subjects among the largest
}

// named is an account as a rule names it.
type named struct {
	id      string
	address chains.Address // zero: the id is no address
}

func newHealth(g Gauge, r alerts.Rule) (*health, error) {
	h := &health{Gauge: g, rule: r, members: map[string]bool{}}
	for _, id := range g.Accounts {
		a := named{id: id}
		if strings.HasPrefix(id, "0x") || strings.HasPrefix(id, "T") {
			parsed, err := chains.ParseAddress(id)
			if err != nil {
				return nil, err
			}
			a.id, a.address = parsed.String(), parsed
		}
		h.accounts = append(h.accounts, a)
	}
	return h, nil
}

// stay is how many of the largest a member may be and stay one: those around the
// last place change it often, and nobody should be asked to follow that.
func (h *health) stay() int { return h.Largest + max(1, h.Largest/4) }

// reach is how many of the largest debts of a book may matter.
func (h *health) reach() int {
	if h.Largest == 0 {
		return 0
	}
	return h.stay()
}

func (h *health) read(_ context.Context, l *gaugeLook) (*found, error) {
	f := &found{}
	books := l.mine(h.Markets, f)
	watched := map[string]bool{}
	if h.Largest > 0 {
		h.choose(l)
		for subject := range h.members {
			watched[subject] = true
		}
	}
	for _, b := range books {
		positions := map[int]bool{}
		for _, a := range h.accounts {
			for _, i := range h.find(b, a) {
				positions[i] = true
			}
		}
		for subject := range watched {
			if id, ok := strings.CutPrefix(subject, b.Market()+"|"); ok {
				if i, ok := b.Find(id); ok {
					positions[i] = true
				}
			}
		}
		for _, i := range slices.Sorted(mapsKeys(positions)) {
			h.one(b, i, f)
		}
	}
	return f.orNil(books), nil
}

// find are an account's positions in a market: the one of that id, or, where ids
// are no addresses, all that it owns.
func (h *health) find(b protocols.Book, a named) []int {
	if i, ok := b.Find(a.id); ok {
		return []int{i}
	}
	if a.address.IsZero() || b.Len() == 0 {
		return nil
	}
	if _, err := chains.ParseAddress(b.ID(0)); err == nil {
		return nil
	}
	var out []int
	for i := range b.Len() {
		if b.Owner(i) == a.address {
			out = append(out, i)
		}
	}
	return out
}

func subjectOf(b protocols.Book, i int) string { return b.Market() + "|" + b.ID(i) }

// one reads a position's health as its protocol has it. Without debt there is none.
func (h *health) one(b protocols.Book, i int, f *found) {
	subject := subjectOf(b, i)
	if b.Unpriced(i) {
		f.miss(subject, lack{why: "the oracle of " + b.Market() + " has no price for something that " + shortID(b.ID(i)) + " holds"})
		return
	}
	p := b.Position(i)
	r := alerts.Reading{
		Subject: subject, Name: shortID(p.ID) + " in " + b.Market(), Unit: alerts.Ratio,
	}
	if p.HealthFactor == nil {
		r.Gone = true
		f.add(r)
		return
	}
	prices := b.Prices()
	r.Value = *p.HealthFactor
	r.Fields = []alerts.Field{
		field("Account", p.ID), field("Market", b.Market()),
		usdField("Debt", prices.USD(&p.Debt, b.QuoteDecimals())), usdField("Collateral", prices.USD(&p.AtRisk, b.QuoteDecimals())),
	}
	if !p.Owner.IsZero() && !strings.EqualFold(p.Owner.String(), p.ID) && p.Owner.Base58() != p.ID {
		r.Fields = append(r.Fields, field("Owner", p.Owner.String()))
	}
	if p.Liquidatable {
		r.Fields = append(r.Fields, usdField("Seizable in one call", prices.USD(&p.Seizable, b.QuoteDecimals())))
	}
	if p.Blocked != "" {
		r.Fields = append(r.Fields, field("Blocked", p.Blocked))
	}
	f.add(r)
}

// choose says who is among the largest now. Whoever is stays until well below the
// last place; whoever was told of stays until that is over.
func (h *health) choose(l *gaugeLook) {
	var all []ranked
	for _, b := range l.books {
		if wanted(h.Markets, b.Market()) {
			for _, d := range l.census(b).largest {
				all = append(all, ranked{subjectOf(b, int(d.position)), d.usd})
			}
		}
	}
	slices.SortFunc(all, func(a, b ranked) int { return cmp.Or(cmp.Compare(b.usd, a.usd), cmp.Compare(a.subject, b.subject)) })
	next := map[string]bool{}
	for rank, r := range all {
		if rank < h.Largest || rank < h.stay() && h.members[r.subject] {
			next[r.subject] = true
		}
	}
	for _, subject := range l.busy(h.rule.Name) {
		next[subject] = true
	}
	h.members = next
}

type ranked struct {
	subject string
	usd     float64
}
