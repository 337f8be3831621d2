package tron

import (
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRunTellsAndObeys(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := l.Addr().(*net.TCPAddr).Port
	require.NoError(t, l.Close())
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	in, typed := io.Pipe()
	var out, progress bytes.Buffer
	done := make(chan error, 1)
	go func() {
		done <- Run(ctx, RunOptions{Port: port, Borrowers: 20, Seed: 1}, in, &out, &progress)
	}()
	for _, line := range []string{"trx 0.30", "eth 2400", "post usdt 2", "mine 3", "fork 2", "faults on", "faults off", "trx none", "doge 1", "fork 99", "nonsense", "quit"} {
		_, err := io.WriteString(typed, line+"\n")
		require.NoError(t, err)
	}
	require.NoError(t, <-done)
	require.Contains(t, out.String(), "protocol: compound-v2, chain: tron, comptroller: \"T")
	for _, complaint := range []string{`trx: "none" is not a price`, "the market has no doge", "want 1 to 15 blocks", "not understood: nonsense"} {
		require.Contains(t, progress.String(), complaint)
	}
	require.Equal(t, 1, strings.Count(out.String(), "chains:"))
}
