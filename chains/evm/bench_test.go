package evm

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"liqwatch/chains"
	"liqwatch/chains/chainstest"
)

func manyCalls(n int) []packedCall {
	calls := make([]packedCall, n)
	for i := range calls {
		w := word(i)
		calls[i] = packedCall{to: tokenA, data: append([]byte{1, 2, 3, 4}, w[:]...)}
	}
	return calls
}

func BenchmarkPack(b *testing.B) {
	calls := manyCalls(1_000)
	b.ReportAllocs()
	for b.Loop() {
		_ = hexData(packInput(firstShare, calls))
	}
}

func BenchmarkPackMulticall(b *testing.B) {
	calls := manyCalls(1_000)
	b.ReportAllocs()
	for b.Loop() {
		_ = hexData(encodeAggregate3(calls))
	}
}

func BenchmarkUnpack(b *testing.B) {
	one := append([]byte{0, 0, 0, 32}, make([]byte, 32)...)
	raw := slices.Concat(make([]byte, stampLen), bytes.Repeat(one, 1_000))
	text := []byte(`"` + hexData(raw) + `"`)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		out, err := hexBytes(text)
		require.NoError(b, err)
		_, _, err = unpackOutput(out, 1_000)
		require.NoError(b, err)
	}
}

func BenchmarkDecodeLogs(b *testing.B) {
	one := `{"address":"` + tokenA.String() + `","topics":["` + borrow.String() + `"],"data":"0x` + strings.Repeat("00", 96) + `","blockNumber":"0x5","blockHash":"` + borrow.String() + `","transactionHash":"` + repay.String() + `","logIndex":"0x`
	var list []string
	for i := range 1_000 {
		list = append(list, one+hexNumber(uint64(i))[2:]+`","removed":false}`)
	}
	raw := []byte("[" + strings.Join(list, ",") + "]")
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		_, err := decodeLogs(raw, follow, 0, 10)
		require.NoError(b, err)
	}
}

// Requests and bytes for two storage words of each of 10,000 accounts, by the way
// that the node allows, told per 1,000 accounts.
func BenchmarkRequestsPer1000Accounts(b *testing.B) {
	const accounts = 10_000
	for _, way := range []struct {
		name  string
		b     chainstest.Behaviour
		slots bool
	}{
		{"slots by override", chainstest.Behaviour{}, true},
		{"views by override", chainstest.Behaviour{}, false},
		{"views deployless", chainstest.Behaviour{NoOverrides: true}, false},
		{"views by Multicall3", chainstest.Behaviour{NoOverrides: true, NoInitcode: true}, false},
	} {
		b.Run(way.name, func(b *testing.B) {
			chain := world(5)
			chain.DeployMulticall3()
			node := chainstest.NewNode(b, chain)
			node.Behave(way.b)
			c := client(b, Config{ChainID: 1}, node)
			head, err := c.Head(b.Context())
			require.NoError(b, err)
			list := make([]chains.Read, 0, 2*accounts)
			for i := range 2 * accounts {
				if w := word(i); way.slots {
					list = append(list, chains.Slot(tokenA, w))
				} else {
					list = append(list, chains.View(echo, append([]byte{1, 2, 3, 4}, w[:]...)))
				}
			}
			_, err = c.Read(b.Context(), head, list[:100]) // finding out is paid once
			require.NoError(b, err)
			before, rounds := c.Stats(), 0
			for b.Loop() {
				_, err := c.Read(b.Context(), head, list)
				require.NoError(b, err)
				rounds++
			}
			after := c.Stats()
			asked := after.Requests() - before.Requests()
			upBefore, downBefore := before.Bytes()
			up, down := after.Bytes()
			per := float64(rounds*accounts) / 1000
			b.ReportMetric(float64(asked)/per, "requests/1000acc")
			b.ReportMetric(float64(up-upBefore)/1e6/per, "MBup/1000acc")
			b.ReportMetric(float64(down-downBefore)/1e6/per, "MBdown/1000acc")
		})
	}
}
