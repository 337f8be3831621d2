package chart

import (
	"bytes"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func renderSketch(t *testing.T, name string, s Sketch) []byte {
	t.Helper()
	var buf bytes.Buffer
	require.NoError(t, SketchPNG(&buf, s))
	if *out != "" {
		require.NoError(t, os.WriteFile(filepath.Join(*out, name+".png"), buf.Bytes(), 0o600))
	}
	require.LessOrEqual(t, buf.Len(), 100_000)
	img, err := png.Decode(bytes.NewReader(buf.Bytes()))
	require.NoError(t, err)
	require.Equal(t, 1080, img.Bounds().Dx())
	require.Equal(t, 1080, img.Bounds().Dy())
	return buf.Bytes()
}

// around makes bars of 10 from 2,100 to 2,540, the price in one of them.
func around(spot decimal.Decimal, risk func(k int) int64) []SketchBar {
	var bars []SketchBar
	for k := range 44 {
		from, to := decimal.NewFromInt(int64(2100+10*k)), decimal.NewFromInt(int64(2110+10*k))
		amount := decimal.NewFromInt(risk(k))
		if spot.GreaterThan(from) && spot.LessThan(to) {
			bars = append(bars, SketchBar{from, spot, amount}, SketchBar{From: spot, To: to})
			continue
		}
		bars = append(bars, SketchBar{from, to, amount})
	}
	return bars
}

func hills(k int) int64 {
	if k > 33 {
		return int64(k-33) * 310_000
	}
	hill := func(at, high, wide int64) int64 {
		d := int64(k) - at
		return high * 1000 / (1000 + d*d*1000/wide)
	}
	return hill(10, 96_000_000, 2) + hill(29, 61_000_000, 1) + hill(20, 22_000_000, 9) + int64(k*7919%13)*700_000
}

func TestSketchOfAnApproach(t *testing.T) {
	s := Sketch{Axis: "ETH", Spot: d("2440.12345678"), Level: d("2400"), AtRiskUSD: d("312345678"), Bars: around(d("2440.12345678"), hills)}
	first := renderSketch(t, "sketch-approach", s)
	require.Equal(t, first, renderSketch(t, "sketch-approach", s), "the same sketch is the same picture")
	s.Level = d("2436")
	require.NotEqual(t, first, renderSketch(t, "sketch-near", s))
	s.Level, s.Crossed = d("2445"), true
	renderSketch(t, "sketch-crossed", s)
	s.Level, s.Crossed, s.AtRiskUSD = decimal.Zero, false, decimal.Zero
	renderSketch(t, "sketch-map", s)
}

func TestSketchOfASmallPriceAndOneWall(t *testing.T) {
	s := Sketch{Axis: "wstETH/ETH", Spot: d("1.170043"), Level: d("1.1583"), AtRiskUSD: d("2184000000")}
	for k := range 40 {
		from := d("1.13").Add(decimal.New(int64(k), -3))
		risk := decimal.Zero
		if k == 27 {
			risk = d("2184000000")
		}
		s.Bars = append(s.Bars, SketchBar{from, from.Add(d("0.001")), risk})
	}
	renderSketch(t, "sketch-wall", s)
}

// Whatever a sketch holds, there is a picture: no name and no number breaks it.
func TestASketchOfAnythingIsAPicture(t *testing.T) {
	evil := "\u202eHTE\x00\n<b>\u0301" + strings.Repeat("W", 10_000) + "\xff𐍈漢字"
	anything := rapid.Custom(func(rt *rapid.T) Sketch {
		number := func(name string) decimal.Decimal {
			return decimal.New(rapid.Int64Range(-10, 1<<62).Draw(rt, name), rapid.Int32Range(-30, 30).Draw(rt, name+" exponent"))
		}
		s := Sketch{
			Axis: rapid.SampledFrom([]string{"ETH", "", evil}).Draw(rt, "axis"), Spot: number("spot"),
			Level: number("level"), AtRiskUSD: number("risk"), Crossed: rapid.Bool().Draw(rt, "crossed"),
		}
		at := number("from")
		for range rapid.IntRange(0, 5).Draw(rt, "bars") {
			to := at.Add(number("width").Abs())
			s.Bars = append(s.Bars, SketchBar{at, to, number("amount")})
			at = to
		}
		return s
	})
	for seed := range 30 { // each is a megapixel
		img, err := SketchImage(anything.Example(seed))
		require.NoError(t, err)
		require.Equal(t, sketchSize, img.Bounds().Dx())
	}
}

func TestAmountsAreWrittenAsInTheMessage(t *testing.T) {
	for in, want := range map[string]string{
		"0": "0", "312345678": "312 M", "1000000": "1 M", "1230000": "1.23 M", "45600": "45.6 k", "999": "999", "2184000000": "2.18 B", "100000000": "100 M",
	} {
		require.Equal(t, want, inWords(d(in)), in)
	}
}
