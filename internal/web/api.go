package web

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/shopspring/decimal"

	"liqwatch/protocols"
	"liqwatch/thresholds"
)

// axis is the one asked for, else the first that is watched.
func (s *Server) axis(r *http.Request) (string, error) {
	axis := r.URL.Query().Get("axis")
	books := s.views.snapshot().books
	switch {
	case axis == "" && len(s.opt.Axes) > 0:
		return s.opt.Axes[0], nil
	case axis == "" && len(books) > 0:
		return append(axisNames(books), "market")[0], nil
	case axis == "":
		return "", errStarting
	case len(books) > 0 && !known(books, axis):
		return "", fmt.Errorf("%w %q: the markets have %s", thresholds.ErrNoAxis, short(axis, 40), axesOf(books))
	}
	return axis, nil
}

func (s *Server) viewOf(r *http.Request) (*view, error) {
	axis, err := s.axis(r)
	if err != nil {
		return nil, err
	}
	return s.views.get(axis)
}

type axisInfo struct {
	Axis   string            `json:"axis"`
	Levels []decimal.Decimal `json:"levels"`
	Spot   *decimal.Decimal  `json:"spot"` // the market's own price, where a feed is configured
}

func (s *Server) axesAPI(*http.Request) (any, error) { return map[string]any{"axes": s.axes()}, nil }

// axes are the configured ones first, then all others of the markets.
func (s *Server) axes() []axisInfo {
	snap := s.views.snapshot()
	names := slices.Clone(s.opt.Axes)
	for _, n := range slices.Concat(axisNames(snap.books), s.pegs.of(snap.books)) {
		if !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	out := make([]axisInfo, 0, len(names))
	for _, n := range names {
		a := axisInfo{Axis: n, Levels: s.levels(n)}
		if a.Levels == nil {
			a.Levels = []decimal.Decimal{}
		}
		if p, ok := spotOf(snap, n); ok {
			a.Spot = &p.Price
		}
		out = append(out, a)
	}
	return out
}

func spotOf(snap snapshot, axis string) (SpotPrice, bool) {
	for _, c := range snap.chains {
		for _, p := range c.Spots {
			if p.Axis == axis {
				return p, true
			}
		}
	}
	return SpotPrice{}, false
}

// mostLevels may be asked for at once.
const mostLevels = 200

// ladderAPI is the map of an axis, as `liqwatch map` prints it: cut as on the page, at levels or by a step.
func (s *Server) ladderAPI(w http.ResponseWriter, r *http.Request) {
	s.answer(w, r, func() (string, []byte, error) {
		v, err := s.viewOf(r)
		if err != nil {
			return "", nil, err
		}
		m, err := s.cutAsAsked(r, v)
		if err != nil {
			return "", nil, err
		}
		switch format := r.URL.Query().Get("format"); format {
		case "", "json":
			return encode(m)
		case "csv":
			return bandsCSV(m)
		case "parquet":
			return bandsParquet(m)
		default:
			return "", nil, bad("bad-format", "format is json, csv or parquet")
		}
	})
}

func (s *Server) cutAsAsked(r *http.Request, v *view) (*thresholds.Map, error) {
	levels, step := r.URL.Query().Get("levels"), r.URL.Query().Get("step")
	if levels == "" && step == "" {
		return s.views.whole(v)
	}
	if levels != "" && step != "" {
		return nil, bad("bad-cut", "levels and step exclude each other")
	}
	var edges []decimal.Decimal
	var err error
	if levels != "" {
		edges, err = thresholds.ParseLevels(levels)
	} else {
		var by decimal.Decimal
		if by, err = number(step); err == nil {
			edges, err = v.ladder.StepEdges(by)
		}
	}
	if err != nil {
		return nil, bad("bad-cut", err.Error())
	}
	if len(edges) > mostLevels {
		return nil, bad("bad-cut", fmt.Sprintf("at most %d prices at once", mostLevels))
	}
	return s.views.cut(v, edges)
}

// number reads a positive decimal of a size that a price can have.
func number(text string) (decimal.Decimal, error) {
	if len(text) > 60 {
		return decimal.Zero, bad("bad-number", "that is too long for a price")
	}
	d, err := decimal.NewFromString(text)
	if err != nil || !d.IsPositive() || d.Exponent() > 30 || d.Exponent() < -40 {
		return decimal.Zero, bad("bad-number", fmt.Sprintf("%q is no number above 0", text))
	}
	return d, nil
}

func bandsCSV(m *thresholds.Map) (string, []byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.Write([]string{"axis", "direction", "from", "to", "accounts", "owners", "at_risk_usd", "seizable_usd", "debt_usd", "bad_debt_usd"})
	for _, band := range m.Bands {
		t := band.AtTrigger
		_ = w.Write([]string{
			m.Axis, band.Direction, edgeText(band.From), edgeText(band.To), strconv.Itoa(t.Accounts), strconv.Itoa(t.Owners),
			t.AtRiskUSD.String(), t.SeizableUSD.String(), t.DebtUSD.String(), t.BadDebtUSD.String(),
		})
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return "", nil, fmt.Errorf("write CSV: %w", err)
	}
	return "text/csv; charset=utf-8", b.Bytes(), nil
}

func edgeText(d *decimal.Decimal) string {
	if d == nil {
		return ""
	}
	return d.String()
}

// whatIf is the world at other prices.
type whatIf struct {
	Axis   string                `json:"axis"`
	Spot   decimal.Decimal       `json:"spot"`
	Price  *decimal.Decimal      `json:"price"` // of one axis; null with shocks
	Blocks []thresholds.BlockRef `json:"blocks"`
	// Now is what is liquidatable at current prices, Then at the others.
	Now  thresholds.Totals `json:"now"`
	Then thresholds.Totals `json:"then"`
	// Joint is the whole answer to shocks.
	Joint *thresholds.StressResult `json:"joint"`
}

// mostShocks may be given at once.
const mostShocks = 8

func (s *Server) whatIfAPI(r *http.Request) (any, error) { return s.whatIf(r) }

// whatIf answers from the ladder where one axis moves, so that its numbers are
// those of `liqwatch map` at that price; with more it moves them all at once.
func (s *Server) whatIf(r *http.Request) (*whatIf, error) {
	v, err := s.viewOf(r)
	if err != nil {
		return nil, err
	}
	q := r.URL.Query()
	out := &whatIf{Axis: v.cut.Axis, Spot: v.cut.Spot, Blocks: v.cut.Blocks, Now: v.cut.LiquidatableNow}
	var moves []protocols.Move
	if text := q.Get("price"); text != "" {
		p, err := number(text)
		if err != nil {
			return nil, err
		}
		out.Price = &p
		moves = append(moves, protocols.Move{Axis: v.cut.Axis, To: &p})
	}
	for _, text := range q["shock"] {
		if text == "" {
			continue
		}
		m, err := thresholds.ParseShock(short(text, 80))
		if err != nil {
			return nil, bad("bad-shock", err.Error())
		}
		moves = append(moves, m)
	}
	switch {
	case len(moves) == 0:
		return nil, bad("no-price", "say at which price (price=2200) or after which shocks (shock=ETH=-20%)")
	case len(moves) > mostShocks:
		return nil, bad("bad-shock", fmt.Sprintf("at most %d shocks at once", mostShocks))
	case len(moves) == 1 && out.Price != nil:
		out.Then, err = s.views.at(v, *out.Price)
		return out, err
	}
	out.Joint, err = s.views.joint(v, moves)
	switch {
	case errors.Is(err, errBusy):
		return nil, err
	case err != nil:
		return nil, bad("bad-shock", err.Error())
	}
	out.Now, out.Then, out.Blocks = out.Joint.Now, out.Joint.Then, out.Joint.Blocks
	return out, nil
}

func (s *Server) wallsAPI(r *http.Request) (any, error) {
	v, err := s.viewOf(r)
	if err != nil {
		return nil, err
	}
	walls := v.walls
	if walls == nil {
		walls = []thresholds.Wall{}
	}
	return map[string]any{"axis": v.cut.Axis, "spot": v.cut.Spot, "blocks": v.cut.Blocks, "walls": walls}, nil
}

func (s *Server) accountsAPI(r *http.Request) (any, error) {
	v, err := s.viewOf(r)
	if err != nil {
		return nil, err
	}
	return map[string]any{"axis": v.cut.Axis, "spot": v.cut.Spot, "blocks": v.cut.Blocks, "accounts": v.largest}, nil
}

func (s *Server) marketsAPI(r *http.Request) (any, error) {
	all, err := s.markets(r)
	return map[string]any{"markets": all}, err
}

// markets are the totals of all with their changes.
func (s *Server) markets(r *http.Request) ([]marketTotals, error) {
	out := []marketTotals{}
	for _, b := range s.views.snapshot().books {
		t := totalsOf(b)
		var err error
		if t.Day, err = s.changeSince(r, t, 24*time.Hour); err != nil {
			return nil, err
		}
		if t.Week, err = s.changeSince(r, t, 7*24*time.Hour); err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}
