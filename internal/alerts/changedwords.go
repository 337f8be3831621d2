package alerts

import (
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// since is how long ago, on the chain, a rule last spoke of the level.
func (a Alert) since() string {
	if a.Changed == nil {
		return ""
	}
	return howLong(a.Changed.Time, newest(a.Blocks))
}

// newest is the chain time of a look: that of its newest block.
func newest(blocks []BlockRef) uint64 { return Observation{Blocks: blocks}.time() }

func howLong(from, to uint64) string {
	if to < from {
		return span(0)
	}
	return span(time.Duration(to-from) * time.Second)
}

// changedText says in one sentence what became different, and by what.
func changedText(a Alert) string {
	c := a.Changed
	if a.Gauge != nil {
		if c.Price.IsZero() {
			return "The last alert was " + a.since() + " ago"
		}
		return "The last alert, " + a.since() + " ago, said " + a.number(c.Price, a.Level)
	}
	var b strings.Builder
	b.WriteString("Since the alert at " + price(c.Price) + ", " + a.since() + " ago: ")
	before, now := usd(c.Before.AtRiskUSD), usd(c.Now.AtRiskUSD)
	if before == now {
		b.WriteString("at risk as before")
	} else {
		b.WriteString(before + " at risk became " + now)
		if why := causes(c); why != "" {
			b.WriteString(" (" + why + ")")
		}
	}
	if c.Before.Accounts != c.Now.Accounts {
		b.WriteString(", " + thousands(c.Before.Accounts) + " to " + count(c.Now.Accounts, "account"))
	}
	return b.String()
}

// causes names what changed an amount. The cents that interest adds are no cause.
func causes(c *Changed) string {
	if c.ByPositions == nil || c.ByPrice == nil {
		return ""
	}
	positions, byPrice := c.ByPositions.AtRiskUSD.Round(0), c.ByPrice.AtRiskUSD.Round(0)
	switch {
	case positions.IsZero() && byPrice.IsZero():
		return ""
	case byPrice.IsZero():
		return "all by positions"
	case positions.IsZero():
		return "all by the price"
	}
	return "positions " + signedUSD(positions) + ", price " + signedUSD(byPrice)
}

func signedUSD(v decimal.Decimal) string {
	if v.IsPositive() {
		return "+" + usd(v)
	}
	return usd(v)
}

// endedText says what the episode was like that is over.
func endedText(a Alert) string {
	e := a.Ended
	text := "It lasted " + howLong(e.Began, e.Time)
	if a.Gauge != nil {
		return text + " and came to " + a.number(e.Deepest, a.Level)
	}
	text += ", the price came "
	if e.Crossed {
		text += "to " + price(e.Deepest)
	} else {
		text += "as near as " + price(e.Deepest)
	}
	if e.Most != nil && e.Most.AtRiskUSD.IsPositive() {
		text += ", at most " + usd(e.Most.AtRiskUSD) + " was said to be at risk"
	}
	return text
}
