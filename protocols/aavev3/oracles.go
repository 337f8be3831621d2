package aavev3

import (
	"fmt"
	"slices"
	"strings"

	"github.com/holiman/uint256"

	"liqwatch/chains"
	"liqwatch/protocols"
	"liqwatch/protocols/abi"
	"liqwatch/protocols/feeds"
	"liqwatch/protocols/pricing"
)

// axesMeasured are the axes found by moving their feeds.
var axesMeasured = []string{"ETH", "BTC"}

// depth is how many adapters may stand between an asset and a feed.
const depth = 4

// oracles is how the market's prices come about: the source of each asset, the
// contracts behind it, and the models made of them.
type oracles struct {
	sources   []chains.Address // by reserve; zero where the oracle has none
	contracts map[chains.Address]feeds.Contract
	pending   []chains.Address
	before    []uint256.Int // prices when the shape was learned, by reserve
	feeds     []feed
	links     []link // by reserve
	measured  []string
}

// feed is a contract whose answer moves prices.
type feed struct {
	at       chains.Address
	pair     string
	group    string
	volatile bool
	decimals uint8
	answer   uint256.Int    // when the shape was learned
	direct   int            // a reserve whose price is this answer; -1: it is read by itself
	primary  chains.Address // the aggregator behind the proxy, where its newest answer is
}

// link is how one asset hangs on a feed.
type link struct {
	feed    int // -1: unknown
	adapter chains.Address
	model   pricing.Model // as learned; each refresh puts the current rate in
	loose   string        // why the model does not reproduce what was measured; empty when it does
}

// begin makes room.
func (o *oracles) begin() {
	if o.contracts == nil {
		o.contracts = map[chains.Address]feeds.Contract{}
	}
}

// found takes the next reserve's source, its price, and the contracts behind it as far
// as they were asked.
func (o *oracles) found(source chains.Address, price uint256.Int, behind []feeds.Contract) {
	o.sources, o.before = append(o.sources, source), append(o.before, price)
	if source.IsZero() {
		return
	}
	for _, c := range behind {
		o.contracts[c.Address] = c
	}
	for _, c := range behind {
		o.want(c.Base)
		o.want(c.Quoted)
	}
}

func askPrices(r *round, p *opening, dst []uint256.Int) {
	for i := range p.reserves {
		call := abi.Call("getAssetPrice(address)", p.reserves[i].asset.Word())
		r.ask(chains.View(p.oracle, call), func(a chains.Answer) error {
			if x, err := abi.Number(a.Data, 0); err == nil && !a.Failed {
				dst[i] = x
			}
			return nil
		})
	}
}

func (o *oracles) want(a chains.Address) {
	if _, known := o.contracts[a]; !known && !a.IsZero() && !slices.Contains(o.pending, a) {
		o.pending = append(o.pending, a)
	}
}

// probe asks the pending contracts what they are; what they stand on is pending next.
func (o *oracles) probe(r *round) {
	list := o.pending
	o.pending = nil
	for _, a := range list {
		r.bulk(feeds.Probe(a), func(answers []chains.Answer) error {
			c := feeds.Decode(a, answers)
			o.contracts[a] = c
			o.want(c.Base)
			o.want(c.Quoted)
			return nil
		})
	}
}

// learn goes on until every contract is known, then asks the categories, and measures
// where the node allows it, in one round.
func (o *oracles) learn(p *opening, left int, then func() (protocols.Step, error)) (protocols.Step, error) {
	o.pending = slices.DeleteFunc(o.pending, func(a chains.Address) bool { _, known := o.contracts[a]; return known })
	if len(o.pending) > 0 && left > 0 {
		var r round
		o.probe(&r)
		return r.step(func() (protocols.Step, error) { return o.learn(p, left-1, then) }), nil
	}
	o.structure(p)
	if !p.can.Overrides || len(o.movable()) == 0 {
		var r round
		modes := p.readModes(&r)
		return r.step(func() (protocols.Step, error) {
			p.keepModes(modes)
			return then()
		}), nil
	}
	return o.measure(p, then), nil
}

// structure makes a model of every asset from what its contracts say.
func (o *oracles) structure(p *opening) {
	o.feeds, o.links = nil, make([]link, len(p.reserves))
	for i := range p.reserves {
		o.links[i] = o.link(p, i)
	}
}

func (o *oracles) link(p *opening, i int) link {
	none := link{feed: -1, model: pricing.Model{Feed: -1, How: pricing.None}}
	c, ok := o.contracts[o.sources[i]]
	if !ok {
		none.model.Note = "no price source of its own"
		return none
	}
	symbol := p.reserves[i].symbol
	l := link{adapter: c.Address, model: pricing.Model{How: pricing.Structure}}
	l.model.Num.SetOne()
	l.model.Den.SetOne()
	base, isBase := o.contracts[c.Base]
	if isBase && !base.Answer.IsZero() && (c.IsRate() || !c.Quoted.IsZero()) && o.rate(&c, &l.model, p.at.Time) {
		l.feed = o.feed(&base, "", -1)
		l.model.Note = fmt.Sprintf("%s times a rate, by the adapter %s", o.feeds[l.feed].pair, c.Address)
		if c.Capped != nil {
			l.model.Note += ", whose growth is capped"
		}
	} else {
		l.feed = o.feed(&c, symbol, i)
		l.model.Note = fmt.Sprintf("%s, feed %s", o.feeds[l.feed].pair, c.Address)
		if c.PriceCap != nil {
			most := *c.PriceCap
			l.model.Cap = &most
			l.model.Note += ", capped at " + most.Dec()
		}
		if feeds.Group(c.Pair()) == "" && feeds.Listed(symbol) != "" && c.Base.IsZero() {
			l.model.How = pricing.List
		}
	}
	l.model.Feed = l.feed
	return l
}

// rate puts the adapter's current rate into a model; false when there is none.
func (o *oracles) rate(c *feeds.Contract, m *pricing.Model, time uint64) bool {
	if c.IsRate() {
		m.Num = c.Effective(time)
		m.Den.Exp(uint256.NewInt(10), uint256.NewInt(uint64(c.RatioDecimals)))
		return c.RatioDecimals > 0
	}
	quoted, ok := o.contracts[c.Quoted]
	if !ok || quoted.Answer.IsZero() {
		return false
	}
	base := o.contracts[c.Base]
	m.Num = quoted.Answer
	scale := int(quoted.Decimals) + int(base.Decimals) - int(decimalsOr(c.Decimals, base.Decimals))
	if scale < 0 {
		return false
	}
	m.Den.Exp(uint256.NewInt(10), uint256.NewInt(uint64(scale)))
	return true
}

func decimalsOr(a, b uint8) uint8 {
	if a == 0 {
		return b
	}
	return a
}

// feed is the position of a contract among the feeds; direct is the reserve whose
// price is its answer, or -1.
func (o *oracles) feed(c *feeds.Contract, symbol string, direct int) int {
	for i := range o.feeds {
		if f := &o.feeds[i]; f.at == c.Address {
			if f.direct < 0 {
				f.direct = direct
			}
			return i
		}
	}
	f := feed{at: c.Address, pair: c.Pair(), decimals: c.Decimals, answer: c.Answer, direct: direct, primary: c.Aggregator}
	f.group = feeds.Group(f.pair)
	if f.group == "" {
		f.group = feeds.Listed(symbol)
	}
	if f.group == "" {
		f.group = strings.ToUpper(symbol)
	}
	if f.group == "" {
		f.group = c.Address.String()
	}
	if f.pair == "" {
		f.pair = "a feed"
		if c.Description != "" {
			f.pair = c.Description
		}
	}
	f.volatile = !feeds.Steady(f.group) && !feeds.Steady(symbol) && c.PriceCap == nil
	o.feeds = append(o.feeds, f)
	return len(o.feeds) - 1
}

// followed are the contracts whose own logs tell that prices come about differently.
func (o *oracles) followed() []chains.Address {
	var out []chains.Address
	for a, c := range o.contracts {
		if c.Capped != nil || c.PriceCap != nil {
			out = append(out, a)
		}
	}
	for i := range o.feeds {
		if o.watched(i) {
			out = append(out, o.feeds[i].primary)
		}
	}
	return out
}

// watched reports a feed whose aggregator may know the next price before its proxy does.
func (o *oracles) watched(i int) bool {
	f := &o.feeds[i]
	return f.direct >= 0 && !f.primary.IsZero() && slices.Contains(axesMeasured, f.group)
}
