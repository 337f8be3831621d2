package config

import (
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"sort"
	"strings"

	"github.com/shopspring/decimal"
)

// BuiltinAxes exist without being listed, as does every peg "A/B".
var BuiltinAxes = []string{"ETH", "BTC", "TRX", "market"}

var (
	nameForm   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	axisForm   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,31}(/[A-Za-z0-9][A-Za-z0-9._-]{0,31})?$`)
	headerForm = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
)

// check holds the settings against each other.
func (c *Config) check(d *decoder) {
	k := checker{c, d}
	k.chains()
	k.markets()
	k.axes()
	k.notifiers()
	k.rules()
	k.life()
	k.web()
	if !contains([]string{"debug", "info", "warn", "error"}, c.Log.Level) {
		k.refuse(didYouMean(c.Log.Level, []string{"debug", "info", "warn", "error"}), "no log level %q", c.Log.Level)("log", "level")
	}
}

type checker struct {
	c *Config
	d *decoder
}

// refuse tells of an error; the place follows, as a path: k.refuse(...)("rules", 0, "axis").
func (k checker) refuse(hint, format string, args ...any) func(path ...any) {
	problem := fmt.Sprintf(format, args...)
	return func(path ...any) { k.d.refuse(k.c.doc.find(path...), hint, "%s", problem) }
}

func (k checker) warn(problem string, path ...any) {
	k.c.doc.warnings = append(k.c.doc.warnings, Warning{k.c.At(path...), problem})
}

func (k checker) name(name string, path ...any) {
	if !nameForm.MatchString(name) {
		k.refuse("use up to 64 letters, digits, dots, dashes and underscores", "%q cannot be a name", name)(path...)
	}
}

func (k checker) chains() {
	if len(k.c.Chains) == 0 {
		k.refuse("name a chain and its nodes", "no chains")("chains")
	}
	ids := map[uint64]string{}
	for _, name := range sorted(k.c.Chains) {
		chain := k.c.Chains[name]
		k.name(name, "chains", name)
		if len(chain.RPC) == 0 {
			k.refuse("add the address of a node", "chain %q has no nodes", name)("chains", name, "rpc")
		}
		k.endpoints(chain)
		for _, h := range sorted(chain.Headers) {
			if value := chain.Headers[h].Reveal(); !headerForm.MatchString(h) || strings.ContainsAny(value, "\r\n\x00") {
				k.refuse("a header's name has no spaces or colons, its value is one line", "header %q cannot be sent", h)("chains", name, "headers", h)
			}
		}
		if chain.MaxRPS.IsNegative() {
			k.refuse("leave it out for no limit", "max_rps is below zero")("chains", name, "max_rps")
		}
		if other, taken := ids[chain.ID]; taken && chain.ID != 0 {
			k.refuse("one of the two is wrong, or they are one chain", "chains %q and %q have the same id", other, name)("chains", name, "id")
		}
		ids[chain.ID] = name
	}
}

func (k checker) endpoints(chain Chain) {
	seen := map[string]bool{}
	for i, u := range chain.RPC {
		switch {
		case !contains([]string{"http", "https", "ws", "wss"}, u.Scheme()):
			k.refuse("write http://, https://, ws:// or wss://", "a node cannot be reached by %q", u.Scheme())("chains", chain.Name, "rpc", i)
		case strings.HasSuffix(u.String(), "//"), !strings.Contains(u.String(), "//"):
			k.refuse("write it as https://host/path", "the address names no host")("chains", chain.Name, "rpc", i)
		case seen[u.Reveal()]:
			k.refuse("a node cannot check itself: remove one", "the same node twice")("chains", chain.Name, "rpc", i)
		}
		seen[u.Reveal()] = true
	}
}

func (k checker) markets() {
	if len(k.c.Markets) == 0 {
		k.refuse("name a deployment, such as aave-v3-ethereum", "no markets")("markets")
	}
	first := map[string]Position{}
	for i, m := range k.c.Markets {
		k.name(m.Name, "markets", i, "name")
		if before, ok := first[m.Name]; ok {
			k.refuse(fmt.Sprintf("first on line %d", before.Line), "market %q appears twice", m.Name)("markets", i, "name")
		} else {
			first[m.Name] = m.Position
		}
		if _, ok := k.c.Chains[m.Chain]; !ok && !m.Known() {
			k.refuse(didYouMean(m.Chain, sorted(k.c.Chains)), "chain %q is not under chains", m.Chain)("markets", i, "chain")
		}
	}
}

func (k checker) marketNames() []string {
	out := make([]string, len(k.c.Markets))
	for i, m := range k.c.Markets {
		out[i] = m.Name
	}
	return out
}

func (k checker) axes() {
	for _, name := range sorted(k.c.Axes) {
		axis := k.c.Axes[name]
		if !axisForm.MatchString(name) {
			k.refuse("write a symbol such as ETH or a peg such as wstETH/ETH", "%q cannot be an axis", name)("axes", name)
		}
		if axis.Reference != "" && !contains(k.marketNames(), axis.Reference) {
			k.refuse(didYouMean(axis.Reference, k.marketNames()), "reference %q is not under markets", axis.Reference)("axes", name, "reference")
		}
		if axis.Spot == nil {
			continue
		}
		if _, ok := k.c.Chains[axis.Spot.Chain]; !ok && axis.Spot.Chain != "" {
			k.refuse(didYouMean(axis.Spot.Chain, sorted(k.c.Chains)), "chain %q is not under chains", axis.Spot.Chain)("axes", name, "spot", "chain")
		}
		if axis.Spot.Chain == "" && axis.Reference == "" {
			k.refuse("add chain, or the axis' reference", "it is not said on which chain the feed is")("axes", name, "spot")
		}
	}
}

func (k checker) notifiers() {
	used := map[string]bool{}
	for _, r := range k.c.Rules {
		for _, n := range r.Notify {
			used[n] = true
		}
		if r.Escalate != nil {
			for _, n := range r.Escalate.Notify {
				used[n] = true
			}
		}
	}
	if k.c.Digest != nil {
		for _, n := range k.c.Digest.Notify {
			used[n] = true
		}
	}
	for _, name := range sorted(k.c.Notifiers) {
		k.name(name, "notifiers", name)
		k.delivery(name, k.c.Notifiers[name].Delivery)
		if !used[name] {
			k.warn(fmt.Sprintf("no rule notifies %q", name), "notifiers", name)
		}
	}
}

// leastToken is the length below which a token could be guessed.
const leastToken = 16

// hasHost reports an address that names a host.
func hasHost(u URL) bool {
	return strings.Contains(u.String(), "//") && !strings.HasSuffix(u.String(), "//")
}

func (k checker) web() {
	listen := k.c.Web.Listen
	if u := k.c.Web.PublicURL; !u.IsZero() && (!contains([]string{"http", "https"}, u.Scheme()) || !hasHost(u) || strings.ContainsAny(u.Reveal(), "@?#")) {
		k.refuse("write https://host, without user, ? and #", "the page cannot be reached by this address")("web", "public_url")
	}
	if k.c.Web.Off() {
		return
	}
	host, p, err := net.SplitHostPort(listen)
	if err != nil || !port(p) {
		k.refuse("write an address and a port, such as 127.0.0.1:8787", "%q is nothing to listen on", listen)("web", "listen")
		return
	}
	token := k.c.Web.Token
	if n := len(token.Reveal()); !token.IsZero() && n < leastToken {
		k.refuse(fmt.Sprintf("at least %d characters, such as 32 random hexadecimal digits", leastToken), "the token of the page is too short")("web", "token")
	}
	if addr, err := netip.ParseAddr(host); token.IsZero() && host != "localhost" && (err != nil || !addr.IsLoopback()) {
		k.warn("the page has no token, and other machines can reach it here", "web", "listen")
	}
}

func sorted[T any](m map[string]T) []string {
	out := make([]string, 0, len(m))
	for name := range m {
		out = append(out, name)
	}
	sort.Strings(out)
	return out
}

// between reports lo < x < hi.
func between(lo, x, hi decimal.Decimal) bool { return x.GreaterThan(lo) && x.LessThan(hi) }
