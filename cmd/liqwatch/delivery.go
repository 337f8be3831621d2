package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"liqwatch/internal/alerts"
	"liqwatch/internal/alerts/heartbeat"
	"liqwatch/internal/config"
	"liqwatch/internal/store"
	"liqwatch/internal/watch"
)

// policies say when and how each notifier is told: what the file says, and where it
// says nothing, what the channel asks for.
func policies(cfg *config.Config, notifiers map[string]alerts.Notifier) (map[string]alerts.Policy, error) {
	out := map[string]alerts.Policy{}
	for name, n := range notifiers {
		d := cfg.Notifiers[name].Delivery
		p := alerts.Policy{Least: alerts.Severity(d.MinSeverity), Link: alertsLink(cfg)}
		p.NoResolved = d.Resolved != nil && !*d.Resolved
		limited, people := n.(alerts.Limited)
		if people {
			p.Limits = limited.Limits()
		} else if key := machineKey(d); key != "" {
			return nil, cfg.At("notifiers", name, key).Wrap(fmt.Errorf(
				"%s: machines read what a notifier of type %s is sent: they get every message by itself and at once; leave it out", key, cfg.Notifiers[name].Type))
		}
		p.Singly = !people
		if d.Group != nil {
			p.Group = *d.Group
		}
		if d.MaxPerMinute != nil {
			if p.PerMinute = *d.MaxPerMinute; p.PerMinute == 0 {
				p.Gap = 0
			}
		}
		if d.DigestOver != nil {
			p.DigestOver = *d.DigestOver
		}
		if q := d.Quiet; q != nil {
			p.Quiet = &alerts.Quiet{From: alerts.Clock(q.From), To: alerts.Clock(q.To), Zone: q.Zone.Location, Except: alerts.Severity(q.Except)}
		}
		out[name] = p
	}
	return out, nil
}

// machineKey is a setting that only makes sense where people read; empty for none.
func machineKey(d config.Delivery) string {
	switch {
	case d.Group != nil:
		return "group"
	case d.MaxPerMinute != nil:
		return "max_per_minute"
	case d.DigestOver != nil:
		return "digest_over"
	}
	return ""
}

// alertsLink leads to the page's list of alerts; empty where no address is configured.
func alertsLink(cfg *config.Config) string {
	if cfg.Web.PublicURL.IsZero() {
		return ""
	}
	return cfg.Web.PublicURL.Reveal() + "#alerts"
}

// afterwards are what runs beside the watching and the delivery: reminders, the
// daily digest, the heartbeat.
type afterwards struct {
	cfg     *config.Config
	store   *store.Store
	engine  *watch.Engine
	from    *watched
	posts   *alerts.Dispatcher
	started time.Time
	runs    []func(context.Context)
}

func newAfterwards(cfg *config.Config, kept *store.Store, engine *watch.Engine, from *watched, tracker *alerts.Tracker, posts *alerts.Dispatcher, log zerolog.Logger) *afterwards {
	a := &afterwards{cfg: cfg, store: kept, engine: engine, from: from, posts: posts, started: time.Now()}
	follow := &alerts.FollowUps{Tracker: tracker, Keeper: kept, Rules: followUps(cfg), Now: time.Now, Wake: posts.Wake, Log: log}
	if len(follow.Rules) > 0 {
		a.runs = append(a.runs, follow.Run)
	}
	if d := cfg.Digest; d != nil {
		daily := &alerts.DailyDigest{
			Daily:  alerts.Daily{At: alerts.Clock(d.At), Zone: d.Zone.Location, Notify: d.Notify},
			Report: a.report, Poster: kept, Now: time.Now, Wake: posts.Wake, Log: log,
		}
		a.runs = append(a.runs, daily.Run)
	}
	if h := cfg.Heartbeat; h != nil {
		a.runs = append(a.runs, heartbeat.New(*h, a.troubles, log).Run)
	}
	return a
}

// run runs them all until the context ends.
func (a *afterwards) run(ctx context.Context) {
	var all sync.WaitGroup
	for _, run := range a.runs {
		all.Go(func() { run(ctx) })
	}
	all.Wait()
}

func followUps(cfg *config.Config) []alerts.FollowUp {
	var out []alerts.FollowUp
	for _, r := range cfg.Rules {
		f := alerts.FollowUp{Rule: r.Name, Remind: r.Remind}
		if e := r.Escalate; e != nil {
			f.Escalate = &alerts.Escalation{After: e.After, Notify: e.Notify, Severity: alerts.Severity(e.Severity)}
		}
		if f.Remind > 0 || f.Escalate != nil {
			out = append(out, f)
		}
	}
	return out
}

// vitals are the signs by which one sees whether alerts can be relied on now.
func (a *afterwards) vitals(ctx context.Context) alerts.Vitals {
	v := alerts.Vitals{Now: time.Now()}
	v.Sources, v.Starting = a.engine.Sources(staleAfter(a.cfg))
	v.Unwritable = a.store.Writable(ctx, v.Now)
	if v.Unwritable == nil {
		v.Sinks, v.Unwritable = a.posts.Sinks(ctx)
	}
	return v
}

func (a *afterwards) troubles(ctx context.Context) []string {
	out := a.vitals(ctx).Troubles()
	for i := range out {
		out[i] = a.cfg.Redact(out[i])
	}
	return out
}

// firstLooks is how long the daily digest waits for the first look at everything.
const firstLooks = 10 * time.Minute

// report is the proof of life.
func (a *afterwards) report(ctx context.Context, now time.Time) (alerts.Report, bool, error) {
	var r alerts.Report
	v := a.vitals(ctx)
	if len(v.Starting) > 0 && time.Since(a.started) < firstLooks {
		return r, false, nil
	}
	for _, t := range v.Troubles() {
		r.Troubles = append(r.Troubles, a.cfg.Redact(t))
	}
	var err error
	if r.Axes, err = a.engine.Outlook(); err != nil {
		return r, false, err
	}
	for _, s := range a.engine.Status() {
		c := alerts.ReportChain{Chain: s.Chain, Block: s.Block.Number}
		if s.Block.Number > 0 {
			c.Time = time.Unix(int64(s.Block.Time), 0).UTC()
			c.Age = now.Sub(c.Time)
		}
		r.Chains = append(r.Chains, c)
	}
	for _, b := range a.engine.Books() {
		r.Accounts += b.Len()
		r.Markets++
	}
	r.Verified = a.from.oldestSweep(r.Markets)
	day := now.Add(-24 * time.Hour)
	if r.Rules, err = a.store.AlertsSince(ctx, day); err != nil {
		return r, false, err
	}
	if r.Dead, err = a.store.DeadSince(ctx, day); err != nil {
		return r, false, err
	}
	q, err := a.store.Queue(ctx)
	r.Waiting, r.Link = q.Waiting, alertsLink(a.cfg)
	return r, err == nil, err
}

// oldestSweep is when the market that waited longest was last read again whole; zero
// while one of so many never was.
func (w *watched) oldestSweep(markets int) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	var oldest time.Time
	for _, at := range w.swept {
		if oldest.IsZero() || at.Before(oldest) {
			oldest = at
		}
	}
	if len(w.swept) < markets {
		return time.Time{}
	}
	return oldest
}
