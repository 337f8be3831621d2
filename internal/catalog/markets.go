// Package catalog is the one list of what can be plugged in: chains, protocols
// and notifiers. Adding one is adding a line.
package catalog

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"liqwatch/internal/config"
	"liqwatch/protocols"
	"liqwatch/protocols/aavev3"
	"liqwatch/protocols/compoundv2"
)

// lenders are the lending protocols that can be read.
var lenders = []protocols.Protocol{
	aavev3.Protocol(),
	compoundv2.Protocol(),
}

// Markets makes all configured markets. Errors name their place in the file.
func Markets(cfg *config.Config) ([]protocols.Market, error) {
	var out []protocols.Market
	for _, m := range cfg.Markets {
		market, err := newMarket(cfg, m)
		if config.IsInvalid(err) {
			return nil, err // names its own place, which stands first
		}
		if err != nil {
			return nil, m.Position.Wrap(fmt.Errorf("market %s: %w", m.Name, err))
		}
		out = append(out, market)
	}
	return out, nil
}

func newMarket(cfg *config.Config, m config.Market) (protocols.Market, error) {
	if m.Known() {
		return newKnown(cfg, m.Name)
	}
	i := slices.IndexFunc(lenders, func(p protocols.Protocol) bool { return p.Name == m.Protocol })
	if i < 0 {
		return nil, fmt.Errorf("there is no protocol %q; there are %s", m.Protocol, protocolNames())
	}
	return lenders[i].New(protocols.Placement{Name: m.Name, Chain: m.Chain}, m.Settings)
}

// newKnown makes a deployment known by name; its chain must be configured under
// the usual name.
func newKnown(cfg *config.Config, name string) (protocols.Market, error) {
	p, d, ok := deployment(name)
	if !ok {
		return nil, fmt.Errorf("no deployment is known by this name; %s", nearest(name))
	}
	if _, ok := cfg.Chains[d.Chain]; !ok {
		return nil, fmt.Errorf("it is on chain %s, which is not among the configured chains", d.Chain)
	}
	settings, err := config.FromMap(name, d.Settings)
	if err != nil {
		return nil, err
	}
	return p.New(protocols.Placement{Name: d.Name, Chain: d.Chain}, settings)
}

func deployment(name string) (protocols.Protocol, protocols.Deployment, bool) {
	for _, p := range lenders {
		for _, d := range p.Deployments {
			if d.Name == name {
				return p, d, true
			}
		}
	}
	return protocols.Protocol{}, protocols.Deployment{}, false
}

// Deployments are the names of all known deployments, sorted.
func Deployments() []string {
	var out []string
	for _, p := range lenders {
		for _, d := range p.Deployments {
			out = append(out, d.Name)
		}
	}
	slices.Sort(out)
	return out
}

// nearest says which known names resemble a wrong one.
func nearest(name string) string {
	var like []string
	for _, d := range Deployments() {
		if shared := strings.Split(d, "-"); strings.Contains(name, shared[len(shared)-1]) || strings.HasPrefix(d, name) {
			like = append(like, d)
		}
	}
	if len(like) == 0 {
		like = Deployments()
	}
	return "known are " + strings.Join(like, ", ")
}

func protocolNames() string {
	var out []string
	for _, p := range lenders {
		out = append(out, p.Name)
	}
	return strings.Join(out, ", ")
}

func names[V any](m map[string]V) string {
	return strings.Join(slices.Sorted(maps.Keys(m)), ", ")
}
