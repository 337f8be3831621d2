package alerts

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Mute keeps what it is of from sending until a time. Rules go on: their episodes
// advance, their alerts are made, kept and shown; only nobody is sent them.
type Mute struct {
	Until time.Time
	By    string // who asked for it
}

// MuteKeeper keeps mutes over a restart, by their [Scope] as text.
type MuteKeeper interface {
	LoadMutes(ctx context.Context) (map[string]Mute, error)
	// SaveMute keeps a mute; a zero time ends it.
	SaveMute(ctx context.Context, scope string, m Mute) error
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

// Mute mutes a scope until a time, or ends that with a zero time. What was decided
// before is delivered all the same. False: there is no such rule.
func (t *Tracker) Mute(ctx context.Context, scope string, m Mute) (bool, error) {
	s, err := ParseScope(scope)
	if err != nil {
		return false, nil // what cannot be a rule is none
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	known := slices.ContainsFunc(t.rules, func(r Rule) bool { return r.Name == s.Rule })
	known = known || s.Rule == everything || own(s.Rule)
	if !known || t.keeper == nil {
		return known, nil
	}
	if err := t.keeper.SaveMute(ctx, s.String(), m); err != nil {
		return true, fmt.Errorf("mute %q: %w", s, err)
	}
	if m.Until.IsZero() {
		delete(t.mutes, s.String())
	} else {
		t.mutes[s.String()] = m
	}
	return true, nil
}

// Mutes are those that have not ended at a time, by scope.
func (t *Tracker) Mutes(now time.Time) map[string]Mute {
	t.mu.Lock()
	defer t.mu.Unlock()
	return lasting(t.mutes, now)
}

func lasting(all map[string]Mute, now time.Time) map[string]Mute {
	out := map[string]Mute{}
	for scope, m := range all {
		if now.Before(m.Until) {
			out[scope] = m
		}
	}
	return out
}

// hush takes the receivers from posts of what is muted. Mutes are looked at anew
// for every message: somebody else may have set one over the same store.
func (t *Tracker) hush(ctx context.Context, posts []Post, now time.Time) {
	if t.keeper == nil || len(posts) == 0 {
		return
	}
	if mutes, err := t.keeper.LoadMutes(ctx); err != nil {
		t.log.Warn().Err(err).Msg("load mutes; those known are kept to")
	} else {
		t.mutes = mutes
	}
	mutes := lasting(t.mutes, now)
	for i, p := range posts {
		if muted(mutes, p.Alert) {
			posts[i].Notify = nil
		}
	}
}

// muted reports that all an alert speaks of is muted: of several levels crossed at
// once, one that is not is news.
func muted(mutes map[string]Mute, a Alert) bool {
	var scopes []Scope
	for text := range mutes {
		if s, err := ParseScope(text); err == nil {
			scopes = append(scopes, s)
		}
	}
	for _, subject := range a.subjects() {
		hit := false
		for _, s := range scopes {
			hit = hit || s.covers(a.Rule, subject)
		}
		if !hit {
			return false
		}
	}
	return true
}

// subjects are what an alert speaks of, as a mute names them; at least one.
func (a Alert) subjects() []string {
	if a.Gauge != nil {
		return []string{a.Gauge.Subject}
	}
	levels := a.levels()
	if a.Corrects != nil {
		levels = a.Corrects.Levels
	}
	out := make([]string, 0, len(levels))
	for _, l := range levels {
		out = append(out, l.String())
	}
	if len(out) == 0 {
		out = append(out, "")
	}
	return out
}
