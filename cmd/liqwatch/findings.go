package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"liqwatch/chains"
	"liqwatch/chains/tron"
	"liqwatch/internal/alerts"
	"liqwatch/internal/config"
	"liqwatch/protocols"
)

// findingJSON is one as `config check --format json` prints it.
type findingJSON struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
	Rule   string `json:"rule,omitempty"`
	// Never: the rule, or the part of it at that place, can never speak.
	Never   bool   `json:"never"`
	Problem string `json:"problem"`
	Hint    string `json:"hint,omitempty"`
}

// checked is what `config check` found of a file that can be used.
type checked struct {
	File     string        `json:"file"`
	Fine     bool          `json:"fine"` // nothing that can never speak
	Online   bool          `json:"online"`
	Chains   int           `json:"chains"`
	Markets  int           `json:"markets"`
	Rules    int           `json:"rules"`
	Channels int           `json:"notifiers"`
	Findings []findingJSON `json:"findings"`
}

func (c *checked) add(found []config.Finding) {
	for _, f := range found {
		c.Fine = c.Fine && !f.Never
		c.Findings = append(c.Findings, findingJSON{f.File, f.Line, f.Column, f.Rule, f.Never, f.Problem, f.Hint})
	}
}

// print writes it for people: what was found, then the line that sums up.
func (c *checked) print(w io.Writer) error {
	for _, f := range c.Findings {
		word := "note"
		if f.Never {
			word = "never"
		}
		line := config.Finding{
			Position: config.Position{File: f.File, Line: f.Line, Column: f.Column}, Problem: word + ": " + f.Problem, Hint: f.Hint,
		}
		if _, err := fmt.Fprintln(w, visible(line.String())); err != nil {
			return err
		}
	}
	verdict := "is fine"
	if !c.Fine {
		verdict = "has rules that can never speak"
	}
	_, err := fmt.Fprintf(w, "%s %s: %s, %s, %s, %s\n", c.File, verdict,
		alerts.Count(c.Chains, "chain"), alerts.Count(c.Markets, "market"), alerts.Count(c.Rules, "rule"), alerts.Count(c.Channels, "notifier"))
	return err
}

// err is what a script learns of it.
func (c *checked) err() error {
	n := 0
	for _, f := range c.Findings {
		if f.Never {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	return failedError{fmt.Errorf("%s: %d rules or parts of rules can never speak", c.File, n)}
}

// accountFindings are about accounts in the form of a chain that the rule does not watch.
func accountFindings(cfg *config.Config, markets []protocols.Market) []config.Finding {
	var out []config.Finding
	for i, r := range cfg.Rules {
		var onTRON, other bool
		for _, m := range markets {
			if len(r.Markets) == 0 || slices.Contains(r.Markets, m.Name()) {
				if isTRON(cfg, m.Chain()) {
					onTRON = true
				} else {
					other = true
				}
			}
		}
		for j, id := range r.Accounts {
			at := cfg.At("rules", i, "accounts", j)
			switch {
			case strings.HasPrefix(id, "T") && !onTRON:
				out = append(out, config.Finding{
					Position: at, Rule: r.Name, Never: true, Problem: fmt.Sprintf("%s is an account of TRON, and no market of rule %q is there", id, r.Name),
					Hint: "write the account as 0x and 40 hex digits, or add a market of TRON",
				})
			case strings.HasPrefix(id, "0x") && !other:
				out = append(out, config.Finding{
					Position: at, Rule: r.Name, Problem: fmt.Sprintf("%s is in the form of Ethereum, and all markets of rule %q are on TRON", id, r.Name),
					Hint: "TRON's own form is " + tronForm(id),
				})
			}
		}
	}
	return out
}

func isTRON(cfg *config.Config, chain string) bool {
	c := cfg.Chains[chain]
	return chain == "tron" || c.ID == tron.MainnetID
}

func tronForm(id string) string {
	a, err := chains.ParseAddress(id)
	if err != nil {
		return "T and 33 more characters"
	}
	return a.Base58()
}

// checkAccounts refuses accounts that cannot be any: a wrong checksum, a digit too few.
func checkAccounts(cfg *config.Config) error {
	for i, r := range cfg.Rules {
		for j, id := range r.Accounts {
			if err := checkAccount(id); err != nil {
				return cfg.At("rules", i, "accounts", j).Wrap(err)
			}
		}
	}
	return nil
}

// checkAccount refuses what looks like an address and is none. Anything else may be a
// vault's number, where positions have those.
func checkAccount(id string) error {
	if !strings.HasPrefix(id, "0x") && !strings.HasPrefix(id, "T") {
		return nil
	}
	_, err := chains.ParseAddress(id)
	return err
}
