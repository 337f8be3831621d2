package webhook

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"liqwatch/internal/alerts/outbound"
)

// targets are ways to make a machine talk to itself, its neighbours or its cloud.
var targets = []string{
	"127.0.0.1", "127.0.0.2", "127.255.255.254", "127.1", "0", "0.0.0.0", "0.1.2.3", "[::1]", "[::]",
	"[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:10.0.0.1]", "[::ffff:169.254.169.254]", "[0:0:0:0:0:ffff:7f00:0001]",
	"[::127.0.0.1]", "localhost", "LOCALHOST", "localhost.",
	"10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.255.254",
	"100.64.0.1", "100.127.255.255", "169.254.169.254", "169.254.0.1", "[fe80::1]", "[fe80::1%25lo]", "[fd00::1]", "[fc00::1]", "[fd00:ec2::254]",
	"[64:ff9b::7f00:1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::1]", "[2002:7f00:1::]", "[2002:a00:1::1]", "[2001::1]", "[2001:db8::1]", "[100::1]", "[5f00::1]", "[fec0::1]", "[3fff::1]",
	"224.0.0.1", "239.255.255.255", "[ff02::1]", "[ff05::2]", "240.0.0.1", "255.255.255.255",
	"192.0.0.1", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1",
	"2130706433", "0x7f000001", "0177.0.0.1", "017700000001",
}

func TestNoTargetInsideIsReached(t *testing.T) {
	hit := false
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hit = true }))
	defer srv.Close()
	u, err := url.Parse(srv.URL)
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(targets), 40)
	literal := 0
	for _, host := range targets {
		n := build(t, map[string]any{"url": "http://" + host + ":" + u.Port() + "/", "secret": secret("a")})
		err := n.Send(t.Context(), message(t))
		require.Error(t, err, host)
		require.False(t, hit, host)
		// Names that are no address anywhere (0x7f000001) fail before the guard; all
		// addresses must be stopped by the guard itself, not by a network that is not there.
		if _, perr := netip.ParseAddr(strings.ReplaceAll(strings.Trim(host, "[]"), "%25", "%")); perr == nil {
			literal++
			require.ErrorIs(t, err, outbound.ErrBlocked, host)
		}
	}
	require.GreaterOrEqual(t, literal, 40)
}

// A name that first led elsewhere is judged by where it leads when it is connected to.
func TestANameIsJudgedByTheAddressConnectedTo(t *testing.T) {
	hit := false
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hit = true }))
	defer srv.Close()
	n := build(t, map[string]any{"url": strings.Replace(srv.URL, "127.0.0.1", "rebound.example", 1), "secret": secret("a")})
	n.client.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		_, port, _ := net.SplitHostPort(address)
		return outbound.Dialer(false).DialContext(ctx, network, "localhost:"+port) // what the name leads to by now
	}
	require.ErrorIs(t, n.Send(t.Context(), message(t)), outbound.ErrBlocked)
	require.False(t, hit)
}

func TestARedirectIsNotFollowed(t *testing.T) {
	hit := false
	inner := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hit = true }))
	defer inner.Close()
	r := receive(t, func(w http.ResponseWriter, _ int) {
		w.Header().Set("Location", inner.URL)
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	n := build(t, map[string]any{"url": r.URL, "secret": secret("a"), "allow_private": true})
	require.ErrorContains(t, n.Send(t.Context(), message(t)), "307")
	require.False(t, hit)
}
