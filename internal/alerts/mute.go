package alerts

import (
	"context"
	"fmt"
	"time"
)

// Mute keeps a rule from sending until a time. The rule goes on: its episodes
// advance, its alerts are made, kept and shown; only nobody is sent them.
type Mute struct {
	Until time.Time
	By    string // who asked for it
}

// MuteKeeper keeps mutes over a restart.
type MuteKeeper interface {
	LoadMutes(ctx context.Context) (map[string]Mute, error)
	// SaveMute keeps a mute; a zero time ends it.
	SaveMute(ctx context.Context, rule string, m Mute) error
}

// KeepMutes loads the mutes and keeps those to come. Call it before the first look.
func (t *Tracker) KeepMutes(ctx context.Context, keeper MuteKeeper) error {
	mutes, err := keeper.LoadMutes(ctx)
	if err != nil {
		return fmt.Errorf("load mutes: %w", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.keeper, t.mutes = keeper, mutes
	return nil
}

// Mute mutes a rule until a time, or ends that with a zero time. What was decided
// before is delivered all the same. False: there is no such rule.
func (t *Tracker) Mute(ctx context.Context, rule string, m Mute) (bool, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, known := t.states[rule]; !known || t.keeper == nil {
		return known, nil
	}
	if err := t.keeper.SaveMute(ctx, rule, m); err != nil {
		return true, fmt.Errorf("mute %q: %w", rule, err)
	}
	if m.Until.IsZero() {
		delete(t.mutes, rule)
	} else {
		t.mutes[rule] = m
	}
	return true, nil
}

// Mutes are those that have not ended at a time, by rule.
func (t *Tracker) Mutes(now time.Time) map[string]Mute {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := map[string]Mute{}
	for rule, m := range t.mutes {
		if now.Before(m.Until) {
			out[rule] = m
		}
	}
	return out
}

// hush takes the receivers from posts of rules that are muted.
func (t *Tracker) hush(posts []Post, now time.Time) {
	for i, p := range posts {
		if m, ok := t.mutes[p.Alert.Rule]; ok && now.Before(m.Until) {
			posts[i].Notify = nil
		}
	}
}
