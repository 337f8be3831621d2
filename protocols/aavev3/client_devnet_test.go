package aavev3

import (
	"testing"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"liqwatch/chains"
	"liqwatch/chains/evm"
	"liqwatch/devnet/aave"
	"liqwatch/devnet/population"
	"liqwatch/protocols"
)

// The same market through the real chain client: packed reads give the same book.
func TestThroughTheChainClient(t *testing.T) {
	ctx := t.Context()
	n, w := deploy(t, aave.V36, aave.Options{})
	borrowers(t, w)
	_, err := population.AddPlain(ctx, w, 500, 1)
	require.NoError(t, err)
	client, err := evm.New(evm.Config{Name: "devnet", Endpoints: []evm.Endpoint{{URL: n.node.URL}}}, zerolog.Nop())
	require.NoError(t, err)
	defer client.Close()
	can, err := client.Capabilities(ctx)
	require.NoError(t, err)
	require.True(t, can.Slots && can.Overrides)
	run := func(at chains.Block, s protocols.Step) {
		t.Helper()
		for !s.Done() {
			var answers []chains.Answer
			var err error
			if len(s.Moved) > 0 {
				answers, err = client.ReadMoved(ctx, at, s.Moved, s.Wants)
			} else if len(s.Wants) > 0 {
				answers, err = client.Read(ctx, at, s.Wants)
			}
			require.NoError(t, err)
			s, err = s.Then(answers)
			require.NoError(t, err)
		}
	}
	at, err := client.Head(ctx)
	require.NoError(t, err)
	m, err := newMarket(protocols.Placement{Name: "devnet", Chain: "devnet"}, Settings{Provider: w.Provider})
	require.NoError(t, err)
	run(at, m.Open(at, can))
	filter, from := m.Discovery()
	logs, err := client.Logs(ctx, filter, from, at)
	require.NoError(t, err)
	m.Note(logs)
	run(at, m.Refresh(at, protocols.Everything))
	require.Empty(t, m.book.Faults())
	require.Greater(t, m.book.Len(), 500)
	t.Logf("cold: %+v", client.Stats())
	var report protocols.Report
	run(at, m.Verify(&report))
	require.True(t, report.Clean(), "%v", report.Differences)
	sameBook(t, m.book, n.whole(t, m, at))

	require.NoError(t, w.Borrow(ctx, person(2), "USDC", w.Amount("USDC", 10)))
	logs = n.logs(t, m.Follow(), at.Number+1, n.head(t).Number)
	at = n.head(t)
	m.Note(logs)
	calls := func() (all uint64) {
		for _, node := range client.Stats().Nodes {
			all += node.Requests["eth_call"] + node.Requests["eth_getStorageAt"]
		}
		return all
	}
	before := calls()
	run(at, m.Refresh(at, protocols.Noted))
	require.LessOrEqual(t, calls()-before, uint64(2), "a block costs two calls")
	sameBook(t, m.book, n.whole(t, m, at))
}
