package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"liqwatch/devnet/anvil"
	"liqwatch/internal/config"
)

// lockedBuffer is written by the program while the test reads it.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func freePort(t *testing.T) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	return l.Addr().(*net.TCPAddr).Port
}

func TestPlayingWithIt(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	opts, err := parse([]string{"--version", "3.0", "--block-time", "0"})
	require.NoError(t, err)
	opts.port = freePort(t)
	input, typing := io.Pipe()
	var out, progress lockedBuffer
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, opts, input, &out, &progress) }()
	says := func(text string) {
		t.Helper()
		require.Eventually(t, func() bool { return strings.Contains(progress.String(), text) }, time.Minute, 10*time.Millisecond, text)
	}
	enter := func(line string) {
		t.Helper()
		_, err := io.WriteString(typing, line+"\n")
		require.NoError(t, err)
	}

	says("press Enter")
	c, err := config.Parse("printed.yaml", []byte(out.String()))
	require.NoError(t, err)
	require.Len(t, c.Markets, 1)
	require.Len(t, c.Rules, 1)
	url := regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindString(out.String())
	client := anvil.NewClient(url)
	before, err := client.BlockNumber(ctx)
	require.NoError(t, err)

	enter("2400.5 3")
	says("ETH is at 2400.5.")
	after, err := client.BlockNumber(ctx)
	require.NoError(t, err)
	require.Equal(t, before+3, after)
	enter("mine 4")
	enter("no such thing")
	says(`"no" is neither a price`)
	last, err := client.BlockNumber(ctx)
	require.NoError(t, err)
	require.Equal(t, after+4, last)
	enter("mine none")
	says(`"none" is not a number of blocks`)
	enter("quit")
	require.NoError(t, <-ended)
}

func TestWrongFlags(t *testing.T) {
	for _, args := range [][]string{{"--no-such"}, {"extra"}, {"--borrowers", "many"}} {
		_, err := parse(args)
		require.Error(t, err, args)
	}
	opts, err := parse([]string{"--version", "2.0"})
	require.NoError(t, err)
	opts.port = freePort(t)
	err = run(t.Context(), opts, strings.NewReader(""), io.Discard, io.Discard)
	require.ErrorContains(t, err, `version "2.0" is not one of 3.0 and 3.6`)
}
