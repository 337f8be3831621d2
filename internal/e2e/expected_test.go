package e2e

import (
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"liqwatch/internal/alerts"
)

// What a rule promises, said again without any of the program's parts: levels and
// prices are whole numbers of 1e-8 USD, and everything is told anew from the whole
// path of the price after every look.

// promise is a rule: distances are parts of 100,000.
type promise struct {
	name     string
	levels   []int64
	approach []int64 // rising
	rearm    int64
	least    int64 // 1e-8 USD at risk
}

const parts = 100_000

// ahead is what becomes liquidatable between the price and a level.
type ahead struct {
	accounts     int
	atRisk, debt *big.Int // 1e-8 USD
}

// look is one state of the chain that the watcher looked at.
type look struct {
	block uint64
	hash  string
	price int64
	ahead map[int64]ahead // by level
	now   ahead           // liquidatable at the price already
}

// event is one thing that a rule says of one level from one side.
type event struct {
	side    string
	level   int64
	episode int
	what    string // "approach", "crossing" or "rearmed"
	mark    int64
	at      int // index of the look
	totals  ahead
}

// claim names an event however often it is told.
func (e event) claim() string {
	return fmt.Sprint(e.side, " ", e.level, " ", e.episode, " ", e.what, " ", e.mark)
}

// standing is where an episode is at the end of a path.
type standing struct {
	number  int
	crossed bool
	deepest int64 // mark reached; -1 for none, 0 for the level
}

// events of one level from one side, over the whole path.
func (p promise) events(level int64, side string, path []look) ([]event, standing) {
	// off is how far the level is ahead, in parts of 100,000 of it, times it.
	off := func(l look) int64 {
		if side == "down" {
			return (l.price - level) * parts
		}
		return (level - l.price) * parts
	}
	widest := int64(0)
	if len(p.approach) > 0 {
		widest = p.approach[len(p.approach)-1]
	}
	var out []event
	const nothing = int64(1) << 40
	s := standing{number: 1, deepest: -1}
	told, said := nothing, false // the deepest mark that counts as told; something was told
	var last ahead
	for i, l := range path {
		d := off(l)
		beyond := d <= 0
		if !beyond {
			last = l.ahead[level]
		}
		if i == 0 && beyond {
			s, told = standing{1, true, 0}, 0
			continue
		}
		far := s.crossed && d >= p.rearm*level || !s.crossed && s.deepest >= 0 && d >= (widest+p.rearm)*level
		within := int64(-1)
		for _, a := range slices.Backward(p.approach) {
			if d <= a*level {
				within = a
			}
		}
		if beyond {
			within = 0
		}
		if far {
			if said {
				out = append(out, event{side: side, level: level, episode: s.number, what: "rearmed", at: i, totals: l.ahead[level]})
			}
			s = standing{number: s.number + 1, deepest: within}
			said = false
			switch {
			case within < 0:
				told = nothing
			default:
				told = max(told, within)
			}
			continue
		}
		if within < 0 {
			continue
		}
		if s.deepest < 0 || within < s.deepest {
			s.deepest = within
		}
		s.crossed = s.crossed || beyond
		if within >= told {
			continue
		}
		enough := last.atRisk == nil && p.least == 0 || last.atRisk != nil && last.atRisk.Cmp(big.NewInt(p.least)) >= 0
		switch {
		case beyond && (enough || said):
			out = append(out, event{side: side, level: level, episode: s.number, what: "crossing", at: i, totals: last})
		case !beyond && enough:
			out = append(out, event{side: side, level: level, episode: s.number, what: "approach", mark: within, at: i, totals: last})
		default:
			continue
		}
		told, said = within, true
	}
	return out, s
}

// message is what people are told, in the form that expectation and webhook share.
type message struct {
	kind, rule, side, level string
	episode                 int
	approach                string
	passed                  string // of a crossing or re-arming
	price                   string
	block                   uint64
	hash                    string
	totals, now             string
	corrects                string
}

// oracle remembers what was told and says what is to be told next.
type oracle struct {
	promise
	path  []look
	stand map[string]message // by claim: what was told and not taken back
	until uint64             // height up to which a new branch may still confirm what the old one said
}

// follow adds a look, and gives the messages that must come of it.
func (o *oracle) follow(l look) []message {
	o.path = append(o.path, l)
	var due []event
	current := map[string]bool{}
	for _, level := range o.levels {
		for _, side := range []string{"down", "up"} {
			events, _ := o.events(level, side, o.path)
			for _, e := range events {
				current[e.claim()] = true
				if _, told := o.stand[e.claim()]; e.at == len(o.path)-1 && !told {
					due = append(due, e)
				}
			}
		}
	}
	out := o.compose(due, l)
	if l.block < o.until {
		return out
	}
	taken := map[message]bool{}
	for c, m := range o.stand {
		if !current[c] {
			delete(o.stand, c)
			taken[m] = true
		}
	}
	for m := range taken {
		out = append(out, message{
			kind: "correction", rule: o.name, side: m.side, level: m.level, episode: m.episode, price: usd(l.price),
			block: l.block, hash: l.hash, now: l.now.String(), totals: l.ahead[raw(m.level)].String(), corrects: m.kind + " " + m.approach,
		})
	}
	return out
}

// compose puts the levels crossed (or re-armed) at once into one message, for the deepest.
func (o *oracle) compose(due []event, l look) []message {
	var out []message
	groups := map[string][]event{}
	for _, e := range due {
		g := e.side + e.what
		if e.what == "approach" {
			g = e.claim()
		}
		groups[g] = append(groups[g], e)
	}
	for _, g := range groups {
		slices.SortFunc(g, func(a, b event) int {
			order := int(a.level - b.level)
			if (a.side == "down") == (a.what == "crossing") {
				order = -order // falling: the lowest is the deepest
			}
			return order
		})
		e := g[len(g)-1]
		m := message{
			kind: e.what, rule: o.name, side: e.side, level: usd(e.level), episode: e.episode, price: usd(l.price),
			block: l.block, hash: l.hash, totals: e.totals.String(), now: l.now.String(),
		}
		if e.what == "approach" {
			m.approach = fmt.Sprint(e.mark)
		}
		var passed []string
		for _, x := range g[:len(g)-1] {
			passed = append(passed, usd(x.level))
		}
		m.passed = strings.Join(passed, " ")
		for _, x := range g {
			o.stand[x.claim()] = m
		}
		out = append(out, m)
	}
	return out
}

// reorg takes the path back to the newest look at or below the ancestor.
func (o *oracle) reorg(ancestor uint64) {
	for len(o.path) > 0 && o.path[len(o.path)-1].block > ancestor {
		o.until = max(o.until, o.path[len(o.path)-1].block)
		o.path = o.path[:len(o.path)-1]
	}
}

func (a ahead) String() string {
	if a.atRisk == nil {
		return "0 accounts, 0 at risk, 0 debt"
	}
	return fmt.Sprintf("%d accounts, %s at risk, %s debt", a.accounts, money(a.atRisk), money(a.debt))
}

// usd writes 1e-8 USD as people do, exactly.
func usd(raw int64) string { return money(big.NewInt(raw)) }

func money(raw *big.Int) string {
	whole, rest := new(big.Int).QuoRem(raw, big.NewInt(1e8), new(big.Int))
	return strings.TrimRight(strings.TrimRight(fmt.Sprintf("%d.%08d", whole, rest), "0"), ".")
}

func raw(level string) int64 {
	var whole int64
	if _, err := fmt.Sscan(level, &whole); err != nil {
		panic(err)
	}
	return whole * 1e8
}

// told reads a webhook's body.
func told(b alerts.Body) message {
	d := b.Data
	m := message{
		kind: string(d.Kind), rule: d.Rule, side: string(d.Side), level: d.Level.String(), episode: d.Episode,
		price: d.Price.String(), totals: saidTotals(d.Totals), now: saidTotals(d.Now),
	}
	if len(d.Blocks) == 1 {
		m.block, m.hash = d.Blocks[0].Number, d.Blocks[0].Hash.String()
	}
	if d.Approach != nil && m.kind == "approach" {
		m.approach = d.Approach.Shift(5).String()
	}
	if m.kind != "approach" {
		var passed []string
		for _, p := range d.Passed {
			passed = append(passed, p.String())
		}
		m.passed = strings.Join(passed, " ")
	}
	if c := d.Corrects; c != nil {
		m.corrects = string(c.Kind) + " "
		if parts := strings.Split(c.Key, "|"); c.Kind == alerts.KindApproach {
			m.corrects += alertMark(parts[len(parts)-1])
		}
	}
	return m
}

func saidTotals(t alerts.Totals) string {
	return fmt.Sprintf("%d accounts, %s at risk, %s debt", t.Accounts, t.AtRiskUSD, t.DebtUSD)
}

// alertMark reads the distance at the end of a key, in parts of 100,000.
func alertMark(key string) string {
	key, _, _ = strings.Cut(key, "#")
	return decimal.RequireFromString(key).Shift(5).String()
}
