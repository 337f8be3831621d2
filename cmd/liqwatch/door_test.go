package main

import (
	"context"
	"io"
	"net"
	"net/http"
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
