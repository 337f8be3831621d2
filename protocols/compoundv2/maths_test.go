package compoundv2

import (
	"math/big"
	"slices"
	"testing"

	"github.com/holiman/uint256"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"liqwatch/chains"
	"liqwatch/protocols"
)

func number256(t *rapid.T, bits int, name string) *uint256.Int {
	raw := rapid.SliceOfN(rapid.Byte(), 0, bits/8).Draw(t, name)
	return new(uint256.Int).SetBytes(raw)
}

// The products of both families against big integers.
func TestProductsOfMantissas(t *testing.T) {
	one := big.NewInt(1e18)
	half := big.NewInt(5e17)
	rapid.Check(t, func(t *rapid.T) {
		x, y := number256(t, 120, "x"), number256(t, 120, "y")
		product := new(big.Int).Mul(x.ToBig(), y.ToBig())
		down := Profile{}.mul(x, y)
		require.Equal(t, new(big.Int).Div(product, one).String(), down.Dec())
		up := Profile{HalfUp: true}.mul(x, y)
		require.Equal(t, new(big.Int).Div(new(big.Int).Add(product, half), one).String(), up.Dec())
	})
}

func TestOverflowIsTheLargestNumberAndDivisionByZeroIsZero(t *testing.T) {
	all := new(uint256.Int).SetAllOne()
	require.Equal(t, *all, Profile{}.mul(all, all))
	require.Equal(t, *all, Profile{HalfUp: true}.mul(all, all))
	require.Equal(t, uint256.Int{}, mulDiv(wad, wad, new(uint256.Int)))
	require.Equal(t, uint256.Int{}, JustLend.seizeTokens(wad, wad, wad, new(uint256.Int), wad))
}

// Interest makes debts grow and never shrink, and a market without time passed is itself.
func TestAccrualOnlyGrows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := state{
			index: *new(uint256.Int).Add(wad, number256(t, 56, "index")), borrows: *number256(t, 96, "borrows"),
			cash: *number256(t, 96, "cash"), supply: *number256(t, 80, "supply"), reserveFactor: *uint256.NewInt(1e17),
			borrowRate: *uint256.NewInt(rapid.Uint64Range(0, 5e12).Draw(t, "rate")),
		}
		require.Equal(t, s, accrued(s, 0))
		later := accrued(s, rapid.Uint64Range(1, 1_000_000).Draw(t, "periods"))
		require.False(t, later.index.Lt(&s.index))
		require.False(t, later.borrows.Lt(&s.borrows))
		principal := number256(t, 96, "principal")
		before, after := borrowed(principal, &s.index, &s.index), borrowed(principal, &later.index, &s.index)
		require.Equal(t, *principal, before)
		require.False(t, after.Lt(&before))
	})
}

// syntheticBook is an account with two collaterals and two debts in four markets.
func syntheticBook(p Profile) *book {
	t := &table{profile: p, unitDigits: 18, closeFactor: *uint256.NewInt(5e17)}
	for i, symbol := range []string{"ETH", "USDT", "BTC", "TRX"} {
		t.add(listing{Asset: protocols.Asset{Symbol: symbol, Decimals: 18}, token: chains.Address{byte(i + 1)}, native: symbol == "TRX"})
		t.classes[i] = classify(symbol)
		t.states[i] = state{rate: *new(uint256.Int).Mul(uint256.NewInt(2e10), uint256.NewInt(1e16)), index: *uint256.NewInt(1_100_000_000_000_000_000)}
		t.risks[i] = risk{listed: true, weight: *uint256.NewInt(75e16), incentive: *uint256.NewInt(108e16)}
		t.prices[i] = *new(uint256.Int).Mul(uint256.NewInt(uint64(1+i*700)), wad)
	}
	a := &account{address: chains.Address{9}, legs: []leg{
		{market: 0, tokens: *uint256.NewInt(5_000_000_000)}, {market: 2, tokens: *uint256.NewInt(7_000_000)},
		{market: 1, principal: *uint256.NewInt(9_999_999_999), interestIndex: *wad},
		{market: 3, principal: *new(uint256.Int).Mul(uint256.NewInt(2), wad), interestIndex: *wad},
	}}
	return newBook("m", "c", chains.Block{}, t, []*account{a}, nil)
}

// Whatever the prices, the parts fit together.
func TestFiguresFitTogether(t *testing.T) {
	for _, p := range profiles {
		b := syntheticBook(p)
		rapid.Check(t, func(t *rapid.T) {
			prices := protocols.Prices{}
			for range b.assets {
				prices.Raw = append(prices.Raw, *number256(t, 96, "price"))
			}
			f := b.Figures(0, prices)
			s := b.table.sum(b.positions[0], prices.Raw, b.table.states)
			require.Equal(t, b.Liquidatable(0, prices), f.Liquidatable)
			if !s.priced {
				require.Equal(t, protocols.Figures{}, f)
				return
			}
			require.Equal(t, s.debt.Gt(&s.weighted), f.Liquidatable)
			require.False(t, f.Seizable.Gt(&f.AtRisk), "no more is seized than is there")
			require.False(t, f.BadDebt.Gt(&f.Debt))
			if !f.Liquidatable {
				require.True(t, f.Seizable.IsZero())
			}
		})
	}
}

func FuzzNote(f *testing.F) {
	for _, topic := range []chains.Hash{topicBorrow, topicBorrowIndexed, topicRepay, topicLiquidate, topicTransfer, topicEntered, topicPosted, topicMintVAI} {
		f.Add(topic[:], make([]byte, 192), 0, uint8(0))
	}
	f.Fuzz(func(_ *testing.T, topic, data []byte, indexed int, from uint8) {
		m, err := Make(protocols.Placement{Name: "m"}, Settings{Comptroller: chains.Address{0xC0}, Profile: "justlend"})
		if err != nil {
			panic(err)
		}
		m.table = syntheticBook(JustLend).table
		m.table.poster, m.table.vai = chains.Address{0xC1}, chains.Address{0xC2}
		l := chains.Log{Address: chains.Address{from}, Data: data}
		if len(topic) == 32 {
			l.Topics = append(l.Topics, chains.Hash(topic))
		}
		for i := 0; i < indexed%4; i++ {
			l.Topics = append(l.Topics, chains.Hash{byte(i)})
		}
		for _, a := range []chains.Address{l.Address, {0xC0}, {0xC1}, {0xC2}, {1}} {
			l.Address = a
			m.Note([]chains.Log{l})
			m.Liquidations([]chains.Log{l})
		}
	})
}

func BenchmarkLiquidatable(b *testing.B) {
	for _, p := range []Profile{JustLend, Plain} {
		book := syntheticBook(p)
		b.Run(p.Name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				book.Liquidatable(0, book.now)
			}
		})
	}
}

// Whoever borrows what they supply owes all of it: the debt is not set off against
// the collateral, or the largest debtors would be missed.
func TestTermsNameTheWholeDebt(t *testing.T) {
	for _, p := range profiles {
		b := syntheticBook(p)
		b.positions[0].legs = []leg{{market: 0, tokens: *uint256.NewInt(5_000_000_000), principal: *uint256.NewInt(700_000_000_000_000), interestIndex: *wad}}
		prices, owed := b.Prices(), 0.0
		for _, term := range b.Terms(0, nil) {
			owed += max(0, -term.Coef*prices.Raw[term.Asset].Float64())
		}
		f := b.Figures(0, prices)
		require.False(t, f.AtRisk.IsZero())
		require.InEpsilon(t, f.Debt.Float64(), owed, 1e-9)
	}
}

// At prices where a sum leaves 256 bits it is the largest number, as its parts are: it
// does not begin anew at nothing, or whoever owes most would be safe.
func TestSumsDoNotBeginAnew(t *testing.T) {
	for _, p := range profiles {
		b := syntheticBook(p)
		prices := protocols.Prices{Raw: slices.Clone(b.table.prices)}
		for _, owed := range []int{1, 3} {
			prices.Raw[owed].Lsh(uint256.NewInt(1), 255)
		}
		for i := range b.positions[0].legs {
			if l := &b.positions[0].legs[i]; !l.principal.IsZero() {
				l.principal = *wad
			}
		}
		f := b.Figures(0, prices)
		require.True(t, f.Liquidatable)
		require.True(t, b.Liquidatable(0, prices))
		require.Equal(t, new(uint256.Int).SetAllOne(), &f.Debt)
		require.True(t, f.BadDebt.Gt(&f.AtRisk))
	}
}
