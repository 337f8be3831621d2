package main

import (
	"context"
	"io"

	"github.com/holiman/uint256"
	"github.com/shopspring/decimal"
	"github.com/urfave/cli/v3"

	"liqwatch/protocols"
)

func tvlCommand() *cli.Command {
	return &cli.Command{
		Name:   "tvl",
		Usage:  "show what the markets hold: supplied, borrowed, available",
		Flags:  append(snapshotFlags(), formatFlag("table", "json"), outputFlag()),
		Action: runTVL,
	}
}

func runTVL(ctx context.Context, cmd *cli.Command) error {
	format, err := chosenFormat(cmd, "table", "json")
	if err != nil {
		return err
	}
	snap, err := takeSnapshot(ctx, cmd)
	if err != nil {
		return err
	}
	defer snap.done()
	var all []marketTVL
	for _, b := range snap.books() {
		all = append(all, tvlOf(b))
	}
	return output(cmd, func(w io.Writer) error {
		if format == "json" {
			return writeJSON(w, map[string]any{"markets": all})
		}
		return tvlTable(w, all)
	})
}

type marketTVL struct {
	Market      string          `json:"market"`
	Block       uint64          `json:"block"`
	SuppliedUSD decimal.Decimal `json:"supplied_usd"`
	BorrowedUSD decimal.Decimal `json:"borrowed_usd"`
	TVLUSD      decimal.Decimal `json:"tvl_usd"`
	Assets      []assetTVL      `json:"assets"`
	// Beside is value that people count to the deployment and that is not in it.
	Beside []besideTVL `json:"beside,omitempty"`
}

type besideTVL struct {
	Name   string          `json:"name"`
	Symbol string          `json:"symbol"`
	Amount decimal.Decimal `json:"amount"`
	USD    decimal.Decimal `json:"usd"`
}

type assetTVL struct {
	Symbol      string          `json:"symbol"`
	Asset       string          `json:"asset"`
	Supplied    decimal.Decimal `json:"supplied"`
	Borrowed    decimal.Decimal `json:"borrowed"`
	Available   decimal.Decimal `json:"available"`
	Utilization decimal.Decimal `json:"utilization"`
	SuppliedUSD decimal.Decimal `json:"supplied_usd"`
	BorrowedUSD decimal.Decimal `json:"borrowed_usd"`
	TVLUSD      decimal.Decimal `json:"tvl_usd"`
	Unpriced    bool            `json:"unpriced"`
}

// tvlOf values a market's totals: TVL is the tokens held, borrowed stands apart.
func tvlOf(b protocols.Book) marketTVL {
	out := marketTVL{Market: b.Market(), Block: b.Block().Number, Assets: []assetTVL{}}
	assets, prices := b.Assets(), b.Prices()
	for _, t := range b.Totals() {
		a := assets[t.Asset]
		price := protocols.Amount{Raw: prices.Raw[t.Asset], Decimals: a.PriceDecimals}.Decimal().Mul(prices.QuoteUSD)
		row := assetTVL{
			Symbol: a.Symbol, Asset: a.Address.String(), Supplied: tokens(&t.Supplied, a), Borrowed: tokens(&t.Borrowed, a),
			Available: tokens(&t.Available, a), Unpriced: prices.Raw[t.Asset].IsZero(),
		}
		if row.Supplied.IsPositive() {
			row.Utilization = row.Borrowed.DivRound(row.Supplied, 6)
		}
		row.SuppliedUSD, row.BorrowedUSD, row.TVLUSD = row.Supplied.Mul(price), row.Borrowed.Mul(price), row.Available.Mul(price)
		out.SuppliedUSD = out.SuppliedUSD.Add(row.SuppliedUSD)
		out.BorrowedUSD = out.BorrowedUSD.Add(row.BorrowedUSD)
		out.TVLUSD = out.TVLUSD.Add(row.TVLUSD)
		out.Assets = append(out.Assets, row)
	}
	if apart, ok := b.(protocols.WithBeside); ok {
		for _, v := range apart.Beside() {
			out.Beside = append(out.Beside, besideTVL{v.Name, v.Symbol, v.Amount.Decimal(), v.USD})
		}
	}
	return out
}

func tokens(raw *uint256.Int, a protocols.Asset) decimal.Decimal {
	return protocols.Amount{Raw: *raw, Decimals: a.Decimals}.Decimal()
}

func tvlTable(w io.Writer, all []marketTVL) error {
	t := newTable(w, "market", "asset", "supplied", "borrowed", "available", "utilization", "supplied USD", "borrowed USD", "TVL USD")
	for _, m := range all {
		for _, a := range m.Assets {
			t.row(m.Market, printable(a.Symbol), grouped(a.Supplied), grouped(a.Borrowed), grouped(a.Available),
				percent(a.Utilization), grouped(a.SuppliedUSD), grouped(a.BorrowedUSD), grouped(a.TVLUSD))
		}
		t.row(m.Market, "all", "", "", "", "", grouped(m.SuppliedUSD), grouped(m.BorrowedUSD), grouped(m.TVLUSD))
		for _, v := range m.Beside {
			t.row(m.Market, "beside it: "+v.Name, grouped(v.Amount)+" "+printable(v.Symbol), "", "", "", grouped(v.USD))
		}
	}
	return t.flush()
}

// percent writes a ratio with one decimal.
func percent(r decimal.Decimal) string { return r.Shift(2).Round(1).String() + " %" }
