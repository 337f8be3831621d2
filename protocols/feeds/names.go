package feeds

import "strings"

// Group is the axis a pair belongs to: "ETH" for "ETH / USD"; empty when the pair is
// not one against USD.
func Group(pair string) string {
	base, quote, ok := strings.Cut(pair, " / ")
	if !ok || quote != "USD" {
		return ""
	}
	return base
}

// followers are symbols of tokens that are worth what their name says, the last
// resort where neither measuring nor structure tells: the price keeps its present
// ratio to the base.
var followers = map[string][]string{
	"ETH": {"WETH", "ETH", "WSTETH", "STETH", "WEETH", "RETH", "CBETH", "OSETH", "EZETH", "RSETH", "ETHX", "SFRXETH", "TETH", "WETH.E", "WRSETH", "METH", "CMETH", "WBETH"},
	"BTC": {"WBTC", "BTC", "CBBTC", "TBTC", "LBTC", "BTCB", "FBTC", "EBTC", "BTC.B", "WBTC.E", "SOLVBTC"},
}

// Listed is the axis that a symbol follows by the list.
func Listed(symbol string) string {
	for axis, list := range followers {
		for _, s := range list {
			if strings.EqualFold(s, symbol) {
				return axis
			}
		}
	}
	return ""
}

// steady are currencies that do not move with the crypto market, beside all whose
// name contains USD.
var steady = map[string]bool{
	"DAI": true, "SDAI": true, "XDAI": true, "WXDAI": true, "GHO": true, "FRAX": true, "MAI": true, "MIMATIC": true, "DOLA": true,
	"EUR": true, "EURC": true, "EURS": true, "EURE": true, "AGEUR": true, "JEUR": true, "EURA": true, "GBP": true, "GBPE": true,
	"CHF": true, "JPY": true, "CAD": true, "AUD": true, "BRL": true, "KRW": true, "SGD": true, "CNY": true, "XAU": true, "XAUT": true, "PAXG": true,
}

// Steady reports that a currency keeps its price when the crypto market moves.
func Steady(name string) bool {
	n := strings.ToUpper(name)
	return strings.Contains(n, "USD") || steady[n]
}
