package chart

import (
	"fmt"
	"image/color"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"liqwatch/thresholds"
)

func (c *canvas) header() error {
	title := c.opt.Title
	if title == "" {
		title = c.m.Axis + " liquidation map"
	}
	if err := c.pen.write(margin, 84, width-2*margin, left, style{46, true}, ink, title); err != nil {
		return err
	}
	sub := fmt.Sprintf("%s positions · price read by %s", thousands(fmt.Sprint(c.m.Positions)), c.m.Reference)
	if err := c.pen.write(margin, 128, width-2*margin, left, style{25, false}, faint, sub); err != nil {
		return err
	}
	now := c.m.LiquidatableNow
	text, tone := "Nothing is liquidatable now", faint
	if now.Accounts > 0 {
		text = fmt.Sprintf("Liquidatable now: %s at risk · %s seizable · %s", usd(now.AtRiskUSD), usd(now.SeizableUSD), accounts(now.Accounts))
		tone = downDark
	}
	return c.pen.write(margin, 172, width-2*margin, left, style{27, true}, tone, text)
}

func (c *canvas) legend() error {
	x, y := margin, 216
	for _, item := range []struct {
		text   string
		first  color.Color
		second color.Color
	}{
		{"collateral at risk", downBar, upBar},
		{"of it seizable in one call each", downDark, upDark},
	} {
		fill(c.img, box(x, y-18, x+20, y+2), item.first)
		fill(c.img, box(x+20, y-18, x+40, y+2), item.second)
		if err := c.pen.write(x+50, y, 500, left, style{23, false}, ink, item.text); err != nil {
			return err
		}
		w, err := c.pen.width(style{23, false}, item.text)
		if err != nil {
			return err
		}
		x += 50 + w + 40
	}
	return nil
}

func (c *canvas) grid() error {
	for k := range c.rows {
		if k%2 == 0 {
			fill(c.img, box(margin, c.g.y(k), width-margin, c.g.y(k)+c.g.rowHeight), zebra)
		}
	}
	at := func(n int) int {
		return barLeft + int(float64(n)*float64(c.right-barLeft)/float64(max(1, c.scale.ticks)))
	}
	for n := range c.scale.ticks + 1 {
		x := at(n)
		fill(c.img, box(x, c.g.top, x+1, c.g.bottom), gridLine)
		text := usd(c.scale.step.Mul(decimal.NewFromInt(int64(n))))
		if err := c.pen.write(x, c.g.top-12, 140, center, style{21, false}, faint, text); err != nil {
			return err
		}
	}
	if err := c.pen.write(barLeft-20, c.g.top-12, barLeft-margin, right, style{21, false}, faint, "price of "+c.m.Axis); err != nil {
		return err
	}
	return c.pen.write(width-margin, c.g.top-12, 220, right, style{21, false}, faint, "accounts")
}

func (c *canvas) bars() error {
	size := 25.0
	if c.g.rowHeight < 40 {
		size = 20
	}
	for k, r := range c.rows {
		y, base := c.g.y(k), c.g.y(k)+c.g.rowHeight/2+int(size*0.36)
		light, dark := downBar, downDark
		if r.up {
			light, dark = upBar, upDark
		}
		pad := c.g.rowHeight / 6
		whole := c.scale.width(r.totals.AtRiskUSD)
		fill(c.img, box(barLeft, y+pad, barLeft+whole, y+c.g.rowHeight-pad), light)
		fill(c.img, box(barLeft, y+pad, barLeft+c.scale.part(r.totals.AtRiskUSD, r.totals.SeizableUSD, whole), y+c.g.rowHeight-pad), dark)
		if c.scale.over(r.totals.AtRiskUSD) {
			c.breakBar(y + pad)
		}
		if err := c.pen.write(barLeft-20, base, barLeft-margin-20, right, style{size, false}, ink, r.label()); err != nil {
			return err
		}
		if err := c.figures(r, barLeft+whole+textGap, base, size); err != nil {
			return err
		}
	}
	return nil
}

// breakBar cuts two slanted strips out of a bar that is longer than the scale.
func (c *canvas) breakBar(top int) {
	bottom := top + c.g.rowHeight - 2*(c.g.rowHeight/6)
	for y := top; y < bottom; y++ {
		x := c.right - 40 + (bottom-y)/3
		fill(c.img, box(x, y, x+5, y+1), paper)
		fill(c.img, box(x+10, y, x+15, y+1), paper)
	}
}

// figures stand right of the bar.
func (c *canvas) figures(r row, x, base int, size float64) error {
	if r.totals.Accounts == 0 {
		return c.pen.write(x, base, width-margin-x, left, style{size, false}, faint, "none")
	}
	amount := usd(r.totals.AtRiskUSD)
	if err := c.pen.write(x, base, width-margin-x, left, style{size, true}, ink, amount); err != nil {
		return err
	}
	w, err := c.pen.width(style{size, true}, amount+" ")
	if err != nil {
		return err
	}
	return c.pen.write(x+w, base, width-margin-x-w, left, style{size, false}, faint, "· "+thousands(fmt.Sprint(r.totals.Accounts)))
}

// spot is a strip between the bands above and those below.
func (c *canvas) spot() error {
	y := c.g.top + c.g.spotRow*c.g.rowHeight
	mid := y + c.g.spotHeight/2
	fill(c.img, box(margin, y, width-margin, y+c.g.spotHeight), paper)
	fill(c.img, box(margin, mid-2, width-margin, mid+2), spotLine)
	text := "spot " + price(c.m.Spot)
	w, err := c.pen.width(style{29, true}, text)
	if err != nil {
		return err
	}
	fill(c.img, box(margin, mid-25, margin+w+32, mid+25), spotLine)
	return c.pen.write(margin+16, mid+10, w+2, left, style{29, true}, paper, text)
}

// levels marks the edges that a rule watches.
func (c *canvas) levels() error {
	for k, r := range c.rows {
		if r.to != nil && c.marked(*r.to) && k != c.g.spotRow {
			if err := c.mark(c.g.y(k), *r.to); err != nil {
				return err
			}
		}
		// The lowest edge of all has no row below it that ends there.
		if r.up && r.to == nil && r.from != nil && c.marked(*r.from) && !r.from.Equal(c.m.Spot) {
			if err := c.mark(c.g.y(k)+c.g.rowHeight, *r.from); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *canvas) marked(edge decimal.Decimal) bool {
	for _, l := range c.opt.Levels {
		if l.Equal(edge) {
			return true
		}
	}
	return false
}

func (c *canvas) mark(y int, edge decimal.Decimal) error {
	for x := margin; x < width-margin; x += 14 {
		fill(c.img, box(x, y-1, min(x+8, width-margin), y+2), level)
	}
	size, half := 20.0, 15
	text := "level " + price(edge) + " · " + thresholds.Distance(c.m.Spot, edge).Shift(2).StringFixed(1) + "% away"
	if c.g.rowHeight < 40 {
		size, half = 16, 11
	} else if total, ok := c.reached(edge); ok {
		text += " · " + usd(total.AtRiskUSD) + " by then"
	}
	w, err := c.pen.width(style{size, true}, text)
	if err != nil {
		return err
	}
	fill(c.img, box(width-margin-w-20, y-half, width-margin, y+half), level)
	return c.pen.write(width-margin-10, y+half/2, w+2, right, style{size, true}, paper, text)
}

// reached is all that is liquidatable when the price is an edge.
func (c *canvas) reached(edge decimal.Decimal) (thresholds.Totals, bool) {
	for _, list := range [][]thresholds.Edge{c.m.Down, c.m.Up} {
		for _, e := range list {
			if e.Price.Equal(edge) {
				return e.Totals, true
			}
		}
	}
	return thresholds.Totals{}, false
}

func (c *canvas) footer() error {
	y := c.g.bottom + 46
	line := func(s style, tone color.Color, text string) error {
		err := c.pen.write(margin, y, width-2*margin, left, s, tone, text)
		y += 34
		return err
	}
	if err := line(style{22, false}, faint, c.notes()); err != nil {
		return err
	}
	if top := c.assets(); top != "" {
		if err := line(style{22, false}, faint, top); err != nil {
			return err
		}
	}
	for _, text := range c.blocks() {
		if err := line(style{22, true}, ink, text); err != nil {
			return err
		}
	}
	return nil
}

// notes say what is not in the bars.
func (c *canvas) notes() string {
	parts := []string{"Each position valued at its own liquidation price"}
	if c.m.NoTrigger > 0 {
		parts = append(parts, thousands(fmt.Sprint(c.m.NoTrigger))+" not moved by "+c.m.Axis)
	}
	if c.m.Unpriced > 0 {
		parts = append(parts, thousands(fmt.Sprint(c.m.Unpriced))+" without a price")
	}
	return strings.Join(parts, " · ")
}

// assets are the largest collaterals over all bands below spot.
func (c *canvas) assets() string {
	var parts []string
	for _, a := range topAssets(c.m, 4) {
		parts = append(parts, shorten(a.Symbol, 12)+" "+usd(a.AtRiskUSD))
	}
	if len(parts) == 0 {
		return ""
	}
	return "Mostly " + strings.Join(parts, " · ")
}

func shorten(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}

// blocks say what the picture was drawn from and how old that is.
func (c *canvas) blocks() []string {
	const most = 3
	var out []string
	for k, b := range c.m.Blocks {
		if k == most-1 && len(c.m.Blocks) > most {
			return append(out, fmt.Sprintf("and %d more blocks", len(c.m.Blocks)-k))
		}
		at := time.Unix(int64(b.Time), 0).UTC()
		text := fmt.Sprintf("%s block %s · %s UTC", b.Chain, thousands(fmt.Sprint(b.Number)), at.Format("2006-01-02 15:04:05"))
		if !c.opt.Now.IsZero() {
			text += " · " + age(c.opt.Now.Sub(at))
		}
		out = append(out, text)
	}
	return out
}

func age(d time.Duration) string {
	switch {
	case d < 0:
		return "from the future"
	case d < time.Minute:
		return fmt.Sprintf("%d s old", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min old", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h old", int(d.Hours()))
	}
	return fmt.Sprintf("%d days old", int(d.Hours()/24))
}

func accounts(n int) string {
	if n == 1 {
		return "1 account"
	}
	return thousands(fmt.Sprint(n)) + " accounts"
}
