package alerts

import (
	"time"
)

// Limits are what a channel that people read takes, and what a person can.
type Limits struct {
	// PerMinute is the most sends in any 60 seconds; 0 is no limit.
	PerMinute int
	// Gap is the least time between two sends.
	Gap time.Duration
	// DigestOver: when more wait, most of them are told in one message. 0 never does.
	DigestOver int
	// Group is how long what is not critical waits for others to come.
	Group time.Duration
}

// Limited is a notifier that people read. One without limits is read by machines:
// it is sent everything one by one and at once, and never a digest.
type Limited interface {
	Limits() Limits
}

// ChatLimits are those of a chat whose service names none: a message in three
// seconds is more than anybody reads. Chats take one a second; the gap is between
// the beginnings of two sends, the first of which may have been slow, hence the more.
func ChatLimits() Limits { return Limits{PerMinute: 20, Gap: 1300 * time.Millisecond, DigestOver: 10} }

// Policy says what a notifier is sent, and when. The zero one is sent everything at once.
type Policy struct {
	Limits
	// Least: what is less severe is not sent.
	Least Severity
	// NoResolved: what says that something is over is not sent.
	NoResolved bool
	Quiet      *Quiet
	// Link is where a digest sends its reader for the whole; may be empty.
	Link string
	// Singly: a machine reads it. What quiet hours held back is sent one by one, and
	// that something is over is sent whatever Least says.
	Singly bool
}

// resolved are the kinds that say that something is over.
var resolved = []Kind{KindRearmed, KindFresh, KindMended}

// terms are the conditions at a time.
func (p Policy) terms(name string, now time.Time) Terms {
	t := Terms{Limits: p.Limits, Skip: p.skip()}
	t.Compose = func(r Reason, h Heap) (Post, error) { return digest(name, p.Link, r, h, now) }
	if p.Quiet == nil {
		return t
	}
	if until, quiet := p.Quiet.At(now); quiet {
		t.Least, t.Until = p.Quiet.Except.Rank(), until
		return t
	}
	if !p.Singly {
		t.HeldFrom, t.HeldTo = p.Quiet.Ended(now)
		t.HeldBelow = p.Quiet.Except.Rank()
	}
	return t
}

func (p Policy) skip() Skip {
	var s Skip
	if p.Least != "" {
		s.Below = p.Least.Rank()
		if p.Singly { // a machine that holds what is open must hear that it is over
			s.Keep = resolved
		}
	}
	if p.NoResolved {
		s.Kinds = resolved
	}
	return s
}

// due is from when on a message made at a time could have been sent, were nobody
// slow: later than when it was made where it was to wait.
func (p Policy) due(made time.Time, s Severity) time.Time {
	at := made
	if s.Rank() < Critical.Rank() {
		at = at.Add(p.Group)
	}
	if p.Quiet != nil && s.Rank() < p.Quiet.Except.Rank() {
		if until, quiet := p.Quiet.At(at); quiet {
			at = until
		}
	}
	return at
}

// Terms are the conditions under which a notifier is handed deliveries.
type Terms struct {
	Limits
	Lease time.Duration
	// Least is the lowest urgency handed out before Until, by [Severity.Rank].
	Least int
	Until time.Time
	// HeldFrom and HeldTo are quiet hours that are over: what was made in them, is
	// less urgent than HeldBelow, and was never tried is told as one.
	HeldFrom, HeldTo time.Time
	HeldBelow        int
	Skip             Skip
	// Compose makes the message that stands for many.
	Compose func(r Reason, h Heap) (Post, error)
}

// Skip is what is never sent: less urgent than Below and not to Keep, or of Kinds.
// What is about the delivery itself is never skipped for its urgency.
type Skip struct {
	Below int
	Keep  []Kind
	Kinds []Kind
}

// Taken is what a notifier is handed.
type Taken struct {
	Deliveries []Delivery
	// Next is when to ask again, where terms are the reason that nothing was handed
	// out; zero otherwise.
	Next time.Time
	// Skipped and Digested count what was settled on the way.
	Skipped, Digested int
}

// Waiting is what waits for a notifier, of one severity.
type Waiting struct {
	Notifier string
	Severity Severity
	Count    int
	Oldest   time.Time
}
