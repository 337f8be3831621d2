package sky

import (
	"testing"

	"github.com/holiman/uint256"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"liqwatch/chains"
	"liqwatch/protocols"
)

func wadOf(s string) uint256.Int {
	z, err := scaled(decimal.RequireFromString(s), 18)
	if err != nil {
		panic(err)
	}
	return z
}

func rayOf(s string) uint256.Int {
	z, err := scaled(decimal.RequireFromString(s), 27)
	if err != nil {
		panic(err)
	}
	return z
}

func sampleBook(t require.TestingT) *Book {
	b, err := NewBook(State{
		Market: "eth-b", Chain: "ethereum", Block: chains.Block{Number: 1, Time: 3600},
		Gem: protocols.Asset{Symbol: "ETH", Decimals: 18},
		Ilk: Ilk{Name: "ETH-B", Rate: rayOf("1.05"), Mat: rayOf("1.3"), Par: rayOf("1"), Chop: wadOf("1.13")},
		// 10 ETH against 10,500 DAI: liquidated below 1,365.
		Price: wadOf("2000"), Next: wadOf("1900"), NextAt: 7200,
		Vaults: []Vault{{ID: "17608", Urn: Urn{Ink: wadOf("10"), Art: wadOf("10000")}}},
	})
	require.NoError(t, err)
	return b
}

func TestBookFigures(t *testing.T) {
	b := sampleBook(t)
	i, ok := b.Find("17608")
	require.True(t, ok)
	require.False(t, b.Liquidatable(i, b.Prices()))
	healthy := b.Figures(i, b.Prices())
	require.Equal(t, wadOf("20000"), healthy.AtRisk)
	require.Equal(t, wadOf("10500"), healthy.Debt)
	require.True(t, healthy.Seizable.IsZero())

	price := decimal.RequireFromString("1100")
	p, err := b.Move([]protocols.Move{{Axis: "ETH", To: &price}})
	require.NoError(t, err)
	f := b.Figures(i, p)
	require.True(t, f.Liquidatable)
	require.Equal(t, wadOf("11000"), f.Seizable, "one bark takes the whole vault")
	// 11,000 of collateral covers 11,000/1.13 of debt.
	bad := decimal.NewFromBigInt(f.BadDebt.ToBig(), -18).InexactFloat64()
	require.InDelta(t, 10500-11000/1.13, bad, 1e-9)

	require.Equal(t, []protocols.ComingPrice{{Asset: 0, Price: wadOf("1900"), At: 7200,
		Why: "the oracle security module already holds it"}}, b.Coming())
	h := b.Position(i).HealthFactor
	require.Equal(t, "1.4652", h.StringFixed(4))
}

func TestBookMovesAlongItsAxes(t *testing.T) {
	b := sampleBook(t)
	_, ok := b.Path("BTC")
	require.False(t, ok)
	require.Equal(t, []string{"ETH", "market"}, b.Axes())
	for axis, to := range map[string]string{"ETH": "1000", "market": "0.5"} {
		path, ok := b.Path(axis)
		require.True(t, ok)
		place := wadOf(to)
		var p protocols.Prices
		path.At(&place, &p)
		require.Equal(t, wadOf("1000"), p.Raw[0], axis)
		moved, err := b.Move([]protocols.Move{{Axis: axis, Factor: decimal.RequireFromString("0.5")}})
		require.NoError(t, err)
		require.Equal(t, p.Raw, moved.Raw, axis)
	}
	_, err := b.Move([]protocols.Move{{Axis: "ETH", Factor: decimal.NewFromInt(-1)}})
	require.ErrorContains(t, err, "negative")
}

func TestBookWhatIfs(t *testing.T) {
	b := sampleBook(t)
	_, err := b.Set("BTC", "lt", decimal.NewFromInt(1))
	require.ErrorContains(t, err, "only collateral here is ETH")
	_, err = b.Set("ETH", "colour", decimal.NewFromInt(1))
	require.ErrorContains(t, err, "lt, bonus and price")
	set, err := b.Set("ETH", "lt", decimal.RequireFromString("0.5"))
	require.NoError(t, err)
	require.True(t, set.Liquidatable(0, set.Prices()), "at 200 % the vault is unsafe at 2,000")
	require.False(t, b.Liquidatable(0, b.Prices()), "the book asked is unchanged")
}

// The linear form only finds candidates, but it must point to the right place.
func TestTermsAgreeWithTheClosedForm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := sampleBook(t).s
		s.Vaults = []Vault{{ID: "1", Urn: Urn{Ink: wads(t, "ink", 1<<40), Art: wads(t, "art", 1<<50)}}}
		b, err := NewBook(s)
		require.NoError(t, err)
		want, ok := s.Vaults[0].LiquidationPrice(&s.Ilk)
		if !ok || want.LtUint64(1_000_000) {
			return
		}
		terms := b.Terms(0, nil)
		got := -terms[1].Coef * 1e18 / terms[0].Coef
		require.InEpsilon(t, want.Float64(), got, 1e-6)
	})
}

func FuzzDecimalsThatDoNotFit(f *testing.F) {
	f.Add("1e80")
	f.Add("0.000000000000000000000000000000000001")
	f.Fuzz(func(t *testing.T, s string) {
		d, err := decimal.NewFromString(s)
		if err != nil || d.IsNegative() || d.Exponent() > 200 || d.Exponent() < -200 {
			return
		}
		z, err := scaled(d, 18)
		if err == nil && new(uint256.Int).Set(&z).ToBig().Cmp(d.Shift(18).BigInt()) != 0 {
			t.Fatalf("%s became %s", s, z.Dec())
		}
	})
}
