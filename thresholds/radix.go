package thresholds

import "math"

// radixSort sorts order by keys, ascending and stable, in three passes of 11
// bits. The sorted keys and order are left in keys2 and order2; the first two are
// used up. All are equally long.
func radixSort(keys, order, keys2, order2 []uint32) {
	var counts [3][2048]uint32
	for _, k := range keys {
		counts[0][k&2047]++
		counts[1][k>>11&2047]++
		counts[2][k>>22]++
	}
	for pass := range counts {
		count, shift := &counts[pass], 11*pass
		var sum uint32
		for b, c := range count {
			count[b] = sum
			sum += c
		}
		for j, k := range keys {
			at := &count[k>>shift&2047]
			keys2[*at], order2[*at] = k, order[j]
			*at++
		}
		keys, keys2, order, order2 = keys2, keys, order2, order
	}
}

// rootKey orders non-negative floats as integers.
func rootKey(root float32) uint32 { return math.Float32bits(root) }
