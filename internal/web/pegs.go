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
// stablecoin at about its price. A book knows more quotients than
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
		quotes := append(slices.Clone(b.Axes()), stable...)
		for _, a := range b.Assets() {
			for _, q := range quotes {
				name := a.Symbol + "/" + q
				if strings.EqualFold(a.Symbol, q) || printable(name) != name || slices.Contains(p.names, name) {
					continue
				}
				if path, ok := b.Path(name); ok && pegged(path, slices.Contains(stable, q)) {
					p.names = append(p.names, name)
				}
			}
		}
	}
	slices.Sort(p.names)
	return p.names
}

// stable are the coins that others are pegged to.
var stable = []string{"USDC", "USDT"}

// pegged reports that a quotient is one of a peg: a stablecoin is within a tenth of
// another, a staking token has earned up to a half more than what it stands for.
func pegged(path protocols.Path, stable bool) bool {
	spot := path.Spot()
	f := spot.Float64() / math.Pow10(int(path.Decimals()))
	if stable {
		return f > 0.9 && f < 1.1
	}
	return f > 0.8 && f < 1.6
}
