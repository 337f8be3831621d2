package compoundv2

import (
	"math/big"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"liqwatch/chains"
	"liqwatch/chains/tron"
	"liqwatch/devnet/anvil"
	double "liqwatch/devnet/tron"
	"liqwatch/protocols"
)

// justlendRun is the double with a market that follows it.
type justlendRun struct {
	*driver
	w        *double.World
	node     *double.Node
	accounts []chains.Address
	lender   chains.Address
}

func newJustLendRun(t *testing.T, borrowers int, d double.Dialect) *justlendRun {
	t.Helper()
	ctx := t.Context()
	evm := anvil.Run(t, anvil.Options{BlockTime: 3, ChainID: double.ChainID})
	w, err := double.Deploy(ctx, evm, double.Options{})
	require.NoError(t, err)
	j := &justlendRun{w: w, lender: chains.Address{0xA1}}
	require.NoError(t, w.Fund(ctx, j.lender))
	j.accounts, err = w.Crowd(ctx, borrowers, 1)
	require.NoError(t, err)
	require.NoError(t, evm.MineBlocks(ctx, 25))
	j.node, err = double.Serve(ctx, evm.Client, d)
	require.NoError(t, err)
	j.driver = &driver{t: t, chain: j.client(), market: j.fresh()}
	return j
}

func (j *justlendRun) client() *tron.Client {
	c, err := tron.New(tron.Config{
		Name: "tron", ChainID: tron.MainnetID, Patience: 20 * time.Second,
		Endpoints: []tron.Endpoint{{URL: j.node.URL, RequestsPerSecond: 1e6}},
	}, zerolog.Nop())
	if err != nil {
		panic(err)
	}
	return c
}

func (j *justlendRun) fresh() *Market {
	m, err := Make(protocols.Placement{Name: "justlend", Chain: "tron"}, Settings{Comptroller: j.w.Risk.Address, FromBlock: j.w.FromBlock})
	if err != nil {
		panic(err)
	}
	return m
}

// judge compares every account with the comptroller at the head, asked directly.
func (j *justlendRun) judge(b *book) {
	j.t.Helper()
	ctx := j.t.Context()
	n, err := j.w.Node.BlockNumber(ctx)
	require.NoError(j.t, err)
	require.Equal(j.t, n, b.block.Number, "the chain stands still while it is judged")
	seen := 0
	for _, a := range j.accounts {
		code, liquidity, shortfall, err := j.w.Liquidity(ctx, a, n)
		require.NoError(j.t, err)
		i, ok := b.Find(a.Base58())
		if !ok {
			continue
		}
		seen++
		require.Equal(j.t, code.Sign() != 0, b.Unpriced(i))
		p := b.Position(i)
		require.Equal(j.t, liquidity.String(), p.View[0].Value.Dec(), "liquidity of %s", a.Base58())
		require.Equal(j.t, shortfall.String(), p.View[1].Value.Dec(), "shortfall of %s", a.Base58())
		require.Equal(j.t, a.Base58(), p.ID)
	}
	require.Equal(j.t, b.Len(), seen)
	report := j.verify()
	require.True(j.t, report.Clean(), "%+v", report.Differences)
}

func TestJustLendEqualsTheComptroller(t *testing.T) {
	for _, version := range []string{double.V480, double.V482} {
		t.Run(version, func(t *testing.T) {
			j := newJustLendRun(t, 60, double.Dialect{Version: version, CPUGas: double.CPULimit})
			ctx := t.Context()
			b := j.must(protocols.Everything)
			require.Equal(t, JustLend, j.market.profile)
			require.Len(t, b.Assets(), 24)
			require.Equal(t, 60, b.Len())
			require.Empty(t, b.Faults())
			for _, acc := range b.positions {
				for _, l := range acc.legs {
					require.False(t, l.inexact, "debts are exact from the logs")
				}
			}
			j.judge(b)
			usdt := j.w.InTRX("USDT", 10_000, double.TRXPrice)
			for i, step := range []func() error{
				func() error { return j.w.Repay(ctx, j.accounts[3], j.debt(3), big.NewInt(777)) },
				func() error { return j.w.Accrue(ctx, "USDT") },
				func() error { return j.w.Transfer(ctx, j.lender, j.accounts[5], "ETH", big.NewInt(1_234_567)) },
				func() error { return j.w.Enter(ctx, j.accounts[5], "ETH") },
				func() error { return j.w.Borrow(ctx, j.accounts[5], "TRX", big.NewInt(1_000_001)) },
				func() error {
					return j.w.Jump(ctx, map[string]*big.Int{"USDT": new(big.Int).Div(new(big.Int).Mul(usdt, big.NewInt(14)), big.NewInt(10))})
				},
				func() error { return j.liquidateOne() },
				func() error { return j.w.Node.MineBlocks(ctx, 400) },
				func() error { return j.w.Accrue(ctx, "TRX") },
				func() error { return j.liquidateOne() },
				func() error {
					return j.w.Jump(ctx, map[string]*big.Int{"USDT": usdt, "ETH": j.w.InTRX("ETH", 31_234_567, double.TRXPrice)})
				},
				func() error { return j.w.Poster.Send(ctx, "setPaused", true) },
				func() error { return j.w.Poster.Send(ctx, "setPaused", false) },
			} {
				require.NoError(t, step(), "step %d", i)
				j.judge(j.must(protocols.Noted))
			}
			j.judge(j.must(protocols.Everything))
			require.Empty(t, j.market.book.Faults())
		})
	}
}

func (j *justlendRun) debt(k int) string {
	b := j.market.book
	i, _ := b.Find(j.accounts[k].Base58())
	for _, l := range b.LegValues(i, b.Prices(), nil) {
		if l.Side == protocols.Debt {
			return b.Assets()[l.Asset].Symbol
		}
	}
	return ""
}

func (j *justlendRun) liquidateOne() error {
	b := j.market.book
	for i := range b.positions {
		if !b.Liquidatable(i, b.Prices()) {
			continue
		}
		var debt, collateral string
		var repay *big.Int
		for _, l := range b.LegValues(i, b.Prices(), nil) {
			switch s := b.Assets()[l.Asset].Symbol; {
			case l.Side == protocols.Collateral && collateral == "":
				collateral = s
			case l.Side == protocols.Debt && debt == "":
				debt, repay = s, new(big.Int).Div(l.Amount.ToBig(), big.NewInt(100))
			}
		}
		return j.w.Liquidate(j.t.Context(), chains.Address{0xC1}, b.Owner(i), debt, collateral, repay)
	}
	j.t.Fatal("nobody to liquidate")
	return nil
}

func TestPricesInTRXAreTold(t *testing.T) {
	j := newJustLendRun(t, 5, double.Dialect{})
	b := j.must(protocols.Everything)
	require.Equal(t, int32(15), b.QuoteDecimals())
	p, ok := b.Path("TRX")
	require.True(t, ok)
	spot := p.Spot()
	require.Equal(t, "0.3276", decimal.NewFromBigInt(spot.ToBig(), -p.Decimals()).StringFixed(4))
	require.Equal(t, "0.3276", b.Prices().QuoteUSD.StringFixed(4))
	eth, ok := b.Path("ETH")
	require.True(t, ok)
	spot = eth.Spot()
	require.Equal(t, "2500.00", decimal.NewFromBigInt(spot.ToBig(), -eth.Decimals()).StringFixed(2))
	for _, s := range b.Explain("TRX") {
		require.Equal(t, s.Symbol == "TRX" || s.Symbol == "sTRX", s.Moves, s.Symbol)
	}
	for _, s := range b.Explain("TRX") {
		if s.Symbol == "sTRX" {
			require.Equal(t, "structure", s.How)
			require.Equal(t, "posted at its own rate of 1.31204 TRX", s.Note)
		}
		if s.Symbol == "TRX" {
			require.Equal(t, "structure", s.How)
		}
	}
	// The staking pool is told apart, at the token's own rate.
	supply, err := j.w.Staked.Number(t.Context(), "totalSupply")
	require.NoError(t, err)
	beside := b.Beside()
	require.Len(t, beside, 1)
	require.Equal(t, decimal.NewFromBigInt(supply, -18).Mul(decimal.New(131_204, -5)).Truncate(6).String(), beside[0].Amount.Decimal().String())
	require.Equal(t, beside[0].Amount.Decimal().Mul(decimal.New(3276, -4)).Truncate(0).String(), beside[0].USD.Round(2).Truncate(0).String())
	_, ok = b.Path("DOGE")
	require.False(t, ok)
	// TVL is cash held; supplied less reserves is what it is made of.
	for _, total := range b.Totals() {
		if b.Assets()[total.Asset].Symbol == "JST" {
			require.Equal(t, total.Supplied, total.Available)
		}
	}
}

func TestACappedPostingIsKnownToCome(t *testing.T) {
	j := newJustLendRun(t, 5, double.Dialect{})
	ctx := t.Context()
	require.Empty(t, j.must(protocols.Everything).Coming())
	usdt := j.w.InTRX("USDT", 10_000, double.TRXPrice)
	asked := new(big.Int).Mul(usdt, big.NewInt(2))
	require.NoError(t, j.w.Post(ctx, "USDT", asked))
	b := j.must(protocols.Noted)
	coming := b.Coming()
	require.Len(t, coming, 1)
	require.Equal(t, "USDT", b.Assets()[coming[0].Asset].Symbol)
	taken := b.Prices().Raw[coming[0].Asset]
	require.Equal(t, 1, coming[0].Price.Cmp(&taken))
	require.Contains(t, coming[0].Why, asked.String())
	require.Greater(t, coming[0].At, b.block.Time)
	j.judge(b)
}

func TestAnImplausibleScaleFailsClosed(t *testing.T) {
	j := newJustLendRun(t, 3, double.Dialect{})
	ctx := t.Context()
	j.must(protocols.Everything)
	before := j.market.book
	// Somebody posts USDT as the older documents have it: a trillion times off.
	require.NoError(t, j.w.Jump(ctx, map[string]*big.Int{"USDT": big.NewInt(3_052_503_052_503)}))
	head, err := j.chain.Head(ctx)
	require.NoError(t, err)
	require.ErrorContains(t, j.to(ctx, head, protocols.Noted), "the oracle's scale is not understood")
	require.Same(t, before, j.market.book, "what was known stays, with its age")
}

func TestADelistedMarketStaysInTheBook(t *testing.T) {
	j := newJustLendRun(t, 40, double.Dialect{})
	ctx := t.Context()
	j.must(protocols.Everything)
	require.NoError(t, j.w.Risk.Send(ctx, "delist", j.w.Market("ETH").JToken.Common()))
	b := j.must(protocols.Noted)
	j.judge(b)
	require.Len(t, b.Faults(), 1)
	require.Equal(t, "delisted", b.Faults()[0].Kind)
	// A watch that begins only now finds the market through its borrowers.
	later := &driver{t: t, chain: j.client(), market: j.fresh()}
	lb := later.must(protocols.Everything)
	require.Equal(t, b.Len(), lb.Len())
	require.Len(t, lb.Assets(), 24)
}

func TestAPriceOfZeroMeansUnpriced(t *testing.T) {
	j := newJustLendRun(t, 40, double.Dialect{})
	ctx := t.Context()
	j.must(protocols.Everything)
	require.NoError(t, j.w.Jump(ctx, map[string]*big.Int{"ETH": new(big.Int)}))
	b := j.must(protocols.Noted)
	j.judge(b)
	require.Equal(t, "unpriced", b.Faults()[0].Kind)
	unpriced := 0
	for i := range b.Len() {
		if b.Unpriced(i) {
			unpriced++
			require.False(t, b.Liquidatable(i, b.Prices()))
			require.Equal(t, "no price: ETH", b.Position(i).Blocked)
		}
	}
	require.Positive(t, unpriced)
	require.Less(t, unpriced, b.Len())
}

func TestAContractThatIsNoComptroller(t *testing.T) {
	j := newJustLendRun(t, 1, double.Dialect{})
	m, err := Make(protocols.Placement{Name: "x", Chain: "tron"}, Settings{Comptroller: j.w.Poster.Address})
	require.NoError(t, err)
	d := &driver{t: t, chain: j.chain, market: m}
	head, err := d.chain.Head(t.Context())
	require.NoError(t, err)
	require.ErrorContains(t, d.to(t.Context(), head, protocols.Everything), "is not a comptroller of the Compound v2 family")
}
