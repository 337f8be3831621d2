package watch

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"liqwatch/internal/alerts"
	"liqwatch/internal/store"
	"liqwatch/protocols"
	"liqwatch/thresholds"
)

// Gauge is what a rule with a Gauge watches: which number, and of what.
type Gauge struct {
	Rule string
	// Markets are those whose numbers are watched; empty: all.
	Markets []string
	// Accounts and Largest say whose health factor.
	Accounts []string
	Largest  int
	// Assets are symbols; empty: all.
	Assets []string
	Axis   string
	// Levels, or the ladder's walls, are what hours_to_touch measures the way to.
	Levels []decimal.Decimal
	Walls  *thresholds.WallOptions
	// Within is the time looked back over.
	Within time.Duration
	// Shock is by how much at_risk_share moves the axis: -0.1 is a fall by a tenth.
	Shock decimal.Decimal
}

// Past is what was kept of the time before this look.
type Past interface {
	HistoryPrices(ctx context.Context, axis string, r store.Resolution, from, to time.Time) ([]store.PricePoint, error)
	HistoryTotals(ctx context.Context, market string, r store.Resolution, at time.Time) (store.MarketTotals, bool, error)
	ChainLiquidations(ctx context.Context, chain string, markets []string, from, to time.Time) ([]store.LiquidationPoint, error)
	SaveLiquidations(ctx context.Context, chain string, at time.Time, done []protocols.Liquidation,
		usd func(market string, quote *protocols.Amount) decimal.Decimal) error
	UndoLiquidations(ctx context.Context, chain string, ancestor uint64) error
}

// meter reads one rule's numbers.
type meter interface {
	// read gives those of one chain; nil when the rule watches nothing there.
	read(ctx context.Context, l *gaugeLook) (*found, error)
}

// found are a rule's numbers on one chain.
type found struct {
	readings []alerts.Reading
	unknown  []string
	lacks    []lack
}

// lack is a number that cannot be had because something it is made from is missing.
type lack struct {
	why string
	// until is when it is to be expected that it can be had; zero: now.
	until time.Time
}

func (f *found) add(r ...alerts.Reading) { f.readings = append(f.readings, r...) }

// miss notes that nothing is known of a subject, or of all that begin with it.
func (f *found) miss(subject string, l lack) {
	f.unknown = append(f.unknown, subject)
	f.lacks = append(f.lacks, l)
}

// gaugeRule is a rule with what reads its numbers.
type gaugeRule struct {
	rule  alerts.Rule
	meter meter
	last  map[string]*found // by chain
	known time.Time         // when nothing was lacking last
	told  string            // of the lacks, in the log
}

// WatchGauge makes the engine read the numbers of a rule with a Gauge.
func (e *Engine) WatchGauge(g Gauge) error {
	i := slices.IndexFunc(e.rules, func(r alerts.Rule) bool { return r.Name == g.Rule })
	if i < 0 {
		return fmt.Errorf("no rule %q", g.Rule)
	}
	r := e.rules[i]
	m, err := newMeter(g, r)
	if err != nil {
		return fmt.Errorf("rule %q: %w", g.Rule, err)
	}
	e.gauges = append(e.gauges, &gaugeRule{rule: r, meter: m, last: map[string]*found{}, known: e.Now()})
	return nil
}

func newMeter(g Gauge, r alerts.Rule) (meter, error) {
	switch r.Gauge {
	case "health_factor":
		return newHealth(g, r)
	case "bad_debt":
		return badDebt{g}, nil
	case "utilization":
		return utilization{g}, nil
	case "tvl", "supplied", "borrowed":
		return newChange(g, r.Gauge), nil
	case "at_risk_share":
		return &share{Gauge: g, held: map[string]*held{}}, nil
	case "liquidations":
		return newLiquidated(g, r), nil
	case "divergence":
		return divergence{g}, nil
	case "hours_to_touch":
		return newTouch(g, r), nil
	}
	return nil, fmt.Errorf("no number %q to watch", r.Gauge)
}

// readGauges shows the rules the numbers of a chain.
func (e *Engine) readGauges(ctx context.Context, chain string) ([]alerts.Alert, error) {
	if len(e.gauges) == 0 {
		return nil, nil
	}
	l := e.gaugeLook(chain)
	var looks []alerts.Readings
	for _, g := range e.gauges {
		f, err := g.meter.read(ctx, l)
		if err != nil {
			return nil, fmt.Errorf("read the %s of rule %q: %w", g.rule.Gauge, g.rule.Name, err)
		}
		if f == nil {
			continue
		}
		g.last[chain] = f
		e.tellLacks(g)
		looks = append(looks, alerts.Readings{
			Rule: g.rule.Name, Chain: chain, Blocks: []alerts.BlockRef{alerts.Ref(chain, l.block)}, Seen: l.now,
			Final: map[string]uint64{chain: l.final}, Readings: f.readings, Unknown: f.unknown,
		})
	}
	out, err := e.tracker.Read(ctx, looks)
	if err != nil {
		return nil, fmt.Errorf("apply the rules about numbers of %s: %w", chain, err)
	}
	return out.Alerts, nil
}

// busy are the subjects of a rule that somebody was told of and that are not over.
func (e *Engine) busy(rule string) []string {
	var out []string
	for _, ep := range e.tracker.Episodes(rule) {
		if ep.Said && !ep.Retired && !slices.Contains(out, ep.Subject) {
			out = append(out, ep.Subject)
		}
	}
	return out
}

// tellLacks logs once what a rule lacks; that it lasts is told by [Engine.sources].
func (e *Engine) tellLacks(g *gaugeRule) {
	l, lacking := g.lack(e.Now())
	why := ""
	if lacking {
		why = l.why
	} else {
		g.known = e.Now()
	}
	if why == g.told {
		return
	}
	g.told = why
	log := e.log.Info()
	if lacking {
		log = e.log.Warn().Str("why", why)
		if l.until.After(e.Now()) {
			log = log.Time("expected", l.until)
		}
	}
	log.Str("rule", g.rule.Name).Bool("complete", !lacking).Msg("numbers of the rule")
}

// lack is the first thing missing on any chain: what is overdue before what will come.
func (g *gaugeRule) lack(now time.Time) (lack, bool) {
	var first lack
	any := false
	for _, chain := range slices.Sorted(mapsKeys(g.last)) {
		for _, l := range g.last[chain].lacks {
			if !any || first.until.After(now) && !l.until.After(now) {
				first, any = l, true
			}
		}
	}
	return first, any
}

// gaugeSources are the rules whose numbers must not go missing unnoticed. What is
// still to come, such as a day's history on the first day, is not late yet.
func (e *Engine) gaugeSources(limit time.Duration) []alerts.Source {
	var out []alerts.Source
	for _, g := range e.gauges {
		if len(g.last) == 0 {
			continue
		}
		s := alerts.Source{Name: g.rule.Name, What: "rule", Fed: e.Now(), Limit: limit}
		if l, lacking := g.lack(e.Now()); lacking {
			s.Why = l.why
			if !l.until.After(e.Now()) {
				s.Fed = g.known
				if l.until.After(s.Fed) {
					s.Fed = l.until
				}
			}
		}
		out = append(out, s)
	}
	return out
}
