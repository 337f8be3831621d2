package thresholds

import (
	"fmt"
	"slices"

	"liqwatch/protocols"
)

// Present is what is liquidatable at the current prices of several books, kept so
// that many questions can be compared with it. Nothing changes it, and any number of
// goroutines may ask it.
type Present struct {
	markets   []*market
	people    *people
	inside    [][]int32 // liquidatable now, by market, ascending
	unpriced  [][]int32 // likewise
	totals    Totals
	positions int
}

// NewPresent reads what is liquidatable now. Errors: a market given twice.
func NewPresent(books []protocols.Book) (*Present, error) {
	markets, err := newMarkets("", books)
	if err != nil {
		return nil, err
	}
	now := make([]point, len(markets))
	for k, m := range markets {
		now[k] = point{prices: &m.now, exact: true}
	}
	return presentOf(markets, newPeople(markets), now), nil
}

// Present is what is liquidatable now in the ladder's books. Making it costs less
// than [NewPresent]: the ladder knows where to look. It also readies the ladder for
// [Ladder.At], whose first question about many positions would have to number their
// owners.
func (l *Ladder) Present() *Present {
	l.people.once.Do(l.people.number)
	return presentOf(l.markets, l.people, l.nowPoints())
}

func presentOf(markets []*market, who *people, now []point) *Present {
	p := &Present{markets: markets, people: who, positions: who.n}
	hire := func() *found {
		return &found{inside: make([][]int32, len(markets)), unpriced: make([][]int32, len(markets))}
	}
	all := inPieces(markets, hire, func(f *found, in piece) { f.look(markets[in.market], &now[in.market], in) })
	for k := range markets {
		var inside, unpriced []int32
		for _, f := range all {
			inside, unpriced = append(inside, f.inside[k]...), append(unpriced, f.unpriced[k]...)
		}
		slices.Sort(inside) // pieces are taken as they come
		slices.Sort(unpriced)
		p.inside, p.unpriced = append(p.inside, inside), append(p.unpriced, unpriced)
	}
	for _, f := range all[1:] {
		all[0].totals.join(&f.totals)
	}
	p.totals, _ = all[0].totals.totals(who)
	return p
}

// found is what one processor has found.
type found struct {
	inside, unpriced [][]int32 // by market
	totals           tally
}

func (f *found) look(m *market, now *point, in piece) {
	inside, unpriced := &f.inside[in.market], &f.unpriced[in.market]
	before := len(*inside)
	*inside = m.membersIn(now, in, *inside)
	for _, i := range (*inside)[before:] {
		figures := m.book.Figures(int(i), m.now)
		f.totals.add(Ref{in.market, i}, &figures, m.now.QuoteUSD)
	}
	for i := in.from; i < in.to; i++ {
		if m.book.Unpriced(i) {
			*unpriced = append(*unpriced, int32(i))
		}
	}
}

// Stress is [Stress] of the books.
func (p *Present) Stress(moves []protocols.Move, changes []Change) (*StressResult, error) {
	if err := checkMoves(p.markets, moves); err != nil {
		return nil, fmt.Errorf("stress: %w", err)
	}
	after, err := changed(p.markets, changes)
	if err != nil {
		return nil, fmt.Errorf("stress: %w", err)
	}
	prices := make([]protocols.Prices, len(after))
	r := &StressResult{Shocks: []string{}, Changes: []string{}, Positions: p.positions, Now: p.totals}
	books := make([]protocols.Book, len(after))
	floats := make([][]slope, len(after))
	for k, m := range p.markets {
		if prices[k], err = after[k].book.Move(moves); err != nil {
			return nil, fmt.Errorf("stress: market %q: %w", m.name, err)
		}
		books[k], r.Unpriced = m.book, r.Unpriced+len(p.unpriced[k])
		if after[k].cols.first != nil {
			floats[k] = slopesAt(&prices[k])
		}
	}
	r.Blocks = blocksOf(books)
	for _, m := range moves {
		r.Shocks = append(r.Shocks, describeMove(m))
	}
	for _, c := range changes {
		r.Changes = append(r.Changes, c.String())
	}
	r.compare(p, after, prices, floats)
	return r, nil
}

// compared are the positions that one processor has compared with the present.
type compared struct {
	then          *set
	added, healed tally
}

func (r *StressResult) compare(p *Present, after []*market, prices []protocols.Prices, floats [][]slope) {
	all := inPieces(after, func() *compared { return &compared{then: newSet(after, mostLargest)} }, func(c *compared, in piece) {
		c.look(p, after[in.market], &prices[in.market], floats[in.market], in)
	})
	sum := all[0]
	for _, c := range all[1:] {
		sum.then.join(c.then)
		sum.added.join(&c.added)
		sum.healed.join(&c.healed)
	}
	r.Then, r.ByMarket = sum.then.totals.totals(p.people)
	r.Healed, _ = sum.healed.totals(p.people)
	if r.Added = r.Then; sum.added.accounts() != r.Then.Accounts { // else they are the same positions
		r.Added, _ = sum.added.totals(p.people)
	}
	r.ByAsset = sum.then.assets.list(after)
	r.Largest = sum.then.top.largest(mostLargest)
}

func (c *compared) look(p *Present, a *market, prices *protocols.Prices, floats []slope, in piece) {
	was, unpriced := from(p.inside[in.market], in.from), from(p.unpriced[in.market], in.from)
	for i := in.from; i < in.to; i++ {
		ref := Ref{in.market, int32(i)}
		if took(&unpriced, ref.Position) {
			continue
		}
		before := took(&was, ref.Position)
		is := unsure
		if floats != nil {
			is = a.cols.verdict(i, floats)
		}
		if is == unsure && a.book.Liquidatable(i, *prices) {
			is = liquidatable
		}
		switch {
		case is == liquidatable:
			f := c.then.add(a, ref, prices)
			if !before {
				c.added.add(ref, &f, prices.QuoteUSD)
			}
		case before:
			m := p.markets[in.market]
			f := m.book.Figures(i, m.now)
			c.healed.add(ref, &f, m.now.QuoteUSD)
		}
	}
}

// slopesAt are prices as floats that do not move, with what they leave unsure.
func slopesAt(p *protocols.Prices) []slope {
	out := make([]slope, len(p.Raw))
	for a := range out {
		line := protocols.Line{Const: p.Raw[a].Float64()}
		out[a].c = line.Const
		out[a].gc, out[a].gs = tolerance(&line)
	}
	return out
}

// from are the numbers of a sorted list that are not below least.
func from(list []int32, least int) []int32 {
	k, _ := slices.BinarySearch(list, int32(least))
	return list[k:]
}

// took reports that a sorted list begins with a number, and takes it off.
func took(list *[]int32, number int32) bool {
	if len(*list) == 0 || (*list)[0] != number {
		return false
	}
	*list = (*list)[1:]
	return true
}
