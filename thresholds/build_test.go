package thresholds

import (
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"liqwatch/protocols"
)

func TestBuildRefusesWhatCannotBeALadder(t *testing.T) {
	one := JointFixture("one", "c")
	off := JointFixture("off", "c")
	off.Tokens = append([]FixtureToken(nil), off.Tokens...)
	off.Tokens[0].Symbol = "WXYZ"
	_, err := Build("DOGE", "", []protocols.Book{one})
	require.ErrorIs(t, err, ErrNoAxis)
	_, err = Build("ETH", "off", []protocols.Book{one, off})
	require.ErrorIs(t, err, ErrNoAxis)
	require.ErrorContains(t, err, `reference "off"`)
	_, err = Build("ETH", "two", []protocols.Book{one})
	require.ErrorIs(t, err, ErrUnknownMarket)
	_, err = Build("ETH", "", []protocols.Book{one, one})
	require.ErrorContains(t, err, "given twice")
	_, err = Build("ETH", "one", []protocols.Book{one.Reprice(0)})
	require.ErrorIs(t, err, ErrPrice)
	_, err = Build("ETH", "", nil)
	require.ErrorIs(t, err, ErrNoAxis)

	l, err := Build("ETH", "", []protocols.Book{one, off})
	require.NoError(t, err)
	require.Equal(t, Axis{"ETH", "one"}, l.Axis(), "the first that has the axis")
	for _, bad := range []string{"0", "-1", "1e100"} {
		_, err = l.At(dec(bad))
		require.ErrorIs(t, err, ErrPrice, bad)
		_, err = l.Crossing(dec(bad))
		require.ErrorIs(t, err, ErrPrice, bad)
		_, err = l.Map([]decimal.Decimal{dec(bad)}, MapOptions{})
		require.ErrorIs(t, err, ErrPrice, bad)
	}
	_, err = l.Triggers("two", 0)
	require.ErrorIs(t, err, ErrUnknownMarket)
	_, err = l.Triggers("one", 1)
	require.ErrorContains(t, err, "no position 1")
	_, err = l.StepEdges(dec("0"))
	require.ErrorIs(t, err, ErrPrice)
	_, err = l.StepEdges(dec("0.001"))
	require.ErrorContains(t, err, "larger step")
}

// A market off the axis cannot move; what is liquidatable in it now is counted.
func TestMarketOffTheAxisCountsNow(t *testing.T) {
	one, off := JointFixture("one", "c"), JointFixture("off", "c")
	off.Tokens = append([]FixtureToken(nil), off.Tokens...)
	off.Tokens[0].Symbol = "WXYZ"
	l, err := Build("ETH", "one", []protocols.Book{one, off.Reprice(1500e8)})
	require.NoError(t, err)
	m, err := l.Map([]decimal.Decimal{dec("1600"), dec("1500")}, MapOptions{})
	require.NoError(t, err)
	require.Equal(t, 1, m.LiquidatableNow.Accounts)
	require.Equal(t, []int{1, 2}, []int{m.Down[0].Accounts, m.Down[1].Accounts})
	require.Equal(t, 0, m.NoTrigger)
	calm, err := Build("ETH", "one", []protocols.Book{one, off.Reprice(2000e8)})
	require.NoError(t, err)
	m, err = calm.Map(nil, MapOptions{})
	require.NoError(t, err)
	require.Equal(t, 1, m.NoTrigger)
}

func TestDistanceIsAPartOfTheLevel(t *testing.T) {
	require.Equal(t, "0.05", Distance(dec("2520"), dec("2400")).String())
	require.Equal(t, "0.05", Distance(dec("2280"), dec("2400")).String())
	require.Equal(t, "0", Distance(dec("2280"), decimal.Zero).String())
}

func TestEmptyMapKeepsItsShape(t *testing.T) {
	b := JointFixture("one", "c")
	b.Loans = nil
	l, err := Build("ETH", "", []protocols.Book{b})
	require.NoError(t, err)
	m, err := l.Map(nil, MapOptions{})
	require.NoError(t, err)
	require.JSONEq(t, `{"axis":"ETH","spot":"2000","reference":"one",
		"blocks":[{"chain":"c","number":100,"hash":"0x0000000000000000000000000000000000000000000000000000000000000000","time":1700000000}],
		"positions":0,"unpriced":0,"no_trigger":0,
		"liquidatable_now":{"accounts":0,"owners":0,"at_risk_usd":"0","seizable_usd":"0","debt_usd":"0","bad_debt_usd":"0"},
		"bands":[
		 {"from":null,"to":"2000","direction":"down","at_trigger":{"accounts":0,"owners":0,"at_risk_usd":"0","seizable_usd":"0","debt_usd":"0","bad_debt_usd":"0"},
		  "at_spot":{"accounts":0,"owners":0,"at_risk_usd":"0","seizable_usd":"0","debt_usd":"0","bad_debt_usd":"0"},
		  "by_market":[],"by_asset":[],"top10_share":"0","largest":[]},
		 {"from":"2000","to":null,"direction":"up","at_trigger":{"accounts":0,"owners":0,"at_risk_usd":"0","seizable_usd":"0","debt_usd":"0","bad_debt_usd":"0"},
		  "at_spot":{"accounts":0,"owners":0,"at_risk_usd":"0","seizable_usd":"0","debt_usd":"0","bad_debt_usd":"0"},
		  "by_market":[],"by_asset":[],"top10_share":"0","largest":[]}],
		"down":[],"up":[]}`, toJSON(t, m))
}

// Two proxies of one pair may read different answers for a while: now is judged
// at what each asset's own feed says, the axis moves both to one price.
func TestFeedsOfOnePairMayDisagreeNow(t *testing.T) {
	b := JointFixture("one", "c")
	b.Loans = append(b.Loans, FixtureLoan{ID: "0xshort", Legs: []FixtureLeg{
		{2, protocols.Collateral, 10_000e6}, {1, protocols.Debt, 4e8}, // .78*10000 against 4*p
	}})
	at := b.Reprice(1555e8)
	at.Raw[1].SetUint64(1890e8) // wstETH's own feed is behind: 1866 by the axis
	l, err := Build("ETH", "", []protocols.Book{at})
	require.NoError(t, err)
	require.Zero(t, l.Now().Accounts)
	tr, err := l.Triggers("one", 0)
	require.NoError(t, err)
	require.Equal(t, "1555", tr.Down.String())
	require.Nil(t, tr.Up)
	tr, err = l.Triggers("one", 1)
	require.NoError(t, err)
	require.Nil(t, tr.Down)
	require.Equal(t, "1625.00000001", tr.Up.String())
	m, err := l.Map(nil, MapOptions{})
	require.NoError(t, err)
	require.Equal(t, []int{1, 1}, []int{m.Bands[0].AtTrigger.Accounts, m.Bands[1].AtTrigger.Accounts})
}
