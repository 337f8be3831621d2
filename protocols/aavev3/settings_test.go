package aavev3

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"liqwatch/chains"
	"liqwatch/protocols"
)

// written are settings as a user writes them.
type written string

func (w written) Decode(into any) error {
	d := yaml.NewDecoder(strings.NewReader(string(w)))
	d.KnownFields(true)
	return d.Decode(into)
}

func TestDeploymentsAreSane(t *testing.T) {
	names, where := map[string]bool{}, map[string]bool{}
	chainIDs := map[string]uint64{}
	for _, d := range Deployments {
		require.False(t, names[d.Name], d.Name)
		names[d.Name] = true
		provider, ok := d.Settings["pool_addresses_provider"].(string)
		require.True(t, ok, d.Name)
		a, err := chains.ParseAddress(provider)
		require.NoError(t, err, d.Name)
		require.Equal(t, a.String(), provider, "%s is written with its checksum", d.Name)
		require.False(t, where[d.Chain+provider], "%s is listed twice", d.Name)
		where[d.Chain+provider] = true
		require.NotZero(t, d.ChainID, d.Name)
		if id, seen := chainIDs[d.Chain]; seen {
			require.Equal(t, id, d.ChainID, d.Name)
		}
		chainIDs[d.Chain] = d.ChainID
		require.Contains(t, d.Name, d.Chain)

		text, err := yaml.Marshal(d.Settings)
		require.NoError(t, err)
		m, err := New(protocols.Placement{Name: d.Name, Chain: d.Chain}, written(text))
		require.NoError(t, err, "a deployment's settings are what a user would write")
		require.Equal(t, d.Name, m.Name())
		require.Equal(t, d.Chain, m.Chain())
		require.Equal(t, Name, m.Protocol())
		_, from := m.Discovery()
		require.Equal(t, d.Settings["from_block"], from)
	}
	require.Contains(t, names, "aave-v3-ethereum")
	require.Contains(t, names, "sparklend-ethereum")
}

func TestBadSettingsSayWhatToDo(t *testing.T) {
	good := "0x2f39d218133AFaB8F2B819B1066c7E434Ad94E9e"
	empty := filepath.Join(t.TempDir(), "empty.txt")
	require.NoError(t, os.WriteFile(empty, []byte("# nobody\n"), 0o600))
	for text, want := range map[string]string{
		"{}":                            "pool_addresses_provider: missing",
		"pool_addresses_provider: 0x12": "0x and 40 hex digits",
		"pool_addresses_provider: " + strings.ToLower(good[:41]):               "0x and 40 hex digits",
		"pool_addresses_provider: 0x2F39d218133AFaB8F2B819B1066c7E434Ad94E9e":  "checksum",
		"pool_adresses_provider: " + good:                                      "not found",
		"{pool_addresses_provider: '" + good + "', fork: moon}":                "fork",
		"{pool_addresses_provider: '" + good + "', accounts: /no/such/file}":   "accounts",
		"{pool_addresses_provider: '" + good + "', accounts: '" + empty + "'}": "no address",
	} {
		_, err := New(protocols.Placement{Name: "x", Chain: "y"}, written(text))
		require.ErrorContains(t, err, want, text)
	}
}

func TestAccountsAreSeededFromAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "accounts.txt")
	require.NoError(t, os.WriteFile(path, []byte("# two\n0x00000000000000000000000000000000000000a1\n\n0x00000000000000000000000000000000000000a2 # second\n"), 0o600))
	m, err := New(protocols.Placement{Name: "x", Chain: "y"}, written("{pool_addresses_provider: '0x2f39d218133AFaB8F2B819B1066c7E434Ad94E9e', accounts: '"+path+"'}"))
	require.NoError(t, err)
	require.Len(t, m.Accounts(), 2)
	require.NoError(t, os.WriteFile(path, []byte("0x00000000000000000000000000000000000000a1\nnonsense\n"), 0o600))
	_, err = New(protocols.Placement{}, written("{pool_addresses_provider: '0x2f39d218133AFaB8F2B819B1066c7E434Ad94E9e', accounts: '"+path+"'}"))
	require.ErrorContains(t, err, path+":2:")
}

func TestUnknownRevisionsAreRefused(t *testing.T) {
	for _, rev := range []uint64{0, newestRevision + 1, 1000} {
		_, err := ProfileOf(rev, NoFork)
		require.ErrorContains(t, err, "unknown POOL_REVISION")
	}
	_, err := ProfileOf(3, SparkLend)
	require.ErrorContains(t, err, "SparkLend")
}

func FuzzAccountsFile(f *testing.F) {
	f.Add("0x00000000000000000000000000000000000000a1\n")
	f.Add("#\n\x00")
	f.Fuzz(func(t *testing.T, text string) {
		list, err := parseAccounts(strings.NewReader(text))
		if err == nil && len(list) == 0 {
			t.Fatal("no addresses and no error")
		}
	})
}
