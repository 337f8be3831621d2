package compoundv2

import "strings"

// What symbols follow, where nothing on the chain says it. JustLend's prices are
// posted one by one and name no source, so that this list is all there is, save
// that prices are in TRX.
var followers = map[string][]string{
	"":     {"USDT", "USDC", "USDD", "USD1", "TUSD", "BUSD", "DAI", "USDJ", "FDUSD", "U", "USDCOLD", "USDDOLD", "BUSDOLD", "USDDold", "BUSDold", "wstUSDT", "stUSDT", "USDS", "FRAX", "MAI", "USDe", "lisUSD", "xcUSDT", "xcUSDC", "USDbC", "VAI", "SUSD"},
	"ETH":  {"ETH", "WETH", "ETHB", "ETHOLD", "BETH", "wstETH", "stETH", "weETH", "wrsETH", "rETH", "cbETH", "ezETH", "asETH", "WETH.e", "wbETH"},
	"BTC":  {"BTC", "WBTC", "BTCB", "BTC.b", "WBTC.e", "cbBTC", "tBTC", "LBTC", "SolvBTC", "xSolvBTC", "BTCT"},
	"TRX":  {"TRX", "WTRX", "sTRX", "TRXOLD"},
	"BNB":  {"BNB", "WBNB", "slisBNB", "asBNB", "BNBx", "ankrBNB"},
	"AVAX": {"AVAX", "WAVAX", "sAVAX"},
	"GLMR": {"GLMR", "WGLMR", "stGLMR"},
	"DOT":  {"DOT", "xcDOT", "stDOT"},
	"JST":  {"JST"},
	"BTT":  {"BTT", "WBTT", "BTTOLD"},
	"SUN":  {"SUN", "SUNOLD"},
}

var baseOf = func() map[string]string {
	out := map[string]string{}
	for base, symbols := range followers {
		for _, s := range symbols {
			out[strings.ToUpper(s)] = base
		}
	}
	return out
}()

// classify is by symbol. What is not known moves with the market and alone.
func classify(symbol string) class {
	base, known := baseOf[strings.ToUpper(symbol)]
	switch {
	case !known:
		return class{base: strings.ToUpper(symbol), how: "none", note: "nothing is known of what it follows: it moves on its own and with the market"}
	case base == "":
		return class{how: "list", note: "taken for a stable coin by its symbol"}
	}
	return class{base: base, how: "list", note: "follows " + base + " by its symbol"}
}
