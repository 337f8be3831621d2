package thresholds

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// piece is a run of one market's positions, [from, to).
type piece struct {
	market   int32
	from, to int
}

// pieceSize is small enough to be shared out evenly, and large enough that taking
// one costs nothing.
const pieceSize = 4096

// inPieces has work done on every position of every market, on all processors: each
// has a worker of its own, and takes the next piece when it is done with one. What
// workers add up are integers, so that it does not matter who took what.
func inPieces[W any](markets []*market, hire func() W, work func(W, piece)) []W {
	var all []piece
	for k, m := range markets {
		for from, n := 0, m.book.Len(); from < n; from += pieceSize {
			all = append(all, piece{int32(k), from, min(n, from+pieceSize)})
		}
	}
	workers := make([]W, max(1, min(runtime.GOMAXPROCS(0), len(all))))
	var next atomic.Int64
	run := func(w W) {
		for i := next.Add(1) - 1; i < int64(len(all)); i = next.Add(1) - 1 {
			work(w, all[i])
			runtime.Gosched() // a pass of the watcher need not wait for a question to end
		}
	}
	var done sync.WaitGroup
	broken := make([]error, len(workers))
	for i := range workers {
		workers[i] = hire()
		done.Go(func() {
			defer func() {
				if why := recover(); why != nil {
					broken[i] = fmt.Errorf("add up positions: %v\n%s", why, debug.Stack())
				}
			}()
			run(workers[i])
		})
	}
	done.Wait()
	for _, err := range broken {
		if err != nil {
			panic(err) // where whoever asked can catch it: a question must not end the process
		}
	}
	return workers
}
