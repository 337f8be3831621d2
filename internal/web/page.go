package web

import (
	"bytes"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"liqwatch/thresholds"
)

var templates = template.Must(template.New("").Funcs(words).ParseFS(assets, "assets/*.html"))

// query is what the page is asked to show.
type query struct {
	Axis, Measure, Stack, Scale, Amounts, Range, Market string
	Cumulative                                          bool
}

func pageQuery(r *http.Request) query {
	v := r.URL.Query()
	pick := func(name string, allowed ...string) string {
		for _, a := range allowed {
			if v.Get(name) == a {
				return a
			}
		}
		return allowed[0]
	}
	q := query{
		Axis: short(v.Get("axis"), 60), Measure: pick("measure", "at_risk", "seizable", "debt"), Stack: pick("stack", "market", "collateral"),
		Scale: pick("scale", "linear", "log"), Amounts: pick("amounts", "linear", "log"), Range: pick("range", "1h", "6h", "24h", "7d", "60d", "1y"), Market: short(v.Get("market"), 100),
		Cumulative: v.Get("cumulative") == "1",
	}
	if !q.ByCollateral() {
		q.Stack = "market"
	}
	return q
}

// ByCollateral reports that bars can be stacked by collateral: only what is at risk
// of single bands is known so.
func (q query) ByCollateral() bool { return q.Measure == "at_risk" && !q.Cumulative }

func (q query) encode() string {
	v := url.Values{"axis": {q.Axis}, "measure": {q.Measure}, "stack": {q.Stack}, "scale": {q.Scale}, "amounts": {q.Amounts}, "range": {q.Range}}
	if q.Market != "" {
		v.Set("market", q.Market)
	}
	if q.Cumulative {
		v.Set("cumulative", "1")
	}
	return v.Encode()
}

// With is the query with one choice changed, as a link.
func (q query) With(name, value string) string {
	v, _ := url.ParseQuery(q.encode()) // it was written a moment ago
	v.Set(name, value)
	return "/?" + v.Encode()
}

// Encoded is the query as it stands.
func (q query) Encoded() string { return q.encode() }

// choice is one of several ways to see something, as a link; without one it is
// not to be had as the rest stands.
type choice struct {
	Text, Link string
	Chosen     bool
}

// choices are groups of them with their names.
type choices struct {
	Name string
	All  []choice
}

// Choices are the ways to see the ladder.
func (q query) Choices() []choices {
	one := func(text, name, value, now string) choice { return choice{text, q.With(name, value), value == now} }
	collateral := one("by collateral", "stack", "collateral", q.Stack)
	if !q.ByCollateral() {
		collateral.Link = ""
	}
	cumulative := "0"
	if q.Cumulative {
		cumulative = "1"
	}
	return []choices{
		{"Amount", []choice{one("at risk", "measure", "at_risk", q.Measure), one("seizable", "measure", "seizable", q.Measure), one("debt", "measure", "debt", q.Measure)}},
		{"Stacked by", []choice{one("by market", "stack", "market", q.Stack), collateral}},
		{"Sum", []choice{one("per band", "cumulative", "0", cumulative), one("cumulative", "cumulative", "1", cumulative)}},
	}
}

// Scales are the ways to draw prices and amounts.
func (q query) Scales() []choices {
	one := func(text, name, value, now string) choice { return choice{text, q.With(name, value), value == now} }
	return []choices{
		{"Scale of prices", []choice{one("linear prices", "scale", "linear", q.Scale), one("log", "scale", "log", q.Scale)}},
		{"Scale of amounts", []choice{one("linear amounts", "amounts", "linear", q.Amounts), one("log", "amounts", "log", q.Amounts)}},
	}
}

// Scaled reports that one of them is not the usual one.
func (q query) Scaled() bool { return q.Scale == "log" || q.Amounts == "log" }

// screen is all that the page shows.
type screen struct {
	Query     query
	Axes      []string
	Pegs      []string
	State     *state
	Note      string
	Recorded  bool
	StaleSecs int64
	Open      bool // to other machines, without a token
	CanWrite  bool // the asker has shown the token
	HasToken  bool // there is one to show
	Problem   string

	View     *view
	Cut      *thresholds.Map
	Ladder   ladderPicture
	Bands    []shownBand
	Walls    []shownWall
	Accounts []account
	Markets  []marketTotals
	Tape     *tape
	Alerts   []alert
	Rules    []ruleState
	Heat     *heatPicture
	Ranges   []string
	Slider   slider
	WhatIf   map[string]any // the answer to a question in the address, for those without a script
	Market   *marketPrice   // the market's own price of the axis, where a feed is configured
	Age      int64          // of the ladder, in seconds
}

// shownBand is a band with the row that its bar points at.
type shownBand struct {
	thresholds.Band
	Row      string
	Distance decimal.Decimal // of its edge next to spot
}

type shownWall struct {
	thresholds.Wall
	Distance decimal.Decimal
}

// marketPrice is the market's own price of an axis, and how far it is off the oracle's.
type marketPrice struct{ Price, Off decimal.Decimal }

type slider struct{ Min, Max, Step, At string }

func (s *Server) page(w http.ResponseWriter, r *http.Request)  { s.show(w, r, "page") }
func (s *Server) parts(w http.ResponseWriter, r *http.Request) { s.show(w, r, "parts") }

func (s *Server) show(w http.ResponseWriter, r *http.Request, name string) {
	s.answer(w, r, func() (string, []byte, error) {
		data, err := s.screen(r)
		if err != nil {
			return "", nil, err
		}
		if name == "page" {
			data.WhatIf = s.asked(r)
		}
		return render(name, data)
	})
}

func render(name string, data any) (string, []byte, error) {
	var b bytes.Buffer
	if err := templates.ExecuteTemplate(&b, name, data); err != nil {
		return "", nil, fmt.Errorf("write the page: %w", err)
	}
	return "text/html; charset=utf-8", b.Bytes(), nil
}

func (s *Server) loginPage(w http.ResponseWriter, why string) {
	kind, body, err := render("login", map[string]any{"Why": why, "HasToken": s.opt.Token != ""})
	if err != nil {
		s.refuse(w, err)
		return
	}
	w.Header().Set("Content-Type", kind)
	_, _ = w.Write(body)
}

// screen gathers everything. What cannot be shown, such as the ladder before the
// first pass, is said in its place: the rest of the page stands.
func (s *Server) screen(r *http.Request) (*screen, error) {
	out := &screen{
		Query: pageQuery(r), State: s.state(r), Note: s.opt.Note, Recorded: s.opt.Recorded,
		StaleSecs: int64(s.opt.StaleAfter / time.Second), CanWrite: s.writer(r), HasToken: s.opt.Token != "", Rules: s.rules(),
	}
	for _, a := range s.axes() {
		if strings.Contains(a.Axis, "/") {
			out.Pegs = append(out.Pegs, a.Axis)
		} else {
			out.Axes = append(out.Axes, a.Axis)
		}
	}
	out.Open = s.unguarded()
	for _, sp := range spans {
		out.Ranges = append(out.Ranges, sp.Name)
	}
	axis, err := s.axis(r)
	if err == nil {
		out.Query.Axis = axis
		err = s.showAxis(r, axis, out)
	}
	if err != nil {
		out.Problem = s.said(err)
	}
	if out.Markets, err = s.markets(r); err != nil {
		return nil, err
	}
	if out.Tape, err = s.tape(r, pageListed); err != nil {
		return nil, err
	}
	out.Alerts, err = s.alerts(r, pageListed)
	return out, err
}

func (s *Server) showAxis(r *http.Request, axis string, out *screen) error {
	v, err := s.views.get(axis)
	if err != nil {
		return err
	}
	// Before the rest is there: bars that could not be added up are not bars that are empty.
	if out.Ladder, err = s.draw(v, out.Query); err != nil {
		return err
	}
	out.View, out.Cut, out.Accounts = v, v.cut, v.largest
	out.Age = int64(s.opt.Now().Sub(v.made).Seconds())
	for _, b := range v.cut.Bands {
		if b.AtTrigger.Accounts > 0 {
			out.Bands = append(out.Bands, shownBand{b, rowID(b), thresholds.Distance(v.cut.Spot, inner(b, v.cut.Spot)).Round(6)})
		}
	}
	for _, w := range v.walls {
		out.Walls = append(out.Walls, shownWall{w, thresholds.Distance(v.cut.Spot, w.Edge())})
	}
	slices.SortStableFunc(out.Walls, func(a, b shownWall) int { return a.Distance.Cmp(b.Distance) })
	out.Slider = sliderOf(v.cut.Spot)
	if p, ok := spotOf(s.views.snapshot(), axis); ok {
		out.Market = &marketPrice{p.Price, away(v.cut.Spot, &p.Price)}
	}
	h, err := s.heat(r)
	if err != nil {
		return err
	}
	out.Heat = h.picture(out.Query)
	return nil
}

// sliderOf reaches from half of spot to one and a half, in steps of the picture's own size.
func sliderOf(spot decimal.Decimal) slider {
	step := pageStep(spot).Div(decimal.NewFromInt(10))
	round := func(f string) string {
		return spot.Mul(decimal.RequireFromString(f)).Div(step).Round(0).Mul(step).String()
	}
	return slider{round("0.5"), round("1.5"), step.String(), round("1")}
}

// whatIfPart is the answer to the slider as a piece of the page.
func (s *Server) whatIfPart(w http.ResponseWriter, r *http.Request) {
	s.answer(w, r, func() (string, []byte, error) {
		got, err := s.whatIf(withMoves(r))
		var p problem
		switch {
		case err == nil:
			return render("whatif", map[string]any{"Answer": got})
		case asProblem(err, &p):
			return render("whatif", map[string]any{"Problem": p.Message})
		}
		return "", nil, err
	})
}

// asked is the answer to the question in the page's own address, if there is one.
func (s *Server) asked(r *http.Request) map[string]any {
	if q := r.URL.Query(); !q.Has("price") && !q.Has("shock") {
		return nil
	}
	got, err := s.whatIf(withMoves(r))
	if err != nil {
		return map[string]any{"Problem": s.said(err)}
	}
	return map[string]any{"Answer": got}
}

// said is an error in words for a piece of the page. What is not the asker's fault is
// logged, and its cause is not told.
func (s *Server) said(err error) string {
	var p problem
	if asProblem(err, &p) {
		return p.Message
	}
	s.log.Error().Err(err).Msg("answer")
	return "this could not be answered; the log says why"
}

// withMoves is a request whose fields move.AXIS, in percent, are shocks.
func withMoves(r *http.Request) *http.Request {
	q := r.URL.Query()
	for _, name := range slices.Sorted(maps.Keys(q)) {
		axis, ok := strings.CutPrefix(name, "move.")
		percent := strings.TrimSuffix(strings.TrimSpace(q.Get(name)), "%")
		if ok && percent != "" && percent != "0" {
			q.Add("shock", axis+"="+percent+"%")
		}
	}
	out := r.Clone(r.Context())
	out.URL.RawQuery = q.Encode()
	return out
}
