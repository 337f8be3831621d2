package alerts

import "time"

// Clock is a time of day on a wall clock.
type Clock struct{ Hour, Minute int }

// on is the moment at which a clock in a zone shows it on a date. Where summer time
// skips it, or has it twice, it is within an hour of it.
func (c Clock) on(year int, month time.Month, day int, zone *time.Location) time.Time {
	return time.Date(year, month, day, c.Hour, c.Minute, 0, 0, zone)
}

// Quiet are hours of every day in which only what is urgent is told. They begin and
// end by the clock on the wall, whatever summer time does.
type Quiet struct {
	From, To Clock
	Zone     *time.Location
	// Except is the least severity that is told all the same.
	Except Severity
}

// of are the hours that begin on the day that is days after that of t, in the zone.
func (q Quiet) of(t time.Time, days int) (from, to time.Time) {
	year, month, day := t.In(q.Zone).Date()
	from = q.From.on(year, month, day+days, q.Zone)
	end := day + days
	if q.To.Hour*60+q.To.Minute <= q.From.Hour*60+q.From.Minute {
		end++
	}
	return from, q.To.on(year, month, end, q.Zone)
}

// At reports whether it is quiet at a time, and until when.
func (q Quiet) At(t time.Time) (until time.Time, quiet bool) {
	for _, days := range []int{-1, 0} {
		if from, to := q.of(t, days); !t.Before(from) && t.Before(to) {
			return to, true
		}
	}
	return time.Time{}, false
}

// Ended are the last quiet hours that are over at a time.
func (q Quiet) Ended(t time.Time) (from, to time.Time) {
	for days := 0; ; days-- {
		if from, to = q.of(t, days); !to.After(t) {
			return from, to
		}
	}
}
