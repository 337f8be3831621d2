package config

import (
	"time"

	"github.com/shopspring/decimal"
	"go.yaml.in/yaml/v3"
)

// Rule says which prices to speak of, how early, and to whom.
type Rule struct {
	Name         string          `yaml:"name,required" doc:"the rule's name in messages and on the page"`
	Axis         string          `yaml:"axis" doc:"the axis it watches; not needed with a watch that is of no axis"`
	Levels       Levels          `yaml:"levels" doc:"prices to warn of, or walls: those found in the ladder"`
	Walls        *Walls          `yaml:"walls" doc:"instead of levels: warn of the prices where most collateral comes due"`
	Approach     []Ratio         `yaml:"approach" default:"[8%, 3%, 1%]" doc:"distances to a level at which a message is sent, falling"`
	Rearm        Ratio           `yaml:"rearm" default:"5%" doc:"how far the price must recede before the same thing is told again: from the level after a crossing, else from the widest approach distance. With a watch: how far the number must recede from its bound, as a part of the bound; each has its own default there"`
	MinAtRiskUSD decimal.Decimal `yaml:"min_at_risk_usd" doc:"stay silent while less collateral than this comes due between the price and the level"`
	Blocks       int             `yaml:"blocks" default:"1" doc:"for how many blocks in a row a distance, level or bound must be reached before it is told; 1 tells the first touch, more let the wick of a price pass"`
	Growth       Ratio           `yaml:"growth" doc:"tell again when the collateral that comes due before a level has grown by this part since it was last told, though the price stands still; not told when left out"`
	Notify       []string        `yaml:"notify" doc:"the notifiers told"`
	Severity     string          `yaml:"severity" doc:"info, warning or critical for all its messages; each kind of message has its own when left out"`
	Advice       string          `yaml:"advice" doc:"what to do about it, in your words: ends every message of the rule; at most 500 characters"`
	Remind       time.Duration   `yaml:"remind" doc:"how often to tell again while it lasts and nobody has acknowledged it, at least 1m; never when left out"`
	Escalate     *Escalate       `yaml:"escalate" doc:"tell others, once, when nobody has acknowledged it in time"`
	StaleAfter   time.Duration   `yaml:"stale_after" default:"5m" doc:"age of the data from which on the silence itself is told"`
	Gauge
}

// Levels are the prices of a rule: fixed ones, or those of the ladder's walls.
type Levels struct {
	Prices []decimal.Decimal
	Walls  bool
}

func (l *Levels) decode(d *decoder, n *yaml.Node) {
	if n.Kind == yaml.ScalarNode && n.Value == "walls" {
		l.Walls = true
		return
	}
	if n.Kind != yaml.SequenceNode {
		d.refuse(n, "write [2200, 2400] or walls", "a list of prices is wanted here, not %s", kindOf(n))
		return
	}
	l.Prices = make([]decimal.Decimal, 0, len(n.Content))
	for _, item := range n.Content {
		if x, ok := d.decimal(item); ok {
			l.Prices = append(l.Prices, x)
		}
	}
}

// Walls are prices found in the ladder.
type Walls struct {
	MinAtRiskUSD decimal.Decimal `yaml:"min_at_risk_usd" default:"1000000" doc:"least collateral at one price to call it a wall"`
	Count        int             `yaml:"count" default:"5" doc:"at most this many walls on either side, the largest first"`
}

// Notifier is one place messages go to.
type Notifier struct {
	// Name is what rules call it.
	Name string
	// Type names the plug-in: telegram, webhook, ...
	Type string
	// Delivery is when and how it is told.
	Delivery Delivery
	// Settings are the plug-in's own.
	Settings Settings
	// Position is where it stands in the file.
	Position Position
}
