package alerts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// LongestMute is the most that one mute lasts: a forgotten one ends by itself.
const LongestMute = 7 * 24 * time.Hour

// What people can ask for that cannot be had.
var (
	// ErrNoRule: a mute names a rule that does not exist.
	ErrNoRule = errors.New("no such rule")
	// ErrMuteLength: a mute without an end, or one longer than [LongestMute].
	ErrMuteLength = errors.New("a mute lasts more than nothing and at most 168h")
)

// DeskKeeper is what a desk needs of a store.
type DeskKeeper interface {
	// Alerts are the newest, newest first, at most limit.
	Alerts(ctx context.Context, limit int) ([]Listed, error)
	// Alert is one of them; [ErrNoAlert] when there is none of that id.
	Alert(ctx context.Context, id string) (Listed, error)
	// Acknowledge notes who took note of an alert, and when. The first stands.
	Acknowledge(ctx context.Context, id, name string, at time.Time) error
	// LoadMutes are all mutes kept, by scope.
	LoadMutes(ctx context.Context) (map[string]Mute, error)
}

// Desk is where people answer: they look at what was told, acknowledge it, and
// mute what they do not want to hear for a while. Whoever asks names themselves;
// nobody checks the name. It is safe for concurrent use, and for several at once
// over the same store.
type Desk struct {
	tracker *Tracker
	keeper  DeskKeeper
	now     func() time.Time
}

// NewDesk makes a desk; now is the clock that mutes are counted from, time.Now but
// for a recording.
func NewDesk(tracker *Tracker, keeper DeskKeeper, now func() time.Time) *Desk {
	return &Desk{tracker: tracker, keeper: keeper, now: now}
}

// Recent are the newest alerts with what became of them, newest first.
func (d *Desk) Recent(ctx context.Context, limit int) ([]Listed, error) {
	return d.keeper.Alerts(ctx, limit)
}

// Acknowledge notes that somebody has seen an alert and takes care: it is not
// reminded of, and nobody else is called. It gives the alert back with whoever was
// first. [ErrNoAlert] when there is none of that id.
func (d *Desk) Acknowledge(ctx context.Context, id, by string) (Listed, error) {
	if err := d.keeper.Acknowledge(ctx, id, by, d.now()); err != nil {
		return Listed{}, err
	}
	return d.keeper.Alert(ctx, id)
}

// Alert is one alert; [ErrNoAlert] when there is none of that id.
func (d *Desk) Alert(ctx context.Context, id string) (Listed, error) { return d.keeper.Alert(ctx, id) }

// Mute keeps a scope from sending for a while and returns until when.
// [ErrNoRule] when it names none, [ErrMuteLength] for a length that cannot be.
func (d *Desk) Mute(ctx context.Context, scope Scope, length time.Duration, by string) (time.Time, error) {
	if length <= 0 || length > LongestMute {
		return time.Time{}, fmt.Errorf("mute %s for %s: %w", scope, length, ErrMuteLength)
	}
	until := d.now().Add(length)
	return until, d.set(ctx, scope, Mute{Until: until, By: by})
}

// Unmute ends a mute at once; [ErrNoRule] when the scope names none. Ending what is
// not muted is no error.
func (d *Desk) Unmute(ctx context.Context, scope Scope, by string) error {
	return d.set(ctx, scope, Mute{By: by})
}

func (d *Desk) set(ctx context.Context, scope Scope, m Mute) error {
	known, err := d.tracker.Mute(ctx, scope.String(), m)
	if err == nil && !known {
		err = fmt.Errorf("%w: %q", ErrNoRule, scope.Rule)
	}
	return err
}

// ListedMute is a mute that has not ended, and of what.
type ListedMute struct {
	Scope Scope
	Mute
}

// Mutes are those that have not ended, the first to end first.
func (d *Desk) Mutes(ctx context.Context) ([]ListedMute, error) {
	all, err := d.keeper.LoadMutes(ctx)
	if err != nil {
		return nil, fmt.Errorf("load mutes: %w", err)
	}
	var out []ListedMute
	for text, m := range all {
		scope, err := ParseScope(text)
		if err == nil && d.now().Before(m.Until) {
			out = append(out, ListedMute{scope, m})
		}
	}
	slices.SortFunc(out, func(a, b ListedMute) int { return a.Until.Compare(b.Until) })
	return out, nil
}
