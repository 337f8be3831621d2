package compoundv2

import (
	"fmt"

	"github.com/holiman/uint256"

	"liqwatch/chains"
	"liqwatch/protocols"
	"liqwatch/protocols/abi"
	"liqwatch/protocols/feeds"
)

// mostMeasured bounds how many feeds are moved, one request each, when a market opens.
const mostMeasured = 6

// nativeUnderlying stands for the chain's coin in Venus' oracles.
var nativeUnderlying = chains.MustAddress("0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB")

// measuring finds out what the assets of an oracle in USD follow: the feeds behind
// it are looked up, each base is moved in turn by a state override, and every
// price is read again.
type measuring struct {
	p      *pass
	now    []uint256.Int    // prices unmoved
	feedOf []chains.Address // by market; zero where the oracle does not tell
	feeds  map[chains.Address]feeds.Contract
	bases  []string // in the order of markets
}

// measure begins once the markets are known; it ends the opening.
func (p *pass) measure() protocols.Step {
	m := &measuring{p: p, now: make([]uint256.Int, len(p.table.list)), feedOf: make([]chains.Address, len(p.table.list)), feeds: map[chains.Address]feeds.Contract{}}
	for i := range p.table.list {
		if !p.table.list[i].vai {
			m.askFeed(i)
		}
	}
	return m.run(m.probe)
}

// run runs what is asked, round by round, and then goes on.
func (m *measuring) run(then func() protocols.Step) protocols.Step {
	asks := m.p.asks
	m.p.asks = nil
	if len(asks) == 0 {
		return then()
	}
	var wants []chains.Read
	for _, a := range asks {
		wants = append(wants, a.reads...)
	}
	return protocols.Step{Wants: wants, Then: func(answers []chains.Answer) (protocols.Step, error) {
		for _, a := range asks {
			n := len(a.reads)
			if err := a.take(answers[:n:n]); err != nil {
				return protocols.Step{}, err
			}
			answers = answers[n:]
		}
		return m.run(then), nil
	}}
}

// askFeed asks an oracle for the feed behind a market: Moonwell's and Benqi's keep
// one for each symbol (getFeed), Venus' names the oracle that keeps one for each
// underlying (getTokenConfig, tokenConfigs).
func (m *measuring) askFeed(i int) {
	p, l := m.p, &m.p.table.list[i]
	underlying := l.Address
	if l.native {
		underlying = nativeUnderlying
	}
	oracle := p.table.oracle
	p.ask(func(a []chains.Answer) error {
		m.now[i] = orZero(a[0])
		if feed := addressOrZero(a[1]); !feed.IsZero() {
			m.feedOf[i] = feed
			return nil
		}
		main, err := abi.Address(a[2].Data, 1)
		if known := err == nil && !a[2].Failed && !main.IsZero(); !known {
			return nil
		}
		p.ask(func(a []chains.Answer) error {
			if feed, err := abi.Address(a[0].Data, 1); err == nil && !a[0].Failed {
				m.feedOf[i] = feed
			}
			return nil
		}, call(main, "tokenConfigs(address)", underlying.Word()))
		return nil
	}, call(oracle, "getUnderlyingPrice(address)", l.token.Word()),
		chains.View(oracle, callText("getFeed(string)", l.Symbol)),
		call(oracle, "getTokenConfig(address)", underlying.Word()))
}

// callText encodes a call with one string.
func callText(signature, text string) []byte {
	words := []chains.Hash{abi.Uint(32), abi.Uint(uint64(len(text)))}
	for len(text) > 0 {
		var w chains.Hash
		n := copy(w[:], text)
		text = text[n:]
		words = append(words, w)
	}
	return abi.Call(signature, words...)
}

// probe asks the feeds, and the base feeds of rate adapters, what they describe.
func (m *measuring) probe() protocols.Step {
	for _, f := range m.feedOf {
		m.askContract(f)
	}
	return m.run(m.moves)
}

func (m *measuring) askContract(a chains.Address) {
	if _, known := m.feeds[a]; known || a.IsZero() {
		return
	}
	m.feeds[a] = feeds.Contract{Address: a}
	m.p.ask(func(answers []chains.Answer) error {
		c := feeds.Decode(a, answers)
		m.feeds[a] = c
		m.askContract(c.Base)
		return nil
	}, feeds.Probe(a)...)
}

// moves moves one base after the other.
func (m *measuring) moves() protocols.Step {
	seen := map[string]bool{}
	for _, f := range m.feedOf {
		c := m.feeds[f]
		if c.IsRate() {
			c = m.feeds[c.Base]
		}
		base := feeds.Group(c.Pair())
		if base == "" || seen[base] || feeds.Steady(base) || c.Answer.IsZero() {
			continue
		}
		seen[base] = true
		m.bases = append(m.bases, base)
	}
	m.bases = m.bases[:min(len(m.bases), mostMeasured)]
	m.byStructure()
	return m.move(0)
}

// byStructure takes a feed's own description for what the asset follows.
func (m *measuring) byStructure() {
	for i, f := range m.feedOf {
		c, ok := m.feeds[f]
		if !ok {
			continue
		}
		at := f
		if c.IsRate() {
			at, c = c.Base, m.feeds[c.Base]
		}
		base := feeds.Group(c.Pair())
		switch note := fmt.Sprintf("read from %s (%s)", at, c.Pair()); {
		case base == "":
		case feeds.Steady(base):
			m.p.table.classes[i] = class{how: "structure", note: note}
		default:
			m.p.table.classes[i] = class{base: base, how: "structure", note: note}
		}
	}
}

// move lets every feed of one base answer a lower price, reads all prices, and goes on.
func (m *measuring) move(k int) protocols.Step {
	if k == len(m.bases) {
		return m.done()
	}
	base := m.bases[k]
	var moved []chains.Override
	var was, low uint256.Int
	for _, f := range sorted(m.feeds) {
		c := m.feeds[f]
		if c.IsRate() || feeds.Group(c.Pair()) != base || c.Answer.IsZero() {
			continue
		}
		if low.IsZero() {
			was, low = c.Answer, *feeds.Low(&c.Answer)
		}
		// Feeds of one pair may differ a little: each moves by the same part.
		answer := mulDiv(&c.Answer, &low, &was)
		moved = append(moved, feeds.Answering(f, &answer, c.Decimals))
	}
	var wants []chains.Read
	t := m.p.table
	for i := range t.list {
		wants = append(wants, call(t.oracle, "getUnderlyingPrice(address)", t.list[i].token.Word()))
	}
	return protocols.Step{Wants: wants, Moved: moved, Then: func(answers []chains.Answer) (protocols.Step, error) {
		for i := range t.list {
			if !t.list[i].vai {
				m.judge(i, base, orZero(answers[i]), &low, &was)
			}
		}
		return m.move(k + 1), nil
	}}
}

// judge says what a market's price did when a base was moved to low/was.
func (m *measuring) judge(i int, base string, price uint256.Int, low, was *uint256.Int) {
	now := &m.now[i]
	c := &m.p.table.classes[i]
	switch want := mulDiv(now, low, was); {
	case now.IsZero() || price.IsZero():
		// The oracle refused the moved feed, as one that compares two sources does.
	case near(&price, &want):
		*c = class{base: base, how: "measured", note: "followed when the " + base + " / USD feed was moved"}
	case price == *now && c.base == base:
		*c = class{base: m.p.table.list[i].Symbol, how: "measured", note: "did not move with the " + base + " / USD feed"}
	case price != *now:
		c.note = "moved with " + base + ", but not in proportion"
	}
}

// near: equal to a millionth, which is more than roundings and less than any move.
func near(x, y *uint256.Int) bool {
	var tolerance uint256.Int
	tolerance.Div(y, uint256.NewInt(1_000_000))
	return !distance(x, y).Gt(tolerance.AddUint64(&tolerance, 2))
}

func (m *measuring) done() protocols.Step {
	return protocols.Step{Then: func([]chains.Answer) (protocols.Step, error) {
		return protocols.Step{}, m.p.commit()
	}}
}
