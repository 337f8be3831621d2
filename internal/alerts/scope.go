package alerts

import (
	"fmt"
	"strings"

	"github.com/shopspring/decimal"
)

// everything is the scope of all rules.
const everything = "*"

// Rules that nobody writes: those of alerts about the watching itself.
const (
	silenceRule  = "data-stale"
	faultRule    = "data-fault"
	deliveryRule = "delivery"
	dailyRule    = "daily"
)

// own reports a rule that is about the watching itself. It is muted by its name
// only: who mutes everything must still hear that nothing is watched any more.
func own(rule string) bool {
	return rule == silenceRule || rule == faultRule || rule == deliveryRule || rule == dailyRule
}

// Scope is what a mute is of: everything, a rule, or one level or subject of a
// rule. As text: "*", "eth", "eth/2400", "whales/aave-v3-ethereum|0xabc...".
type Scope struct {
	Rule string // "*" for every rule
	// Subject is a level, or what a gauge rule watches; empty for the whole rule.
	Subject string
}

// ParseScope reads a scope. A rule's name has no slash; what follows the first is
// the subject.
func ParseScope(text string) (Scope, error) {
	rule, subject, cut := strings.Cut(text, "/")
	switch {
	case rule == "", cut && subject == "", rule == everything && cut, len(text) > 300:
		return Scope{}, fmt.Errorf("%.60q is nothing to mute: want a rule, RULE/LEVEL, or * for all rules", text)
	}
	// An exponent would be a number of any length.
	if level, err := decimal.NewFromString(subject); err == nil && len(subject) < 60 && !strings.ContainsAny(subject, "eE") {
		subject = level.String() // 2400.0 is the level 2400
	}
	return Scope{rule, subject}, nil
}

// String is the scope as text; [ParseScope] reads it.
func (s Scope) String() string {
	if s.Subject == "" {
		return s.Rule
	}
	return s.Rule + "/" + s.Subject
}

// covers reports that the scope takes in one subject of a rule.
func (s Scope) covers(rule, subject string) bool {
	if s.Rule == everything {
		return !own(rule)
	}
	return s.Rule == rule && (s.Subject == "" || s.Subject == subject)
}
