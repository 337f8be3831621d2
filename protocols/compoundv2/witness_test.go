package compoundv2

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"liqwatch/chains"
	double "liqwatch/devnet/tron"
	"liqwatch/protocols"
)

// A node that keeps Borrow logs back loses nobody: the sums do not add up, and
// MarketEntered names the rest.
func TestBorrowersWithoutBorrowLogsAreFound(t *testing.T) {
	ctx := t.Context()
	j := newJustLendRun(t, 40, double.Dialect{CPUGas: double.CPULimit})
	m := j.market
	head, err := j.chain.Head(ctx)
	require.NoError(t, err)
	can, err := j.chain.Capabilities(ctx)
	require.NoError(t, err)
	require.NoError(t, run(ctx, j.chain, head, m.Open(head, can), j.driver))
	filter, from := m.Discovery()
	logs, err := j.chain.Logs(ctx, filter, from, head)
	require.NoError(t, err)
	hidden := 0
	logs = slices.DeleteFunc(logs, func(l chains.Log) bool {
		a, _ := addressAt(l, 0)
		hide := l.Topics[0] == topicBorrowIndexed && a[3]%4 == 0
		if hide {
			hidden++
		}
		return hide
	})
	require.Positive(t, hidden)
	m.Note(logs)
	require.Less(t, len(m.known), 40)
	require.NoError(t, run(ctx, j.chain, head, m.Refresh(head, protocols.Everything), j.driver))
	j.opened, j.last = true, head
	require.Equal(t, 40, m.book.Len())
	require.Empty(t, m.book.Faults())
	j.judge(m.book)
	require.Len(t, m.Accounts(), 40, "they are kept from now on")
}

// Where both witnesses are missing, the sum is a fault and says so.
func TestMissingBorrowersAreAFault(t *testing.T) {
	ctx := t.Context()
	j := newJustLendRun(t, 10, double.Dialect{})
	m := j.market
	head, err := j.chain.Head(ctx)
	require.NoError(t, err)
	can, err := j.chain.Capabilities(ctx)
	require.NoError(t, err)
	require.NoError(t, run(ctx, j.chain, head, m.Open(head, can), j.driver))
	m.Know(j.accounts[:5])
	require.NoError(t, run(ctx, j.chain, head, m.Refresh(head, protocols.Everything), j.driver))
	require.Equal(t, 5, m.book.Len())
	require.NotEmpty(t, m.book.Faults())
	for _, f := range m.book.Faults() {
		require.Equal(t, "sum", f.Kind)
	}
	j.last = head
	report := j.verify()
	require.Empty(t, report.Differences)
	require.False(t, report.Clean())
}
