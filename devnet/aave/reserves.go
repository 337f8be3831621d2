package aave

// reserve are the parameters of one listed asset. Ratios are in basis points.
type reserve struct {
	symbol               string
	decimals             uint8
	ltv, threshold       int64
	bonus                int64 // 10500 is 5 %
	factor               int64 // reserve factor
	protocolFee          int64 // the protocol's part of the liquidation bonus
	supplyCap, borrowCap int64 // whole tokens
	category             uint8 // e-mode
	isolationBorrowable  bool
	debtCeiling          int64   // whole USD; not 0 makes the asset isolated
	only                 Version // listed in this version only
}

// E-mode categories.
const (
	// EModeETH holds WETH, wstETH and weETH.
	EModeETH uint8 = 1
	// EModeStable holds USDC, DAI and USDT.
	EModeStable uint8 = 2
	// EModePT makes PT collateral for stable debts (3.6 only).
	EModePT uint8 = 3
	// EModeRetired does so until [World.RetirePT] (3.6 only).
	EModeRetired uint8 = 4
)

// reserves in the order in which they are listed, which is their id.
var reserves = []reserve{
	{symbol: "WETH", decimals: 18, ltv: 8050, threshold: 8300, bonus: 10500, factor: 1500, protocolFee: 1000, supplyCap: 5_000_000, borrowCap: 4_000_000, category: EModeETH},
	{symbol: "wstETH", decimals: 18, ltv: 7850, threshold: 8100, bonus: 10600, factor: 1500, protocolFee: 1000, supplyCap: 5_000_000, borrowCap: 1_000_000, category: EModeETH},
	{symbol: "WBTC", decimals: 8, ltv: 7300, threshold: 7800, bonus: 10500, factor: 2000, protocolFee: 1000, supplyCap: 200_000, borrowCap: 100_000},
	{symbol: "USDC", decimals: 6, ltv: 7500, threshold: 7800, bonus: 10450, factor: 1000, protocolFee: 1000, supplyCap: 9_000_000_000, borrowCap: 9_000_000_000, category: EModeStable, isolationBorrowable: true},
	{symbol: "DAI", decimals: 18, ltv: 6300, threshold: 7700, bonus: 10500, factor: 2500, protocolFee: 1000, supplyCap: 9_000_000_000, borrowCap: 9_000_000_000, category: EModeStable, isolationBorrowable: true},
	{symbol: "USDT", decimals: 6, ltv: 7500, threshold: 7800, bonus: 10450, factor: 1000, protocolFee: 1000, supplyCap: 9_000_000_000, borrowCap: 9_000_000_000, category: EModeStable, isolationBorrowable: true},
	{symbol: "weETH", decimals: 18, ltv: 7750, threshold: 8000, bonus: 10700, factor: 1500, protocolFee: 1000, supplyCap: 5_000_000, borrowCap: 1_000_000, category: EModeETH},
	{symbol: "GHO", decimals: 18, factor: 1000, supplyCap: 900_000_000, borrowCap: 900_000_000},
	{symbol: "LINK", decimals: 18, ltv: 6600, threshold: 7100, bonus: 10700, factor: 2000, protocolFee: 1000, supplyCap: 90_000_000, borrowCap: 50_000_000},
	{symbol: "CRV", decimals: 18, ltv: 3500, threshold: 4100, bonus: 10830, factor: 3500, protocolFee: 1000, supplyCap: 900_000_000, borrowCap: 100_000_000},
	{symbol: "MKR", decimals: 18, ltv: 6500, threshold: 7000, bonus: 10850, factor: 2000, protocolFee: 2000, supplyCap: 500_000, borrowCap: 100_000, debtCeiling: 50_000_000},
	// Collateral in its e-mode only, where the reserve's own threshold of 0 does not count.
	{symbol: "PT", decimals: 18, factor: 1000, supplyCap: 900_000_000, borrowCap: 1, only: V36},
	// Aave from 3.1 on refuses tokens with fewer than 6 decimals.
	{symbol: "SHARE", decimals: 0, ltv: 5000, threshold: 6000, bonus: 11000, factor: 2000, protocolFee: 1000, supplyCap: 10_000_000, borrowCap: 1_000_000, only: V30},
}

func reservesOf(v Version) []reserve {
	var out []reserve
	for _, r := range reserves {
		if r.only == "" || r.only == v {
			out = append(out, r)
		}
	}
	return out
}

// Prices at the start, in 1e-8 USD, and exchange rates in 1e-18.
const (
	startETH = 2_700_00000000
	startBTC = 68_000_00000000

	wstETHRatio = 1_210_123_456_789_012_345
	weETHRatio  = 1_084_321_098_765_432_101
	// The cap of weETH's rate: a snapshot a little below today's rate that may
	// grow 8.75 % a year, so that today's rate is not capped, but soon would be
	// if it jumped.
	weETHSnapshot = 1_083_000_000_000_000_000
	weETHGrowth   = 875

	stableCap = 104000000
)
