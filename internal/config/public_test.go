package config

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPublicSaysWhatIsWatchedAndNoSecret(t *testing.T) {
	t.Setenv("PUBLIC_TEST_KEY", "hunter2-hunter2")
	cfg, err := Parse("test.yaml", []byte(`
chains:
  devnet: {id: 31337, rpc: ["http://user:sesame@127.0.0.1:8545/opensesame"], headers: {X-Key: "${env:PUBLIC_TEST_KEY}"}}
markets:
  - {name: mine, protocol: aave-v3, chain: devnet, pool_addresses_provider: "0x00", accounts: "${env:PUBLIC_TEST_KEY}"}
axes:
  ETH: {reference: mine}
rules:
  - {name: eth, axis: ETH, levels: [2200, 2400], approach: [5%, 2%], notify: [hook]}
notifiers:
  hook: {type: webhook, url: "https://example.org/sesame", secret: "${env:PUBLIC_TEST_KEY}"}
store: sqlite:sesame.db
`))
	require.NoError(t, err)
	public, err := cfg.Public()
	require.NoError(t, err)
	require.NotContains(t, public, "sesame")
	require.NotContains(t, public, "hunter2")
	again, err := Parse("public.yaml", []byte(public))
	require.NoError(t, err, public)
	require.Equal(t, cfg.Rules[0].Levels, again.Rules[0].Levels)
	require.Equal(t, cfg.Rules[0].Approach, again.Rules[0].Approach)
	require.Equal(t, "mine", again.Markets[0].Name)
	require.EqualValues(t, 31337, again.Chains["devnet"].ID)
	second, err := again.Public()
	require.NoError(t, err)
	require.Equal(t, public, second)
}
