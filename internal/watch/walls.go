package watch

import (
	"fmt"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"liqwatch/thresholds"
)

// wallsEvery is how often the walls of the ladder are looked for. Walls move when
// positions do, slowly; a level that moved with every block would never be reached.
const wallsEvery = 10 * time.Minute

// mostStick keeps two walls apart under a rule with a wide margin.
var mostStick = decimal.RequireFromString("0.01")

// wallRule is a rule whose levels are the walls of the ladder: the edge of each
// that the price reaches first.
type wallRule struct {
	options thresholds.WallOptions
	// stick is how near a wall must be to a level that is watched already to be the
	// same one, as a part of the level.
	stick  decimal.Decimal
	levels []decimal.Decimal
	looked time.Time
}

// FollowWalls makes the levels of a rule those of the ladder's walls. A wall
// nearer to a watched level than stick, at most a hundredth, is the same one.
func (e *Engine) FollowWalls(rule string, options thresholds.WallOptions, stick decimal.Decimal) error {
	w := &wallRule{options: options, stick: decimal.Min(stick, mostStick), levels: e.tracker.WatchedLevels(rule)}
	if err := e.tracker.SetLevels(rule, w.levels); err != nil {
		return err
	}
	e.walls[rule] = w
	return nil
}

// followWalls looks for the walls anew where it is time, after the rules have
// seen the levels as they were.
func (e *Engine) followWalls(axis string, l *thresholds.Ladder) error {
	for _, r := range e.rules {
		w := e.walls[r.Name]
		if r.Axis != axis || w == nil || e.Now().Sub(w.looked) < wallsEvery {
			continue
		}
		walls, err := l.Walls(w.options)
		if err != nil {
			return fmt.Errorf("find the walls of %s: %w", axis, err)
		}
		edges := make([]decimal.Decimal, len(walls))
		for i, wall := range walls {
			edges[i] = wall.Edge()
		}
		w.levels = settle(w.levels, e.tracker.BusyLevels(r.Name), edges, w.stick)
		w.looked = e.Now()
		if err := e.tracker.SetLevels(r.Name, w.levels); err != nil {
			return err
		}
	}
	return nil
}

// settle is the new list of levels: every wall's edge, or the watched level that
// it is so near to that it is the same one; and the levels that are busy, whether
// or not their wall still stands.
func settle(watched, busy, edges []decimal.Decimal, stick decimal.Decimal) []decimal.Decimal {
	var out []decimal.Decimal
	add := func(l decimal.Decimal) {
		if !slices.ContainsFunc(out, l.Equal) {
			out = append(out, l)
		}
	}
	for _, b := range busy {
		add(b)
	}
	for _, edge := range edges {
		at := edge
		for _, l := range watched {
			if edge.Sub(l).Abs().LessThanOrEqual(l.Mul(stick)) {
				at = l
				break
			}
		}
		add(at)
	}
	slices.SortFunc(out, decimal.Decimal.Compare)
	return out
}
