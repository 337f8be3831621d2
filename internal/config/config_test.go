package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
)

const (
	rpcSecret   = "https://rpc.example.org/v2/SECRETSECRETSECRET"
	tronSecret  = "tron-key-987654"
	tokenSecret = "123456:telegram-token"
)

func setSecrets(t testing.TB) {
	for name, value := range map[string]string{"TEST_RPC": rpcSecret, "TEST_TRON": tronSecret, "TEST_TOKEN": tokenSecret} {
		setenv(t, name, value)
	}
}

func setenv(t testing.TB, name, value string) {
	t.Helper()
	before, had := os.LookupEnv(name)
	require.NoError(t, os.Setenv(name, value))
	t.Cleanup(func() {
		if had {
			_ = os.Setenv(name, before)
			return
		}
		_ = os.Unsetenv(name)
	})
}

func good(t testing.TB) *Config {
	t.Helper()
	setSecrets(t)
	c, err := Load("testdata/good.yaml")
	require.NoError(t, err)
	return c
}

func TestLoadReadsEverySetting(t *testing.T) {
	c := good(t)
	eth := c.Chains["ethereum"]
	require.Equal(t, "ethereum", eth.Name)
	require.Equal(t, rpcSecret, eth.RPC[0].Reveal())
	require.Equal(t, uint64(64), *eth.Finality)
	require.Equal(t, 6*time.Second, eth.Poll)
	require.Equal(t, "12.5", eth.MaxRPS.String())
	require.Equal(t, tronSecret, c.Chains["tron"].Headers["TRON-PRO-API-KEY"].Reveal())
	require.Equal(t, uint64(31337), c.Chains["devnet"].ID)

	require.True(t, c.Markets[0].Known())
	require.Equal(t, "aave-v3-ethereum", c.Markets[0].Name)
	require.Equal(t, "testdata/good.yaml:13:5", c.Markets[0].Position.String())
	require.Equal(t, "mine aave-v3 devnet", c.Markets[1].Name+" "+c.Markets[1].Protocol+" "+c.Markets[1].Chain)

	require.Equal(t, "aave-v3-ethereum", c.Axes["ETH"].Reference)
	require.Equal(t, "0x5f4eC3Df9cbd43714FE2740f5E3616155c5b8419", c.Axes["ETH"].Spot.Feed)

	r := c.Rules[0]
	require.Equal(t, "2400.000000000000000001", r.Levels.Prices[1].String(), "no digit goes through a float")
	require.Equal(t, []string{"0.05", "0.02", "0.005"}, []string{r.Approach[0].String(), r.Approach[1].String(), r.Approach[2].String()})
	require.Equal(t, "0.5%", r.Approach[2].Percent())
	require.Equal(t, "0.01", r.Rearm.String())
	require.Equal(t, []string{"risk", "hook"}, r.Notify)
	require.Equal(t, 5*time.Minute, r.StaleAfter, "the default")
	require.Equal(t, 90*time.Second, c.Rules[1].StaleAfter)
	require.Equal(t, 3, c.Rules[2].Walls.Count)
	require.Equal(t, "1000000", c.Rules[2].Walls.MinAtRiskUSD.String())
	require.True(t, c.Rules[3].Levels.Walls)

	require.Equal(t, "telegram", c.Notifiers["risk"].Type)
	require.Equal(t, "postgres://db.example.org", c.Store.String())
	require.Equal(t, 3*time.Hour, c.Sweep)
	require.Equal(t, "debug", c.Log.Level)
	require.Empty(t, c.Warnings)
}

func TestSmallestFileGetsTheDefaults(t *testing.T) {
	c, err := Parse("x.yaml", []byte("chains: {e: {rpc: [http://h]}}\nmarkets: [m]\nrules: [{name: r, axis: BTC, levels: [1]}]\n"))
	require.NoError(t, err)
	path, ok := c.Store.SQLite()
	require.True(t, ok)
	require.Equal(t, "liqwatch.db", path)
	require.Equal(t, "127.0.0.1:8787", c.Web.Listen)
	require.Equal(t, 6*time.Hour, c.Sweep)
	require.Equal(t, "info", c.Log.Level)
	require.Empty(t, c.Rules[0].Severity)
	require.Len(t, c.Rules[0].Approach, 3)
	require.Equal(t, "0.05", c.Rules[0].Rearm.String())
	require.Len(t, c.Warnings, 1)
	require.Contains(t, c.Warnings[0].String(), "x.yaml:3:9: rule \"r\" notifies nobody")
}

type marketSettings struct {
	Provider  string          `yaml:"pool_addresses_provider,required" doc:"address"`
	FromBlock uint64          `yaml:"from_block"`
	Ratio     decimal.Decimal `yaml:"ratio"`
	Accounts  string          `yaml:"accounts" default:"accounts.txt"`
}

func TestSettingsDecodeStrictly(t *testing.T) {
	c := good(t)
	var s marketSettings
	require.NoError(t, c.Markets[1].Settings.Decode(&s))
	require.Equal(t, marketSettings{"0x2f39d218133AFaB8F2B819B1066c7E434Ad94E9e", 0, decimal.RequireFromString("0.1234567890123456789"), "accounts.txt"}, s)
	require.Equal(t, []string{"pool_addresses_provider", "from_block", "ratio"}, c.Markets[1].Settings.Keys())

	var other struct {
		FromBlok uint64 `yaml:"from_blok"`
		Ratio    uint64 `yaml:"ratio"`
	}
	err := c.Markets[1].Settings.Decode(&other)
	require.True(t, IsInvalid(err))
	require.EqualError(t, err, `testdata/good.yaml:17:5: unknown key "pool_addresses_provider"; known here: chain, from_blok, name, protocol, ratio
testdata/good.yaml:18:5: unknown key "from_block"; did you mean "from_blok"?
testdata/good.yaml:19:12: "0.1234567890123456789" is not a whole number; leave out the fraction`)

	require.EqualError(t, c.Markets[1].Settings.At("ratio").Wrap(errors.New("too small")), "testdata/good.yaml:19:5: too small")
	require.Error(t, c.Markets[1].Settings.Decode(s), "a value cannot be filled")
	require.ErrorContains(t, c.Markets[0].Settings.Decode(&s), "is missing")
}

func TestSettingsOfAKnownDeployment(t *testing.T) {
	s, err := FromMap("aave-v3-ethereum", map[string]any{"pool_addresses_provider": "0x01", "from_block": uint64(16291127)})
	require.NoError(t, err)
	var into marketSettings
	require.NoError(t, s.Decode(&into))
	require.Equal(t, marketSettings{Provider: "0x01", FromBlock: 16291127, Accounts: "accounts.txt"}, into)
}

// None of the ways a value can be printed may show a secret.
func TestSecretsAreNeverPrinted(t *testing.T) {
	c := good(t)
	var texts []string
	for _, v := range []any{*c, c, c.Chains, c.Chains["tron"].Headers, c.Chains["ethereum"].RPC, c.Store, NewSecret(tokenSecret), NewURL(rpcSecret), &c.Store} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			if _, whole := v.(*Config); whole && verb == "%#v" {
				continue
			}
			texts = append(texts, fmt.Sprintf(verb, v))
		}
		if js, err := json.Marshal(v); err == nil {
			texts = append(texts, string(js))
		}
	}
	var token struct {
		Token  Secret `yaml:"token"`
		ChatID int64  `yaml:"chat_id"`
	}
	require.NoError(t, c.Notifiers["risk"].Settings.Decode(&token))
	require.Equal(t, tokenSecret, token.Token.Reveal())
	texts = append(texts, fmt.Sprintf("%v %+v %#v", token, token, token), public(t, c))
	for _, text := range texts {
		for _, secret := range []string{rpcSecret, "SECRETSECRET", tronSecret, tokenSecret, "literal-key", "hunter2"} {
			require.NotContains(t, text, secret)
			require.NotContains(t, text, fmt.Sprintf("%x", secret))
		}
	}
	require.Equal(t, "Get ${env:TEST_RPC}: no route, ${env:TEST_TRON}", c.Redact("Get "+rpcSecret+": no route, "+tronSecret))
	require.NotContains(t, c.Redact("dial wss://node.example.org/v2/literal-key-0123"), "literal-key")
	require.NotContains(t, c.Redact("user=watcher password=hunter2hunter2"), "hunter2")
}

// An error about a setting whose value is a secret shows how it was written.
func TestErrorsDoNotShowSecrets(t *testing.T) {
	setSecrets(t)
	for _, bad := range []string{
		"sweep: ${env:TEST_TOKEN}", "web: {listen: \"${env:TEST_TOKEN}\"}", "store: \"${env:TEST_TOKEN}\"", "log: {level: \"${env:TEST_TOKEN}\"}",
		"rules: [{name: \"${env:TEST_TOKEN} \", axis: \"${env:TEST_TOKEN}\", levels: [\"${env:TEST_TOKEN}\"], rearm: \"${env:TEST_TOKEN}\"}]",
		"rules: [{name: r, axis: \"${env:TEST_TOKEN}\", levels: [1], notify: [\"${env:TEST_TOKEN}\"], severity: \"${env:TEST_TOKEN}\"}]",
	} {
		_, err := Parse("x.yaml", []byte("chains: {e: {rpc: [http://h]}}\nmarkets: [m]\n"+bad))
		require.Error(t, err, bad)
		require.NotContains(t, err.Error(), tokenSecret, bad)
	}
}

func TestPublicKeepsWhatDecidesTheNumbers(t *testing.T) {
	text := public(t, good(t))
	for _, want := range []string{"aave-v3-ethereum", "pool_addresses_provider", "2400.000000000000000001", "31337", "wstETH/ETH"} {
		require.Contains(t, text, want)
	}
	for _, not := range []string{"headers", "notifiers", "postgres", "example.org"} {
		require.NotContains(t, text, not)
	}
}

func public(t testing.TB, c *Config) string {
	t.Helper()
	text, err := c.Public()
	require.NoError(t, err)
	return text
}

func TestSecretFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		require.NoError(t, os.Chmod(path, mode))
		return path
	}
	parse := func(path string) (*Config, error) {
		return Parse("x.yaml", []byte("chains: {e: {rpc: [http://h], headers: {K: \"a ${file:"+path+"}\"}}}\nmarkets: [m]\n"))
	}
	c, err := parse(write("private", "key1\r\n", 0o600))
	require.NoError(t, err)
	require.Equal(t, "a key1", c.Chains["e"].Headers["K"].Reveal())
	require.Empty(t, c.Warnings)

	c, err = parse(write("open", "key2", 0o644))
	require.NoError(t, err)
	require.Len(t, c.Warnings, 1)
	require.Contains(t, c.Warnings[0].String(), "x.yaml:1:44: everybody on this machine can read the secret")

	for path, want := range map[string]string{
		filepath.Join(dir, "none"):  "no such file",
		write("empty", "\n", 0o600): "is empty",
		dir:                         "is not a file",
		"relative":                  "is not a full path",
		write("huge", strings.Repeat("x", maxSecret+1), 0o600):  "is larger than",
		write("two-lines", "key\nX-Injected: yes\nmore", 0o600): "cannot be sent",
	} {
		_, err := parse(path)
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, "x.yaml:1:44: ")
	}
}

func TestEnvironmentOverridesTheFile(t *testing.T) {
	setSecrets(t)
	setenv(t, "LIQWATCH_STORE", "sqlite:/var/lib/liqwatch.db")
	setenv(t, "LIQWATCH_WEB_LISTEN", "off")
	setenv(t, "LIQWATCH_LOG_LEVEL", "warn")
	setenv(t, "LIQWATCH_SWEEP", "1h")
	c := good(t)
	require.Equal(t, "sqlite:/var/lib/liqwatch.db", c.Store.String())
	require.True(t, c.Web.Off())
	require.Equal(t, time.Hour, c.Sweep)
	require.Equal(t, "warn", c.Log.Level)

	setenv(t, "LIQWATCH_SWEEP", "often")
	_, err := Load("testdata/good.yaml")
	require.EqualError(t, err, `environment LIQWATCH_SWEEP: "often" is not a time; write a time such as 30s, 5m or 6h`)
}

func TestLoadOfNoFile(t *testing.T) {
	_, err := Load(filepath.Join(t.TempDir(), "liqwatch.yaml"))
	require.True(t, IsInvalid(err))
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, "name the file with -c")
}

func TestPlaces(t *testing.T) {
	c := good(t)
	require.Equal(t, "testdata/good.yaml:26:14", c.At("rules", 0, "levels", 0).String())
	require.Equal(t, c.At("rules"), c.At("rules", 99), "a missing step stays at what holds it")
	err := c.At("markets", 0).Errorf("no deployment is known as %q", c.Markets[0].Name)
	require.EqualError(t, err, `testdata/good.yaml:13:5: no deployment is known as "aave-v3-ethereum"`)
}

// Both kinds of logs show nothing of a secret, however it is handed to them.
func TestLogsShowNoSecret(t *testing.T) {
	var out bytes.Buffer
	log := zerolog.New(&out)
	token, node := NewSecret(tokenSecret), NewURL(rpcSecret)
	type block struct {
		Token Secret
		Node  URL
	}
	log.Info().Interface("token", token).Stringer("node", node).Any("block", block{token, node}).Msgf("%v %s %+v", token, node, &block{token, node})
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "token", token, "node", node, "block", block{token, node})
	require.NotContains(t, out.String(), tokenSecret)
	require.NotContains(t, out.String(), "SECRETSECRET")
	require.Contains(t, out.String(), "https://rpc.example.org")
}
