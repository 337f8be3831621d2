package web

import (
	"bytes"
	"fmt"
	"html/template"
	"math"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"liqwatch/thresholds"
)

var templates = template.Must(template.New("").Funcs(words).ParseFS(assets, "assets/*.html"))

// query is what the page is asked to show.
type query struct {
	Axis, Measure, Stack, Scale, Range, Market string
	Cumulative                                 bool
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
		Scale: pick("scale", "linear", "log"), Range: pick("range", "1h", "6h", "24h", "7d", "60d", "1y"), Market: short(v.Get("market"), 100),
		Cumulative: v.Get("cumulative") == "1",
	}
	if q.Measure != "at_risk" {
		q.Stack = "market" // by collateral only what is at risk is known
	}
	return q
}

func (q query) encode() string {
	v := url.Values{"axis": {q.Axis}, "measure": {q.Measure}, "stack": {q.Stack}, "scale": {q.Scale}, "range": {q.Range}}
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

// screen is all that the page shows.
type screen struct {
	Query     query
	Axes      []axisInfo
	State     *state
	Note      string
	Recorded  bool
	StaleSecs int64
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
	Age      int64 // of the ladder, in seconds
}

// shownBand is a band with the row that its bar points at.
type shownBand struct {
	thresholds.Band
	Row string
}

type shownWall struct {
	thresholds.Wall
	Distance decimal.Decimal
}

type slider struct{ Min, Max, Step, At string }

func (s *Server) page(w http.ResponseWriter, r *http.Request)  { s.show(w, r, "page") }
func (s *Server) parts(w http.ResponseWriter, r *http.Request) { s.show(w, r, "parts") }

func (s *Server) show(w http.ResponseWriter, r *http.Request, name string) {
	s.answer(w, r, func() (string, []byte, error) {
		data, err := s.screen(r)
		if err != nil {
			return "", nil, err
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
		Query: pageQuery(r), Axes: s.axes(), State: s.state(r), Note: s.opt.Note, Recorded: s.opt.Recorded,
		StaleSecs: int64(s.opt.StaleAfter / time.Second), CanWrite: s.writer(r), HasToken: s.opt.Token != "", Rules: s.rules(),
	}
	for _, sp := range spans {
		out.Ranges = append(out.Ranges, sp.Name)
	}
	axis, err := s.axis(r)
	if err == nil {
		out.Query.Axis = axis
		err = s.showAxis(r, axis, out)
	}
	if err != nil {
		out.Problem = err.Error()
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
	out.View, out.Cut, out.Accounts = v, v.cut, v.largest
	out.Age = int64(s.opt.Now().Sub(v.made).Seconds())
	out.Ladder = s.draw(v, out.Query)
	for _, b := range v.cut.Bands {
		if b.AtTrigger.Accounts > 0 {
			out.Bands = append(out.Bands, shownBand{b, rowID(b)})
		}
	}
	for _, w := range v.walls {
		out.Walls = append(out.Walls, shownWall{w, thresholds.Distance(v.cut.Spot, w.Edge())})
	}
	out.Slider = sliderOf(v.cut.Spot)
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

// heatPicture is the heatmap's frame around the image of the heat.
type heatPicture struct {
	Empty         bool
	Image         string
	Columns, Rows int
	Price         string // points of the line
	Dots          []dot
	Prices        []mark
	Times         []mark
	Summary       string
}

type dot struct{ X, Y, Text string }

func (h *heat) picture(q query) *heatPicture {
	if len(h.Columns) == 0 {
		return &heatPicture{Empty: true}
	}
	p := &heatPicture{Columns: h.slots(), Rows: h.rows(), Image: "/heatmap.png?" + url.Values{
		"axis": {h.Axis}, "range": {q.Range}, "market": {h.Market}, "at": {fmt.Sprint(h.Columns[len(h.Columns)-1].at)},
	}.Encode()}
	var points []string
	for _, c := range h.Columns {
		points = append(points, fmt.Sprintf("%.2f,%.2f", float64(h.slot(c.at))+0.5, h.row(*c.Close)))
	}
	p.Price = strings.Join(points, " ")
	for _, d := range h.Liquidations {
		x := float64(d.Time.Unix()-h.Columns[0].at) / float64(h.Resolution)
		p.Dots = append(p.Dots, dot{fmt.Sprintf("%.2f", x), fmt.Sprintf("%.2f", h.row(d.Price)), d.Time.Format("15:04") + " " + money(d.SeizedUSD) + " seized"})
	}
	low, high := math.Pow(1.01, float64(h.low)), math.Pow(1.01, float64(h.high+1))
	for _, v := range roundNumbers(low, high, 8) {
		price := decimal.NewFromFloat(v)
		p.Prices = append(p.Prices, mark{fmt.Sprintf("%.2f%%", h.row(price)/float64(h.rows())*100), priceText(price)})
	}
	p.Times = h.times()
	first, last := h.Columns[0], h.Columns[len(h.Columns)-1]
	p.Summary = fmt.Sprintf("Collateral at risk by price from %s to %s UTC. The price went from %s to %s; %d liquidations.",
		first.Time.Format("2006-01-02 15:04"), last.Time.Format("2006-01-02 15:04"), priceText(*first.Close), priceText(*last.Close), len(h.Liquidations))
	return p
}

// times are four moments along the bottom.
func (h *heat) times() []mark {
	var out []mark
	n := h.slots()
	for i := range 4 {
		slot := n * i / 4
		at := time.Unix(h.Columns[0].at+int64(slot)*h.Resolution, 0).UTC()
		layout := "15:04"
		if h.Resolution > 60 {
			layout = "2 Jan"
		}
		out = append(out, mark{fmt.Sprintf("%.1f%%", float64(slot)/float64(n)*100), at.Format(layout)})
	}
	return out
}

// whatIfPart is the answer to the slider as a piece of the page.
func (s *Server) whatIfPart(w http.ResponseWriter, r *http.Request) {
	s.answer(w, r, func() (string, []byte, error) {
		got, err := s.whatIf(r)
		if err != nil {
			var p problem
			if !asProblem(err, &p) {
				return "", nil, err
			}
			return render("whatif", map[string]any{"Problem": p.Message})
		}
		return render("whatif", map[string]any{"Answer": got})
	})
}
