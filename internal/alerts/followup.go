package alerts

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"
	"github.com/shopspring/decimal"
)

// FollowUp says what happens while an alert of a rule is not acknowledged and what
// it told of lasts.
type FollowUp struct {
	Rule string
	// Remind is the time between reminders; 0 sends none.
	Remind time.Duration
	// Escalate calls others; nil calls nobody.
	Escalate *Escalation
}

// Escalation tells others, once, of what nobody has acknowledged.
type Escalation struct {
	After    time.Duration // since the alert
	Notify   []string
	Severity Severity // when empty, critical
}

// Told is an alert that was told in an episode, and what became of it.
type Told struct {
	ID      string
	Alert   Alert
	Created time.Time
	// Acknowledged is when somebody took note; zero when nobody did.
	Acknowledged time.Time
	// Pending are the notifiers that have not been told yet.
	Pending []string
}

// follows reports an alert that repeats another.
func (t Told) follows() bool {
	return t.Alert.Kind == KindReminder || t.Alert.Kind == KindEscalation
}

// FollowUpKeeper is what follow-ups need of a store.
type FollowUpKeeper interface {
	Poster
	MuteKeeper
	// Told are the alerts told in each of the episodes, oldest first.
	Told(ctx context.Context, episodes []string) (map[string][]Told, error)
}

// FollowUps reminds of what lasts and calls others where nobody answers. All that
// it goes by is in the store, and each reminder has a key of its own, so that a
// restart forgets nothing and repeats nothing.
type FollowUps struct {
	Tracker *Tracker
	Keeper  FollowUpKeeper
	Rules   []FollowUp
	Now     func() time.Time
	// Wake is called after something was made.
	Wake func()
	Log  zerolog.Logger
}

// Run looks now and then until the context ends.
func (f *FollowUps) Run(ctx context.Context) {
	every(ctx, lookAgain, func() {
		if _, err := f.Look(ctx); err != nil && ctx.Err() == nil {
			f.Log.Error().Err(err).Msg("follow up")
		}
	})
}

// Look makes the reminders and escalations that are due, and keeps them.
func (f *FollowUps) Look(ctx context.Context) ([]Alert, error) {
	var made []Alert
	now := f.Now()
	mutes, err := f.Keeper.LoadMutes(ctx)
	if err != nil {
		return nil, fmt.Errorf("load mutes: %w", err)
	}
	mutes = lasting(mutes, now)
	for _, rule := range f.Rules {
		firing := f.Tracker.firing(rule.Rule)
		if len(firing) == 0 {
			continue
		}
		var names []string
		for _, e := range firing {
			names = append(names, e.name)
		}
		told, err := f.Keeper.Told(ctx, names)
		if err != nil {
			return nil, fmt.Errorf("look for what was told: %w", err)
		}
		for _, a := range rule.due(firing, told, now) {
			if !muted(mutes, a) {
				made = append(made, a)
			}
		}
	}
	if len(made) == 0 {
		return nil, nil
	}
	posts, err := posts(made)
	if err != nil {
		return nil, err
	}
	if err := f.Keeper.Post(ctx, now, posts...); err != nil {
		return nil, fmt.Errorf("keep reminders: %w", err)
	}
	for _, a := range made {
		f.Log.Info().Str("key", a.Key).Str("kind", string(a.Kind)).Strs("notify", a.Notify).Msg("follow up")
	}
	f.Wake()
	return made, nil
}

// firing is an episode in which people were told something and that has not ended.
type firing struct {
	name string // as [Alert.InEpisodes] names it
	// now gives an alert the numbers of the last look.
	now func(*Alert)
}

// story is one alert that is news, and the episodes of it that last.
type story struct {
	news     Told
	episodes []firing
	history  []Told // all told in those episodes
}

// due are the follow-ups whose time has come. Pure. One that a former process has
// made is due again and adds nothing: its key is there.
func (f FollowUp) due(all []firing, told map[string][]Told, now time.Time) []Alert {
	var out []Alert
	for _, s := range stories(all, told) {
		age := now.Sub(s.news.Created)
		if s.acknowledged() {
			continue
		}
		if e := f.Escalate; e != nil && age >= e.After && !s.has(KindEscalation, 0) {
			a := s.follow(KindEscalation, ReasonUnacknowledged, 0, now)
			a.Notify, a.Severity = e.Notify, e.Severity
			if a.Severity == "" {
				a.Severity = Critical
			}
			out = append(out, a)
		}
		if f.Remind <= 0 || age < f.Remind {
			continue
		}
		count := int(age / f.Remind)
		a := s.follow(KindReminder, ReasonStill, count, now)
		a.Notify = s.caughtUp(s.news.Alert.Notify)
		if len(a.Notify) > 0 && !s.has(KindReminder, count) {
			out = append(out, a)
		}
	}
	return out
}

// stories puts the episodes together that were last told of in one alert.
func stories(all []firing, told map[string][]Told) []story {
	var out []story
	for _, e := range all {
		history := told[e.name]
		i := -1
		for j, t := range history {
			if !t.follows() {
				i = j
			}
		}
		if i < 0 {
			continue // told before this was kept
		}
		news := history[i]
		at := slices.IndexFunc(out, func(s story) bool { return s.news.ID == news.ID })
		if at < 0 {
			at = len(out)
			out = append(out, story{news: news})
		}
		out[at].episodes = append(out[at].episodes, e)
		out[at].history = append(out[at].history, history...)
	}
	return out
}

// acknowledged: somebody has taken note since the news. What was acknowledged
// before it does not count: it got worse since.
func (s story) acknowledged() bool {
	return slices.ContainsFunc(s.history, func(t Told) bool {
		return !t.Acknowledged.IsZero() && !t.Created.Before(s.news.Created)
	})
}

// has reports a follow-up of the news that was made already.
func (s story) has(kind Kind, count int) bool {
	return slices.ContainsFunc(s.history, func(t Told) bool {
		return t.Alert.Kind == kind && t.Alert.Follows.ID == s.news.ID && t.Alert.Follows.Count == count
	})
}

// caughtUp are those who have been told all there was so far: a notifier that is
// held back, or down, needs no pile of reminders.
func (s story) caughtUp(notify []string) []string {
	var out []string
	for _, n := range notify {
		waits := func(t Told) bool { return slices.Contains(t.Pending, n) }
		if !slices.ContainsFunc(s.history, waits) {
			out = append(out, n)
		}
	}
	return out
}

// follow makes an alert that repeats the news with the numbers of now.
func (s story) follow(kind Kind, reason Reason, count int, now time.Time) Alert {
	a := s.news.Alert
	news := a.Kind
	for _, e := range s.episodes {
		e.now(&a) // the last one is the one that the alert speaks for
	}
	a.Kind, a.Reason, a.Seen, a.Claims, a.Withdraws = kind, reason, now, nil, nil
	a.Follows = &Followed{ID: s.news.ID, Kind: news, Since: s.news.Created, Count: count, Told: s.news.Alert.Notify}
	for _, e := range s.episodes {
		a.Follows.Episodes = append(a.Follows.Episodes, e.name)
	}
	a.Key = fmt.Sprintf("%s|%s", kind, s.news.Alert.Key)
	if count > 0 {
		a.Key += fmt.Sprintf("|%d", count)
	}
	return a
}

// firing are the episodes of a rule in which people were told something, with the
// numbers of the last look.
func (t *Tracker) firing(rule string) []firing {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.IndexFunc(t.rules, func(r Rule) bool { return r.Name == rule })
	if i < 0 {
		return nil
	}
	r := t.rules[i]
	if r.Gauge == "" {
		return firingIn(r, t.states[rule], nil)
	}
	var out []firing
	for _, key := range slices.Sorted(maps.Keys(t.states)) {
		if strings.HasPrefix(key, stateKey(rule, "")) {
			out = append(out, firingIn(r, t.states[key], t.values[key])...)
		}
	}
	return out
}

func firingIn(r Rule, s State, values map[string]decimal.Decimal) []firing {
	episodes := s.Episodes()
	if r.Gauge != "" {
		episodes = flat(s.subjects())
	}
	var out []firing
	for _, e := range episodes {
		if !e.Said || e.Retired {
			continue
		}
		out = append(out, firing{episodeName(r, e), func(a *Alert) {
			a.Blocks = s.Blocks()
			if r.Gauge == "" {
				a.Price = s.Price()
			} else if v, ok := values[e.Subject]; ok {
				a.Price = v
			}
			if r.Gauge == "" && a.Level.Equal(e.Level) {
				a.Totals, a.Markets = e.Ahead, e.Markets
			}
		}})
	}
	return out
}

// episodeName is what all claims of an episode begin with.
func episodeName(r Rule, e Episode) string { return strings.TrimSuffix(claim(r, e, ""), "|") }
