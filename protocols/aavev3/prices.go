package aavev3

import (
	"github.com/holiman/uint256"

	"liqwatch/chains"
	"liqwatch/protocols/abi"
)

// priced are the contracts that stand for assets to the oracle, in the order of the price vector.
func (p *pass) priced() []chains.Address {
	out := make([]chains.Address, 0, len(p.res)+1)
	for i := range p.res {
		out = append(out, p.res[i].asset)
	}
	seen := map[chains.Address]bool{}
	for i := range p.modes {
		if s := p.modes[i].priceSource; !p.shape.profile.Bitmaps && !s.IsZero() && !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}

// readPrices asks all prices in one call, which reverts when one asset has none;
// assets that had none at the last refresh are asked apart from the start.
func (p *pass) readPrices(r *round) {
	assets := p.priced()
	p.prices = make([]uint256.Int, len(assets))
	if p.known && len(assets) == len(p.res) {
		copy(p.prices, p.shape.oracles.before)
		return
	}
	var list []chains.Hash
	var together []int
	for i, a := range assets {
		if p.m.book != nil && p.m.book.hadNoPrice(a) {
			p.askPrice(r, i, a)
			continue
		}
		together = append(together, i)
		list = append(list, a.Word())
	}
	r.ask(chains.View(p.shape.oracle, abi.CallList("getAssetsPrices(address[])", list)), func(a chains.Answer) error {
		words, err := abi.List(a.Data, 0)
		if whole := err == nil && !a.Failed && len(words) == len(list); !whole {
			p.alone = together
			return nil
		}
		for j, i := range together {
			p.prices[i].SetBytes32(words[j][:])
		}
		return nil
	})
}

// priceAlone asks one by one what could not be asked together.
func (p *pass) priceAlone(r *round) {
	assets := p.priced()
	for _, i := range p.alone {
		p.askPrice(r, i, assets[i])
	}
}

// askPrice asks one price; an oracle that reverts has none.
func (p *pass) askPrice(r *round, i int, asset chains.Address) {
	r.ask(chains.View(p.shape.oracle, abi.Call("getAssetPrice(address)", asset.Word())), func(a chains.Answer) error {
		if x, err := abi.Number(a.Data, 0); err == nil && !a.Failed {
			p.prices[i] = x
		}
		return nil
	})
}
