package main

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"liqwatch/internal/web"
)

// door is one listener for pages that are shown one after the other.
type door struct {
	net.Listener
	came chan net.Conn
	shut chan struct{}
	once sync.Once
}

// enter opens the page's door, or goes through the one that is open already.
func (t *turns) enter(ctx context.Context, page *web.Server) (net.Listener, error) {
	if t.door == nil {
		l, err := page.Open(ctx)
		if err != nil {
			return nil, err
		}
		t.door = &door{Listener: l, came: make(chan net.Conn), shut: make(chan struct{})}
		go t.door.accept()
	}
	return &way{door: t.door, left: make(chan struct{})}, nil
}

// acceptAgain is how long to wait after visitors could not be let in.
const acceptAgain = 50 * time.Millisecond

func (d *door) accept() {
	defer d.once.Do(func() { close(d.shut) })
	for {
		c, err := d.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			// Too many files are open, say: that passes, and the page is there for long.
			select {
			case <-time.After(acceptAgain):
				continue
			case <-d.shut:
				return
			}
		}
		select {
		case d.came <- c:
		case <-d.shut:
			_ = c.Close()
			return
		}
	}
}

// Close closes the door for all.
func (d *door) Close() error {
	d.once.Do(func() { close(d.shut) })
	return d.Listener.Close()
}

// way is the door as one page has it: it closes for that page alone.
type way struct {
	*door
	left chan struct{}
	once sync.Once
}

// Accept waits for a visitor until the page is closed, or the door is.
func (w *way) Accept() (net.Conn, error) {
	select {
	case <-w.left:
		return nil, net.ErrClosed
	case <-w.shut:
		return nil, net.ErrClosed
	default:
	}
	select {
	case c := <-w.came:
		return c, nil
	case <-w.left:
		return nil, net.ErrClosed
	case <-w.shut:
		return nil, net.ErrClosed
	}
}

// Close ends the page's turn at the door.
func (w *way) Close() error {
	w.once.Do(func() { close(w.left) })
	return nil
}
