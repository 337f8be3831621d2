package web

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"liqwatch/internal/alerts"
	"liqwatch/internal/store"
)

// changeSince compares a market with what history has of it, in the hour that was so long ago.
func (s *Server) changeSince(r *http.Request, t marketTotals, ago time.Duration) (*change, error) {
	was, ok, err := s.opt.Keeper.HistoryTotals(r.Context(), t.Market, store.Hour, s.opt.Now().Add(-ago))
	if err != nil || !ok {
		return nil, err
	}
	c := &change{Supplied: ratio(t.SuppliedUSD, was.SuppliedUSD), Borrowed: ratio(t.BorrowedUSD, was.BorrowedUSD), TVL: ratio(t.TVLUSD, was.TVLUSD)}
	utilization, leverage := use(was.SuppliedUSD, was.BorrowedUSD)
	c.Utilization = t.Utilization.Sub(utilization)
	if t.Leverage != nil && leverage != nil {
		l := t.Leverage.Sub(*leverage)
		c.Leverage = &l
	}
	return c, nil
}

// ratio is by what part a number has grown, to six digits; zero from nothing.
func ratio(now, was decimal.Decimal) decimal.Decimal {
	if was.IsZero() {
		return decimal.Zero
	}
	return now.Sub(was).DivRound(was, 6)
}

type tape struct {
	Hour  liquidationTotals `json:"hour"`
	Day   liquidationTotals `json:"day"`
	Calls []liquidation     `json:"liquidations"`
}

type liquidationTotals struct {
	Calls    int             `json:"calls"`
	Longs    int             `json:"longs"`
	Shorts   int             `json:"shorts"`
	LongUSD  decimal.Decimal `json:"long_seized_usd"`
	ShortUSD decimal.Decimal `json:"short_seized_usd"`
}

type liquidation struct {
	Time       time.Time       `json:"time"`
	Chain      string          `json:"chain"`
	Block      uint64          `json:"block"`
	Tx         string          `json:"tx"`
	Market     string          `json:"market"`
	Position   string          `json:"position"`
	Collateral string          `json:"collateral"`
	Debt       string          `json:"debt"`
	Seized     decimal.Decimal `json:"seized"`
	Repaid     decimal.Decimal `json:"repaid"`
	SeizedUSD  decimal.Decimal `json:"seized_usd"`
	RepaidUSD  decimal.Decimal `json:"repaid_usd"`
	Side       string          `json:"side"`               // "long" or "short"
	Rank       int             `json:"rank"`               // among all in history, 1 is the largest
	Explorer   string          `json:"explorer,omitempty"` // of the transaction
}

const (
	mostListed = 500
	pageListed = 30
)

// limit is how many rows are asked for.
func limit(r *http.Request, usual int) (int, error) {
	text := r.URL.Query().Get("limit")
	if text == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > mostListed {
		return 0, bad("bad-limit", "limit is a number from 1 to "+strconv.Itoa(mostListed))
	}
	return n, nil
}

func (s *Server) liquidationsAPI(r *http.Request) (any, error) {
	n, err := limit(r, 100)
	if err != nil {
		return nil, err
	}
	return s.tape(r, n)
}

func (s *Server) tape(r *http.Request, n int) (*tape, error) {
	now, out := s.opt.Now(), &tape{Calls: []liquidation{}}
	for _, span := range []struct {
		d    time.Duration
		into *liquidationTotals
	}{{time.Hour, &out.Hour}, {24 * time.Hour, &out.Day}} {
		t, err := s.opt.Keeper.LiquidationTotals(r.Context(), now.Add(-span.d))
		if err != nil {
			return nil, err
		}
		*span.into = liquidationTotals(t)
	}
	all, err := s.opt.Keeper.Liquidations(r.Context(), time.Unix(0, 0), n)
	if err != nil {
		return nil, err
	}
	for _, l := range all {
		side := "long"
		if l.Short {
			side = "short"
		}
		out.Calls = append(out.Calls, liquidation{
			l.At, l.Chain, l.Block, l.Tx, l.Market, l.Position, printable(l.Collateral), printable(l.Debt),
			l.Seized, l.Repaid, l.SeizedUSD, l.RepaidUSD, side, l.Rank, txExplorer(l.Chain, l.Tx),
		})
	}
	return out, nil
}

type alert struct {
	ID           string        `json:"id"`
	Time         time.Time     `json:"time"`
	Kind         string        `json:"kind"`
	Reason       string        `json:"reason"`
	Severity     string        `json:"severity"`
	Rule         string        `json:"rule"`
	Title        string        `json:"title"`
	Text         string        `json:"text"`
	Deliveries   []delivery    `json:"deliveries"`
	Acknowledged *acknowledged `json:"acknowledged"`
}

type delivery struct {
	Notifier string     `json:"notifier"`
	Fate     string     `json:"fate"`
	Attempts int        `json:"attempts"`
	Settled  *time.Time `json:"settled"`
	Next     *time.Time `json:"next"` // of a pending one
	Reason   string     `json:"reason,omitempty"`
}

type acknowledged struct {
	Time time.Time `json:"time"`
	By   string    `json:"by"`
}

type ruleState struct {
	Rule
	MutedUntil *time.Time `json:"muted_until"`
	MutedBy    string     `json:"muted_by,omitempty"`
	// MutedParts are the levels and subjects of the rule that are muted by themselves.
	MutedParts []string `json:"muted_parts,omitempty"`
}

func (s *Server) alertsAPI(r *http.Request) (any, error) {
	n, err := limit(r, 100)
	if err != nil {
		return nil, err
	}
	all, err := s.alerts(r, n)
	return map[string]any{"alerts": all, "rules": s.rules()}, err
}

func (s *Server) alerts(r *http.Request, n int) ([]alert, error) {
	all, err := s.opt.Keeper.Alerts(r.Context(), n)
	if err != nil {
		return nil, err
	}
	out := []alert{}
	for _, l := range all {
		a := alert{
			ID: l.ID, Time: l.Created, Kind: string(l.Alert.Kind), Reason: string(l.Alert.Reason), Severity: string(l.Alert.Severity),
			Rule: l.Alert.Rule, Title: plain(l.Message.Title), Text: plain(l.Message.Text), Deliveries: []delivery{},
		}
		for _, d := range l.Deliveries {
			one := delivery{Notifier: d.Notifier, Fate: string(d.Fate), Attempts: d.Attempts, Reason: plain(d.Reason)}
			one.Settled, one.Next = moment(d.Settled), moment(d.Next)
			a.Deliveries = append(a.Deliveries, one)
		}
		if !l.Acknowledged.IsZero() {
			a.Acknowledged = &acknowledged{l.Acknowledged, l.AcknowledgedBy}
		}
		out = append(out, a)
	}
	return out, nil
}

func (s *Server) rules() []ruleState {
	mutes := s.opt.Muter.Mutes(s.opt.Now())
	out := []ruleState{}
	for _, r := range s.opt.Rules() {
		st := ruleState{Rule: r}
		if st.Levels == nil {
			st.Levels = []decimal.Decimal{}
		}
		for _, scope := range slices.Sorted(maps.Keys(mutes)) {
			m := mutes[scope]
			switch part, ok := strings.CutPrefix(scope, r.Name+"/"); {
			case ok:
				st.MutedParts = append(st.MutedParts, plain(part))
			case (scope == r.Name || scope == "*") && (st.MutedUntil == nil || m.Until.After(*st.MutedUntil)):
				st.MutedUntil, st.MutedBy = &m.Until, plain(m.By)
			}
		}
		out = append(out, st)
	}
	return out
}

// longestMute is the most that one mute lasts: a forgotten one ends by itself.
const longestMute = 7 * 24 * time.Hour

func (s *Server) mute(r *http.Request, rule, length string) error {
	d, err := time.ParseDuration(length)
	if err != nil || d < 0 || d > longestMute {
		return bad("bad-time", "for is a time such as 1h, at most 168h; 0s ends the mute")
	}
	m := alerts.Mute{By: who(r)}
	if d > 0 {
		m.Until = s.opt.Now().Add(d)
	}
	known, err := s.opt.Muter.Mute(r.Context(), rule, m)
	if err != nil {
		return err
	}
	if !known {
		return problem{http.StatusNotFound, "unknown-rule", "there is no such rule"}
	}
	s.changed()
	return nil
}

// who is the name that a person gives; nobody checks it.
func who(r *http.Request) string {
	if name := r.FormValue("name"); name != "" {
		return printable(name)
	}
	return "page"
}

func (s *Server) acknowledge(r *http.Request, id string) error {
	if err := s.opt.Keeper.Acknowledge(r.Context(), short(id, 100), who(r), s.opt.Now()); err != nil {
		return err
	}
	s.changed()
	return nil
}

// changed makes everybody see what somebody has changed.
func (s *Server) changed() {
	s.cache.forget()
	s.hub.tell("alerts")
}

func (s *Server) acknowledgeAPI(w http.ResponseWriter, r *http.Request) {
	s.done(w, s.acknowledge(r, r.PathValue("id")))
}

func (s *Server) muteAPI(w http.ResponseWriter, r *http.Request) {
	s.done(w, s.mute(r, r.PathValue("rule"), r.FormValue("for")))
}

func (s *Server) unmuteAPI(w http.ResponseWriter, r *http.Request) {
	s.done(w, s.mute(r, r.PathValue("rule"), "0s"))
}

func (s *Server) done(w http.ResponseWriter, err error) {
	if err != nil {
		s.refuse(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) acknowledgeForm(w http.ResponseWriter, r *http.Request) {
	s.back(w, r, s.acknowledge(r, r.PostFormValue("id")))
}

func (s *Server) muteForm(w http.ResponseWriter, r *http.Request) {
	s.back(w, r, s.mute(r, r.PostFormValue("rule"), r.PostFormValue("for")))
}

func (s *Server) back(w http.ResponseWriter, r *http.Request, err error) {
	if err != nil {
		s.refuse(w, err)
		return
	}
	http.Redirect(w, r, "/?"+pageQuery(r).encode()+"#alerts", http.StatusSeeOther)
}
