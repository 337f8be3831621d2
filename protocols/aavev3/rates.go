package aavev3

import (
	"fmt"
	"slices"

	"github.com/holiman/uint256"

	"liqwatch/chains"
	"liqwatch/protocols"
	"liqwatch/protocols/abi"
	"liqwatch/protocols/feeds"
	"liqwatch/protocols/pricing"
)

// rateReads are what one refresh asks of feeds and adapters.
type rateReads struct {
	answers []uint256.Int          // by feed
	ratios  []uint256.Int          // by reserve
	primary []newest               // by feed
	nums    map[int]*pricing.Model // models found again
}

// newest is the last round of an aggregator, seen past its proxy.
type newest struct {
	answer uint256.Int
	at     uint64
}

// readRates asks the bases that are no asset's own price, the rates of adapters, and
// the aggregators that may know the next price.
func (p *pass) readRates(r *round) {
	o := &p.shape.oracles
	p.rates.answers = make([]uint256.Int, len(o.feeds))
	p.rates.ratios = make([]uint256.Int, len(o.links))
	p.rates.primary = make([]newest, len(o.feeds))
	number := func(to chains.Address, signature string, dst *uint256.Int) {
		r.ask(chains.View(to, abi.Call(signature)), func(a chains.Answer) error {
			if x, err := abi.Number(a.Data, 0); err == nil && !a.Failed && x.Sign() > 0 {
				*dst = x
			}
			return nil
		})
	}
	for i := range o.feeds {
		switch {
		case o.feeds[i].direct >= 0:
		case p.known:
			p.rates.answers[i] = o.feeds[i].answer
		default:
			number(o.feeds[i].at, "latestAnswer()", &p.rates.answers[i])
		}
		if o.watched(i) {
			p.readPrimary(r, o.feeds[i].primary, &p.rates.primary[i])
		}
	}
	for i := range o.links {
		c, ok := o.contracts[o.links[i].adapter]
		if l := &o.links[i]; !ok || l.feed < 0 || o.feeds[l.feed].at == l.adapter {
			continue
		}
		if p.known {
			p.rates.ratios[i] = c.Ratio
			if !c.IsRate() {
				p.rates.ratios[i] = o.contracts[c.Quoted].Answer
			}
			continue
		}
		if c.IsRate() {
			number(c.Address, "getRatio()", &p.rates.ratios[i])
		} else if !c.Quoted.IsZero() {
			number(c.Quoted, "latestAnswer()", &p.rates.ratios[i])
		}
	}
}

func (p *pass) readPrimary(r *round, aggregator chains.Address, dst *newest) {
	r.ask(chains.View(aggregator, abi.Call("latestRoundData()")), func(a chains.Answer) error {
		answer, err1 := abi.Number(a.Data, 1)
		at, err2 := abi.Number(a.Data, 3)
		if err1 == nil && err2 == nil && !a.Failed && answer.Sign() > 0 && at.IsUint64() {
			*dst = newest{answer, at.Uint64()}
		}
		return nil
	})
}

// model is reserve i's model with the rate it has now.
func (p *pass) model(i int) pricing.Model {
	o := &p.shape.oracles
	l := &o.links[i]
	m := l.model
	if again, ok := p.rates.nums[i]; ok {
		return *again
	}
	c, ok := o.contracts[l.adapter]
	if !ok || l.feed < 0 || o.feeds[l.feed].at == l.adapter || p.rates.ratios[i].IsZero() {
		return m
	}
	if c.IsRate() {
		c.Ratio = p.rates.ratios[i]
		m.Num = c.Effective(p.at.Time)
		m.Den.Exp(uint256.NewInt(10), uint256.NewInt(uint64(c.RatioDecimals)))
		if c.Capped != nil && m.Num != c.Ratio {
			m.Note += ": at its cap now"
		}
	} else if !c.Quoted.IsZero() {
		m.Num = p.rates.ratios[i]
	}
	return m
}

// answer is what a feed answers at the pass' block.
func (p *pass) answer(f int) uint256.Int {
	if d := p.shape.oracles.feeds[f].direct; d >= 0 && d < len(p.prices) {
		return p.prices[d]
	}
	return p.rates.answers[f]
}

// drifted are the reserves whose model does not give the oracle's own price.
func (p *pass) drifted() []int {
	var out []int
	o := &p.shape.oracles
	for i := range o.links {
		m := p.model(i)
		if m.Feed < 0 || p.prices[i].IsZero() {
			continue
		}
		base := p.answer(m.Feed)
		if got := m.At(&base); got != p.prices[i] {
			out = append(out, i)
		}
	}
	return out
}

// again measures the ratios of drifted assets at the pass' block, by one round with
// the feeds of the axes moved.
func (p *pass) again(then func() (protocols.Step, error)) (protocols.Step, error) {
	drifted := p.drifted()
	o := &p.shape.oracles
	axes := o.movable()
	if len(drifted) == 0 || !p.m.can.Overrides || len(axes) == 0 {
		return then()
	}
	var r round
	found := make([]uint256.Int, len(drifted))
	for j, i := range drifted {
		r.ask(chains.View(p.shape.oracle, abi.Call("getAssetPrice(address)", p.res[i].asset.Word())), func(a chains.Answer) error {
			if x, err := abi.Number(a.Data, 0); err == nil && !a.Failed {
				found[j] = x
			}
			return nil
		})
	}
	bases := make([]uint256.Int, len(axes))
	for g := range axes {
		bases[g] = *feeds.Exact(g)
	}
	step := r.step(func() (protocols.Step, error) {
		for j, i := range drifted {
			p.refit(i, &found[j], axes)
		}
		return then()
	})
	step.Moved = o.overrides(axes, bases)
	return step, nil
}

func (p *pass) refit(i int, price *uint256.Int, axes []string) {
	o := &p.shape.oracles
	g, num, den, ok := feeds.Fit(price, &p.prices[i], len(axes))
	if !ok {
		return
	}
	for f := range o.feeds {
		m := pricing.Model{Feed: f, Num: num, Den: den, How: pricing.Measured, Note: o.links[i].model.Note}
		base := p.answer(f)
		if got := m.At(&base); o.feeds[f].group == axes[g] && got == p.prices[i] {
			if p.rates.nums == nil {
				p.rates.nums = map[int]*pricing.Model{}
			}
			p.rates.nums[i] = &m
			return
		}
	}
}

// sheet is how the book's prices move, from the shape's models and this pass' rates.
func (p *pass) sheet(b *Book) *pricing.Sheet {
	o := &p.shape.oracles
	s := &pricing.Sheet{Prices: b.prices, Decimals: b.shape.quoteDecimals, Measured: o.measured}
	for i := range o.feeds {
		f := &o.feeds[i]
		s.Feeds = append(s.Feeds, pricing.Feed{Pair: f.pair, Group: f.group, Volatile: f.volatile, Answer: p.answer(i)})
	}
	for i := range b.assets {
		s.Symbols = append(s.Symbols, b.assets[i].Symbol)
		m := pricing.Model{Feed: -1, How: pricing.None}
		if i < len(o.links) {
			m = p.model(i)
		}
		if m.Feed >= 0 && s.Feeds[m.Feed].Answer.IsZero() {
			m = pricing.Model{Feed: -1, How: pricing.None, Note: "its base feed has no answer"}
		}
		s.Models = append(s.Models, m)
	}
	return s
}

// doubts are faults of the models: users must know where a hypothetical price is not exact.
func (p *pass) doubts() {
	o := &p.shape.oracles
	for _, i := range p.drifted() {
		p.fault("model", fmt.Sprintf("the model of %s does not give the oracle's own price: its moves are approximations until it is found again", p.res[i].symbol))
	}
	for i := range o.links {
		if o.links[i].loose != "" {
			p.fault("model", p.res[i].symbol+": "+o.links[i].loose)
		}
	}
}

// coming are the prices the oracle takes on its own.
func (p *pass) coming(s *pricing.Sheet) []protocols.ComingPrice {
	var out []protocols.ComingPrice
	o := &p.shape.oracles
	for f := range o.feeds {
		next := &p.rates.primary[f]
		now := p.answer(f)
		if !o.watched(f) || next.answer.IsZero() || next.answer == now {
			continue
		}
		at, why := uint64(0), "a newer answer of "+o.feeds[f].pair+" waits behind the delayed feed"
		if cutoff, ok := p.m.cutoffs[o.feeds[f].primary]; ok {
			at = next.at + cutoff + 1
		}
		for i := range s.Models {
			if s.Models[i].Feed == f {
				out = append(out, protocols.ComingPrice{Asset: i, Price: s.Models[i].At(&next.answer), At: at, Why: why})
			}
		}
	}
	for i := range o.links {
		if c, ok := p.growing(i); ok {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b protocols.ComingPrice) int { return a.Asset - b.Asset })
	return out
}

// growing is the price of an asset at its cap once the cap has grown to its rate.
func (p *pass) growing(i int) (protocols.ComingPrice, bool) {
	o := &p.shape.oracles
	c, ok := o.contracts[o.links[i].adapter]
	if !ok || c.Capped == nil || p.rates.ratios[i].IsZero() || o.links[i].feed < 0 {
		return protocols.ComingPrice{}, false
	}
	c.Ratio = p.rates.ratios[i]
	m := p.model(i)
	at, reaches := c.Capped.Reaches(&c.Ratio)
	if m.Num == c.Ratio || !reaches {
		return protocols.ComingPrice{}, false
	}
	m.Num = c.Ratio
	base := p.answer(m.Feed)
	return protocols.ComingPrice{
		Asset: i, Price: m.At(&base), At: at,
		Why: fmt.Sprintf("the cap on the rate of %s grows until it reaches the rate", p.res[i].symbol),
	}, true
}
