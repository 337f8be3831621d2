package web

import (
	"fmt"
	"math"
	"net/url"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"liqwatch/internal/store"
)

// heatPicture is the heatmap's frame around the image of the heat.
type heatPicture struct {
	Empty         bool
	Image         string
	Columns, Rows int
	Lines         []string // the price, a line for every stretch without a gap
	Dots          []dot
	Prices        []mark
	Times         []mark
	Shades        []mark // what the colours mean
	Since         string // when history of the time shown begins, if not with it
	SinceAt       string // and where that is
	Summary       string
}

// dot is a liquidation; larger ones have a larger class.
type dot struct{ X, Y, Class, Text string }

func (h *heat) picture(q query) *heatPicture {
	if len(h.Columns) == 0 {
		return &heatPicture{Empty: true}
	}
	p := &heatPicture{Columns: h.slots(), Rows: h.rows(), Image: "/heatmap.png?" + url.Values{
		"axis": {h.Axis}, "range": {q.Range}, "market": {h.Market}, "to": {fmt.Sprint(h.last)},
	}.Encode(), Lines: h.lines(), Dots: h.marks(), Prices: h.prices(), Times: h.times(), Shades: h.shades()}
	first, last := h.Columns[0], h.Columns[len(h.Columns)-1]
	if slot := h.slot(first.at); slot > 0 {
		p.Since, p.SinceAt = first.Time.Format("2006-01-02 15:04"), percent(float64(slot)/float64(p.Columns)*100)
	}
	p.Summary = fmt.Sprintf("Collateral at risk by price from %s to %s UTC. The price went from %s to %s; %s.",
		first.Time.Format("2006-01-02 15:04"), last.Time.Format("2006-01-02 15:04"), priceText(*first.Close), priceText(*last.Close),
		h.happened())
	return p
}

// happened is how many liquidations there were, and of how many of them there are dots.
func (h *heat) happened() string {
	if h.Happened <= mostListed {
		return plural(h.Happened, "liquidation")
	}
	return plural(h.Happened, "liquidation") + ", of which the largest " + group(fmt.Sprint(mostListed)) + " are shown"
}

// lines are the price drawn through the heat. Across a gap in history there is no
// line; a moment alone is as wide as its column.
func (h *heat) lines() []string {
	var out []string
	var points []string
	end := func(c heatColumn) {
		if len(points) == 1 {
			points = []string{h.point(c, 0), h.point(c, 1)}
		}
		if len(points) > 0 {
			out = append(out, strings.Join(points, " "))
		}
		points = nil
	}
	for i, c := range h.Columns {
		if i > 0 && h.slot(c.at) > h.slot(h.Columns[i-1].at)+1 {
			end(h.Columns[i-1])
		}
		points = append(points, h.point(c, 0.5))
	}
	end(h.Columns[len(h.Columns)-1])
	return out
}

func (h *heat) point(c heatColumn, within float64) string {
	return fmt.Sprintf("%.2f,%.2f", float64(h.slot(c.at))+within, h.row(*c.Close))
}

// marks are the liquidations, in three sizes by the largest among them.
func (h *heat) marks() []dot {
	most := decimal.Zero
	for _, d := range h.Liquidations {
		most = decimal.Max(most, d.SeizedUSD)
	}
	var out []dot
	for _, d := range h.Liquidations {
		class := "dot small"
		switch {
		case d.SeizedUSD.Mul(decimal.NewFromInt(3)).GreaterThanOrEqual(most):
			class = "dot large"
		case d.SeizedUSD.Mul(decimal.NewFromInt(10)).GreaterThanOrEqual(most):
			class = "dot"
		}
		x := float64(d.Time.Unix()-h.first) / float64(h.Resolution)
		out = append(out, dot{fmt.Sprintf("%.2f", x), fmt.Sprintf("%.2f", h.row(d.Price)), class, d.Time.UTC().Format("2006-01-02 15:04") + ", " + money(d.SeizedUSD) + " seized"})
	}
	return out
}

func (h *heat) prices() []mark {
	var out []mark
	low, high := math.Pow(store.Step, float64(h.low)), math.Pow(store.Step, float64(h.high+1))
	for _, v := range roundNumbers(low, high, 8) {
		price := decimal.NewFromFloat(v)
		out = append(out, mark{percent(h.row(price) / float64(h.rows()) * 100), priceText(price)})
	}
	return out
}

// times are four moments along the bottom.
func (h *heat) times() []mark {
	var out []mark
	n := h.slots()
	layout := "15:04"
	if h.Resolution > int64(store.Minute) {
		layout = "2 Jan"
	}
	for i := range 4 {
		slot := n * i / 4
		at := time.Unix(h.first+int64(slot)*h.Resolution, 0).UTC()
		out = append(out, mark{percent(float64(slot) / float64(n) * 100), at.Format(layout)})
	}
	return out
}

// shades are the amounts of the colours from the faintest to the strongest.
func (h *heat) shades() []mark {
	var out []mark
	for i := range 5 {
		usd := float64(h.most) * math.Pow(faintestHeat, 1-float64(i)/4)
		out = append(out, mark{fmt.Sprintf("h%d", i), money(decimal.NewFromFloat(usd).Round(0))})
	}
	return out
}
