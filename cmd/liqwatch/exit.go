package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"liqwatch/chains"
	"liqwatch/internal/config"
)

// The exit codes are a promise to scripts.
const (
	exitDone        = 0
	exitFailed      = 1 // the check failed
	exitUsage       = 2 // wrong use or configuration
	exitUnreachable = 3 // a source could not be reached
)

// usageError is a wrong use of the command line.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usage(err error) error { return usageError{err} }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// failedError is a check that found something wrong.
type failedError struct{ error }

func (e failedError) Unwrap() error { return e.error }

// report writes an error for people and names its exit code.
func report(err error, errs io.Writer) int {
	if err == nil {
		return exitDone
	}
	if errors.Is(err, context.Canceled) {
		// A script must not take half a verification for a whole one.
		fmt.Fprintln(errs, "liqwatch: interrupted before it was done")
		return exitFailed
	}
	fmt.Fprintln(errs, "liqwatch:", err)
	if errors.Is(err, chains.ErrUnreachable) {
		fmt.Fprintln(errs, "liqwatch: check rpc of that chain in the configuration; liqwatch doctor asks every node")
	}
	return exitCode(err)
}

// unreachable are the errors of sources rather than of what was asked.
var unreachable = []error{
	chains.ErrUnreachable, chains.ErrPruned, chains.ErrNotFound, chains.ErrReorged,
	chains.ErrNotRecorded, context.DeadlineExceeded, errNoWatcher,
}

func exitCode(err error) int {
	var wrongUse usageError
	switch {
	case errors.As(err, &wrongUse), config.IsInvalid(err), errors.Is(err, chains.ErrWrongChain):
		return exitUsage
	}
	for _, gone := range unreachable {
		if errors.Is(err, gone) {
			return exitUnreachable
		}
	}
	return exitFailed
}
