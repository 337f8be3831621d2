package thresholds

import (
	"hash/maphash"
	"runtime"
	"sync"

	"liqwatch/chains"
)

// owner is the person behind a position, or the position where nobody is known.
type owner struct {
	who  chains.Address
	self Ref
}

func ownerOf(a chains.Address, r Ref) owner {
	if a.IsZero() {
		return owner{self: Ref{r.Market + 1, r.Position}}
	}
	return owner{who: a}
}

// manyOwners are worth more than one processor.
const manyOwners = 1 << 15

// distinct counts the owners of a list, each once. A hash decides nothing but where
// to look: owners are compared.
func distinct(list []owner) int {
	shards := uint64(1)
	if len(list) >= manyOwners {
		shards = uint64(runtime.GOMAXPROCS(0))
	}
	seed := maphash.MakeSeed()
	counts := make([]int, shards)
	var all sync.WaitGroup
	for s := range shards {
		all.Go(func() { counts[s] = distinctOf(list, seed, s, shards, 2*len(list)/int(shards)+8) })
	}
	all.Wait()
	n := 0
	for _, c := range counts {
		n += c
	}
	return n
}

// distinctOf counts the owners whose hash belongs to a shard, by open addressing. A
// slot is half of the hash beside the place in the list, so that most strangers are
// told apart without looking them up. least is how many slots it begins with.
func distinctOf(list []owner, seed maphash.Seed, shard, shards uint64, least int) int {
	size := 8
	for size < least {
		size *= 2
	}
	slots, mask := make([]uint64, size), uint64(size-1)
	n := 0
next:
	for i := range list {
		h := maphash.Comparable(seed, list[i])
		if shards > 1 && (h>>32)%shards != shard {
			continue
		}
		tag := h &^ 0xffffffff
		for k := h & mask; ; k = (k + 1) & mask {
			switch s := slots[k]; {
			case s == 0:
				slots[k] = tag | uint64(i+1)
				if n++; 4*n > 3*size { // a shard larger than hashes should make one
					return distinctOf(list, seed, shard, shards, 2*size)
				}
				continue next
			case s&^0xffffffff == tag && list[uint32(s)-1] == list[i]:
				continue next
			}
		}
	}
	return n
}
