package config

import (
	"errors"
	"fmt"
	"sort"
	"strings"
)

// Position is a place in the configuration file. Line and column count from 1;
// a zero line means the whole file.
type Position struct {
	File         string
	Line, Column int
}

// String is "file:line:column".
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Errorf is an [Error] at this place.
func (p Position) Errorf(format string, args ...any) error {
	return &Error{Position: p, Problem: fmt.Sprintf(format, args...)}
}

// Wrap puts the place before an error that does not name one yet.
func (p Position) Wrap(err error) error {
	if err == nil || IsInvalid(err) {
		return err
	}
	return &Error{Position: p, Problem: err.Error(), cause: err}
}

// Error is one thing wrong with the configuration.
type Error struct {
	Position
	Problem string // what is wrong
	Hint    string // what to do about it; may be empty
	cause   error
}

// Error is "file:line:column: problem; hint".
func (e *Error) Error() string {
	s := e.Position.String() + ": " + e.Problem
	if e.Hint != "" {
		s += "; " + e.Hint
	}
	return s
}

// Unwrap is the error that [Position.Wrap] placed, if it was that.
func (e *Error) Unwrap() error { return e.cause }

// Errors is all that was found wrong, in the order of the file. It is never empty.
type Errors []*Error

// Error is one line for each.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, one := range e {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives errors.As every single one.
func (e Errors) Unwrap() []error {
	out := make([]error, len(e))
	for i, one := range e {
		out[i] = one
	}
	return out
}

// IsInvalid reports that an error says something is wrong with the configuration:
// the program then ends with exit code 2.
func IsInvalid(err error) bool {
	var one *Error
	return errors.As(err, &one)
}

// orNil is the list as an error, sorted by place and without repetitions.
func (e Errors) orNil() error {
	if len(e) == 0 {
		return nil
	}
	sort.SliceStable(e, func(i, j int) bool {
		if e[i].Line != e[j].Line {
			return e[i].Line < e[j].Line
		}
		return e[i].Column < e[j].Column
	})
	out := e[:1]
	for _, one := range e[1:] {
		if last := out[len(out)-1]; last.Error() != one.Error() {
			out = append(out, one)
		}
	}
	return out
}

// Warning is something that works but that the operator should know of.
type Warning struct {
	Position
	Problem string
}

// String is "file:line:column: problem".
func (w Warning) String() string { return w.Position.String() + ": " + w.Problem }
