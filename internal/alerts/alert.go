package alerts

import (
	"fmt"
	"time"

	"github.com/shopspring/decimal"
)

// Kind is what an alert is about.
type Kind string

// The kinds of alerts.
const (
	KindApproach    Kind = "approach"    // the price came within an approach distance
	KindCrossing    Kind = "crossing"    // the price reached a level
	KindGrowth      Kind = "growth"      // more comes due before a level, though the price stands still
	KindRearmed     Kind = "rearmed"     // the price receded by the margin: the episode is over
	KindCorrection  Kind = "correction"  // an earlier alert spoke of a block that is gone
	KindStale       Kind = "stale"       // data stopped
	KindFresh       Kind = "fresh"       // data are back
	KindFault       Kind = "fault"       // something is wrong with a market's numbers
	KindMended      Kind = "mended"      // and it no longer is
	KindUndelivered Kind = "undelivered" // a message could not be delivered elsewhere
	KindNotice      Kind = "notice"      // a notifier has something to say
	KindTest        Kind = "test"        // somebody asked for a test message
)

// severity is the kind's own, for rules that name none.
func (k Kind) severity() Severity {
	switch k {
	case KindCrossing, KindStale, KindFault, KindUndelivered:
		return Critical
	case KindApproach, KindGrowth, KindCorrection, KindNotice:
		return Warning
	}
	return Info
}

// Reason names why something was decided. The texts are stable: they are logged,
// stored and counted.
type Reason string

// Why an alert was made, or not, or why a state changed.
const (
	ReasonStarted       Reason = "started"         // first look at this level from this side
	ReasonBeyondAtStart Reason = "beyond-at-start" // the price was at or past the level when watching began
	ReasonApproach      Reason = "approach"        // came within an approach distance
	ReasonGrew          Reason = "grew"            // price within the distance before; now the amount reached the minimum
	ReasonGrowth        Reason = "growth"          // the amount grew by the rule's part since it was last told, over the same stretch of prices
	ReasonCrossed       Reason = "crossed"         // reached the level
	ReasonPassed        Reason = "passed"          // reached the rule's next level too
	ReasonInside        Reason = "inside"          // the rule's next level is ahead again
	ReasonHolding       Reason = "holding"         // a mark or the margin is reached, for fewer blocks than the rule wants
	ReasonWick          Reason = "wick"            // and was left before it had held that long: nothing happened
	ReasonReceding      Reason = "receding"        // moves away, by less than the margin so far
	ReasonReturned      Reason = "returned"        // came back before the margin was reached: nothing new
	ReasonRearmed       Reason = "rearmed"         // receded by the margin
	ReasonNothingSaid   Reason = "nothing-said"    // receded by the margin, but nobody had been told anything
	ReasonBelowMinimum  Reason = "below-minimum"   // less collateral at risk than min_at_risk_usd
	ReasonNothingAtRisk Reason = "nothing-at-risk" // no account becomes liquidatable on the way, and the rule has a minimum
	ReasonAlreadySeen   Reason = "already-seen"    // an observation of blocks that were applied before
	ReasonStillTrue     Reason = "still-true"      // said of an orphaned block, and true on the new branch too
	ReasonOrphaned      Reason = "orphaned"        // said of an orphaned block, not true on the new branch
	ReasonGone          Reason = "gone"            // there is no such number any more: the position was closed
	ReasonRetired       Reason = "retired"         // the level is no longer in the rule
	ReasonStale         Reason = "stale"           // no new data within the limit
	ReasonFresh         Reason = "fresh"           // data are back
	ReasonFault         Reason = "fault"           // a check of a market's numbers failed
	ReasonMended        Reason = "mended"          // the check holds again
)

// Decision is one thing decided, whether or not somebody is told.
type Decision struct {
	Rule string `json:"rule"`
	// Axis is what is watched: an axis, or a gauge and its subject: "gauge|subject".
	Axis    string          `json:"axis,omitempty"`
	Level   decimal.Decimal `json:"level"`
	Side    Side            `json:"side"`
	Episode int             `json:"episode"`
	From    Phase           `json:"from"`
	To      Phase           `json:"to"`
	Reason  Reason          `json:"reason"`
	Price   decimal.Decimal `json:"price"`
	Time    uint64          `json:"time"` // chain time, unix seconds
	Sent    bool            `json:"sent"` // an alert came of it
}

// Alert is something people are told. It is made once and never changes.
type Alert struct {
	// Key is stable: the same event gives the same key after a restart or a reorg.
	Key      string    `json:"key"`
	Kind     Kind      `json:"kind"`
	Reason   Reason    `json:"reason"`
	Severity Severity  `json:"severity"`
	Rule     string    `json:"rule"`
	Advice   string    `json:"advice,omitempty"`
	Notify   []string  `json:"notify"`
	Seen     time.Time `json:"seen"` // wall time of the look it came from

	Axis      string            `json:"axis,omitempty"`
	Reference string            `json:"reference,omitempty"`
	Level     decimal.Decimal   `json:"level"`
	Side      Side              `json:"side"`
	Episode   int               `json:"episode,omitempty"`
	Mark      decimal.Decimal   `json:"mark,omitzero"` // the approach distance reached; 0 for the level itself
	Passed    []decimal.Decimal `json:"passed,omitempty"`
	Price     decimal.Decimal   `json:"price"`
	// Previous is the price of the look before; the band of a crossing starts there. Zero without one.
	Previous decimal.Decimal `json:"previous,omitzero"`
	Totals   Totals          `json:"totals,omitzero"` // between the price and the level; of a crossing, as of just before it
	Markets  []MarketTotals  `json:"markets,omitempty"`
	// Beyond is what lies on the far side of the level; nil when nobody looked.
	Beyond *Beyond `json:"beyond,omitempty"`
	// Market is the price by a feed besides the protocol's oracle; zero without one.
	Market decimal.Decimal `json:"market,omitzero"`
	Now    Totals          `json:"now,omitzero"` // liquidatable at the price already
	Blocks []BlockRef      `json:"blocks,omitempty"`
	Digest string          `json:"digest,omitempty"`

	// Gauge is what an alert of a gauge rule speaks of; its Level is the bound then, and
	// Price the value.
	Gauge *GaugeReading `json:"gauge,omitempty"`

	// Changed is what became different since the rule last spoke of the level; nil the
	// first time.
	Changed *Changed `json:"changed,omitempty"`
	// Ended is what the episode was like that is over.
	Ended *Ended `json:"ended,omitempty"`

	// Claims are what it says happened, one for each level it names.
	Claims []string `json:"claims,omitempty"`
	// Withdraws are the claims that a correction takes back.
	Withdraws []string `json:"withdraws,omitempty"`
	// Corrects is the alert that a correction takes back.
	Corrects *Corrected `json:"corrects,omitempty"`
	// Source is what a stale or fresh alert speaks of.
	Source *Source `json:"source,omitempty"`
	// Fault is what a fault alert, or the one that it is mended, speaks of.
	Fault *Fault `json:"fault,omitempty"`
	// Follows is what a reminder or an escalation repeats.
	Follows *Followed `json:"follows,omitempty"`
	// Heap is what a digest stands for.
	Heap *Heap `json:"heap,omitempty"`
	// Report is the proof of life that a daily digest brings.
	Report *Report `json:"report,omitempty"`
	// Note is the text of alerts that are about the delivery itself.
	Note string `json:"note,omitempty"`
	// Sketch is kept with the message, not twice.
	Sketch *Sketch `json:"-"`
}

// Corrected says what a correction takes back.
type Corrected struct {
	Key    string            `json:"key"`
	Kind   Kind              `json:"kind"`
	Levels []decimal.Decimal `json:"levels"`
	Side   Side              `json:"side"`
	Price  decimal.Decimal   `json:"price"`
	Blocks []BlockRef        `json:"blocks"`
}

// Distance is |price/level - 1|, to 8 digits, rounded half away from zero.
func (a Alert) Distance() decimal.Decimal { return distance(a.Price, a.Level) }

func distance(price, level decimal.Decimal) decimal.Decimal {
	if level.IsZero() {
		return decimal.Zero
	}
	return price.Sub(level).Abs().DivRound(level, 8)
}

// percent writes a fraction for people: 0.005 is 0.5%.
func percent(f decimal.Decimal) string { return f.Shift(2).String() + "%" }

// claim names one event of one episode; mark is the approach distance, 0 for the
// crossing, or "rearmed".
func claim(rule Rule, e Episode, mark string) string {
	return fmt.Sprintf("%s|%s|%s|%s|%d|%s", rule.Name, rule.watched(e.Subject), e.Level, e.Side, e.Number, mark)
}
