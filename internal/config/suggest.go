package config

import (
	"fmt"
	"slices"
	"sort"
	"strings"
)

// didYouMean is a hint naming the known word nearest to what was written, or all
// of them when none is near.
func didYouMean(written string, known []string) string {
	if len(known) == 0 {
		return ""
	}
	best, distance := "", 1+max(1, len(written)/3)
	for _, k := range known {
		if d := editDistance(strings.ToLower(written), strings.ToLower(k)); d < distance {
			best, distance = k, d
		}
	}
	if best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	list := append([]string(nil), known...)
	sort.Strings(list)
	list = slices.Compact(list)
	if len(list) > 20 {
		list = append(list[:20], "...")
	}
	return "known here: " + strings.Join(list, ", ")
}

// editDistance counts the insertions, deletions, replacements and swaps of
// neighbours that turn one word into the other.
func editDistance(a, b string) int {
	x, y := []rune(a), []rune(b)
	if len(x) > 64 || len(y) > 64 {
		return len(x) + len(y)
	}
	older, old, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range old {
		old[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			row[j] = min(old[j]+1, row[j-1]+1, old[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], older[j-2]+1)
			}
		}
		older, old, row = old, row, older
	}
	return old[len(y)]
}
