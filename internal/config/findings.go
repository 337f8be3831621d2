package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// Finding is something about a rule that the file allows and that its author can
// hardly have meant.
type Finding struct {
	Position
	Rule string // name; empty: not of one rule
	// Never: the rule, or the part of it at that place, can never speak.
	Never   bool
	Problem string
	Hint    string
}

// String is "file:line:column: problem; hint".
func (f Finding) String() string {
	return (&Error{Position: f.Position, Problem: f.Problem, Hint: f.Hint}).Error()
}

// Findings are what can be seen from the file alone, in its order.
func (c *Config) Findings() []Finding {
	var out []Finding
	for _, w := range c.Warnings {
		out = append(out, Finding{Position: w.Position, Problem: w.Problem})
	}
	for i := range c.Rules {
		out = append(out, c.motionless(i)...)
		if c.Rules[i].Watch == "" {
			out = append(out, c.crowded(i)...)
		}
		out = append(out, c.twins(i)...)
	}
	SortFindings(out)
	return out
}

// SortFindings puts findings in the order of the file.
func SortFindings(all []Finding) {
	slices.SortStableFunc(all, func(a, b Finding) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
}

// finding is about a rule; the place follows, as a path in the rule.
func (c *Config) finding(rule int, never bool, hint, format string, args ...any) func(path ...any) Finding {
	return func(path ...any) Finding {
		return Finding{
			Position: c.At(append([]any{"rules", rule}, path...)...), Rule: c.Rules[rule].Name, Never: never,
			Problem: fmt.Sprintf(format, args...), Hint: hint,
		}
	}
}

// motionless: the market axis is a factor on today's prices, and 1 at every look.
// It says what a fall of everything would do; a price that comes near is of an asset.
func (c *Config) motionless(i int) []Finding {
	r := c.Rules[i]
	if r.Axis != "market" || r.Watch == "at_risk_share" {
		return nil
	}
	return []Finding{c.finding(i, true, "watch an asset such as ETH; what a fall of the whole market would do is watch: at_risk_share",
		"the axis market is a factor that is 1 at every look: rule %q never sees it move", r.Name)("axis")}
}

// crowded levels are nearer to each other than the rule's widest approach.
func (c *Config) crowded(i int) []Finding {
	r := c.Rules[i]
	if len(r.Levels.Prices) < 2 || len(r.Approach) == 0 {
		return nil
	}
	sorted := slices.SortedFunc(slices.Values(r.Levels.Prices), decimal.Decimal.Compare)
	one, widest := decimal.NewFromInt(1), r.Approach[0]
	for j := 1; j < len(sorted); j++ {
		low, high := sorted[j-1], sorted[j]
		gap := high.DivRound(low, 4).Sub(one)
		if !gap.IsPositive() || gap.GreaterThan(widest.Decimal) {
			continue
		}
		return []Finding{c.finding(i, false, fmt.Sprintf("approach at most %s, or put the levels further apart", Ratio{gap.RoundFloor(3)}.Percent()),
			"levels %s and %s are %s apart and the first approach is %s: a price between them is near both, and every move is told of both",
			low, high, Ratio{gap}.Percent(), widest.Percent())("approach", 0)}
	}
	return nil
}

// twins say the same as an earlier rule, to somebody whom that one tells.
func (c *Config) twins(i int) []Finding {
	r := c.Rules[i]
	for before := range i {
		other := c.Rules[before]
		shared := common(r.Notify, other.Notify)
		if len(shared) == 0 || r.Axis != other.Axis || r.Watch != other.Watch {
			continue
		}
		path, what := sameLevel(r, other)
		if r.Watch != "" {
			path, what = sameBound(r, other)
		}
		if what == "" {
			continue
		}
		return []Finding{c.finding(i, false, "remove it from one of them, or let them tell different people",
			"%s is watched by rule %q as well: %s will be told twice", what, other.Name, strings.Join(shared, ", "))(path...)}
	}
	return nil
}

func sameLevel(r, other Rule) (path []any, what string) {
	for j, l := range r.Levels.Prices {
		if slices.ContainsFunc(other.Levels.Prices, l.Equal) {
			return []any{"levels", j}, "level " + l.String()
		}
	}
	return nil, ""
}

func sameBound(r, other Rule) (path []any, what string) {
	if !overlap(r.Markets, other.Markets) || !overlap(r.Assets, other.Assets) || r.Within != other.Within || !r.Shock.Equal(other.Shock.Decimal) {
		return nil, ""
	}
	if r.Watch == "health_factor" && len(common(r.Accounts, other.Accounts)) == 0 && (r.Largest == 0 || other.Largest == 0) {
		return nil, ""
	}
	if r.Watch == "hours_to_touch" {
		if _, level := sameLevel(r, other); level == "" {
			return nil, ""
		}
	}
	side, mine, theirs := "above", r.Above, other.Above
	if len(r.Below) > 0 {
		side, mine, theirs = "below", r.Below, other.Below
	}
	for j, b := range mine {
		if slices.ContainsFunc(theirs, func(t Bound) bool { return t.Equal(b.Decimal) }) {
			return []any{side, j}, fmt.Sprintf("%s %s %s", r.Watch, side, b)
		}
	}
	return nil, ""
}

// overlap of two lists of which an empty one stands for everything.
func overlap(a, b []string) bool { return len(a) == 0 || len(b) == 0 || len(common(a, b)) > 0 }

func common(a, b []string) []string {
	var out []string
	for _, x := range a {
		if contains(b, x) {
			out = append(out, x)
		}
	}
	return out
}
