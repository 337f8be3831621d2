package alerts

import (
	"embed"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"text/template"
	"time"

	"github.com/shopspring/decimal"
)

//go:embed templates/*.tmpl
var templateFiles embed.FS

var wording = template.Must(template.New("").Funcs(template.FuncMap{
	"usd":       usd,
	"price":     price,
	"exact":     exact,
	"group":     func(n uint64) string { return separate(fmt.Sprint(n)) },
	"count":     count,
	"clean":     clean,
	"top":       func(m []MarketTotals) []MarketTotals { return m[:min(len(m), 3)] },
	"levels":    levelList,
	"far":       func(v voiced) string { return distanceText(v.Distance()) },
	"beside":    func(v voiced) string { return beside(v.Alert) },
	"went":      func(v voiced) string { return went(v.Side) },
	"withdrawn": func(v voiced) string { return withdrawn(v.Corrects) },
	"age":       func(v voiced) string { return span(v.age()) },
	"source":    sourceName,
	"changed":   func(v voiced) string { return changedText(v.Alert) },
	"ended":     func(v voiced) string { return endedText(v.Alert) },
	"gauge":     func(v voiced) string { return gaugeName(v.Gauge.Gauge) },
	"value":     func(v voiced) string { return v.number(v.Price, v.Level) },
	"before":    func(v voiced) string { return v.number(v.Gauge.Before.Decimal, v.Level) },
	"told":      func(v voiced) string { return v.number(v.Corrects.Price, v.Level) },
	"bound":     func(v voiced) string { return v.number(v.Level, v.Price) },
	"bounds":    func(v voiced) string { return v.bounds() },
	"past":      func(v voiced) string { return past(v.Price, v.Level) },
	"details":   func(v voiced) string { return details(v.Gauge.Fields) },
	"clock":     func(t time.Time) string { return t.UTC().Format("2 Jan 15:04 UTC") },
	"span":      span,
	"number":    func(n int) string { return separate(fmt.Sprint(n)) },
	"sum":       Heap.sum,
	"sourceage": func(v voiced) string { return span(v.Seen.Sub(v.Source.Fed)) },
}).ParseFS(templateFiles, "templates/*.tmpl"))

// voiced is what the templates see.
type voiced struct {
	Alert
	Levels []decimal.Decimal
}

// age is that of the oldest data behind the alert.
func (a Alert) age() time.Duration {
	if len(a.Blocks) == 0 {
		return 0
	}
	return max(0, a.Seen.Sub(time.Unix(int64(oldest(a.Blocks).Time), 0)))
}

// Compose says an alert in words. The same alert always gives the same message.
func Compose(a Alert) (Message, error) {
	if a.Follows != nil {
		return composeFollowing(a)
	}
	v, name := voiced{Alert: a, Levels: a.levels()}, string(a.Kind)
	if a.Gauge != nil {
		name = "gauge." + name
	}
	m := Message{Kind: a.Kind, Severity: a.Severity, Time: a.Seen, Fields: fields(a), Sketch: a.Sketch}
	for part, into := range map[string]*string{"title": &m.Title, "text": &m.Text} {
		var b strings.Builder
		if err := wording.ExecuteTemplate(&b, name+"."+part, v); err != nil {
			return Message{}, fmt.Errorf("word an alert of kind %q: %w", a.Kind, err)
		}
		*into = strings.TrimSpace(b.String())
	}
	var err error
	if m.Data, err = json.Marshal(body(a, m)); err != nil {
		return Message{}, fmt.Errorf("write an alert of kind %q as JSON: %w", a.Kind, err)
	}
	return m, nil
}

// fields are the numbers of an alert one by one, for channels that show a table.
func fields(a Alert) []Field {
	if a.Gauge != nil {
		return gaugeFields(a)
	}
	if a.Axis == "" {
		return nil
	}
	f := []Field{
		{"Price", price(a.Price)},
		{"Level", exact(a.Level)},
		{"Distance", distanceText(a.Distance())},
		{"Band", bandText(a)},
		{"At risk", usd(a.Totals.AtRiskUSD)},
		{"Seizable", usd(a.Totals.SeizableUSD)},
		{"Debt", usd(a.Totals.DebtUSD)},
		{"Accounts", separate(fmt.Sprint(a.Totals.Accounts))},
	}
	var largest []string
	for _, m := range a.Markets[:min(len(a.Markets), 3)] {
		largest = append(largest, clean(m.Market)+" "+usd(m.AtRiskUSD))
	}
	if largest != nil {
		f = append(f, Field{"Largest markets", strings.Join(largest, ", ")})
	}
	return append(f, dataFields(a)...)
}

// dataFields say which blocks the numbers are of, and how old they are.
func dataFields(a Alert) []Field {
	f := make([]Field, 0, len(a.Blocks)+3)
	if a.Changed != nil {
		f = append(f, Field{"Since the last alert", a.since()})
	}
	if a.Ended != nil {
		f = append(f, Field{"Lasted", howLong(a.Ended.Began, a.Ended.Time)})
	}
	for _, b := range a.Blocks {
		f = append(f, Field{"Block", clean(b.Chain) + " " + separate(strconv.FormatUint(b.Number, 10))})
	}
	return append(f, Field{"Age of the data", span(a.age())})
}

// band is the stretch of prices that the totals speak of.
func (a Alert) band() (from, to decimal.Decimal) {
	if a.Kind == KindCrossing && a.Previous.IsPositive() {
		return a.Previous, a.Level
	}
	return a.Price, a.Level
}

func bandText(a Alert) string {
	from, to := a.band()
	return price(from) + " to " + exact(to)
}

func sourceName(s *Source) string {
	if s.What == "price" {
		return "the price of " + clean(s.Name)
	}
	return clean(s.What) + " " + clean(s.Name)
}

func beside(a Alert) string {
	switch a.Price.Cmp(a.Level) {
	case 1:
		return "above"
	case -1:
		return "below"
	}
	return "from"
}

func went(s Side) string {
	if s == Down {
		return "fell to"
	}
	return "rose to"
}

// withdrawn says the opposite of what an alert said.
func withdrawn(c *Corrected) string {
	switch {
	case c.Kind == KindCrossing && c.Side == Down:
		return "did not fall to"
	case c.Kind == KindCrossing:
		return "did not rise to"
	case c.Kind == KindRearmed:
		return "did not move away from"
	}
	if c.Kind == KindGrowth {
		return "saw no such growth before"
	}
	return "did not come that near to"
}
