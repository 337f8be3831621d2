package prices

import (
	"fmt"
	"slices"
	"time"
)

// Crash is a stretch of the past that is known by name.
type Crash struct {
	Name     string
	From, To uint64 // unix seconds
}

// Crashes are those that --replay-path knows. Their prices come from the user's file.
func Crashes() []Crash {
	at := func(s string) uint64 {
		t, err := time.Parse(time.DateOnly, s)
		if err != nil {
			panic(err) // a constant below is mistyped
		}
		return uint64(t.Unix())
	}
	return []Crash{
		{"may-2021", at("2021-05-17"), at("2021-05-25")},
		{"january-2022", at("2022-01-19"), at("2022-01-26")},
	}
}

// Path is the part of the series that a crash's name stands for, or all of it for
// any other name.
func (s *Series) Path(name string) ([]Tick, error) {
	i := slices.IndexFunc(Crashes(), func(c Crash) bool { return c.Name == name })
	if i < 0 {
		return s.Ticks, nil
	}
	c := Crashes()[i]
	ticks := s.Between(c.From, c.To-1)
	if len(ticks) < 2 {
		return nil, fmt.Errorf("path %s: %s holds no prices from %s to %s; give a file that does with --prices", name, s.File,
			time.Unix(int64(c.From), 0).UTC().Format(time.DateOnly), time.Unix(int64(c.To), 0).UTC().Format(time.DateOnly))
	}
	return ticks, nil
}

// GlitchesBetween are the glitches of a window, noted.
func (s *Series) GlitchesBetween(from, to uint64) int {
	n := 0
	for _, i := range s.Glitches {
		if t := s.Ticks[i].Time; t >= from && t <= to {
			n++
		}
	}
	return n
}
