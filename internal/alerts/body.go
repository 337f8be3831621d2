package alerts

import (
	"time"

	"github.com/shopspring/decimal"
)

// BodyVersion is that of the JSON body. It grows when a field changes its meaning
// or goes away; new fields may come at any time.
const BodyVersion = 1

// maxPassed is how many of the levels passed the JSON names; passed_count tells all.
const maxPassed = 100

// Body is an alert for machines: what a webhook receives. Prices, money and ratios
// are exact decimals in strings; times are RFC 3339; fields without a meaning for
// the kind are absent.
type Body struct {
	Type      string    `json:"type"` // "liqwatch.approach", "liqwatch.crossing", ...
	Timestamp time.Time `json:"timestamp"`
	Data      BodyData  `json:"data"`
}

// BodyData is the alert itself.
type BodyData struct {
	Version  int      `json:"version"`
	Key      string   `json:"key"`
	Kind     Kind     `json:"kind"`
	Reason   Reason   `json:"reason,omitempty"`
	Severity Severity `json:"severity"`
	Rule     string   `json:"rule"`
	Title    string   `json:"title"`
	Text     string   `json:"text"`
	Advice   string   `json:"advice,omitempty"`
	// Claims are what it says happened, one for each level (of a correction: what it
	// takes back), the one it speaks for last: rule|axis|level|side|episode|mark.
	Claims []string `json:"claims,omitempty"`

	// Side and Episode are those of a level or a bound; Passed are the levels (of an
	// approach: distances) passed on the way, or the bounds.
	Side        Side              `json:"side,omitempty"`
	Episode     int               `json:"episode,omitempty"`
	Passed      []decimal.Decimal `json:"passed,omitempty"`
	PassedCount int               `json:"passed_count,omitempty"`
	*BodyLevel
	*BodyGauge
	Changed    *Changed    `json:"changed,omitempty"` // since the rule last spoke of the level
	Ended      *Ended      `json:"ended,omitempty"`   // the episode that is over
	Blocks     []BlockRef  `json:"blocks,omitempty"`
	AgeSeconds *int64      `json:"age_seconds,omitempty"` // of the oldest block
	Corrects   *Corrected  `json:"corrects,omitempty"`
	Source     *BodySource `json:"source,omitempty"`
	Fault      *Fault      `json:"fault,omitempty"`
	Follows    *Followed   `json:"follows,omitempty"`
	Heap       *Heap       `json:"digest_of,omitempty"`
	Report     *Report     `json:"report,omitempty"`
}

// BodyLevel is the part of an alert that speaks of a price level.
type BodyLevel struct {
	Axis      string           `json:"axis"`
	Reference string           `json:"reference"`
	Price     decimal.Decimal  `json:"price"`
	Previous  *decimal.Decimal `json:"previous,omitempty"`
	Level     decimal.Decimal  `json:"level"`
	Approach  *decimal.Decimal `json:"approach,omitempty"` // the approach distance reached, a fraction
	Distance  decimal.Decimal  `json:"distance"`           // |price/level - 1|, 8 digits
	Band      BodyBand         `json:"band"`
	Totals    Totals           `json:"totals"`            // within the band
	Markets   []MarketTotals   `json:"markets,omitempty"` // the largest, within the band
	Beyond    *Beyond          `json:"beyond,omitempty"`  // what comes next on the way
	Now       Totals           `json:"liquidatable_now"`
	Market    *decimal.Decimal `json:"market_price,omitempty"` // by a feed besides the oracle
	Digest    string           `json:"digest,omitempty"`
}

// BodyGauge is the part of an alert that speaks of a number other than a price.
type BodyGauge struct {
	Gauge   string           `json:"gauge"`
	Subject string           `json:"subject"`
	Name    string           `json:"name"`
	Unit    Unit             `json:"unit"`
	Value   *decimal.Decimal `json:"value,omitempty"` // absent when there is none any more
	Before  *decimal.Decimal `json:"before,omitempty"`
	Bound   decimal.Decimal  `json:"bound"`
	Details []Field          `json:"fields,omitempty"`
}

// BodyBand is the stretch of prices that the totals are of.
type BodyBand struct {
	From decimal.Decimal `json:"from"`
	To   decimal.Decimal `json:"to"`
}

// BodySource is the source that an alert about data speaks of.
type BodySource struct {
	What         string    `json:"what"`
	Name         string    `json:"name"`
	Block        *BlockRef `json:"block,omitempty"`
	Fed          time.Time `json:"fed"`
	LimitSeconds float64   `json:"limit_seconds"`
	Why          string    `json:"why,omitempty"`
}

func body(a Alert, m Message) Body {
	d := BodyData{
		Version: BodyVersion, Key: a.Key, Kind: a.Kind, Reason: a.Reason, Severity: a.Severity, Rule: a.Rule,
		Title: m.Title, Text: m.Text, Advice: a.Advice, Changed: a.Changed, Ended: a.Ended, Blocks: a.Blocks, Corrects: a.Corrects, Fault: a.Fault,
		Follows: a.Follows, Heap: a.Heap, Report: a.Report,
	}
	if a.Side != "" {
		d.Side, d.Episode, d.Passed, d.PassedCount = a.Side, a.Episode, a.Passed[:min(len(a.Passed), maxPassed)], len(a.Passed)
	}
	d.Claims = lastClaims(a.Claims)
	if a.Kind == KindCorrection {
		d.Claims = lastClaims(a.Withdraws)
	}
	if a.Axis != "" {
		d.BodyLevel = bodyLevel(a)
		seconds := int64(a.age() / time.Second)
		d.AgeSeconds = &seconds
	}
	if a.Gauge != nil {
		d.BodyGauge = bodyGauge(a)
		seconds := int64(a.age() / time.Second)
		d.AgeSeconds = &seconds
	}
	if s := a.Source; s != nil {
		d.Source = &BodySource{What: s.What, Name: s.Name, Fed: s.Fed.UTC(), LimitSeconds: s.Limit.Seconds(), Why: s.Why}
		if s.Block.Chain != "" {
			d.Source.Block = &s.Block
		}
	}
	return Body{Type: "liqwatch." + string(a.Kind), Timestamp: a.Seen.UTC(), Data: d}
}

// lastClaims are the last ones, as many as there are levels named.
func lastClaims(claims []string) []string { return claims[max(0, len(claims)-maxPassed):] }

func bodyLevel(a Alert) *BodyLevel {
	from, to := a.band()
	b := &BodyLevel{
		Axis: a.Axis, Reference: a.Reference, Price: a.Price, Level: a.Level, Distance: a.Distance(),
		Band: BodyBand{from, to}, Totals: a.Totals, Markets: a.Markets, Now: a.Now, Digest: a.Digest,
	}
	b.Beyond = a.Beyond
	if a.Market.IsPositive() {
		b.Market = &a.Market
	}
	if a.Previous.IsPositive() {
		b.Previous = &a.Previous
	}
	if a.Kind == KindApproach {
		b.Approach = &a.Mark
	}
	return b
}
