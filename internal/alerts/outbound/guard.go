// Package outbound is how notifiers call servers over HTTP: to addresses that are
// allowed, without following redirects, in bounded time, reading bounded answers, and
// with errors that repeat nothing a server said and nothing of an address that could
// hold a key.
package outbound

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// ErrBlocked: a name leads to an address that alerts are not sent to.
var ErrBlocked = errors.New("address is not allowed")

// never are addresses that no setting opens: nobody's, everybody's, and the
// link-local ones under which clouds hand out their machines' credentials.
var never = prefixes(
	"0.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15",
	"198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
)

// private are addresses that allow_private opens.
var private = prefixes(
	"10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7",
)

// public6 is all of IPv6 that is routed between networks; special are parts of it
// that are not, or that carry an IPv4 address inside.
var (
	public6 = netip.MustParsePrefix("2000::/3")
	special = prefixes("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)

func prefixes(list ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, p := range list {
		out = append(out, netip.MustParsePrefix(p))
	}
	return out
}

func in(list []netip.Prefix, a netip.Addr) bool {
	for _, p := range list {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// Allowed judges one address that is about to be connected to.
func Allowed(a netip.Addr, allowPrivate bool) error {
	a = a.Unmap().WithZone("")
	switch {
	case in(private, a):
		if allowPrivate {
			return nil
		}
		return fmt.Errorf("%w: %s is private; set allow_private: true if it is meant", ErrBlocked, a)
	case a.Is4() && in(never, a), a.Is6() && (!public6.Contains(a) || in(special, a)):
		return fmt.Errorf("%w: %s is no public address", ErrBlocked, a)
	}
	return nil
}

// Dialer connects only where it is allowed to. It judges the address connected to
// and not the name, so that a name that changes its address in between gains nothing.
func Dialer(allowPrivate bool) *net.Dialer {
	return &net.Dialer{
		Timeout: 10 * time.Second,
		ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
			ap, err := netip.ParseAddrPort(address)
			if err != nil {
				return fmt.Errorf("%w: not an address and port", ErrBlocked)
			}
			return Allowed(ap.Addr(), allowPrivate)
		},
	}
}
