package web

import (
	"math"
	"slices"
	"strings"
	"sync"

	"liqwatch/protocols"
)

// pegs remembers the pegs of the markets: which there are changes only when a
// market lists another asset.
type pegs struct {
	mu     sync.Mutex
	assets int // how many the names were found among
	names  []string
}

// of are the pegs of all books, such as wstETH/ETH: assets that follow an axis or a
// stablecoin, at between half and twice its price. A book knows more quotients than
// those, LINK/ETH for one; they can be asked for by name.
func (p *pegs) of(books []protocols.Book) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	assets := 0
	for _, b := range books {
		assets += len(b.Assets())
	}
	if assets == p.assets {
		return p.names
	}
	p.assets, p.names = assets, nil
	for _, b := range books {
		quotes := append(slices.Clone(b.Axes()), "USDC", "USDT")
		for _, a := range b.Assets() {
			for _, q := range quotes {
				name := a.Symbol + "/" + q
				if strings.EqualFold(a.Symbol, q) || printable(name) != name || slices.Contains(p.names, name) {
					continue
				}
				if path, ok := b.Path(name); ok && nearOne(path) {
					p.names = append(p.names, name)
				}
			}
		}
	}
	slices.Sort(p.names)
	return p.names
}

func nearOne(path protocols.Path) bool {
	spot := path.Spot()
	f := spot.Float64() / math.Pow10(int(path.Decimals()))
	return f > 0.5 && f < 2
}
