package web

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/shopspring/decimal"

	"liqwatch/thresholds"
)

// meter is what Prometheus reads. Numbers of the market are taken when it asks.
type meter struct {
	s        *Server
	registry *prometheus.Registry
	passes   *prometheus.HistogramVec
	builds   *prometheus.HistogramVec
}

func gauge(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("liqwatch_"+name, help, labels, nil)
}

// What is read off the newest state at every scrape.
var (
	descBlock      = gauge("block_number", "Block of the last pass that succeeded.", "chain")
	descBlockAge   = gauge("block_age_seconds", "Time since the last pass of a chain succeeded.", "chain")
	descAgeLimit   = gauge("block_age_limit_seconds", "Age from which on the numbers of a chain are stale.", "chain")
	descChainFail  = gauge("chain_failing", "1 while the last pass of a chain failed.", "chain")
	descMarketAge  = gauge("market_age_seconds", "Time since a market's positions last moved to a new block; -1 before the first.", "chain", "market")
	descPositions  = gauge("positions", "Positions with debt.", "chain", "market")
	descFaults     = gauge("market_faults", "What is wrong with a market, by kind.", "market", "kind")
	descVerified   = gauge("market_verified_age_seconds", "Time since all accounts of a market were read again and compared.", "market")
	descTVL        = gauge("market_tvl_usd", "Tokens held.", "market")
	descSupplied   = gauge("market_supplied_usd", "Supplied.", "market")
	descBorrowed   = gauge("market_borrowed_usd", "Borrowed.", "market")
	descRequests   = prometheus.NewDesc("liqwatch_requests_total", "Requests to a node, by method.", []string{"chain", "node", "method"}, nil)
	descReqFailed  = prometheus.NewDesc("liqwatch_requests_failed_total", "Requests to a node without a usable answer.", []string{"chain", "node"}, nil)
	descPrice      = gauge("axis_price", "The oracle's price of an axis.", "axis")
	descSpot       = gauge("axis_spot_price", "The market's own price of an axis.", "axis")
	descDistance   = gauge("level_distance_ratio", "|price/level - 1|.", "axis", "level")
	descLevel      = gauge("level_amount_usd", "What is liquidatable when the price is the level: at_risk, seizable, debt, bad_debt.", "axis", "level", "amount")
	descLevelCount = gauge("level_accounts", "Accounts that are liquidatable when the price is the level.", "axis", "level")
	descNow        = gauge("liquidatable_now_usd", "What is liquidatable already, by amount.", "axis", "amount")
	descAlerts     = prometheus.NewDesc("liqwatch_alerts_total", "Alerts made, by kind and reason.", []string{"kind", "reason"}, nil)
	descWaiting    = gauge("deliveries_waiting", "Messages that wait to be delivered.")
	descDead       = gauge("deliveries_dead", "Messages that were given up.")
	descQueueAge   = gauge("delivery_queue_age_seconds", "Age of the oldest message that waits; 0 when none does.")
	descOverdue    = gauge("notifier_overdue_seconds", "How late a notifier's oldest message is; what quiet hours hold back is not late.", "notifier")
	descFailing    = gauge("notifier_failing", "1 while every send to a notifier fails.", "notifier")
	descViewers    = gauge("viewers", "Open streams of the page.")
	descReady      = gauge("ready", "1 while what is shown and sent can be relied on.")
	descStandby    = gauge("standby", "1 while another process watches, and this one waits to.")
	descBuild      = gauge("build_info", "The version.", "version")
)

func newMeter(s *Server) *meter {
	m := &meter{
		s: s, registry: prometheus.NewRegistry(),
		passes: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "liqwatch_pass_seconds", Help: "Time a pass took.", Buckets: prometheus.ExponentialBuckets(0.01, 2.5, 10),
		}, []string{"chain"}),
		builds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "liqwatch_ladder_build_seconds", Help: "Time the page took to build a ladder.", Buckets: prometheus.ExponentialBuckets(0.001, 3, 10),
		}, []string{"axis"}),
	}
	m.registry.MustRegister(m, m.passes, m.builds, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *meter) pass(chain string, took time.Duration) {
	m.passes.WithLabelValues(chain).Observe(took.Seconds())
}

func (m *meter) built(axis string, took time.Duration) {
	m.builds.WithLabelValues(axis).Observe(took.Seconds())
}

func (m *meter) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}

// Describe is empty: which markets there are is known when the metrics are read.
func (m *meter) Describe(chan<- *prometheus.Desc) {}

// Collect reads the newest state.
func (m *meter) Collect(out chan<- prometheus.Metric) {
	put := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	count := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
	}
	snap, now := m.s.views.snapshot(), m.s.opt.Now()
	for _, c := range snap.chains {
		m.chain(c, now, put, count)
	}
	for _, b := range snap.books {
		t := totalsOf(b)
		put(descPositions, float64(b.Len()), b.Chain(), b.Market())
		put(descTVL, t.TVLUSD.InexactFloat64(), b.Market())
		put(descSupplied, t.SuppliedUSD.InexactFloat64(), b.Market())
		put(descBorrowed, t.BorrowedUSD.InexactFloat64(), b.Market())
		kinds := map[string]int{}
		for _, f := range b.Faults() {
			kinds[f.Kind]++
		}
		for kind, n := range kinds {
			put(descFaults, float64(n), b.Market(), kind)
		}
	}
	for _, axis := range m.s.opt.Axes {
		m.axis(axis, put)
	}
	m.outbox(now, put, count)
	put(descViewers, float64(m.s.hub.count()))
	put(descBuild, 1, m.s.opt.Version)
}

type putMetric func(d *prometheus.Desc, v float64, labels ...string)

func (m *meter) chain(c ChainState, now time.Time, put, count putMetric) {
	put(descBlock, float64(c.Block.Number), c.Name)
	put(descBlockAge, now.Sub(c.Fed).Seconds(), c.Name)
	put(descAgeLimit, m.s.limit(c).Seconds(), c.Name)
	failing := 0.0
	if c.Why != "" {
		failing = 1
	}
	put(descChainFail, failing, c.Name)
	for _, k := range c.Markets {
		age := -1.0
		if !k.Fed.IsZero() {
			age = now.Sub(k.Fed).Seconds()
		}
		put(descMarketAge, age, c.Name, k.Name)
		if !k.Verified.IsZero() {
			put(descVerified, now.Sub(k.Verified).Seconds(), k.Name)
		}
	}
	for _, n := range c.Nodes {
		for method, v := range n.Requests {
			count(descRequests, float64(v), c.Name, n.Name, method)
		}
		count(descReqFailed, float64(n.Failed), c.Name, n.Name)
	}
	for _, p := range c.Spots {
		put(descSpot, p.Price.InexactFloat64(), p.Axis)
	}
}

// axis gives the levels of one axis, from the ladder that the page has.
func (m *meter) axis(axis string, put putMetric) {
	v, err := m.s.views.get(axis)
	if err != nil {
		return // an axis without a price has no numbers: absent is not zero
	}
	put(descPrice, v.cut.Spot.InexactFloat64(), axis)
	amounts(v.cut.LiquidatableNow, func(name string, d decimal.Decimal) { put(descNow, d.InexactFloat64(), axis, name) })
	for _, level := range m.s.levels(axis) {
		put(descDistance, thresholds.Distance(v.cut.Spot, level).InexactFloat64(), axis, level.String())
		t, err := m.s.views.at(v, level)
		if err != nil {
			continue
		}
		put(descLevelCount, float64(t.Accounts), axis, level.String())
		amounts(t, func(name string, d decimal.Decimal) { put(descLevel, d.InexactFloat64(), axis, level.String(), name) })
	}
}

func amounts(t thresholds.Totals, each func(string, decimal.Decimal)) {
	each("at_risk", t.AtRiskUSD)
	each("seizable", t.SeizableUSD)
	each("debt", t.DebtUSD)
	each("bad_debt", t.BadDebtUSD)
}

func (m *meter) outbox(now time.Time, put, count putMetric) {
	ctx, stop := context.WithTimeout(context.Background(), 2*time.Second)
	defer stop()
	ready := 0.0
	if len(m.s.notReady(ctx)) == 0 {
		ready = 1
	}
	put(descReady, ready)
	standby := 0.0
	if m.s.opt.Standby != nil {
		standby = 1
	}
	put(descStandby, standby)
	sinks, _ := m.s.sinks(ctx) // an error makes the page not ready
	for _, k := range sinks {
		failing, late := 0.0, 0.0
		if !k.Failing.IsZero() {
			failing = 1
		}
		if !k.Overdue.IsZero() {
			late = max(0, now.Sub(k.Overdue).Seconds())
		}
		put(descFailing, failing, k.Name)
		put(descOverdue, late, k.Name)
	}
	counts, err := m.s.opt.Keeper.AlertCounts(ctx)
	if err != nil {
		m.s.log.Error().Err(err).Msg("metrics")
		return
	}
	for _, c := range counts {
		count(descAlerts, float64(c.Count), c.Kind, c.Reason)
	}
	q, err := m.s.opt.Keeper.Queue(ctx)
	if err != nil {
		m.s.log.Error().Err(err).Msg("metrics")
		return
	}
	put(descWaiting, float64(q.Waiting))
	put(descDead, float64(q.Dead))
	age := 0.0
	if !q.Oldest.IsZero() {
		age = now.Sub(q.Oldest).Seconds()
	}
	put(descQueueAge, age)
}
