package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Pages that are shown one after the other answer at the same address, and who comes
// in between waits for the next.
func TestOneDoorForManyPages(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	d := &door{Listener: l, came: make(chan net.Conn), shut: make(chan struct{})}
	go d.accept()
	ask := func() string {
		client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
		answer, err := client.Get("http://" + l.Addr().String())
		if err != nil {
			return err.Error()
		}
		defer func() { _ = answer.Body.Close() }()
		body, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		return string(body)
	}
	show := func(text string) (end func()) {
		srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }), ReadHeaderTimeout: time.Second}
		done := make(chan error, 1)
		go func() { done <- srv.Serve(&way{door: d, left: make(chan struct{})}) }()
		return func() {
			require.NoError(t, srv.Shutdown(context.Background()))
			require.ErrorIs(t, <-done, http.ErrServerClosed)
		}
	}
	end := show("standing by")
	require.Equal(t, "standing by", ask())
	end()
	between := make(chan string, 1)
	go func() { between <- ask() }()
	time.Sleep(50 * time.Millisecond)
	end = show("watching")
	require.Equal(t, "watching", <-between)
	require.Equal(t, "watching", ask())
	end()
	require.NoError(t, d.Close())
	require.Contains(t, ask(), "refused")
}

// hungry is a listener of a process that is out of files for a moment.
type hungry struct {
	net.Listener
	refusals int
}

func (h *hungry) Accept() (net.Conn, error) {
	if h.refusals--; h.refusals >= 0 {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	}
	return h.Listener.Accept()
}

// A process that is out of files for a moment does not lose its page for good.
func TestTheDoorOutlastsTooManyVisitors(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	d := &door{Listener: &hungry{l, 3}, came: make(chan net.Conn), shut: make(chan struct{})}
	go d.accept()
	dial, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer func() { _ = dial.Close() }()
	c, err := (&way{door: d, left: make(chan struct{})}).Accept()
	require.NoError(t, err)
	require.NoError(t, c.Close())
	require.NoError(t, d.Close())
	select {
	case <-d.shut:
	case <-time.After(5 * time.Second):
		t.Fatal("a door that is closed stays open")
	}
}
