package thresholds

import "math"

// sorted is one side of a ladder: positions by root, with running sums.
type sorted struct {
	order []uint32  // positions, ascending root
	debt  []float64 // debt[k] is that of order[:k], USD now; length len(order)+1
	coll  []float64 // weighted collateral likewise
}

// radixSort orders positions by key, ascending: three passes of 11 bits. keys and
// order are sorted together; scratch slices must be as long.
func radixSort(keys, order, keys2, order2 []uint32) {
	var counts [3][2048]uint32
	for _, k := range keys {
		counts[0][k&2047]++
		counts[1][k>>11&2047]++
		counts[2][k>>22]++
	}
	for pass := range 3 {
		count, shift := &counts[pass], uint(11*pass)
		var sum uint32
		for b := range count {
			count[b], sum = sum, sum+count[b]
		}
		for j, k := range keys {
			at := &count[k>>shift&2047]
			keys2[*at], order2[*at] = k, order[j]
			*at++
		}
		keys, order, keys2, order2 = keys2, order2, keys, order
	}
	// Three swaps: the result lies in the caller's scratch.
	copy(keys2, keys)
	copy(order2, order)
}

// rootKey orders non-negative floats as their bits do.
func rootKey(root float32) uint32 { return math.Float32bits(root) }
