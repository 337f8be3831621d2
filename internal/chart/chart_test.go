package chart

import (
	"bytes"
	"flag"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"liqwatch/thresholds"
)

var out = flag.String("chart.out", "", "folder to keep the pictures in, to look at them")

func d(s string) decimal.Decimal { return decimal.RequireFromString(s) }

func p(s string) *decimal.Decimal {
	if s == "" {
		return nil
	}
	v := d(s)
	return &v
}

func band(direction, from, to, risk, seizable string, accounts int, symbols ...string) thresholds.Band {
	b := thresholds.Band{Direction: direction, From: p(from), To: p(to)}
	b.AtTrigger = thresholds.Totals{Accounts: accounts, AtRiskUSD: d(risk), SeizableUSD: d(seizable)}
	for _, s := range symbols {
		b.ByAsset = append(b.ByAsset, thresholds.AssetRisk{Symbol: s, AtRiskUSD: d(risk).Div(decimal.NewFromInt(int64(len(symbols))))})
	}
	return b
}

func ladder() *thresholds.Map {
	return &thresholds.Map{
		Axis: "ETH", Spot: d("2431.18"), Reference: "aave-v3-ethereum", Positions: 48213, NoTrigger: 17422, Unpriced: 3,
		Blocks:          []thresholds.BlockRef{{Chain: "ethereum", Number: 23_412_345, Time: 1_760_000_000}},
		LiquidatableNow: thresholds.Totals{Accounts: 41, AtRiskUSD: d("182334.22"), SeizableUSD: d("95000.1")},
		Bands: []thresholds.Band{
			band("down", "2400", "2431.18", "1843000", "921500", 61, "WETH", "wstETH"),
			band("down", "2300", "2400", "20334000", "10100000", 184, "WETH", "wstETH", "weETH"),
			band("down", "2200", "2300", "96120000", "45500000", 420, "WETH", "wstETH", "weETH"),
			band("down", "2100", "2200", "61200000", "30500000", 377, "WETH", "WBTC"),
			band("down", "2000", "2100", "158200000", "76000000", 512, "weETH"),
			band("down", "", "2000", "2184000000", "1100000000", 9120, "WETH"),
			band("up", "2431.18", "2500", "410000", "220000", 12, "USDC"),
			band("up", "2500", "2700", "5230000", "2610000", 31, "USDC"),
			band("up", "2700", "", "88400000", "44000000", 204, "USDC"),
		},
		Down: []thresholds.Edge{
			{Price: d("2400"), Totals: thresholds.Totals{Accounts: 102, AtRiskUSD: d("2010334")}},
			{Price: d("2200"), Totals: thresholds.Totals{Accounts: 706, AtRiskUSD: d("117900334")}},
		},
	}
}

func render(t *testing.T, name string, m *thresholds.Map, opt Options) []byte {
	t.Helper()
	var buf bytes.Buffer
	require.NoError(t, PNG(&buf, m, opt))
	if *out != "" {
		require.NoError(t, os.WriteFile(filepath.Join(*out, name+".png"), buf.Bytes(), 0o600))
	}
	img, err := png.Decode(bytes.NewReader(buf.Bytes()))
	require.NoError(t, err)
	require.Equal(t, 1080, img.Bounds().Dx())
	require.LessOrEqual(t, img.Bounds().Dy(), 2200)
	return buf.Bytes()
}

func TestPictureOfALadder(t *testing.T) {
	opt := Options{Now: time.Unix(1_760_000_014, 0), Levels: []decimal.Decimal{d("2200"), d("2400"), d("2700")}}
	first := render(t, "ladder", ladder(), opt)
	require.Equal(t, first, render(t, "ladder", ladder(), opt), "the same map is the same picture")
	opt.Levels = nil
	require.NotEqual(t, first, render(t, "ladder-without-levels", ladder(), opt))
}

func TestPictureOfAnEmptyMap(t *testing.T) {
	render(t, "empty", &thresholds.Map{Axis: "ETH", Spot: d("2431.18"), Reference: "m", Bands: []thresholds.Band{
		band("down", "", "2431.18", "0", "0", 0), band("up", "2431.18", "", "0", "0", 0),
	}}, Options{})
	render(t, "nothing", &thresholds.Map{}, Options{})
}

func TestPictureOfOneHugeBand(t *testing.T) {
	m := ladder()
	m.Bands[5].AtTrigger.AtRiskUSD = d("1")
	m.Bands[2] = band("down", "2200", "2300", "123456789012345678901234567890", "1", 3, "X")
	render(t, "huge", m, Options{})
}

func TestPictureOfHostileNames(t *testing.T) {
	m := ladder()
	evil := "\u202eHTE\x00\n<script>\u0301" + strings.Repeat("W", 100_000) + "\xff\xfe𐍈漢字"
	m.Axis, m.Reference = evil, evil
	m.Blocks[0].Chain = evil
	m.Bands[1].ByAsset[0].Symbol = evil
	render(t, "hostile", m, Options{})
}

func TestPictureOfManyBands(t *testing.T) {
	m := ladder()
	m.Bands = nil
	for k := range 300 {
		to, from := 2400-5*k, 2400-5*(k+1)
		m.Bands = append(m.Bands, band("down", decimal.NewFromInt(int64(from)).String(), decimal.NewFromInt(int64(to)).String(),
			decimal.NewFromInt(int64((k*7919)%1000*10_000)).String(), "1000", k, "WETH"))
	}
	render(t, "many", m, Options{})
	rows := rowsOf(m)
	require.LessOrEqual(t, len(rows), maxRows)
	whole, sum := decimal.Zero, decimal.Zero
	for _, b := range m.Bands {
		whole = whole.Add(b.AtTrigger.AtRiskUSD)
	}
	for _, r := range rows {
		sum = sum.Add(r.totals.AtRiskUSD)
	}
	require.True(t, whole.Equal(sum), "nothing is lost by adding up neighbours")
	require.Equal(t, "2400", rows[0].to.String())
	require.Equal(t, "900", rows[len(rows)-1].from.String())
}

func TestMoneyAsPeopleSayIt(t *testing.T) {
	for in, want := range map[string]string{
		"0": "$0", "0.4": "<$1", "1": "$1", "12.4": "$12", "999.4": "$999", "999.5": "$1.00K", "1234": "$1.23K",
		"45678": "$45.7K", "999499": "$999K", "999500": "$1.00M", "1843000": "$1.84M", "96120000": "$96.1M",
		"999949999": "$1.00B", "2184000000": "$2.18B", "1234567000000000": "$1,235T", "123456789012345678901234567890": "$1.23e29", "-5": "-$5",
	} {
		require.Equal(t, want, usd(d(in)), in)
	}
	for in, want := range map[string]string{
		"2431.18": "2,431.18", "2400": "2,400", "1234567.891": "1,234,567.89", "1.17004321": "1.17", "0.00012345678": "0.00012346", "0": "0", "-1200": "-1,200",
	} {
		require.Equal(t, want, price(d(in)), in)
	}
}

// A long bar ends early enough for its figures to stand clear of the names of
// levels, which are written at the right.
func TestLevelsMakeRoomForFigures(t *testing.T) {
	longest := func(opt Options) int {
		img, err := Image(ladder(), opt)
		require.NoError(t, err)
		most := 0
		for y := range img.Bounds().Dy() {
			for x := range img.Bounds().Dx() {
				if img.At(x, y) == downBar && x > most {
					most = x
				}
			}
		}
		return most
	}
	require.Greater(t, longest(Options{}), barRight-20)
	require.Less(t, longest(Options{Levels: []decimal.Decimal{d("2000")}}), barRight-levelRoom+1)
}
