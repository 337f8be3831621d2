package web

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/shopspring/decimal"

	"liqwatch/internal/store"
	"liqwatch/protocols"
)

// span is a stretch of time that history is shown over.
type span struct {
	Name   string
	length time.Duration
	by     store.Resolution
}

// spans are those that can be asked for, with the resolution that is kept so long.
var spans = []span{
	{"1h", time.Hour, store.Minute}, {"6h", 6 * time.Hour, store.Minute}, {"24h", 24 * time.Hour, store.Minute},
	{"7d", 7 * 24 * time.Hour, store.Hour}, {"60d", 60 * 24 * time.Hour, store.Hour}, {"1y", 365 * 24 * time.Hour, store.Day},
}

func spanOf(name string) (span, error) {
	if name == "" {
		return spans[0], nil
	}
	for _, s := range spans {
		if s.Name == name {
			return s, nil
		}
	}
	return span{}, bad("bad-range", "range is 1h, 6h, 24h, 7d, 60d or 1y")
}

// heat is what is at risk, over time and price.
type heat struct {
	Axis       string       `json:"axis"`
	Market     string       `json:"market,omitempty"`
	Resolution int64        `json:"resolution_seconds"`
	From       time.Time    `json:"from"`
	To         time.Time    `json:"to"`
	Columns    []heatColumn `json:"columns"`
	// Liquidations are the largest of the same time, with the axis' price when they happened.
	Liquidations []heatDot `json:"liquidations"`
	Happened     int       `json:"liquidations_happened"` // in all
	low, high    int       // buckets of price shown
	first, last  int64     // buckets of time shown
	most         uint64
}

type heatColumn struct {
	Time  time.Time        `json:"time"`
	Low   *decimal.Decimal `json:"low"`
	High  *decimal.Decimal `json:"high"`
	Close *decimal.Decimal `json:"close"`
	Bands []heatBand       `json:"bands"`
	at    int64
}

type heatBand struct {
	From      decimal.Decimal `json:"from"`
	To        decimal.Decimal `json:"to"`
	AtRiskUSD string          `json:"at_risk_usd"` // three digits
	bucket    int
	usd       uint64
}

type heatDot struct {
	Time      time.Time       `json:"time"`
	Price     decimal.Decimal `json:"price"`
	SeizedUSD decimal.Decimal `json:"seized_usd"`
}

func (s *Server) historyAPI(r *http.Request) (any, error) { return s.heat(r) }

// heat reads history. A time without any is no error: it has no columns.
func (s *Server) heat(r *http.Request) (*heat, error) {
	axis, err := s.axis(r)
	if err != nil {
		return nil, err
	}
	sp, err := spanOf(r.URL.Query().Get("range"))
	if err != nil {
		return nil, err
	}
	market := r.URL.Query().Get("market")
	if market != "" && !slices.ContainsFunc(s.views.snapshot().books, func(b protocols.Book) bool { return b.Market() == market }) {
		return nil, problem{http.StatusNotFound, "unknown-market", "there is no such market, or it has not been read yet"}
	}
	to, err := s.endOf(r)
	if err != nil {
		return nil, err
	}
	h := &heat{Axis: axis, Market: market, Resolution: int64(sp.by), From: to.Add(-sp.length).UTC(), To: to.UTC(), Columns: []heatColumn{}, Liquidations: []heatDot{}}
	h.first, h.last = sp.by.Bucket(h.From)+h.Resolution, sp.by.Bucket(h.To)
	prices, err := s.opt.Keeper.HistoryPrices(r.Context(), axis, sp.by, h.From, h.To)
	if err != nil {
		return nil, err
	}
	bands, err := s.opt.Keeper.HistoryBands(r.Context(), axis, market, sp.by, h.From, h.To)
	if err != nil {
		return nil, err
	}
	for _, p := range prices {
		if p.At >= h.first && p.At <= h.last {
			h.add(p, bands[p.At])
		}
	}
	h.frame()
	return h, s.dots(r, h)
}

// endOf is when the history asked for ends: now, or the moment given as seconds
// since 1970, so that an image shows what the page around it speaks of.
func (s *Server) endOf(r *http.Request) (time.Time, error) {
	text, now := r.URL.Query().Get("to"), s.opt.Now()
	if text == "" {
		return now, nil
	}
	at, err := strconv.ParseInt(text, 10, 64)
	if err != nil || at < 0 || at > now.Unix()+3600 {
		return now, bad("bad-time", "to is a moment up to now, in seconds since 1970")
	}
	return time.Unix(at, 0), nil
}

func (h *heat) add(p store.PricePoint, bands map[int]uint64) {
	c := heatColumn{Time: time.Unix(p.At, 0).UTC(), at: p.At, Low: &p.Low, High: &p.High, Close: &p.Close, Bands: []heatBand{}}
	for k, usd := range bands {
		c.Bands = append(c.Bands, heatBand{From: store.BucketFrom(k), To: store.BucketFrom(k + 1), AtRiskUSD: fmt.Sprint(usd), bucket: k, usd: usd})
		h.most = max(h.most, usd)
	}
	slices.SortFunc(c.Bands, func(a, b heatBand) int { return a.bucket - b.bucket })
	h.Columns = append(h.Columns, c)
}

// frame finds the prices worth showing: all the price went through, and a quarter of it below and above.
func (h *heat) frame() {
	if len(h.Columns) == 0 {
		return
	}
	low, high := math.Inf(1), 0.0
	for _, c := range h.Columns {
		low, high = min(low, c.Low.InexactFloat64()), max(high, c.High.InexactFloat64())
	}
	h.low, h.high = store.Bucket(low*0.8), store.Bucket(high*1.15)
}

// dots puts the liquidations where the price stood.
func (s *Server) dots(r *http.Request, h *heat) error {
	if len(h.Columns) == 0 {
		return nil
	}
	all, n, err := s.opt.Keeper.LargestLiquidations(r.Context(), h.Market, time.Unix(h.first, 0), time.Unix(h.last+h.Resolution-1, 0), mostListed)
	if err != nil {
		return err
	}
	h.Happened = n
	for _, l := range all {
		i, _ := slices.BinarySearchFunc(h.Columns, l.At.Unix()+1, func(c heatColumn, at int64) int { return int(c.at - at) })
		if i > 0 {
			h.Liquidations = append(h.Liquidations, heatDot{l.At, *h.Columns[i-1].Close, l.SeizedUSD})
		}
	}
	return nil
}

// row is the row of a price in the picture, from the top, as a float.
func (h *heat) row(price decimal.Decimal) float64 {
	return float64(h.high+1) - math.Log(price.InexactFloat64())/math.Log(store.Step)
}

func (h *heat) rows() int { return h.high - h.low + 1 }

// slots is how many columns the picture has: every bucket of the time asked for,
// so that where there is no history there is nothing.
func (h *heat) slots() int { return int((h.last-h.first)/h.Resolution) + 1 }

func (h *heat) slot(at int64) int { return int((at - h.first) / h.Resolution) }

// shades are the colours from little to most: opaque enough on white and on black.
const shades = 64

func heatPalette() color.Palette {
	stops := []color.NRGBA{{0x3b, 0x52, 0x8b, 0x50}, {0x7a, 0x3f, 0xa0, 0xa0}, {0xd6, 0x45, 0x6c, 0xd8}, {0xf8, 0x95, 0x40, 0xf4}, {0xfc, 0xd2, 0x25, 0xff}}
	out := color.Palette{color.NRGBA{}}
	for i := range shades {
		at := float64(i) / (shades - 1) * float64(len(stops)-1)
		k := min(int(at), len(stops)-2)
		f := at - float64(k)
		mix := func(a, b uint8) uint8 { return uint8(float64(a)*(1-f) + float64(b)*f) }
		a, b := stops[k], stops[k+1]
		out = append(out, color.NRGBA{mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B), mix(a.A, b.A)})
	}
	return out
}

// faintestHeat is the part of the most that has the faintest colour.
const faintestHeat = 1e-3

// shade grows with the logarithm of an amount.
func shade(usd, most uint64) uint8 {
	if usd == 0 || most == 0 {
		return 0
	}
	f := 1 - math.Log(float64(usd)/float64(most))/math.Log(faintestHeat)
	return 1 + uint8(max(0, min(1, f))*(shades-1))
}

// heatmapImage is the heat alone: a pixel for each time and price.
func (s *Server) heatmapImage(w http.ResponseWriter, r *http.Request) {
	s.answer(w, r, func() (string, []byte, error) {
		h, err := s.heat(r)
		if err != nil {
			return "", nil, err
		}
		if len(h.Columns) == 0 {
			return "", nil, problem{http.StatusNotFound, "no-history", "there is no history of that time yet"}
		}
		img := image.NewPaletted(image.Rect(0, 0, h.slots(), h.rows()), heatPalette())
		for _, c := range h.Columns {
			for _, b := range c.Bands {
				if b.bucket >= h.low && b.bucket <= h.high {
					img.SetColorIndex(h.slot(c.at), h.high-b.bucket, shade(b.usd, h.most))
				}
			}
		}
		var b bytes.Buffer
		if err := png.Encode(&b, img); err != nil {
			return "", nil, fmt.Errorf("draw the heatmap: %w", err)
		}
		return "image/png", b.Bytes(), nil
	})
}
