package evm

import (
	"errors"
	"sync"
	"time"
)

const (
	// firstSpan is the number of blocks asked of a node of which nothing is known.
	firstSpan = 500_000
	// fewLogs: an answer with no more than this says that larger spans would do.
	fewLogs = 2_000
	// quick: an answer within this says the same.
	quick = 3 * time.Second
	// firstAddresses is the number of addresses put in one filter at first.
	firstAddresses = 1_000
)

// logLimits is what one node bears in one eth_getLogs, learned from its refusals.
type logLimits struct {
	mu sync.Mutex
	// span is the number of blocks to ask for now.
	span uint64
	// ceiling is the largest span worth trying: the node's own word, or half of
	// what it refused for its length.
	ceiling uint64
	// addresses in one filter.
	addresses int
	// patience is how many good answers are wanted before the span grows again,
	// calm how many there were, and grown that it grew since the last refusal.
	patience, calm int
	grown          bool
}

// How many good answers are wanted after a refusal for the number of logs, which
// the next blocks may not have, and after one in words not known.
const (
	afterResults = 4
	afterUnknown = 16
)

func (l *logLimits) now() (span uint64, addresses int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.init()
	return l.span, l.addresses
}

func (l *logLimits) init() {
	if l.span == 0 {
		l.span, l.ceiling, l.addresses = firstSpan, 1<<62, firstAddresses
	}
}

// refused learns from a refusal of a span and reports whether a smaller one is worth asking.
func (l *logLimits) refused(span uint64, addresses int, err error) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.init()
	f := new(fault)
	if !errors.As(err, &f) {
		return false
	}
	switch f.kind {
	case kindAddresses:
		if addresses <= 1 {
			return false
		}
		l.addresses = min(l.addresses, addresses/2)
		return true
	case kindRange:
		if f.span > 0 && f.span < span {
			l.ceiling = min(l.ceiling, f.span)
			l.shrink(l.ceiling)
			return true
		}
		l.ceiling = min(l.ceiling, max(1, span/2))
	case kindResults, kindTooLarge, kindGas:
		// The logs were too many here; elsewhere the same span may do.
		l.patience = afterResults
		if f.span > 0 && f.span < span {
			l.shrink(f.span)
			return true
		}
	case kindTransient:
		if !f.answered && !f.late {
			return false
		}
		l.patience = afterUnknown
		if l.grown && span > 1 {
			l.ceiling = min(l.ceiling, span/2) // the same again: it is the length
		}
	default:
		return false
	}
	if span <= 1 {
		return false
	}
	l.shrink(min(span/2, l.ceiling))
	return true
}

func (l *logLimits) shrink(span uint64) {
	l.span = max(1, min(l.span, span))
	l.calm, l.grown = 0, false
}

// worked learns from an answer: spans grow again where there was little to say.
func (l *logLimits) worked(span uint64, logs int, took time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.init()
	if l.calm++; span < l.span || logs > fewLogs || took > quick || l.calm < l.patience {
		return
	}
	if grown := min(l.span*2, l.ceiling, max(firstSpan, l.span)); grown > l.span {
		l.span, l.calm, l.grown = grown, 0, true
	}
}
