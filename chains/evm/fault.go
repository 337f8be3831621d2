package evm

import (
	"context"
	"errors"
	"fmt"
	"time"

	"liqwatch/chains"
)

// kind says what a failed question means for what is done next.
type kind int

const (
	kindTransient    kind = iota // no answer, or an answer of no meaning: another node, or later
	kindRate                     // too many questions: wait
	kindAuth                     // the key is refused
	kindLie                      // the answer contradicts the question or itself
	kindMissing                  // there is no such block yet
	kindNoBlock                  // the node does not know a block that others know
	kindNotCanonical             // the block is not of the node's chain
	kindFinality                 // a final block is not part of the node's chain
	kindPruned                   // the node no longer has that block's state
	kindRevert                   // the call reverted: an answer
	kindGas                      // the call ran out of gas or time
	kindTooLarge                 // request or answer larger than the node allows
	kindRange                    // too many blocks for one eth_getLogs
	kindResults                  // too many logs for one answer
	kindAddresses                // too many addresses in one filter
	kindUnsupported              // the node does not know this method or argument
)

var kindNames = map[kind]string{
	kindTransient: "no answer", kindRate: "rate limit", kindAuth: "key refused", kindLie: "untrusted answer",
	kindMissing: "not found", kindNoBlock: "block not known", kindNotCanonical: "block not canonical", kindFinality: "finality broken", kindPruned: "state pruned",
	kindRevert: "reverted", kindGas: "out of gas or time", kindTooLarge: "too large", kindRange: "block range refused",
	kindResults: "too many logs", kindAddresses: "too many addresses", kindUnsupported: "not supported",
}

func (k kind) String() string { return kindNames[k] }

// fault is one failed question.
type fault struct {
	kind kind
	text string
	// retryAfter is how long the node asks to be left alone; 0 when it does not say.
	retryAfter time.Duration
	// span is the number of blocks the node says it takes, 0 when it does not say.
	span uint64
	// answered: the node itself refused, in words of its own. late: it did not answer in time.
	answered, late bool
	// data is what a revert returned.
	data []byte
}

func (f *fault) Error() string {
	if f.text == "" {
		return f.kind.String()
	}
	return f.kind.String() + ": " + f.text
}

// Is makes the faults that have a word in package chains answer to it.
func (f *fault) Is(target error) bool {
	switch target {
	case chains.ErrNotFound:
		return f.kind == kindMissing
	case chains.ErrPruned:
		return f.kind == kindPruned
	case chains.ErrFinality:
		return f.kind == kindFinality
	case chains.ErrReorged:
		return f.kind == kindNotCanonical
	}
	return false
}

// lie makes the fault of an answer that cannot be true.
func lie(format string, args ...any) error {
	return &fault{kind: kindLie, text: fmt.Sprintf(format, args...)}
}

// faultKind is the kind of an error of this package; everything foreign is transient.
func faultKind(err error) kind {
	var f *fault
	if errors.As(err, &f) {
		return f.kind
	}
	return kindTransient
}

// retryable reports whether the same node may answer the same question later.
func (k kind) retryable() bool {
	return k == kindTransient || k == kindRate || k == kindLie || k == kindNoBlock
}

// given reports whether ctx, not the node, ended the question.
func given(ctx context.Context) bool { return ctx.Err() != nil }
