package alerts

import (
	"context"
	"fmt"
	"time"

	"github.com/rs/zerolog"
	"github.com/shopspring/decimal"
)

// Report is what a daily digest tells: that everything is watched, and how it stands.
type Report struct {
	// Troubles are the reasons why alerts cannot be relied on now; see [Vitals].
	Troubles []string      `json:"troubles,omitempty"`
	Axes     []ReportAxis  `json:"axes"`
	Chains   []ReportChain `json:"chains"`
	Accounts int           `json:"accounts"`
	Markets  int           `json:"markets"`
	// Verified is when the market that waited longest was last read again whole; zero
	// while one never was.
	Verified time.Time `json:"verified,omitzero"`
	// Rules count the alerts of the last 24 hours.
	Rules []RuleCount `json:"rules,omitempty"`
	// Waiting and Dead are deliveries: those to come, and those given up in the last
	// 24 hours.
	Waiting int    `json:"waiting"`
	Dead    int    `json:"dead"`
	Link    string `json:"link,omitempty"`

	at time.Time
}

// ReportAxis is how one axis stands.
type ReportAxis struct {
	Axis  string          `json:"axis"`
	Price decimal.Decimal `json:"price"`
	// Below and Above are the nearest levels of any rule; nil without one.
	Below *ReportLevel `json:"below,omitempty"`
	Above *ReportLevel `json:"above,omitempty"`
	// Wall is the nearest price at which much comes due; nil without one.
	Wall *ReportLevel `json:"wall,omitempty"`
	// Liquidatable is the collateral, in USD, of what is liquidatable already.
	Liquidatable decimal.Decimal `json:"liquidatable_usd"`
}

// ReportLevel is a price and the collateral at risk on the way to it, in USD.
type ReportLevel struct {
	Level     decimal.Decimal `json:"level"`
	AtRiskUSD decimal.Decimal `json:"at_risk_usd"`
}

// ReportChain is where a chain stands.
type ReportChain struct {
	Chain string        `json:"chain"`
	Block uint64        `json:"block"`
	Age   time.Duration `json:"-"`
	Time  time.Time     `json:"time,omitzero"` // of the block
}

// RuleCount is how many alerts a rule made.
type RuleCount struct {
	Rule  string `json:"rule"`
	Count int    `json:"count"`
}

// Told is how many alerts there were.
func (r Report) Told() int {
	n := 0
	for _, c := range r.Rules {
		n += c.Count
	}
	return n
}

// VerifiedAge is how long ago the last whole reading was.
func (r Report) VerifiedAge() time.Duration { return r.at.Sub(r.Verified) }

// Daily is when the digest is told, and to whom.
type Daily struct {
	At     Clock
	Zone   *time.Location
	Notify []string
}

// last is the newest hour of the digest that has come.
func (d Daily) last(now time.Time) time.Time {
	year, month, day := now.In(d.Zone).Date()
	at := d.At.on(year, month, day, d.Zone)
	if at.After(now) {
		at = d.At.on(year, month, day-1, d.Zone)
	}
	return at
}

// Poster keeps alerts that come of no rule.
type Poster interface {
	Post(ctx context.Context, at time.Time, posts ...Post) error
}

// DailyDigest tells once a day that all is well, or what is not. It is told late
// when nothing ran at its hour, and once, whatever restarts come: its key is the date.
type DailyDigest struct {
	Daily
	// Report looks at everything. False: too early, nothing has been looked at yet.
	Report func(ctx context.Context, now time.Time) (Report, bool, error)
	Poster Poster
	Now    func() time.Time
	// Wake is called after a digest was made.
	Wake func()
	Log  zerolog.Logger

	told time.Time // the hour of the last one made by this process
}

// Run looks at the clock until the context ends.
func (d *DailyDigest) Run(ctx context.Context) {
	every(ctx, lookAgain, func() {
		if err := d.Look(ctx); err != nil && ctx.Err() == nil {
			d.Log.Error().Err(err).Msg("daily digest")
		}
	})
}

// Look makes the digest if its hour has come and it was not made yet.
func (d *DailyDigest) Look(ctx context.Context) error {
	now := d.Now()
	hour := d.last(now)
	if hour.Equal(d.told) {
		return nil
	}
	r, ready, err := d.Report(ctx, now)
	if err != nil {
		return fmt.Errorf("look at everything for the daily digest: %w", err)
	}
	if !ready {
		return nil
	}
	r.at = now
	severity := Info
	if len(r.Troubles) > 0 {
		severity = Warning
	}
	post, err := posts([]Alert{{
		Key: "daily|" + hour.Format("2006-01-02"), Kind: KindDaily, Reason: ReasonDaily, Severity: severity,
		Rule: dailyRule, Notify: d.Notify, Seen: now, Report: &r,
	}})
	if err != nil {
		return err
	}
	if err := d.Poster.Post(ctx, now, post...); err != nil {
		return fmt.Errorf("keep the daily digest: %w", err)
	}
	d.told = hour
	d.Wake()
	return nil
}

// lookAgain is how often the clock is looked at: timers stand still while the
// machine sleeps, so that no long one can be relied on.
const lookAgain = 5 * time.Second

// every calls f now and then until the context ends.
func every(ctx context.Context, d time.Duration, f func()) {
	t := time.NewTicker(d)
	defer t.Stop()
	for ctx.Err() == nil {
		f()
		select {
		case <-ctx.Done():
		case <-t.C:
		}
	}
}
