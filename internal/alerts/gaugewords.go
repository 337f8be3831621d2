package alerts

import (
	"strings"

	"github.com/shopspring/decimal"
)

// gaugeNames are those that would read badly with their underscores taken out.
var gaugeNames = map[string]string{
	"tvl": "TVL", "at_risk_share": "share at risk", "divergence": "distance from the market price", "hours_to_touch": "time to touch",
}

// gaugeName is the name of a gauge for people.
func gaugeName(gauge string) string {
	if name, ok := gaugeNames[gauge]; ok {
		return name
	}
	return strings.ReplaceAll(gauge, "_", " ")
}

// number writes a value of the gauge for people, with so many digits that it can be
// told from the other one that stands beside it.
func (a Alert) number(v, beside decimal.Decimal) string {
	text, other := a.Gauge.Unit.write(v, 0), a.Gauge.Unit.write(beside, 0)
	for more := int32(1); text == other && !v.Equal(beside) && more <= 18; more++ {
		text, other = a.Gauge.Unit.write(v, more), a.Gauge.Unit.write(beside, more)
	}
	return text
}

// write writes a value with more digits than usual.
func (u Unit) write(v decimal.Decimal, more int32) string {
	switch u {
	case Part:
		return separate(v.Shift(2).Round(2+more).String()) + "%"
	case Quotient:
		sign := ""
		if v.GreaterThan(one) {
			sign = "+"
		}
		return sign + separate(v.Sub(one).Shift(2).Round(2+more).String()) + "%"
	case Hours:
		if v.LessThan(decimal.NewFromInt(2)) {
			return v.Mul(decimal.NewFromInt(60)).Round(more).String() + " min"
		}
		return separate(v.Round(1+more).String()) + " h"
	case USD:
		if more == 0 {
			return usd(v)
		}
		return separate(v.Round(2*more-2).String()) + " USD"
	}
	return separate(v.Round(3 + more).String())
}

// past says on which side of its bound a value is.
func past(value, bound decimal.Decimal) string {
	switch value.Cmp(bound) {
	case 1:
		return "over"
	case -1:
		return "under"
	}
	return "at"
}

func (a Alert) bounds() string {
	parts := make([]string, len(a.Passed))
	for i, b := range a.Passed {
		parts[i] = a.number(b, a.Level)
	}
	return strings.Join(parts, ", ")
}

// details are the fields of a reading in one line.
func details(fields []Field) string {
	var parts []string
	for _, f := range fields {
		parts = append(parts, clean(f.Name)+" "+clean(f.Value))
	}
	return strings.Join(parts, ", ")
}

// gaugeFields are the numbers of a gauge's alert one by one.
func gaugeFields(a Alert) []Field {
	name := gaugeName(a.Gauge.Gauge)
	f := []Field{{"Of", clean(a.Gauge.Name)}}
	if !a.Gauge.Gone {
		f = append(f, Field{strings.ToUpper(name[:1]) + name[1:], a.number(a.Price, a.Level)})
	}
	f = append(f, Field{"Bound", a.number(a.Level, a.Price)})
	if a.Gauge.Before.Valid {
		f = append(f, Field{"Before", a.number(a.Gauge.Before.Decimal, a.Level)})
	}
	for _, more := range a.Gauge.Fields {
		f = append(f, Field{clean(more.Name), clean(more.Value)})
	}
	return append(f, dataFields(a)...)
}

func bodyGauge(a Alert) *BodyGauge {
	b := &BodyGauge{
		Gauge: a.Gauge.Gauge, Subject: a.Gauge.Subject, Name: a.Gauge.Name, Unit: a.Gauge.Unit, Bound: a.Level,
		Details: a.Gauge.Fields,
	}
	if !a.Gauge.Gone {
		b.Value = &a.Price
	}
	if a.Gauge.Before.Valid {
		b.Before = &a.Gauge.Before.Decimal
	}
	return b
}
