package tron

import (
	"context"
	"fmt"
	"math/big"
	"math/rand/v2"

	"github.com/ethereum/go-ethereum/common"

	"liqwatch/chains"
	"liqwatch/devnet/anvil"
)

// collaterals and debts that the crowd chooses among.
var (
	collaterals = []string{"TRX", "sTRX", "USDT", "ETH", "BTC", "USDD", "JST"}
	debts       = []string{"USDT", "TRX", "USDD", "ETH", "BTC"}
)

// Crowd makes n borrowers, a few hundred transactions a block: one to three
// collaterals each, one or two debts, from comfortable to close to the edge.
func (w *World) Crowd(ctx context.Context, n int, seed uint64) ([]chains.Address, error) {
	rng := rand.New(rand.NewPCG(seed, 99))
	var accounts []chains.Address
	const batch = 100
	for start := 0; start < n; start += batch {
		var txs []anvil.Tx
		for i := start; i < min(start+batch, n); i++ {
			a := chains.Address{0xB0, byte(seed), byte(i >> 8), byte(i), 0x01}
			mine, err := w.borrowerTxs(ctx, a, rng)
			if err != nil {
				return nil, err
			}
			txs = append(txs, mine...)
			accounts = append(accounts, a)
		}
		if err := w.Node.InOneBlock(ctx, txs); err != nil {
			return nil, fmt.Errorf("make borrowers: %w", err)
		}
	}
	return accounts, nil
}

func (w *World) borrowerTxs(ctx context.Context, a chains.Address, rng *rand.Rand) ([]anvil.Tx, error) {
	var txs []anvil.Tx
	var entered []string
	power := 0.0
	add := func(tx anvil.Tx, err error) error {
		txs = append(txs, tx)
		return err
	}
	for _, k := range rng.Perm(len(collaterals))[:1+rng.IntN(3)] {
		s := collaterals[k]
		m := w.Market(s)
		usd := 1_000 + 200_000*rng.Float64()*rng.Float64()
		amount := w.Amount(s, usd/w.usd(s))
		if m.Native {
			// A native supply needs coins sent along, which a plain batch does not do.
			if err := w.addCoins(ctx, a, amount); err != nil {
				return nil, err
			}
			if err := m.JToken.Pay(ctx, a, amount, "mint"); err != nil {
				return nil, err
			}
		} else {
			if err := add(m.Token.Tx(w.Admin, "mint", common.Address(a), amount)); err != nil {
				return nil, err
			}
			if err := add(m.JToken.Tx(a, "mint", amount)); err != nil {
				return nil, err
			}
		}
		entered = append(entered, s)
		power += usd * float64(w.factor(s)) / 100
	}
	if err := add(w.enterTx(a, entered...)); err != nil {
		return nil, err
	}
	share := 0.5 + 0.45*rng.Float64()
	parts := 1 + rng.IntN(2)
	for _, k := range rng.Perm(len(debts))[:parts] {
		s := debts[k]
		amount := w.Amount(s, power*share/float64(parts)/w.usd(s))
		if err := add(w.Market(s).JToken.Tx(a, "borrow", amount)); err != nil {
			return nil, err
		}
	}
	return txs, nil
}

// usd is a whole token's price at the start.
func (w *World) usd(symbol string) float64 {
	if symbol == "sTRX" {
		return 1.31204 * TRXPrice / 10_000
	}
	return float64(w.MarketsUSD[symbol]) / 10_000
}

func (w *World) factor(symbol string) int64 {
	for _, l := range listings {
		if l.symbol == symbol {
			return l.factor
		}
	}
	return 0
}

// TRXAt are the posted prices when a TRX costs other/spot of what it does: all that
// are not TRX move the other way, rounded down as a poster would.
func (w *World) TRXAt(now map[string]*big.Int, spot, place *big.Int) map[string]*big.Int {
	out := map[string]*big.Int{}
	for symbol, p := range now {
		if symbol == "TRX" || symbol == "sTRX" {
			continue
		}
		x := new(big.Int).Mul(p, spot)
		out[symbol] = x.Div(x, place)
	}
	return out
}
