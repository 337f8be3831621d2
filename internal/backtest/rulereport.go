package backtest

import (
	"slices"

	"github.com/shopspring/decimal"

	"liqwatch/internal/alerts"
	"liqwatch/internal/backtest/notes"
)

// RuleReport is how early and how often rules would have spoken.
type RuleReport struct {
	From             Time            `json:"from"`
	To               Time            `json:"to"`
	Axis             string          `json:"axis"`
	Reference        string          `json:"reference"`
	History          string          `json:"history"`
	Policy           string          `json:"policy"`
	HorizonSeconds   uint64          `json:"horizon_seconds"`
	MinLiquidatedUSD decimal.Decimal `json:"min_liquidated_usd"`
	Looks            int             `json:"looks"`
	// Incidents are accounts liquidated, each once per day; Executions the rows behind them.
	Incidents  int             `json:"incidents"`
	Executions int             `json:"executions"`
	DebtUSD    decimal.Decimal `json:"debt_usd"`
	Rules      []RuleScore     `json:"rules"`
	Sweep      *Sweep          `json:"sweep,omitempty"`
	NoteList   []notes.Note    `json:"notes"`
}

// RuleScore is one rule.
type RuleScore struct {
	Rule     string            `json:"rule"`
	Axis     string            `json:"axis"`
	Approach []decimal.Decimal `json:"approach"`
	Rearm    decimal.Decimal   `json:"rearm"`
	Figures
	Levels []LevelScore `json:"levels"`
	// NoWarning are liquidations that no alert of the rule announced.
	NoWarning []Missed `json:"no_warning"`
	Sent      []Sent   `json:"alerts_sent"`
}

// LevelScore is one level of a rule from one side.
type LevelScore struct {
	Level decimal.Decimal `json:"level"`
	Side  string          `json:"side"`
	Figures
}

// Figures are what is known of a rule or level.
type Figures struct {
	Episodes         int              `json:"episodes"` // in which something was said
	Alerts           int              `json:"alerts"`   // approaches and crossings, per level named
	Rearmed          int              `json:"rearmed"`  // messages that an episode ended
	AlertsPerEpisode *decimal.Decimal `json:"alerts_per_episode"`
	// Lead is from the first alert of an episode to the first liquidation it announced.
	Lead LeadTime `json:"lead_seconds"`
	// Right is how many alerts were followed by enough liquidations in their band.
	Right     int              `json:"alerts_followed"`
	Precision *decimal.Decimal `json:"precision"`
	// Incidents are liquidations in the band, Announced those an alert spoke of before.
	Incidents        int              `json:"liquidations"`
	Announced        int              `json:"announced"`
	Recall           *decimal.Decimal `json:"recall"`
	DebtUSD          decimal.Decimal  `json:"liquidated_debt_usd"`
	AnnouncedDebtUSD decimal.Decimal  `json:"announced_debt_usd"`
}

// LeadTime is a spread of seconds; N of them.
type LeadTime struct {
	N      int    `json:"n"`
	Median *int64 `json:"median"`
	P10    *int64 `json:"p10"`
	P1     *int64 `json:"p1"`
}

// Missed is a liquidation that arrived with no warning.
type Missed struct {
	Time     Time             `json:"time"`
	Market   string           `json:"market"`
	Position string           `json:"position"`
	DebtUSD  decimal.Decimal  `json:"debt_usd"`
	Trigger  *decimal.Decimal `json:"trigger"`
}

// Sent is one alert of the run.
type Sent struct {
	Time      Time            `json:"time"`
	Rule      string          `json:"rule"`
	Level     decimal.Decimal `json:"level"`
	Side      string          `json:"side"`
	Kind      string          `json:"kind"`
	Episode   int             `json:"episode"`
	Mark      decimal.Decimal `json:"mark"`
	Price     decimal.Decimal `json:"price"`
	AtRiskUSD decimal.Decimal `json:"at_risk_usd"`
}

// tally adds up one rule's or level's figures.
type tally struct {
	episodes               map[string]uint64 // first alert
	hit                    map[string]uint64 // first liquidation announced
	alerts, right, rearmed int
	incidents, announced   int
	debt, announcedDebt    decimal.Decimal
	missed                 []Missed
}

func newTally() *tally { return &tally{episodes: map[string]uint64{}, hit: map[string]uint64{}} }

func episodeKey(s *sent) string {
	return levelKey(s.level, s.side) + "|" + decimal.NewFromInt(int64(s.episode)).String()
}

// alert counts an alert and whether liquidations followed in its band.
func (t *tally) alert(rec *recorder, s *sent, incidents []Incident, opt RuleOptions) {
	t.alerts++
	k := episodeKey(s)
	if first, ok := t.episodes[k]; !ok || s.time < first {
		t.episodes[k] = s.time
	}
	until := min(rec.end(s), s.time+opt.Horizon)
	sum := decimal.Zero
	for i := range incidents {
		x := &incidents[i]
		if x.Time > s.time && x.Time <= until && s.speaksOf(x) {
			sum = sum.Add(x.DebtUSD)
		}
	}
	if sum.IsPositive() && sum.GreaterThanOrEqual(opt.MinLiquidatedUSD) {
		t.right++
	}
}

// incident counts a liquidation and whether an alert spoke of it before it happened,
// in an episode that still lasted. An empty side takes alerts of all levels.
func (t *tally) incident(rec *recorder, x *Incident, level decimal.Decimal, side alerts.Side, opt RuleOptions) {
	t.incidents++
	t.debt = t.debt.Add(x.DebtUSD)
	announced := false
	for i := range rec.alerts {
		s := &rec.alerts[i]
		if side != "" && (s.side != side || !s.level.Equal(level)) {
			continue
		}
		if s.time >= x.Time || x.Time > min(rec.end(s), s.time+opt.Horizon) || !s.speaksOf(x) {
			continue
		}
		announced = true
		k := episodeKey(s)
		if first, ok := t.hit[k]; !ok || x.Time < first {
			t.hit[k] = x.Time
		}
	}
	if announced {
		t.announced++
		t.announcedDebt = t.announcedDebt.Add(x.DebtUSD)
		return
	}
	t.missed = append(t.missed, Missed{Time: Time(x.Time), Market: x.Key.Market, Position: x.Key.Position, DebtUSD: x.DebtUSD.Round(2), Trigger: rounded(x.Trigger)})
}

func rounded(d *decimal.Decimal) *decimal.Decimal {
	if d == nil {
		return nil
	}
	return ptr(d.Round(8))
}

func (t *tally) figures() Figures {
	f := Figures{Episodes: len(t.episodes), Alerts: t.alerts, Rearmed: t.rearmed, Right: t.right, Incidents: t.incidents,
		Announced: t.announced, DebtUSD: t.debt.Round(2), AnnouncedDebtUSD: t.announcedDebt.Round(2)}
	f.AlertsPerEpisode = part(t.alerts, len(t.episodes))
	f.Precision, f.Recall = part(t.right, t.alerts), part(t.announced, t.incidents)
	var leads []int64
	for k, at := range t.hit {
		leads = append(leads, int64(at-t.episodes[k]))
	}
	f.Lead = newLeadTime(leads)
	return f
}

// part is a/b to four digits, nil without b.
func part(a, b int) *decimal.Decimal {
	if b == 0 {
		return nil
	}
	return ptr(decimal.NewFromInt(int64(a)).DivRound(decimal.NewFromInt(int64(b)), 4))
}

func newLeadTime(leads []int64) LeadTime {
	l := LeadTime{N: len(leads)}
	if len(leads) == 0 {
		return l
	}
	slices.Sort(leads)
	at := func(percent int) *int64 { return &leads[len(leads)*percent/100] }
	l.Median, l.P10, l.P1 = at(50), at(10), at(1)
	return l
}
