package thresholds

import (
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"liqwatch/protocols"
)

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

// 10 ETH at 2,000 and 8 wstETH at 2,400 against 25,000 USD: alone they break at
// 1,138 and 1,296, together at ETH 1,555. Per-token tools warn 400 dollars late.
func TestJointBreakIsFoundWhereAloneItIsNot(t *testing.T) {
	book := JointFixture("aave", "ethereum")
	l, err := Build("ETH", "aave", []protocols.Book{book})
	require.NoError(t, err)
	joint, err := l.Triggers("aave", 0)
	require.NoError(t, err)
	// (10*.83 + 8*1.2*.81) p = 25000
	require.Equal(t, "1555.1132122", joint.Down.Truncate(7).String())
	require.Nil(t, joint.Up)

	alone := *book
	alone.Tokens = append([]FixtureToken(nil), book.Tokens...)
	alone.Tokens[1] = FixtureToken{Symbol: "wstETH", Decimals: 8, Price: 2400e8, LT: 8100}
	l, err = Build("ETH", "aave", []protocols.Book{alone.Reprice(2000e8)})
	require.NoError(t, err)
	eth, err := l.Triggers("aave", 0)
	require.NoError(t, err)
	require.Equal(t, "1138", eth.Down.Round(0).String())

	peg, err := Build("wstETH/ETH", "aave", []protocols.Book{book})
	require.NoError(t, err)
	require.Equal(t, "1.2", peg.Spot().String())
	steth, err := peg.Triggers("aave", 0)
	require.NoError(t, err)
	require.Equal(t, "1296", steth.Down.Mul(decimal.NewFromInt(2000)).Round(0).String())

	whole, err := Build("market", "aave", []protocols.Book{book})
	require.NoError(t, err)
	require.Equal(t, "1", whole.Spot().String())
	factor, err := whole.Triggers("aave", 0)
	require.NoError(t, err)
	require.Equal(t, "0.7776", factor.Down.Round(4).String())
}

func TestStressJoinsShocksOverMarketsAndChains(t *testing.T) {
	one, other := JointFixture("one", "ethereum"), JointFixture("other", "tron")
	other.Quote, other.QuoteUSD = 8, dec("0.5") // quoted in something worth half a dollar
	other.Loans[0].ID = "0xb"
	books := []protocols.Book{one, other}
	shock := func(s string) protocols.Move {
		m, err := ParseShock(s)
		require.NoError(t, err)
		return m
	}
	r, err := Stress(books, []protocols.Move{shock("ETH=-20%")}, nil)
	require.NoError(t, err)
	require.Zero(t, r.Then.Accounts)
	require.Equal(t, 2, r.Positions)

	r, err = Stress(books, []protocols.Move{shock("ETH=-20%"), shock("wstETH/ETH=-8%")}, nil)
	require.NoError(t, err)
	require.Equal(t, 2, r.Then.Accounts)
	require.Equal(t, 1, r.Then.Owners, "one owner on two chains is one")
	// 10*1600 + 8*1600*1.104, once in dollars and once in halves.
	require.Equal(t, "45196.8", r.Then.AtRiskUSD.String())
	require.Equal(t, []string{"ETH=-20%", "wstETH/ETH=-8%"}, r.Shocks)
	require.Equal(t, "ETH", r.ByAsset[0].Symbol)
	require.Equal(t, "20", r.ByAsset[0].Amount.String())
	require.Equal(t, "one", r.Largest[0].Market)
	require.Equal(t, r.Then, r.Added)

	change, err := ParseChange("one.wstETH.lt=0.50")
	require.NoError(t, err)
	r, err = Stress(books, []protocols.Move{shock("ETH=1800")}, []Change{change})
	require.NoError(t, err)
	require.Equal(t, 1, r.Then.Accounts)
	require.Equal(t, "one", r.ByMarket[0].Market)
	require.Equal(t, []string{"one.wstETH.lt=0.5"}, r.Changes)

	r, err = Stress(books, nil, nil)
	require.NoError(t, err)
	require.Equal(t, r.Now, r.Then)
	require.NotContains(t, toJSON(t, r), "null")
}

func TestStressRefusesWhatItDoesNotKnow(t *testing.T) {
	books := []protocols.Book{JointFixture("one", "ethereum")}
	factor := protocols.Move{Axis: "ETH", Factor: dec("0.9")}
	for name, ask := range map[string]func() error{
		`no such axis "DOGE"`: func() error {
			_, err := Stress(books, []protocols.Move{{Axis: "DOGE", Factor: dec("0.9")}}, nil)
			return err
		},
		"moved twice": func() error { _, err := Stress(books, []protocols.Move{factor, factor}, nil); return err },
		`unknown market "two"`: func() error {
			_, err := Stress(books, nil, []Change{{"two", "ETH", "lt", dec("0.8")}})
			return err
		},
		"no asset": func() error { _, err := Stress(books, nil, []Change{{"one", "DOGE", "lt", dec("0.8")}}); return err },
		"twice":    func() error { _, err := Stress(append(books, books...), nil, nil); return err },
	} {
		require.ErrorContains(t, ask(), name)
	}
}

func TestShocksAndChangesAreReadStrictly(t *testing.T) {
	for s, want := range map[string]string{
		"ETH=-20%": "ETH=-20%", "ETH=+5%": "ETH=+5%", "ETH=5%": "ETH=+5%", "wstETH/ETH=-3%": "wstETH/ETH=-3%",
		"ETH=2000": "ETH=2000", "ETH = 1999.50": "ETH=1999.5", "market=-0.5%": "market=-0.5%",
	} {
		m, err := ParseShock(s)
		require.NoError(t, err, s)
		require.Equal(t, want, describeMove(m))
	}
	for _, s := range []string{"", "ETH", "=-20%", "ETH=", "ETH=x", "ETH=-2000", "ETH=0", "ETH=-100%", "ETH=1e9", "ETH=2,000", "ETH=-20%%", "ETH=NaN"} {
		_, err := ParseShock(s)
		require.Error(t, err, s)
	}
	c, err := ParseChange("aave-v3-ethereum.USDC.e.lt=0.80")
	require.NoError(t, err)
	require.Equal(t, Change{"aave-v3-ethereum", "USDC.e", "lt", dec("0.80")}, c)
	for _, s := range []string{"", "a.b.lt", "a.lt=0.8", ".b.lt=0.8", "a..lt=0.8", "a.b.ltv=0.8", "a.b.lt=80", "a.b.lt=-0.1", "a.b.lt=80%", "a.b.lt="} {
		_, err := ParseChange(s)
		require.Error(t, err, s)
	}
}

func FuzzParseShock(f *testing.F) {
	for _, s := range []string{"ETH=-20%", "ETH=2000", "wstETH/ETH=-3%", "=", "ETH=-99.999999%"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, err := ParseShock(s)
		if err != nil {
			return
		}
		again, err := ParseShock(describeMove(m))
		require.NoError(t, err)
		require.Equal(t, describeMove(m), describeMove(again))
		require.True(t, m.To != nil && m.To.Sign() > 0 || m.To == nil && m.Factor.Sign() > 0)
	})
}

func FuzzParseChange(f *testing.F) {
	for _, s := range []string{"aave.USDC.e.lt=0.80", "a.b.price=1", "a.b.bonus=0.05"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseChange(s)
		if err != nil {
			return
		}
		again, err := ParseChange(c.String())
		require.NoError(t, err)
		require.Equal(t, c.String(), again.String())
	})
}

func FuzzParseLevels(f *testing.F) {
	for _, s := range []string{"2200,2400", " 1.05 ", "1e9", "-1", ","} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		levels, err := ParseLevels(s)
		if err != nil {
			return
		}
		for _, l := range levels {
			require.Positive(t, l.Sign())
			_, err := placeOf(l, 18)
			require.NoError(t, err)
		}
	})
}
