package alerts

import (
	"cmp"
	"maps"
	"slices"
)

// subjects are the episodes of a gauge rule by subject, those that anything is
// remembered of. They are shared: never alter them.
func (s State) subjects() map[string][]Episode {
	if s.bySubject != nil {
		return s.bySubject
	}
	all := map[string][]Episode{}
	for _, c := range s.Checkpoints {
		if !c.Partial {
			clear(all)
		}
		replace(all, c.Episodes)
	}
	return all
}

// replace puts episodes into a map in the place of those of the same bound; those of
// a subject are ascending by bound.
func replace(all map[string][]Episode, changed []Episode) {
	for _, e := range changed {
		have := slices.Clone(all[e.Subject])
		i := slices.IndexFunc(have, func(h Episode) bool { return h.Side == e.Side && h.Level.Equal(e.Level) })
		if i < 0 {
			have = append(have, e)
			slices.SortFunc(have, byBound)
		} else {
			have[i] = e
		}
		all[e.Subject] = have
	}
}

// pushPart adds a checkpoint that holds only what changed.
func (s *State) pushPart(c Checkpoint) {
	all := maps.Clone(s.subjects())
	replace(all, c.Episodes)
	s.push(c)
	s.bySubject = all
}

func byBound(a, b Episode) int { return cmp.Or(a.Level.Cmp(b.Level), cmp.Compare(a.Side, b.Side)) }

// leastFold is how many episodes must have gathered to be worth writing a rule's state whole.
var leastFold = 64

// fold forgets what no reorg can reach. The checkpoints up to the newest final one
// become one that holds everything; to write that again for every block would cost
// more than it saves, so they gather until they hold half as much themselves.
func (s *State) fold(final map[string]uint64) {
	keep := max(0, len(s.Checkpoints)-1-KeepUnfinal)
	for i := len(s.Checkpoints) - 1; i > keep; i-- {
		if s.Checkpoints[i].final(final) {
			keep = i
		}
	}
	gathered, whole := 0, 0
	for _, c := range s.Checkpoints[:keep+1] {
		if c.Partial {
			gathered += len(c.Episodes)
		} else {
			whole = len(c.Episodes)
		}
	}
	if keep == 0 || gathered < max(leastFold, whole/2) {
		return
	}
	base := s.Checkpoints[keep]
	base.Episodes = flat(State{Checkpoints: s.Checkpoints[:keep+1]}.subjects())
	base.Partial, base.Alerts = false, nil
	s.Checkpoints = append([]Checkpoint{base}, s.Checkpoints[keep+1:]...)
	s.Pruned = true
}

// flat lists episodes by subject and bound.
func flat(all map[string][]Episode) []Episode {
	var out []Episode
	for _, subject := range slices.Sorted(maps.Keys(all)) {
		out = append(out, all[subject]...)
	}
	return out
}
