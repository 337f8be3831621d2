package webhook

import (
	"encoding/base64"
	"net/netip"
	"testing"
	"time"
)

func FuzzRetryAfter(f *testing.F) {
	for _, s := range []string{"", "0", "7", "-1", "99999999999999999999", "Fri, 02 Jan 2026 03:04:35 GMT", "Friday, 02-Jan-26 03:04:35 GMT", " 5 "} {
		f.Add(s)
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	f.Fuzz(func(t *testing.T, s string) {
		if d := retryAfter(s, now); d > 0 && now.Add(d).Before(now) {
			t.Fatalf("%q waits %s, which ends before it begins", s, d)
		}
	})
}

func FuzzParseSecret(f *testing.F) {
	f.Add("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
	f.Add("whsec_")
	f.Add("hunter2")
	f.Fuzz(func(t *testing.T, s string) {
		key, err := parseSecret(s)
		if err != nil {
			return
		}
		if again, err := parseSecret("whsec_" + base64.StdEncoding.EncodeToString(key)); err != nil || string(again) != string(key) || len(key) < 24 || len(key) > 64 {
			t.Fatalf("%q is not read as written", s)
		}
	})
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
		err := allowed(a, false)
		if u := a.Unmap(); (allowed(u, false) == nil) != (err == nil) {
			t.Fatalf("%s and %s are judged differently", a, u)
		}
		u := a.Unmap()
		if inside := u.IsPrivate() || u.IsLoopback() || u.IsLinkLocalUnicast() || u.IsMulticast() || u.IsUnspecified(); inside && err == nil {
			t.Fatalf("%s is let through", a)
		}
		if err == nil && allowed(a, true) != nil {
			t.Fatalf("%s is public, but not with allow_private", a)
		}
	})
}
