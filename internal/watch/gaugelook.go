package watch

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"liqwatch/chains"
	"liqwatch/internal/alerts"
	"liqwatch/protocols"
	"liqwatch/thresholds"
)

// gaugeLook is what the numbers of one chain are read from, once after each of its passes.
type gaugeLook struct {
	chain  string
	block  chains.Block
	final  uint64
	now    time.Time
	books  []protocols.Book  // of all chains
	unread map[string]string // markets of this chain without a book, and why
	spots  map[string]SpotPrice
	past   Past
	ladder func(axis string) (*thresholds.Ladder, error)
	census func(b protocols.Book) *census
	since  time.Time // when watching began
	busy   func(rule string) []string
}

func (e *Engine) gaugeLook(chain string) *gaugeLook {
	c := e.chains[chain]
	l := &gaugeLook{
		chain: chain, block: c.block, final: c.final, now: e.Now(), unread: map[string]string{}, spots: map[string]SpotPrice{},
		past: e.Past, ladder: e.ladder, census: e.census, since: e.since, busy: e.busy,
	}
	for market, u := range c.unread {
		l.unread[market] = u.why
	}
	for _, name := range slices.Sorted(mapsKeys(e.chains)) {
		l.books = append(l.books, e.chains[name].books...)
		maps.Copy(l.spots, e.chains[name].spots)
	}
	return l
}

// mine are the books of the chain that a rule's markets name, and what is missing of them.
func (l *gaugeLook) mine(markets []string, f *found) []protocols.Book {
	var out []protocols.Book
	for _, b := range l.books {
		if b.Chain() == l.chain && wanted(markets, b.Market()) {
			out = append(out, b)
		}
	}
	for _, market := range slices.Sorted(mapsKeys(l.unread)) {
		if wanted(markets, market) {
			// Not a lack: that the market has no data is told of the market itself.
			f.unknown = append(f.unknown, market+"|")
		}
	}
	return out
}

// found is empty, or nil when a rule's markets have nothing to do with the chain.
func (f *found) orNil(books []protocols.Book) *found {
	if len(books) == 0 && len(f.unknown) == 0 && len(f.readings) == 0 {
		return nil
	}
	return f
}

func wanted(list []string, name string) bool { return len(list) == 0 || slices.Contains(list, name) }

// ladder is that of an axis as of this pass, made once.
func (e *Engine) ladder(axis string) (*thresholds.Ladder, error) {
	if l := e.ladders[axis]; l != nil {
		return l, nil
	}
	look := e.lookAlong(axis)
	l, err := thresholds.Build(axis, look.Reference, look.Books)
	if err != nil {
		return nil, err
	}
	e.ladders[axis] = l
	return l, nil
}

// usd values quote units of a market by its newest book; zero without one.
func (e *Engine) usd(market string, quote *protocols.Amount) decimal.Decimal {
	for _, c := range e.chains {
		for _, b := range c.books {
			if b.Market() == market {
				return b.Prices().USD(&quote.Raw, quote.Decimals)
			}
		}
	}
	return decimal.Zero
}

// subjectName shortens an account for a line of text: 0x1234...abcd.
func shortID(id string) string {
	if len(id) <= 14 {
		return id
	}
	return id[:6] + "..." + id[len(id)-4:]
}

func field(name, value string) alerts.Field { return alerts.Field{Name: name, Value: value} }

func countField(name string, n int) alerts.Field { return field(name, fmt.Sprint(n)) }

func usdField(name string, v decimal.Decimal) alerts.Field { return field(name, alerts.Dollars(v)) }

func mapsKeys[K comparable, V any](m map[K]V) iter.Seq[K] { return maps.Keys(m) }
