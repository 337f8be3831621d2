package web

import (
	"fmt"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"liqwatch/protocols"
)

// everyAxis is a book that has every axis, along which nothing can be built.
type everyAxis struct{ protocols.Book }

func (everyAxis) Market() string                     { return "m" }
func (everyAxis) Chain() string                      { return "c" }
func (everyAxis) Path(string) (protocols.Path, bool) { return nil, true }
func (everyAxis) Axes() []string                     { return []string{"ETH"} }

// However many axes a stranger asks for at once, only so many are built and kept.
func TestAxesKeptAreBounded(t *testing.T) {
	s := New(Options{Listen: "127.0.0.1:0"}, zerolog.Nop())
	s.views.now.books = []protocols.Book{everyAxis{}}
	s.views.building.Lock() // the first takes long
	refused := 0
	for i := range 10 * mostAxes {
		if _, err := s.views.begin(fmt.Sprintf("A%d", i), false); err != nil {
			refused++
			w := httptest.NewRecorder()
			s.refuse(w, err)
			require.Equal(t, 503, w.Code)
			require.NotEmpty(t, w.Header().Get("Retry-After"))
		}
	}
	s.views.mu.Lock()
	require.Len(t, s.views.axes, mostAxes)
	s.views.mu.Unlock()
	require.Equal(t, 9*mostAxes, refused)
}

// What was answered is kept for a second and not for ever, and within it only so much.
func TestAnswersKeptAreBounded(t *testing.T) {
	c := newAnswers()
	body := make([]byte, 4<<20)
	for i := range 100 {
		c.of(fmt.Sprint(i), func() (string, []byte, error) { return "image/png", body, nil })
	}
	require.LessOrEqual(t, c.size(), mostKept)
	made := 0
	for range 3 {
		c.of("again", func() (string, []byte, error) { made++; return "image/png", body, nil })
	}
	require.Equal(t, 1, made, "it is still kept for a second")
	time.Sleep(answerLife + 50*time.Millisecond)
	c.of("small", func() (string, []byte, error) { return "image/png", []byte("x"), nil })
	require.Equal(t, 1, c.size(), "nobody is given what is older")
}

// What takes longer to answer than answers are kept is made once for all who wait.
func TestSlowAnswersAreMadeOnce(t *testing.T) {
	c, made := newAnswers(), atomic.Int64{}
	slow := func() (string, []byte, error) {
		made.Add(1)
		time.Sleep(2 * answerLife)
		return "image/png", []byte("x"), nil
	}
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			time.Sleep(time.Duration(i) * answerLife / 2)
			require.Equal(t, "x", string(c.of("k", slow).body))
		})
	}
	all.Wait()
	require.EqualValues(t, 1, made.Load())
}

// Nobody takes an answer whose making broke off for an empty one.
func TestBrokenAnswersAreErrors(t *testing.T) {
	c := newAnswers()
	broken := func() (string, []byte, error) { panic("a fault") }
	require.Panics(t, func() { c.of("k", broken) })
	require.Error(t, c.of("k", broken).err)
}

// Questions of whoever asks wait for their turn, and no more of them than can be answered soon.
func TestQuestionsTakeTurns(t *testing.T) {
	var q questions
	q.asking.Lock() // one that takes long
	var answered, refused atomic.Int32
	var all sync.WaitGroup
	for range 3 * mostWaiting {
		all.Go(func() {
			if q.ask(func() error { answered.Add(1); return nil }) != nil {
				refused.Add(1)
			}
		})
	}
	require.Eventually(t, func() bool { return refused.Load() == 2*mostWaiting }, 10*time.Second, time.Millisecond)
	require.Zero(t, answered.Load())
	q.asking.Unlock()
	all.Wait()
	require.EqualValues(t, mostWaiting, answered.Load())
}
