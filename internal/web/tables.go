package web

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/holiman/uint256"
	"github.com/shopspring/decimal"

	"liqwatch/protocols"
	"liqwatch/thresholds"
)

// mostAccounts are listed.
const mostAccounts = 25

// account is one of the largest with its legs.
type account struct {
	Market       string           `json:"market"`
	Chain        string           `json:"chain"`
	Position     string           `json:"position"`
	Owner        string           `json:"owner"`
	Explorer     string           `json:"explorer,omitempty"`
	AtRiskUSD    decimal.Decimal  `json:"at_risk_usd"`
	DebtUSD      decimal.Decimal  `json:"debt_usd"`
	Trigger      *decimal.Decimal `json:"trigger"`
	Distance     decimal.Decimal  `json:"distance"`
	HealthFactor *decimal.Decimal `json:"health_factor"`
	Blocked      string           `json:"blocked,omitempty"`
	Legs         []leg            `json:"legs"`
}

type leg struct {
	Symbol string          `json:"symbol"`
	Side   string          `json:"side"`
	Amount decimal.Decimal `json:"amount"`
	Counts bool            `json:"counts"`
}

// within is how far from spot an account's trigger may lie to be listed: what is
// further away is not about to happen.
var within = decimal.RequireFromString("0.5")

// largestOf are the largest accounts near spot, by collateral at risk at the trigger.
func largestOf(m *thresholds.Map, books []protocols.Book, n int) []account {
	byName := map[string]protocols.Book{}
	for _, b := range books {
		byName[b.Market()] = b
	}
	var all []thresholds.Largest
	for _, b := range m.Bands {
		for _, l := range b.Largest {
			if l.Trigger != nil && thresholds.Distance(*l.Trigger, m.Spot).LessThanOrEqual(within) {
				all = append(all, l)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b thresholds.Largest) int { return b.AtRiskUSD.Cmp(a.AtRiskUSD) })
	out := make([]account, 0, n)
	for _, l := range all[:min(n, len(all))] {
		if b := byName[l.Market]; b != nil {
			out = append(out, accountOf(b, l, m.Spot))
		}
	}
	return out
}

func accountOf(b protocols.Book, l thresholds.Largest, spot decimal.Decimal) account {
	a := account{Market: l.Market, Chain: b.Chain(), Position: l.Position, AtRiskUSD: l.AtRiskUSD, Trigger: l.Trigger, Legs: []leg{}}
	if l.Trigger != nil {
		a.Distance = thresholds.Distance(spot, *l.Trigger).Round(6)
	}
	i, ok := b.Find(l.Position)
	if !ok {
		return a
	}
	p := b.Position(i)
	a.Owner = p.Owner.String()
	if b.Chain() == "tron" {
		a.Owner = p.Owner.Base58()
	}
	a.Explorer = explorer(b.Chain(), a.Owner)
	a.HealthFactor, a.Blocked = p.HealthFactor, p.Blocked
	a.DebtUSD = b.Prices().USD(&p.Debt, b.QuoteDecimals())
	assets := b.Assets()
	for _, g := range p.Legs {
		asset := assets[g.Asset]
		a.Legs = append(a.Legs, leg{
			Symbol: printable(asset.Symbol), Side: g.Side.String(), Counts: g.Counts,
			Amount: protocols.Amount{Raw: g.Amount, Decimals: asset.Decimals}.Decimal(),
		})
	}
	return a
}

// explorers show an address of a chain. They are links to follow, nothing is loaded from them.
var explorers = map[string]string{
	"ethereum": "https://etherscan.io/address/", "arbitrum": "https://arbiscan.io/address/",
	"base": "https://basescan.org/address/", "optimism": "https://optimistic.etherscan.io/address/",
	"polygon": "https://polygonscan.com/address/", "avalanche": "https://snowtrace.io/address/",
	"bnb": "https://bscscan.com/address/", "gnosis": "https://gnosisscan.io/address/",
	"linea": "https://lineascan.build/address/", "scroll": "https://scrollscan.com/address/",
	"celo": "https://celoscan.io/address/", "sonic": "https://sonicscan.org/address/",
	"tron": "https://tronscan.org/#/address/",
}

// explorer is the page of an address, or nothing where none is known.
func explorer(chain, address string) string {
	base := explorers[chain]
	if base == "" {
		return ""
	}
	return base + address
}

// txExplorer is the page of a transaction, or nothing where none is known.
func txExplorer(chain, tx string) string {
	base := strings.TrimSuffix(explorers[chain], "address/")
	if base == "" || tx == "" {
		return ""
	}
	if chain == "tron" {
		return base + "transaction/" + strings.TrimPrefix(tx, "0x")
	}
	return base + "tx/" + tx
}

// marketTotals are what a market holds.
type marketTotals struct {
	Market      string          `json:"market"`
	Chain       string          `json:"chain"`
	Block       uint64          `json:"block"`
	SuppliedUSD decimal.Decimal `json:"supplied_usd"`
	BorrowedUSD decimal.Decimal `json:"borrowed_usd"`
	TVLUSD      decimal.Decimal `json:"tvl_usd"`
	Utilization decimal.Decimal `json:"utilization"`
	// Leverage is what is supplied over what would be without the loans.
	Leverage  *decimal.Decimal `json:"leverage"`
	Positions int              `json:"positions"`
	Unpriced  []string         `json:"unpriced"` // symbols that are not in the sums
	Day       *change          `json:"day"`
	Week      *change          `json:"week"`
}

// change is against a day or a week ago; nil where history has nothing. Amounts
// change by a ratio, utilization and leverage by a difference.
type change struct {
	Supplied    decimal.Decimal  `json:"supplied"`
	Borrowed    decimal.Decimal  `json:"borrowed"`
	TVL         decimal.Decimal  `json:"tvl"`
	Utilization decimal.Decimal  `json:"utilization"`
	Leverage    *decimal.Decimal `json:"leverage"`
}

// totalsOf values a market's totals: TVL is the tokens held, borrowed stands apart.
func totalsOf(b protocols.Book) marketTotals {
	t := marketTotals{Market: b.Market(), Chain: b.Chain(), Block: b.Block().Number, Positions: b.Len(), Unpriced: []string{}}
	assets, prices := b.Assets(), b.Prices()
	for _, one := range b.Totals() {
		a := assets[one.Asset]
		if prices.Raw[one.Asset].IsZero() {
			t.Unpriced = append(t.Unpriced, printable(a.Symbol))
			continue
		}
		price := protocols.Amount{Raw: prices.Raw[one.Asset], Decimals: a.PriceDecimals}.Decimal().Mul(prices.QuoteUSD)
		value := func(raw *uint256.Int) decimal.Decimal {
			return protocols.Amount{Raw: *raw, Decimals: a.Decimals}.Decimal().Mul(price)
		}
		t.SuppliedUSD = t.SuppliedUSD.Add(value(&one.Supplied))
		t.BorrowedUSD = t.BorrowedUSD.Add(value(&one.Borrowed))
		t.TVLUSD = t.TVLUSD.Add(value(&one.Available))
	}
	t.Utilization, t.Leverage = use(t.SuppliedUSD, t.BorrowedUSD)
	return t
}

// use is how much of what is supplied is lent, to six digits, and what is supplied
// over what would be without the loans, to four; nil when nothing would be.
func use(supplied, borrowed decimal.Decimal) (utilization decimal.Decimal, leverage *decimal.Decimal) {
	if !supplied.IsPositive() {
		return decimal.Zero, nil
	}
	if own := supplied.Sub(borrowed); own.IsPositive() {
		l := supplied.DivRound(own, 4)
		leverage = &l
	}
	return borrowed.DivRound(supplied, 6), leverage
}

// longestName is shown of a token's name.
const longestName = 24

// printable is a name that a contract chose, made harmless for a line of text: no
// control characters, nothing that turns the direction of writing, not long.
// Escaping is the template's.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) || unicode.Is(unicode.Bidi_Control, r) || unicode.Is(unicode.M, r) {
			return -1
		}
		return r
	}, short(s, 4*longestName))
	s = short(strings.TrimSpace(s), longestName)
	if s == "" {
		return "(no name)"
	}
	return s
}

// mostText is shown of a sentence or a message.
const mostText = 8000

// plain is a text of several lines without what could turn the direction of writing
// or control a terminal. It may hold names that contracts chose, nodes' own words
// and receivers' answers.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r != utf8.RuneError && unicode.IsPrint(r) && !unicode.Is(unicode.Bidi_Control, r) {
			return r
		}
		return -1
	}, short(s, mostText))
}

// short is at most n bytes of a text, cut between characters.
func short(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

// axesOf are the axes of all books, those most people ask for first.
func axesOf(books []protocols.Book) string { return strings.Join(axisNames(books), ", ") }

func axisNames(books []protocols.Book) []string {
	first := []string{"ETH", "BTC", "TRX", "market"}
	var out, rest []string
	for _, b := range books {
		rest = append(rest, b.Axes()...)
	}
	slices.Sort(rest)
	rest = slices.Compact(rest)
	for _, a := range first {
		if slices.Contains(rest, a) {
			out = append(out, a)
		}
	}
	for _, a := range rest {
		if !slices.Contains(first, a) {
			out = append(out, a)
		}
	}
	return out
}

// printableLong is a position's id made harmless: longer than a name, for ids are addresses.
func printableLong(s string) string {
	return strings.Map(func(r rune) rune {
		if r > 0x7e || r < 0x20 {
			return -1
		}
		return r
	}, short(s, 80))
}
