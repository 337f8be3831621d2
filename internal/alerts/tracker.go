package alerts

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"github.com/shopspring/decimal"
)

// Tracker keeps the rules' states in a ledger. Every method commits before it
// returns, and changes nothing when it fails, so that it can be called again with
// the same input.
type Tracker struct {
	ledger Ledger
	rules  []Rule
	stale  StaleRule
	log    zerolog.Logger
	wake   func()

	mu     sync.Mutex
	states map[string]State                      // by rule; of a gauge rule, one for each chain
	values map[string]map[string]decimal.Decimal // of gauges at the last look, by state and subject
	beats  map[string]Beat
	keeper MuteKeeper
	mutes  map[string]Mute // by scope
}

// NewTracker loads the states of the rules. wake is called after every commit that
// holds something to deliver; it may be nil.
func NewTracker(ctx context.Context, ledger Ledger, rules []Rule, stale StaleRule, log zerolog.Logger, wake func()) (*Tracker, error) {
	t := &Tracker{
		ledger: ledger, rules: rules, stale: stale, log: log, wake: wake,
		states: map[string]State{}, beats: map[string]Beat{}, values: map[string]map[string]decimal.Decimal{},
	}
	kept, err := ledger.Kept(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the states kept: %w", err)
	}
	for i, r := range rules {
		if err := r.Validate(); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(rules[:i], func(o Rule) bool { return o.Name == r.Name }) {
			return nil, fmt.Errorf("rule %q is given twice", r.Name)
		}
		if err := t.load(ctx, r, kept); err != nil {
			return nil, err
		}
	}
	beats, err := ledger.LoadBeats(ctx)
	if err != nil {
		return nil, fmt.Errorf("load the state of the data sources: %w", err)
	}
	for _, b := range beats {
		t.beats[b.Source] = b
	}
	return t, nil
}

// load reads the states of a rule.
func (t *Tracker) load(ctx context.Context, r Rule, kept []string) error {
	keys := []string{r.Name}
	if r.Gauge != "" {
		keys = slices.DeleteFunc(slices.Clone(kept), func(key string) bool { return !strings.HasPrefix(key, stateKey(r.Name, "")) })
	}
	for _, key := range keys {
		s, err := t.ledger.LoadState(ctx, key)
		if err != nil {
			return fmt.Errorf("load the state of rule %q: %w", key, err)
		}
		s.Rule = key
		t.put(s)
	}
	return nil
}

// put takes a state over.
func (t *Tracker) put(s State) {
	if strings.Contains(s.Rule, stateKey("", "")) {
		s.bySubject = s.subjects()
	}
	t.states[s.Rule] = s
}

// stateKey names the state of a gauge rule on a chain. No rule's name has an @.
func stateKey(rule, chain string) string { return rule + "@" + chain }

// Observe applies an observation to all rules of its axis.
func (t *Tracker) Observe(ctx context.Context, o Observation) (Outcome, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all Outcome
	c := Change{At: o.Seen}
	var states []State
	for _, r := range t.rules {
		if r.Gauge != "" || r.Axis != o.Axis {
			continue
		}
		next, out, err := Advance(r, t.states[r.Name], o)
		if err != nil {
			return Outcome{}, err
		}
		states = append(states, next)
		all.Alerts = append(all.Alerts, out.Alerts...)
		all.Decisions = append(all.Decisions, out.Decisions...)
	}
	posts, err := posts(all.Alerts)
	if err != nil {
		return Outcome{}, err
	}
	t.hush(ctx, posts, o.Seen)
	c.Posts, c.Decisions = posts, all.Decisions
	return all, t.commit(ctx, c, states)
}

// Undo takes back every observation whose price was read on a block of the chain
// above the ancestor. Observe the new branch afterwards. [ErrTooDeep] when the states
// needed are no longer kept: rules of that chain keep theirs.
func (t *Tracker) Undo(ctx context.Context, chain string, ancestor uint64, now time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	var states []State
	for _, key := range slices.Sorted(maps.Keys(t.states)) {
		next, err := Rewind(t.states[key], chain, ancestor)
		if err != nil {
			return fmt.Errorf("rule %q: %w", key, err)
		}
		if len(next.Checkpoints) < len(t.states[key].Checkpoints) {
			states = append(states, next)
		}
	}
	for key := range t.values {
		if strings.HasSuffix(key, stateKey("", chain)) {
			delete(t.values, key) // what an orphaned block said is no "before"
		}
	}
	return t.commit(ctx, Change{At: now}, states)
}

// Pulse looks at the sources' ages and tells when data stop and when they are back.
func (t *Tracker) Pulse(ctx context.Context, now time.Time, sources []Source) ([]Alert, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := Change{At: now}
	var alerts []Alert
	for _, s := range sources {
		b, made := Pulse(t.stale, t.beats[s.What+"|"+s.Name], s, now)
		if len(made) == 0 {
			continue
		}
		c.Beats = append(c.Beats, b)
		alerts = append(alerts, made...)
	}
	if len(alerts) == 0 {
		return nil, nil
	}
	var err error
	if c.Posts, err = posts(alerts); err != nil {
		return nil, err
	}
	t.hush(ctx, c.Posts, now)
	return alerts, t.commit(ctx, c, nil)
}

// Seen are the blocks of a chain that rules remember, newest first: to find, after
// a restart, the newest that is still part of the chain.
func (t *Tracker) Seen(chain string) []BlockRef {
	t.mu.Lock()
	defer t.mu.Unlock()
	have := map[uint64]BlockRef{}
	for _, s := range t.states {
		for _, c := range s.Checkpoints {
			if b, ok := of(c.Blocks, chain); ok {
				have[b.Number] = b
			}
		}
	}
	return newestFirst(have)
}

// Episodes are the current ones of a rule; of a gauge rule, those of which anything
// is remembered, by chain and subject.
func (t *Tracker) Episodes(rule string) []Episode {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s, ok := t.states[rule]; ok {
		return s.Episodes()
	}
	var out []Episode
	for _, key := range slices.Sorted(maps.Keys(t.states)) {
		if strings.HasPrefix(key, stateKey(rule, "")) {
			out = append(out, flat(t.states[key].subjects())...)
		}
	}
	return out
}

// commit writes a change and, when that succeeded, takes it over.
func (t *Tracker) commit(ctx context.Context, c Change, states []State) error {
	for _, s := range states {
		c.States = append(c.States, t.states[s.Rule].diff(s))
	}
	if err := t.ledger.Commit(ctx, c); err != nil {
		return fmt.Errorf("commit alerts: %w", err)
	}
	for _, s := range states {
		t.put(s)
	}
	for _, b := range c.Beats {
		t.beats[b.Source] = b
	}
	t.report(c)
	if len(c.Posts) > 0 && t.wake != nil {
		t.wake()
	}
	return nil
}

func (t *Tracker) report(c Change) {
	for _, d := range c.Decisions {
		t.log.Debug().Str("rule", d.Rule).Stringer("level", d.Level).Str("side", string(d.Side)).
			Int("episode", d.Episode).Str("from", string(d.From)).Str("to", string(d.To)).
			Stringer("price", d.Price).Bool("sent", d.Sent).Str("reason", string(d.Reason)).Msg("decided")
	}
	for _, p := range c.Posts {
		t.log.Info().Str("key", p.Alert.Key).Str("kind", string(p.Alert.Kind)).
			Str("reason", string(p.Alert.Reason)).Strs("notify", p.Notify).Msg(p.Message.Title)
	}
}

// posts words alerts, on all processors: ten thousand may come of one block.
func posts(alerts []Alert) ([]Post, error) {
	if len(alerts) == 0 {
		return nil, nil
	}
	out, workers := make([]Post, len(alerts)), min(runtime.GOMAXPROCS(0), 1+len(alerts)/100)
	errs := make([]error, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < len(alerts) && errs[w] == nil; i += workers {
				a := alerts[i]
				m, err := Compose(a)
				if err != nil {
					errs[w] = fmt.Errorf("word alert %s: %w", a.Key, err)
				}
				out[i] = Post{Alert: a, Message: m, Notify: a.Notify}
			}
		})
	}
	wg.Wait()
	return out, errors.Join(errs...)
}
