package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"liqwatch/protocols"
)

// faulty is a book that knows of something wrong with itself.
type faulty struct{ protocols.Book }

func (faulty) Market() string { return "mine" }
func (faulty) Faults() []protocols.Fault {
	return []protocols.Fault{{Kind: "sum", Detail: "the debts known in W\x1b[2JETH add up to 1 and its debt token says 2"}}
}

func TestALookTellsFaultsBesideItsResult(t *testing.T) {
	var errs bytes.Buffer
	tellFaults(&errs, faulty{})
	require.Equal(t, "liqwatch: do not trust the numbers of mine: the debts known in W[2JETH add up to 1 and its debt token says 2 (sum); "+
		"liqwatch verify shows more\n", errs.String())
}
