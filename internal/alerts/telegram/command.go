package telegram

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"liqwatch/internal/alerts"
)

// call is a command or a press with where it came from.
type call struct {
	n    *Notifier
	chat chat
	from *user
	may  bool     // change anything
	m    *written // the command, or the message that has the button
}

// command is one that is answered.
type command struct {
	name, usage, menu string
	changes           bool
	run               func(l *Listener, ctx context.Context, c call, args []string) (*page, []byte)
}

// commands in the order in which /help tells of them.
var commands []command

func init() {
	commands = []command{
		{"status", "/status", "is all well: chains, rules, mutes, what waits", false, (*Listener).status},
		{"alerts", "/alerts [number]", "the newest alerts, and who has seen them", false, (*Listener).recent},
		{"ack", "/ack ID, or as an answer to an alert", "acknowledge an alert", true, (*Listener).ack},
		{"mute", "/mute RULE 2h, or /mute 2h as an answer to an alert", "silence a rule for a while", true, (*Listener).mute},
		{"unmute", "/unmute RULE", "end a mute", true, (*Listener).unmute},
		{"map", "/map AXIS [price ...]", "what comes due at which price", false, (*Listener).ladder},
		{"help", "/help", "these lines", false, (*Listener).help},
	}
}

// obey runs a command. One that is not ours, or not theirs, gets no answer.
func (l *Listener) obey(ctx context.Context, c call, o order) {
	if o.name == "start" {
		o.name = "help"
	}
	i := slices.IndexFunc(commands, func(x command) bool { return x.name == o.name })
	if i < 0 {
		return
	}
	log := l.log.Info().Str("command", o.name).Str("by", c.from.name()).Int64("chat", c.chat.ID)
	if commands[i].changes && !c.may {
		log.Msg("refused a command to somebody who is not among the admins")
		return
	}
	log.Msg("command")
	p, picture := commands[i].run(l, ctx, c, o.args)
	l.say(ctx, c, p, picture)
}

func usage(name string) (*page, []byte) {
	for _, c := range commands {
		if c.name == name {
			return new(page).text("Write %s", c.usage), nil
		}
	}
	return new(page), nil
}

func (l *Listener) help(context.Context, call, []string) (*page, []byte) {
	p := new(page).bold("liqwatch").line()
	for _, c := range commands {
		p.code(c.usage).line().text("   %s", c.menu).line()
	}
	return p.text("RULE may be RULE/LEVEL, or * for all rules."), nil
}

func (l *Listener) status(ctx context.Context, _ call, _ []string) (*page, []byte) {
	s, err := l.board.Status(ctx)
	if err != nil {
		return l.failed(err, "look at the status"), nil
	}
	p := new(page).bold("liqwatch %s", s.Version).line()
	for _, c := range s.Chains {
		switch {
		case c.Block == 0:
			p.text("%s: nothing read yet", c.Name)
		case c.Late:
			p.bold("%s: no new data, block %d is %s old", c.Name, c.Block, alerts.Span(c.Age))
		default:
			p.text("%s: block %d, %s old", c.Name, c.Block, alerts.Span(c.Age))
		}
		if c.Why != "" {
			p.text(" (%s)", head(c.Why, 200))
		}
		p.line()
	}
	for _, r := range s.Rules {
		if r.Watch != "" {
			p.text("rule ").bold("%s", r.Name).text(": %s", r.Watch).line()
			continue
		}
		p.text("rule ").bold("%s", r.Name).text(": %s", r.Axis)
		if r.Price.IsPositive() {
			p.text(" at %s", alerts.Price(r.Price))
		}
		p.text(", %s%s", alerts.Count(len(r.Levels), "level"), nearest(r)).line()
	}
	l.mutes(ctx, p)
	switch q := s.Queue; {
	case q.Waiting > 0:
		p.text("%s to be sent, the oldest for %s", alerts.Count(q.Waiting, "message"), alerts.Span(q.Oldest)).line()
	default:
		p.text("Nothing waits to be sent.").line()
	}
	if s.Queue.Dead > 0 {
		p.bold("%s given up", alerts.Count(s.Queue.Dead, "message")).line()
	}
	return p, nil
}

// nearest names the level that the price is nearest to.
func nearest(r RuleStatus) string {
	if !r.Price.IsPositive() || len(r.Levels) == 0 {
		return ""
	}
	best := slices.MinFunc(r.Levels, func(a, b decimal.Decimal) int {
		return a.Sub(r.Price).Abs().Cmp(b.Sub(r.Price).Abs())
	})
	if !best.IsPositive() {
		return ""
	}
	return ", the nearest " + alerts.Price(best) + ", " + r.Price.Sub(best).Abs().DivRound(best, 6).Shift(2).Round(2).String() + "% away"
}

func (l *Listener) mutes(ctx context.Context, p *page) {
	mutes, err := l.desk.Mutes(ctx)
	if err != nil {
		l.log.Warn().Err(err).Msg("look at the mutes")
		return
	}
	for _, m := range mutes {
		p.bold("%s", m.Scope.String()).text(" is muted until %s by %s", clock(m.Until), m.By).line()
	}
}

const (
	listed     = 5
	mostListed = 20
)

func (l *Listener) recent(ctx context.Context, _ call, args []string) (*page, []byte) {
	n := listed
	if len(args) > 0 {
		var err error
		if n, err = strconv.Atoi(args[0]); err != nil || n < 1 {
			return usage("alerts")
		}
	}
	all, err := l.desk.Recent(ctx, min(n, mostListed))
	if err != nil {
		return l.failed(err, "look at the alerts"), nil
	}
	p := new(page)
	if len(all) == 0 {
		return p.text("There were no alerts yet."), nil
	}
	for _, a := range all {
		p.bold("%s", a.Message.Title).line().text("%s, %s", a.Alert.Kind, clock(a.Created))
		if !a.Acknowledged.IsZero() {
			p.text(", acknowledged by %s", a.AcknowledgedBy)
		}
		p.line().code(a.ID).line()
	}
	return p, nil
}

func (l *Listener) ack(ctx context.Context, c call, args []string) (*page, []byte) {
	id := c.m.Reply.alert()
	if len(args) > 0 {
		id = args[0]
	}
	if !isID(id) {
		return usage("ack")
	}
	a, err := l.acknowledge(ctx, id, c.from.name())
	if err != nil {
		return l.failed(err, "acknowledge"), nil
	}
	return new(page).text("Acknowledged by %s: ", a.AcknowledgedBy).bold("%s", a.Message.Title), nil
}

func (l *Listener) mute(ctx context.Context, c call, args []string) (*page, []byte) {
	if len(args) == 0 {
		return usage("mute")
	}
	length, ok := parseLength(args[len(args)-1])
	if !ok {
		return usage("mute")
	}
	text := strings.Join(args[:len(args)-1], " ")
	if text == "" {
		a, err := l.desk.Alert(ctx, c.m.Reply.alert())
		if err != nil {
			return usage("mute")
		}
		text = a.Alert.Rule
	}
	scope, err := alerts.ParseScope(text)
	if err != nil {
		return usage("mute")
	}
	// Counted from when it was written: told late, or twice, it ends at the same time.
	left := length - max(0, time.Since(c.m.sent()))
	if left <= 0 {
		return new(page).text("The %s are over: this command was heard late.", alerts.Span(length)), nil
	}
	return l.silence(ctx, scope, left, c.from.name()), nil
}

// silence mutes and says so to everybody in the chat.
func (l *Listener) silence(ctx context.Context, scope alerts.Scope, length time.Duration, by string) *page {
	var until time.Time
	err := try(ctx, func() (err error) {
		until, err = l.desk.Mute(ctx, scope, length, by)
		return err
	})
	if err != nil {
		return l.failed(err, "mute")
	}
	return new(page).bold("%s", scope.String()).text(" is muted until %s by %s. To end it: ", clock(until), by).code("/unmute " + scope.String())
}

func (l *Listener) unmute(ctx context.Context, c call, args []string) (*page, []byte) {
	scope, err := alerts.ParseScope(strings.Join(args, " "))
	if err != nil {
		return usage("unmute")
	}
	if err := try(ctx, func() error { return l.desk.Unmute(ctx, scope, c.from.name()) }); err != nil {
		return l.failed(err, "unmute"), nil
	}
	return new(page).bold("%s", scope.String()).text(" is not muted any more."), nil
}

func (l *Listener) ladder(ctx context.Context, c call, args []string) (*page, []byte) {
	if len(args) == 0 || len(args) > 21 {
		return usage("map")
	}
	var levels []decimal.Decimal
	for _, text := range args[1:] {
		level, err := decimal.NewFromString(strings.ReplaceAll(strings.TrimSuffix(text, ","), ",", ""))
		if err != nil || len(text) > 30 || strings.ContainsAny(text, "eE") || !level.IsPositive() { // an exponent would be a number of any length
			return usage("map")
		}
		levels = append(levels, level)
	}
	m, err := l.board.Ladder(ctx, args[0], levels)
	if err != nil {
		return new(page).text("%s", head(err.Error(), 500)), nil
	}
	p := new(page).bold("%s %s", m.Axis, alerts.Price(m.Spot)).line()
	for _, s := range m.Steps {
		p.text("%s: %s, %s", alerts.Price(s.Price), alerts.Dollars(s.AtRiskUSD), alerts.Count(s.Accounts, "account")).line()
	}
	p.text("collateral at risk from the price to each; data %s old", alerts.Span(m.Age))
	if m.Sketch == nil || c.n.Draw == nil || !c.n.picture || p.units() > maxCaption {
		return p, nil
	}
	picture, err := c.n.Draw(*m.Sketch)
	if err != nil {
		l.log.Warn().Err(err).Msg("draw the ladder")
		return p, nil
	}
	return p, picture
}

// failed says why something could not be done; what is nobody's fault in the chat is
// logged in full and told in short.
func (l *Listener) failed(err error, what string) *page {
	for _, known := range []error{alerts.ErrNoRule, alerts.ErrNoAlert, alerts.ErrMuteLength} {
		if errors.Is(err, known) {
			return new(page).text("%s.", head(err.Error(), 300))
		}
	}
	l.log.Error().Err(err).Str("what", what).Msg("a command failed")
	return new(page).text("It could not be done (%s); the log says why. Try again.", what)
}

// parseLength reads 90m, 2h or 3d.
func parseLength(s string) (time.Duration, bool) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 8)
		return time.Duration(n) * 24 * time.Hour, err == nil && n > 0
	}
	d, err := time.ParseDuration(s)
	return d, err == nil && d > 0
}

// clock is a time for people who may be anywhere.
func clock(t time.Time) string { return t.UTC().Format("Jan 2 15:04 UTC") }
