package sky

import "github.com/holiman/uint256"

// Hop is the usual time between two prices of an oracle security module, in seconds.
const Hop = 3600

// OSM is an oracle security module: the price in force and the one that takes its
// place at the next poke. The next price is known up to an hour before it counts.
type OSM struct {
	Cur, Nxt uint256.Int // wad
	Zzz      uint64      // unix seconds of the last poke, rounded down to the hop
}

// Pass reports whether a poke is allowed, as OSM.pass: now >= zzz + hop.
func (o *OSM) Pass(now uint64) bool { return now >= o.Zzz+Hop }

// Poke puts the next price in force and takes the source's as the new next one. It
// does nothing and returns false before its time or while the source has no price.
func (o *OSM) Poke(now uint64, source *uint256.Int) bool {
	if !o.Pass(now) || source == nil || source.IsZero() {
		return false
	}
	o.Cur, o.Nxt, o.Zzz = o.Nxt, *source, now-now%Hop
	return true
}

// Due is the earliest time (unix seconds) at which Nxt can come into force.
func (o *OSM) Due() uint64 { return o.Zzz + Hop }
