package alerts

import (
	"github.com/shopspring/decimal"
)

// Amount is how much is at risk, and in how many accounts. As a difference it has a sign.
type Amount struct {
	AtRiskUSD decimal.Decimal `json:"at_risk_usd"`
	Accounts  int             `json:"accounts"`
}

func amount(t Totals) Amount { return Amount{t.AtRiskUSD, t.Accounts} }

func (a Amount) minus(b Amount) Amount {
	return Amount{a.AtRiskUSD.Sub(b.AtRiskUSD), a.Accounts - b.Accounts}
}

// Course is what an episode has been like, for the message that it is over.
type Course struct {
	// Began is the chain time at which the first mark was reached, unix seconds.
	Began uint64 `json:"began"`
	// Deepest is the price furthest on the way to the level, or past it. Of a gauge it
	// is kept to a tenth of the margin, so that not every block has something to write.
	Deepest decimal.Decimal `json:"deepest"`
	// Most is the most that an alert of the episode said was at risk.
	Most Amount `json:"most,omitzero"`
}

// coarse is the part of the margin by which the deepest value of a gauge must change.
var coarse = decimal.New(1, -1)

// follow brings the course of an episode up to a look at which a mark counts or holds.
func (e *Episode) follow(r Rule, g gap, o sight) {
	if !e.Reached.Valid {
		return
	}
	if e.Course == nil {
		e.Course = &Course{Began: o.time, Deepest: o.price}
		return
	}
	step := decimal.Zero
	if e.Subject != "" {
		step = e.Level.Abs().Mul(r.Rearm).Mul(coarse)
	}
	if g.deeperThan(e.Course.Deepest) && o.price.Sub(e.Course.Deepest).Abs().GreaterThanOrEqual(step) {
		c := *e.Course
		c.Deepest = o.price
		e.Course = &c
	}
}

// Ended is what an episode that is over was like.
type Ended struct {
	// Began and Time are chain times: of the first mark reached, and of the end. Unix seconds.
	Began uint64 `json:"began"`
	Time  uint64 `json:"ended"`
	// Deepest is the price, or value, furthest on the way to the level or past it.
	Deepest decimal.Decimal `json:"deepest"`
	// Crossed: the level was reached.
	Crossed bool `json:"crossed"`
	// Most is the most that an alert of it said was at risk; of a gauge, nothing.
	Most *Amount `json:"most,omitempty"`
}

// ended sums up the episodes that ended at once: from the first beginning, to the deepest.
func ended(group []move, now uint64) *Ended {
	var all *Ended
	for _, m := range group {
		c := m.ended.Course
		if c == nil {
			continue // begun by a version that kept none
		}
		if all == nil {
			all = &Ended{Began: c.Began, Time: now, Deepest: c.Deepest}
		}
		all.Began, all.Crossed = min(all.Began, c.Began), all.Crossed || crossed(m.ended)
		if (gap{m.ended.Side, c.Deepest, m.ended.Level}).deeperThan(all.Deepest) {
			all.Deepest = c.Deepest
		}
		if m.ended.Subject == "" && (all.Most == nil || c.Most.AtRiskUSD.GreaterThan(all.Most.AtRiskUSD)) {
			most := c.Most
			all.Most = &most
		}
	}
	return all
}
