package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"sort"
	"strings"

	"github.com/shopspring/decimal"
	"github.com/urfave/cli/v3"

	"liqwatch/chains"
	"liqwatch/protocols"
	"liqwatch/thresholds"
)

func positionsCommand() *cli.Command {
	return &cli.Command{
		Name:  "positions",
		Usage: "list positions with their health and liquidation prices",
		Flags: append(snapshotFlags(),
			&cli.StringFlag{Name: "account", Usage: "only the positions of this account"},
			formatFlag("table", "jsonl"),
			outputFlag(),
		),
		Action: runPositions,
	}
}

func runPositions(ctx context.Context, cmd *cli.Command) error {
	format, err := chosenFormat(cmd, "table", "jsonl")
	if err != nil {
		return err
	}
	if err := checkAccount(cmd.String("account")); err != nil {
		return usagef("--account: %v", err) // "no debt" would be no answer to a digit too few
	}
	snap, err := takeSnapshot(ctx, cmd)
	if err != nil {
		return err
	}
	defer snap.done()
	rows, err := positionRows(snap, cmd.String("account"))
	if err != nil {
		return err
	}
	if account := cmd.String("account"); account != "" && len(rows) == 0 {
		fmt.Fprintf(cmd.Root().ErrWriter, "liqwatch: no debt of %s in the markets asked for\n", printable(account))
	}
	return output(cmd, func(w io.Writer) error {
		if format == "jsonl" {
			return positionLines(w, rows)
		}
		return positionTable(w, rows)
	})
}

// positionRow is one line of `positions --format jsonl`.
type positionRow struct {
	Market          string                 `json:"market"`
	Position        string                 `json:"position"`
	Owner           string                 `json:"owner"`
	Block           uint64                 `json:"block"`
	HealthFactor    *decimal.Decimal       `json:"health_factor"`
	HealthFactorRaw *string                `json:"health_factor_raw"`
	View            map[string]string      `json:"view"`
	Liquidatable    bool                   `json:"liquidatable"`
	Unpriced        bool                   `json:"unpriced"`
	Blocked         string                 `json:"blocked"`
	CollateralUSD   decimal.Decimal        `json:"collateral_usd"`
	DebtUSD         decimal.Decimal        `json:"debt_usd"`
	SeizableUSD     decimal.Decimal        `json:"seizable_usd"`
	Legs            []legRow               `json:"legs"`
	Triggers        map[string]triggerPair `json:"triggers"`
}

type legRow struct {
	Asset     string          `json:"asset"`
	Symbol    string          `json:"symbol"`
	Side      string          `json:"side"`
	Counts    bool            `json:"counts"`
	AmountRaw string          `json:"amount_raw"`
	Amount    decimal.Decimal `json:"amount"`
	Price     decimal.Decimal `json:"price"`
	Threshold decimal.Decimal `json:"threshold"`
}

type triggerPair struct {
	Down *decimal.Decimal `json:"down"`
	Up   *decimal.Decimal `json:"up"`
}

// positionRows are all positions asked for, the least healthy first.
func positionRows(snap *snapshot, account string) ([]positionRow, error) {
	var rows []positionRow
	ladders, err := laddersOf(snap)
	if err != nil {
		return nil, err
	}
	for _, b := range snap.books() {
		for i := range b.Len() {
			if account != "" && !strings.EqualFold(account, b.ID(i)) && !strings.EqualFold(account, b.Owner(i).String()) {
				continue
			}
			row, err := positionRowOf(b, i, ladders)
			if err != nil {
				return nil, err
			}
			rows = append(rows, row)
		}
	}
	sort.SliceStable(rows, func(i, j int) bool { return lessHealthy(rows[i].HealthFactor, rows[j].HealthFactor) })
	return rows, nil
}

func lessHealthy(a, b *decimal.Decimal) bool {
	if a == nil || b == nil {
		return a != nil
	}
	return a.LessThan(*b)
}

// laddersOf is one ladder for every axis that any market knows.
func laddersOf(snap *snapshot) (map[string]*thresholds.Ladder, error) {
	out := map[string]*thresholds.Ladder{}
	for _, b := range snap.books() {
		for _, axis := range b.Axes() {
			if out[axis] != nil {
				continue
			}
			l, err := snap.ladder(axis)
			if err != nil {
				return nil, err
			}
			out[axis] = l
		}
	}
	return out, nil
}

func positionRowOf(b protocols.Book, i int, ladders map[string]*thresholds.Ladder) (positionRow, error) {
	p := b.Position(i)
	prices := b.Prices()
	row := positionRow{
		Market: b.Market(), Position: p.ID, Owner: ownerOf(p), Block: b.Block().Number,
		HealthFactor: p.HealthFactor, View: map[string]string{}, Liquidatable: p.Liquidatable,
		Unpriced: b.Unpriced(i), Blocked: p.Blocked,
		CollateralUSD: prices.USD(&p.AtRisk, b.QuoteDecimals()), DebtUSD: prices.USD(&p.Debt, b.QuoteDecimals()),
		SeizableUSD: prices.USD(&p.Seizable, b.QuoteDecimals()), Triggers: map[string]triggerPair{},
	}
	if p.HasHealth {
		raw := p.HealthRaw.Dec()
		row.HealthFactorRaw = &raw
	}
	for _, v := range p.View {
		row.View[v.Name] = v.Value.Dec()
	}
	row.Legs = legRows(b, p, prices)
	for _, axis := range b.Axes() {
		t, err := ladders[axis].Triggers(b.Market(), i)
		if err != nil {
			return row, fmt.Errorf("find the %s trigger of %s: %w", axis, p.ID, err)
		}
		row.Triggers[axis] = triggerPair{t.Down, t.Up}
	}
	return row, nil
}

// ownerOf writes the owner as the network does: where the position is the
// account's own, its id is that already.
func ownerOf(p protocols.Position) string {
	if a, err := chains.ParseAddress(p.ID); err == nil && a == p.Owner {
		return p.ID
	}
	return p.Owner.String()
}

func legRows(b protocols.Book, p protocols.Position, prices protocols.Prices) []legRow {
	assets := b.Assets()
	rows := make([]legRow, len(p.Legs))
	for k, l := range p.Legs {
		a := assets[l.Asset]
		price := protocols.Amount{Raw: prices.Raw[l.Asset], Decimals: a.PriceDecimals}
		rows[k] = legRow{
			Asset: a.Address.String(), Symbol: a.Symbol, Side: l.Side.String(), Counts: l.Counts,
			AmountRaw: l.Raw.Dec(), Amount: protocols.Amount{Raw: l.Amount, Decimals: a.Decimals}.Decimal(),
			Price: price.Decimal(), Threshold: l.Threshold,
		}
	}
	return rows
}

func positionLines(w io.Writer, rows []positionRow) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	for _, r := range rows {
		if err := e.Encode(r); err != nil {
			return err
		}
	}
	return nil
}

func positionTable(w io.Writer, rows []positionRow) error {
	t := newTable(w, "market", "position", "health", "collateral USD", "debt USD", "ETH down", "ETH up", "legs", "")
	for _, r := range rows {
		t.row(r.Market, r.Position, optional(r.HealthFactor, 4), grouped(r.CollateralUSD), grouped(r.DebtUSD),
			optional(r.Triggers["ETH"].Down, 2), optional(r.Triggers["ETH"].Up, 2), legWords(r.Legs), stateWords(r))
	}
	return t.flush()
}

func legWords(legs []legRow) string {
	words := make([]string, len(legs))
	for i, l := range legs {
		sign := "+"
		if l.Side == "debt" {
			sign = "-"
		}
		words[i] = sign + l.Amount.Round(4).String() + " " + printable(l.Symbol)
	}
	return strings.Join(words, " ")
}

func stateWords(r positionRow) string {
	var words []string
	if r.Liquidatable {
		words = append(words, "LIQUIDATABLE")
	}
	if r.Unpriced {
		words = append(words, "unpriced")
	}
	if r.Blocked != "" {
		words = append(words, "blocked: "+r.Blocked)
	}
	return strings.Join(words, ", ")
}
