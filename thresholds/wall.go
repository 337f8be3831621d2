package thresholds

import (
	"cmp"
	"iter"
	"math"
	"slices"

	"github.com/shopspring/decimal"

	"liqwatch/protocols"
)

// Wall is a local concentration of at-risk collateral in the ladder.
type Wall struct {
	Direction string `json:"direction"`
	// From and To bound it as they do a band: [From, To) below spot, (From, To]
	// above. They are rounded outward to a tidy price.
	From decimal.Decimal `json:"from"`
	To   decimal.Decimal `json:"to"`
	// Totals are its positions, each valued at its own trigger.
	Totals
}

// Edge is the side of the wall that the price reaches first.
func (w Wall) Edge() decimal.Decimal {
	if w.Direction == down.String() {
		return w.To
	}
	return w.From
}

// WallOptions say what counts as a wall.
type WallOptions struct {
	// MinAtRiskUSD is the least a wall holds; zero takes 1 % of what is within reach.
	MinAtRiskUSD decimal.Decimal
	// Max is how many walls are returned, the largest ones; 0 means 5.
	Max int
}

// How walls are found: triggers are counted by their logarithmic distance from
// spot, weighted with the collateral at risk at the trigger, and smoothed over
// neighbours. A bin stands out when it exceeds the median of its surroundings by
// four (scaled) median absolute deviations and is twice that median: medians,
// because one whale must not raise the background it is compared with. A wall
// spreads from its highest bin as far as bins stand out and reach a quarter of it.
const (
	wallBin    = 0.0025 // a quarter of a percent
	wallBins   = 644    // to a fifth, or five times, of spot
	wallSmooth = 2      // neighbours to each side
	wallAround = 40     // surroundings to each side: ten percent
)

// Walls finds the walls on both sides of spot: those below from spot outward,
// then those above.
func (l *Ladder) Walls(opt WallOptions) ([]Wall, error) {
	cut, err := l.cut(nil, nil)
	if err != nil {
		return nil, err
	}
	return l.walls(cut, opt), nil
}

func (l *Ladder) walls(cut *cuts, opt WallOptions) []Wall {
	if opt.Max == 0 {
		opt.Max = 5
	}
	sides := [2]wallSide{l.wallSide(cut.down, down), l.wallSide(cut.up, up)}
	least := opt.MinAtRiskUSD.InexactFloat64()
	if opt.MinAtRiskUSD.IsZero() {
		least = (sides[0].total() + sides[1].total()) / 100
	}
	var found []wallRun
	for i := range sides {
		found = append(found, sides[i].find(least)...)
	}
	slices.SortStableFunc(found, func(a, b wallRun) int { return cmp.Compare(b.mass, a.mass) })
	found = found[:min(opt.Max, len(found))]
	out := []Wall{}
	for i := range sides {
		for _, run := range found {
			if run.side == &sides[i] {
				out = append(out, l.wall(run))
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Wall) int {
		if a.Direction != b.Direction {
			return cmp.Compare(a.Direction, b.Direction)
		}
		if a.Direction == down.String() {
			return b.To.Cmp(a.To)
		}
		return a.From.Cmp(b.From)
	})
	return out
}

// WallEdges are the bounds of walls, for [Ladder.Map].
func WallEdges(walls []Wall) []decimal.Decimal {
	var out []decimal.Decimal
	for _, w := range walls {
		out = append(out, w.From, w.To)
	}
	return out
}

// wallSide is one side of the ladder in bins from spot outward.
type wallSide struct {
	d     direction
	bins  [][]rung
	mass  []float64
	level []float64 // smoothed mass
}

// wallRun is bins from..to of a side.
type wallRun struct {
	side     *wallSide
	from, to int
	mass     float64
}

func (l *Ladder) wallSide(bands [][]rung, d direction) wallSide {
	s := wallSide{d: d, bins: make([][]rung, wallBins), mass: make([]float64, wallBins), level: make([]float64, wallBins)}
	spot := l.spot.InexactFloat64()
	var p protocols.Prices
	for r := range flat(bands) {
		m := l.markets[r.ref.Market]
		x := math.Log(placeFloat(&r.trigger) / m.scale / spot)
		if d == down {
			x = -x
		}
		b := max(0, int(x/wallBin))
		if b >= wallBins {
			continue
		}
		m.path.At(&r.trigger, &p)
		f := m.book.Figures(int(r.ref.Position), p)
		// Whole dollars add up exactly, in any order.
		s.mass[b] += math.Round(p.USD(&f.AtRisk, m.quoteDecimals).InexactFloat64())
		s.bins[b] = append(s.bins[b], r)
	}
	for b := range s.level {
		lo, hi := max(0, b-wallSmooth), min(wallBins, b+wallSmooth+1)
		for _, x := range s.mass[lo:hi] {
			s.level[b] += x / float64(hi-lo)
		}
	}
	return s
}

// flat are the rungs of all bands, from spot outward.
func flat(bands [][]rung) iter.Seq[rung] {
	return func(yield func(rung) bool) {
		for _, b := range bands {
			for _, r := range b {
				if !yield(r) {
					return
				}
			}
		}
	}
}

func (s *wallSide) total() float64 {
	sum := 0.0
	for _, x := range s.mass {
		sum += x
	}
	return sum
}

// find takes the highest bin that stands out, spreads it, and goes on with the rest.
func (s *wallSide) find(least float64) []wallRun {
	out := s.outstanding()
	var runs []wallRun
	for {
		peak := -1
		for b, is := range out {
			if is && (peak < 0 || s.level[b] > s.level[peak]) {
				peak = b
			}
		}
		if peak < 0 {
			return runs
		}
		run := wallRun{side: s, from: peak, to: peak}
		near := func(b int) bool { return b >= 0 && b < wallBins && out[b] && s.level[b] >= s.level[peak]/4 }
		for near(run.from - 1) {
			run.from--
		}
		for near(run.to + 1) {
			run.to++
		}
		for b := run.from; b <= run.to; b++ {
			run.mass += s.mass[b]
			out[b] = false
		}
		if run.mass > 0 && run.mass >= least {
			runs = append(runs, run)
		}
	}
}

// outstanding are the bins that exceed their surroundings.
func (s *wallSide) outstanding() []bool {
	out := make([]bool, wallBins)
	for b, x := range s.level {
		around := slices.Clone(s.level[max(0, b-wallAround):min(wallBins, b+wallAround+1)])
		middle := median(around)
		for i := range around {
			around[i] = math.Abs(around[i] - middle)
		}
		out[b] = x > 0 && x > 2*middle && x > middle+4*1.4826*median(around)
	}
	return out
}

// median sorts x and takes its middle.
func median(x []float64) float64 {
	slices.Sort(x)
	if n := len(x); n%2 == 0 {
		return (x[n/2-1] + x[n/2]) / 2
	}
	return x[len(x)/2]
}

// wall is a run with tidy bounds and exact totals.
func (l *Ladder) wall(run wallRun) Wall {
	var rungs []rung
	low, high := decimal.Zero, decimal.Zero
	for _, bin := range run.side.bins[run.from : run.to+1] {
		for _, r := range bin {
			p := priceAt(&r.trigger, l.markets[r.ref.Market].decimals)
			if passed := p.GreaterThan(l.spot); passed == (run.side.d == down) {
				p = l.spot // see Band: the reference has passed it already
			}
			if len(rungs) == 0 {
				low, high = p, p
			}
			low, high = decimal.Min(low, p), decimal.Max(high, p)
			rungs = append(rungs, r)
		}
	}
	w := Wall{Direction: run.side.d.String()}
	w.From, w.To = l.tidy(low, high, run.side.d)
	w.Totals, _ = l.value(rungs, mostLargest).atTrigger.totals.totals(l.people)
	return w
}

// tidy rounds bounds outward to a power of ten of at most a thousandth of spot,
// so that the lowest and the highest trigger lie within; never beyond spot.
func (l *Ladder) tidy(low, high decimal.Decimal, d direction) (from, to decimal.Decimal) {
	places := -int32(math.Floor(math.Log10(l.spot.InexactFloat64() / 1000)))
	step := decimal.New(1, -places)
	from, to = low.RoundFloor(places), high.RoundCeil(places)
	if d == down {
		if !to.GreaterThan(high) { // the end is exclusive
			to = to.Add(step)
		}
		to = decimal.Min(to, l.spot)
		return decimal.Min(from, to.Sub(step)), to
	}
	if !from.LessThan(low) { // so is the start
		from = from.Sub(step)
	}
	from = decimal.Max(from, l.spot)
	return from, decimal.Max(to, from.Add(step))
}
