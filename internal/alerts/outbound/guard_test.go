package outbound

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPrivateTargetsNeedTheOptIn(t *testing.T) {
	for _, a := range []string{"127.0.0.1", "10.1.2.3", "192.168.1.1", "172.16.0.9", "100.64.0.9", "::1", "fd00::1", "::ffff:10.0.0.1"} {
		require.NoError(t, Allowed(netip.MustParseAddr(a), true), a)
	}
	for _, a := range []string{"169.254.169.254", "0.0.0.0", "224.0.0.1", "255.255.255.255", "fe80::1", "::", "ff02::1", "::ffff:169.254.169.254", "64:ff9b::7f00:1"} {
		require.ErrorIs(t, Allowed(netip.MustParseAddr(a), true), ErrBlocked, a)
	}
	for _, a := range []string{"1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1", "::ffff:1.1.1.1"} {
		require.NoError(t, Allowed(netip.MustParseAddr(a), false), a)
	}
}

// An address is judged the same however it is wrapped, and nothing that Go itself
// calls private, loopback, link-local, multicast or unspecified is let through.
func FuzzGuard(f *testing.F) {
	for _, s := range []string{"127.0.0.1", "8.8.8.8", "::1", "2606:4700::1111", "64:ff9b::7f00:1"} {
		a := netip.MustParseAddr(s).As16()
		f.Add(a[:])
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, ok := netip.AddrFromSlice(raw)
		if !ok {
			return
		}
		err := Allowed(a, false)
		if u := a.Unmap(); (Allowed(u, false) == nil) != (err == nil) {
			t.Fatalf("%s and %s are judged differently", a, u)
		}
		u := a.Unmap()
		if inside := u.IsPrivate() || u.IsLoopback() || u.IsLinkLocalUnicast() || u.IsMulticast() || u.IsUnspecified(); inside && err == nil {
			t.Fatalf("%s is let through", a)
		}
		if err == nil && Allowed(a, true) != nil {
			t.Fatalf("%s is public, but not with allow_private", a)
		}
	})
}

func FuzzRetryAfter(f *testing.F) {
	for _, s := range []string{"", "0", "7", "-1", "99999999999999999999", "Fri, 02 Jan 2026 03:04:35 GMT", "Friday, 02-Jan-26 03:04:35 GMT", " 5 "} {
		f.Add(s)
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	f.Fuzz(func(t *testing.T, s string) {
		if d := RetryAfter(s, now); d > 0 && now.Add(d).Before(now) {
			t.Fatalf("%q waits %s, which ends before it begins", s, d)
		}
	})
}
