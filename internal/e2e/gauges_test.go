package e2e

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"liqwatch/chains"
	"liqwatch/devnet/aave"
	"liqwatch/devnet/anvil"
	"liqwatch/internal/alerts"
	"liqwatch/internal/store"
)

const gaugeRules = `
  BTC: {reference: aave, spot: {feed: %q}}
rules:
  - {name: wallet, watch: health_factor, accounts: [%q], below: [1.2, 1.05], notify: [hook]}
  - {name: whales, watch: health_factor, largest: 5, below: [1.01], notify: [hook]}
  - {name: squeeze, watch: utilization, assets: [USDC, weth], above: [0.0001%%], notify: [hook]}
  - {name: fragile, watch: at_risk_share, axis: ETH, shock: -20%%, above: [0.01%%], notify: [hook]}
  - {name: oracle, watch: divergence, axis: BTC, above: [1%%, 5%%], notify: [hook]}
  - {name: cascade, watch: liquidations, within: 1h, above: [1], notify: [hook]}
  - {name: holes, watch: bad_debt, above: [1], notify: [hook]}
  - {name: flight, watch: tvl, within: 10m, below: [-1%%], notify: [hook]}
notifiers:
  hook: {type: webhook, url: %q, secret: "${env:HOOK_SECRET}", allow_private: true}
log: {level: debug}
`

// gaugeStage is the devnet, the watcher and what it has told, by rule.
type gaugeStage struct {
	*world
	t       *testing.T
	watcher *daemon
	hook    *receiver
	heard   map[string][]alerts.Body
}

// TestNumbersAreThoseOfTheContracts holds the messages of rules about numbers against
// what the contracts say of the block that each message names.
func TestNumbersAreThoseOfTheContracts(t *testing.T) {
	ctx := t.Context()
	w := populated(t, aave.V36, anvil.Options{})
	wallet, victim, bot := chains.Address{0xE2, 0xE1}, chains.Address{0xE2, 0xE2}, chains.Address{0xE2, 0xE3}
	require.NoError(t, w.SetFeed(ctx, aave.FeedSHARE, big.NewInt(60_000e8)))
	require.NoError(t, w.SetFeed(ctx, aave.FeedBTC, big.NewInt(60_000e8)))
	for _, loan := range []struct {
		who        chains.Address
		weth, usdc float64
	}{{wallet, 100, 150_000}, {victim, 10, 18_000}} {
		require.NoError(t, w.Supply(ctx, loan.who, "WETH", w.Amount("WETH", loan.weth)))
		require.NoError(t, w.Borrow(ctx, loan.who, "USDC", w.Amount("USDC", loan.usdc)))
		w.accounts = append(w.accounts, loan.who.String())
	}
	require.NoError(t, w.Mint(ctx, bot, "USDC", w.Amount("USDC", 1e6)))
	hook := receive(t)
	config := w.configuration(t, "")
	config = w.rewrite(t, config, fmt.Sprintf(gaugeRules, w.Feeds[aave.FeedSHARE].Proxy, wallet, hook.URL))
	s := &gaugeStage{world: w, t: t, hook: hook, heard: map[string][]alerts.Body{}}
	s.watcher = watch(t, config, "HOOK_SECRET="+hookSecret)

	for _, told := range s.await("squeeze", 2) {
		s.utilization(told)
	}
	s.share(s.await("fragile", 1)[0])

	require.NoError(t, w.SetETH(ctx, big.NewInt(2100e8)))
	told := s.await("wallet", 1)[0]
	require.Equal(t, "1.2", told.Data.Bound.String())
	s.health(told, wallet)

	require.NoError(t, w.SetFeed(ctx, aave.FeedSHARE, big.NewInt(58_800e8)))
	told = s.await("oracle", 1)[0]
	require.Equal(t, "0.02040816", told.Data.Value.String(), "60,000 against 58,800")
	require.Equal(t, "0.01", told.Data.Bound.String())
	require.NoError(t, w.SetFeed(ctx, aave.FeedSHARE, big.NewInt(60_000e8)))
	require.Equal(t, "rearmed", string(s.await("oracle", 2)[1].Data.Kind))

	s.liquidation(bot, victim)
	w.checkedOnline(t)
	s.badDebt()

	require.Empty(t, s.heard["flight"], "there is no history of ten minutes ago")
	code, _ := s.watcher.interrupt(t)
	require.Zero(t, code)
	s.isKept(config)
	for rule, told := range s.heard {
		for _, b := range told {
			t.Logf("%s: %s\n%s", rule, b.Data.Title, b.Data.Text)
		}
	}
}

// isKept: there is no page, and history is kept all the same.
func (s *gaugeStage) isKept(config string) {
	st, err := store.OpenReadOnly(s.t.Context(), "sqlite:"+filepath.Join(filepath.Dir(config), "liqwatch.db"))
	require.NoError(s.t, err)
	defer func() { _ = st.Close() }()
	now := time.Now()
	prices, err := st.HistoryPrices(s.t.Context(), "ETH", store.Hour, now.Add(-2*time.Hour), now)
	require.NoError(s.t, err)
	require.NotEmpty(s.t, prices)
	bands, err := st.HistoryBands(s.t.Context(), "ETH", "aave", store.Hour, now.Add(-2*time.Hour), now)
	require.NoError(s.t, err)
	require.NotEmpty(s.t, bands)
	totals, known, err := st.HistoryTotals(s.t.Context(), "aave", store.Hour, now)
	require.NoError(s.t, err)
	require.True(s.t, known)
	require.True(s.t, totals.TVLUSD.IsPositive())
	done, err := st.Liquidations(s.t.Context(), time.Unix(0, 0), 10)
	require.NoError(s.t, err)
	require.Empty(s.t, done, "the only one was undone")
}

// rewrite puts more after the axes of a configuration.
func (w *world) rewrite(t *testing.T, path, more string) string {
	t.Helper()
	return rewriteFile(t, path, func(text string) string {
		return strings.Replace(text, "axes:\n  ETH: {reference: aave}\n", "axes:\n  ETH: {reference: aave}"+more, 1)
	})
}

// await waits until a rule has told n messages.
func (s *gaugeStage) await(rule string, n int) []alerts.Body {
	s.t.Helper()
	for end := time.Now().Add(time.Minute); len(s.heard[rule]) < n && time.Now().Before(end); {
		for _, b := range s.hook.next(s.t, 1) {
			s.heard[b.Data.Rule] = append(s.heard[b.Data.Rule], b)
		}
	}
	require.GreaterOrEqual(s.t, len(s.heard[rule]), n, "%s is silent", rule)
	return s.heard[rule]
}

// health is getUserAccountData's number at the block that the message names.
func (s *gaugeStage) health(b alerts.Body, who chains.Address) {
	s.t.Helper()
	data, err := s.UserAccountData(s.t.Context(), who, b.Data.Blocks[0].Number)
	require.NoError(s.t, err)
	require.Equal(s.t, decimal.NewFromBigInt(data.HealthFactor, -18).String(), b.Data.Value.String())
	require.Contains(s.t, b.Data.Subject, who.String())
}

// utilization is the total of the debt token over that of the aToken.
func (s *gaugeStage) utilization(b alerts.Body) {
	s.t.Helper()
	for _, a := range s.Assets {
		if strings.HasSuffix(b.Data.Subject, a.Token.String()) {
			supplied, borrowed := s.supply(a.AToken, b.Data.Blocks[0].Number), s.supply(a.VToken, b.Data.Blocks[0].Number)
			require.Equal(s.t, borrowed.DivRound(supplied, 8).String(), b.Data.Value.String(), a.Symbol)
			return
		}
	}
	s.t.Fatalf("%s is of no asset", b.Data.Subject)
}

func (s *gaugeStage) supply(token chains.Address, block uint64) decimal.Decimal {
	s.t.Helper()
	var out string
	require.NoError(s.t, s.node.Call(s.t.Context(), &out, "eth_call", map[string]string{"to": token.String(), "data": "0x18160ddd"}, fmt.Sprintf("0x%x", block)))
	raw, err := hex.DecodeString(strings.TrimPrefix(out, "0x"))
	require.NoError(s.t, err)
	return decimal.NewFromBigInt(new(big.Int).SetBytes(raw), 0)
}

// share is what the pool says of every account, now and with ETH a fifth lower.
func (s *gaugeStage) share(b alerts.Body) {
	s.t.Helper()
	ctx, block := s.t.Context(), b.Data.Blocks[0].Number
	price, err := s.Price(ctx, "WETH", block)
	require.NoError(s.t, err)
	now, err := s.judge.At(ctx, block, s.accounts)
	require.NoError(s.t, err)
	lower := new(big.Int).Div(new(big.Int).Mul(price, big.NewInt(8)), big.NewInt(10))
	then, err := s.judge.IfPriced(ctx, block, s.accounts, s.reports(lower.Int64()))
	require.NoError(s.t, err)
	all, part := new(big.Int), new(big.Int)
	for i := range now {
		if now[i].Debt.Sign() > 0 {
			all.Add(all, now[i].Collateral)
		}
		if !now[i].Liquidatable() && then[i].Liquidatable() {
			part.Add(part, now[i].Collateral)
		}
	}
	require.Positive(s.t, part.Sign())
	want := decimal.NewFromBigInt(part, 0).DivRound(decimal.NewFromBigInt(all, 0), 8)
	require.Equal(s.t, want.String(), b.Data.Value.String())
}

// liquidation: what the log says was seized, at the oracle's price; and it is taken
// back when its block is.
func (s *gaugeStage) liquidation(bot, victim chains.Address) {
	t, ctx := s.t, s.t.Context()
	before := len(s.heard["cascade"])
	receipt, err := s.Liquidate(ctx, bot, victim, "WETH", "USDC", aave.Max, false)
	require.NoError(t, err)
	told := s.await("cascade", before+1)[before]
	price, err := s.Price(ctx, "WETH", receipt.Block)
	require.NoError(t, err)
	call := chains.Keccak([]byte("LiquidationCall(address,address,address,uint256,uint256,address,bool)"))
	for _, l := range receipt.Logs {
		if l.Topics[0] == call {
			seized := decimal.NewFromBigInt(new(big.Int).SetBytes(l.Data[32:64]), -18)
			require.Equal(t, seized.Mul(decimal.NewFromBigInt(price, -8)).Round(2).String(), told.Data.Value.String())
		}
	}
	require.Contains(t, told.Data.Text, "Longs")
	require.NoError(t, s.node.ReorgWith(ctx, 1, nil))
	require.NoError(t, s.node.Call(ctx, nil, "anvil_mine", 1))
	took := s.await("cascade", before+2)[before+1]
	require.Equal(t, "correction", string(took.Data.Kind), took.Data.Title)
}

// badDebt: ETH falls to where even the collateral does not cover the debts.
func (s *gaugeStage) badDebt() {
	t, ctx := s.t, s.t.Context()
	require.NoError(t, s.SetETH(ctx, big.NewInt(700e8)))
	told := s.await("holes", 1)[0]
	verdicts, err := s.judge.At(ctx, told.Data.Blocks[0].Number, s.accounts)
	require.NoError(t, err)
	// Without the bonus at least the debts that exceed all collateral are bad.
	least := new(big.Int)
	for _, v := range verdicts {
		if v.Debt.Cmp(v.Collateral) > 0 {
			least.Add(least, new(big.Int).Sub(v.Debt, v.Collateral))
		}
	}
	require.True(t, told.Data.Value.GreaterThan(decimal.NewFromBigInt(least, -8)), "bad debt %s, and at least %s", told.Data.Value, least)
	require.Positive(t, least.Sign())
	require.Len(t, s.await("wallet", 2), 2)
	require.Equal(t, "1.05", s.heard["wallet"][1].Data.Bound.String())
}

const doubtful = `
rules:
  - {name: far, axis: ETH, levels: [0.001, 2600, 1000], notify: [out], min_at_risk_usd: 1000000}
  - {name: rich, axis: ETH, levels: [1500], notify: [out], min_at_risk_usd: 900000000000}
  - {name: none, axis: TRX, levels: [0.1], notify: [out]}
  - {name: stranger, watch: health_factor, accounts: ["0x00000000000000000000000000000000000000aa"], below: [1.1], notify: [out]}
  - {name: unlisted, watch: utilization, assets: [WETH, DOGE], above: [90%], notify: [out]}
  - {name: right, watch: at_risk_share, axis: ETH, markets: [aave], above: [90%], notify: [out]}
notifiers:
  out: {type: stdout}
`

// checkedOnline holds rules that can hardly be meant against the market, with ETH at 2,100.
func (w *world) checkedOnline(t *testing.T) {
	t.Helper()
	path := rewriteFile(t, w.configuration(t, ""), func(text string) string { return text + doubtful })
	_, _, code := liqwatch(t, "config", "check", "-c", path)
	require.Zero(t, code, "the file alone is fine")
	out, stderr, code := liqwatch(t, "config", "check", "-c", path, "--online", "--format", "json")
	require.Equal(t, 1, code, stderr)
	got := one[struct {
		Fine     bool
		Findings []struct {
			Line, Column        int
			Rule, Problem, Hint string
			Never               bool
		}
	}](t, out)
	require.False(t, got.Fine)
	var lines []string
	for _, f := range got.Findings {
		require.NotEmpty(t, f.Hint)
		require.Positive(t, f.Column)
		lines = append(lines, fmt.Sprint(f.Rule, " ", f.Never, ": ", f.Problem))
	}
	require.Len(t, lines, 6, strings.Join(lines, "\n"))
	for _, want := range []string{
		"far true: level 0.001 is further than positions are looked at",
		"far false: ETH is at 2100, below level 2600 already: it is watched from below",
		"rich true: min_at_risk_usd is 900000000000 and all collateral of borrowers is worth ",
		"none true: ", "stranger false: 0x00000000000000000000000000000000000000aa owes nothing in the markets that rule \"stranger\" watches",
		"unlisted true: no market that rule \"unlisted\" watches has an asset \"DOGE\"",
	} {
		require.Contains(t, strings.Join(lines, "\n"), want)
	}
}

func rewriteFile(t *testing.T, path string, f func(string) string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NotEqual(t, f(string(text)), string(text))
	require.NoError(t, os.WriteFile(path, []byte(f(string(text))), 0o600))
	return path
}
