package compoundv2

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"liqwatch/chains"
	"liqwatch/protocols"
)

// plainSettings decodes YAML as a configuration file would be.
type plainSettings string

func (s plainSettings) Decode(into any) error { return yaml.Unmarshal([]byte(s), into) }

func TestSettings(t *testing.T) {
	place := protocols.Placement{Name: "mine", Chain: "tron"}
	m, err := New(place, plainSettings("comptroller: TGjYzgCyPobsNS9n6WcbdLVR9dH7mWqFx7\nprofile: justlend\nfrom_block: 7\n"))
	require.NoError(t, err)
	require.Equal(t, "mine", m.Name())
	require.Equal(t, Name, m.Protocol())
	filter, from := m.Discovery()
	require.Equal(t, uint64(7), from)
	require.Equal(t, []chains.Address{chains.MustAddress("0x4a33bf2666f2e75f3d6ad3b9ad316685d5c668d4")}, filter.Addresses)
	for text, want := range map[string]string{
		"from_block: 1": "comptroller: the address",
		"comptroller: TGjYzgCyPobsNS9n6WcbdLVR9dH7mWqFx8":                                "wrong checksum",
		"comptroller: \"0x4a33bf2666f2e75f3d6ad3b9ad316685d5c668d4\"\nprofile: justlent": "want auto, justlend, venus, moonwell, benqi, plain",
	} {
		_, err := New(place, plainSettings(text))
		require.ErrorContains(t, err, want)
	}
}

func TestKnownDeploymentsDecode(t *testing.T) {
	seen := map[string]bool{}
	for _, d := range Protocol().Deployments {
		raw, err := yaml.Marshal(d.Settings)
		require.NoError(t, err)
		m, err := New(protocols.Placement{Name: d.Name, Chain: d.Chain}, plainSettings(raw))
		require.NoError(t, err, d.Name)
		require.NotZero(t, d.ChainID)
		require.False(t, seen[d.Name])
		seen[d.Name] = true
		require.Equal(t, d.Settings["profile"], m.(*Market).profile.Name)
	}
	for _, name := range []string{"justlend", "venus-bsc", "moonwell-base", "moonwell-moonbeam", "benqi-avalanche"} {
		require.True(t, seen[name], name)
	}
}
