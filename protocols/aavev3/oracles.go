package aavev3

import (
	"liqwatch/chains"
	"liqwatch/protocols"
	"liqwatch/protocols/abi"
	"liqwatch/protocols/pricing"
)

// oracles is how the market's prices come about.
type oracles struct {
	sources []chains.Address // by reserve; zero where the oracle has none
}

// readSource asks for an asset's price source.
func (o *oracles) readSource(r *round, oracle chains.Address, i int, asset chains.Address) {
	for len(o.sources) <= i {
		o.sources = append(o.sources, chains.Address{})
	}
	r.ask(chains.View(oracle, abi.Call("getSourceOfAsset(address)", asset.Word())), func(a chains.Answer) error {
		if x, err := abi.Address(a.Data, 0); err == nil && !a.Failed {
			o.sources[i] = x
		}
		return nil
	})
}

func (o *oracles) begin(*round, *opening) {}

func (o *oracles) learn(_ chains.Capabilities, then func() (protocols.Step, error)) (protocols.Step, error) {
	return then()
}

func (o *oracles) followed() []chains.Address { return nil }

// sheet is how the prices of a book move.
func (o *oracles) sheet(b *Book) *pricing.Sheet {
	s := &pricing.Sheet{Prices: b.prices, Decimals: b.shape.quoteDecimals}
	for i := range b.assets {
		s.Symbols = append(s.Symbols, b.assets[i].Symbol)
	}
	s.Models = make([]pricing.Model, len(b.assets))
	for i := range s.Models {
		s.Models[i] = pricing.Model{Feed: -1, How: pricing.None}
	}
	return s
}
