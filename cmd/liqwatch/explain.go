package main

import (
	"io"
	"time"

	"liqwatch/protocols"
)

type explainRow struct {
	Market string `json:"market"`
	Symbol string `json:"symbol"`
	Moves  bool   `json:"moves"`
	Ratio  string `json:"ratio"`
	How    string `json:"how"`
	Note   string `json:"note"`
}

type comingRow struct {
	Market string `json:"market"`
	Symbol string `json:"symbol"`
	Price  string `json:"price"`
	At     uint64 `json:"at"`
	Why    string `json:"why"`
}

// explain says what moves on an axis and how that is known, and which prices the
// oracles will take on their own.
func explain(w io.Writer, snap *snapshot, axis, format string) error {
	axis = snap.canonical(axis)
	var rows []explainRow
	coming := []comingRow{}
	for _, b := range snap.books() {
		for _, s := range b.Explain(axis) {
			rows = append(rows, explainRow{b.Market(), s.Symbol, s.Moves, s.Ratio.String(), s.How, s.Note})
		}
		coming = append(coming, comingRows(b)...)
	}
	if len(rows) == 0 {
		return usagef("--axis %s: no market knows it", axis)
	}
	if format == "json" {
		return writeJSON(w, map[string]any{"axis": axis, "assets": rows, "coming": coming})
	}
	t := newTable(w, "market", "asset", "moves", "per "+axis, "known by", "")
	for _, r := range rows {
		t.row(r.Market, printable(r.Symbol), yesNo(r.Moves), r.Ratio, r.How, visible(r.Note))
	}
	for _, c := range coming {
		t.row(c.Market, printable(c.Symbol), "will read", c.Price, whenOf(c.At), c.Why)
	}
	return t.flush()
}

func comingRows(b protocols.Book) []comingRow {
	var out []comingRow
	assets := b.Assets()
	for _, c := range b.Coming() {
		price := protocols.Amount{Raw: c.Price, Decimals: assets[c.Asset].PriceDecimals}.Decimal()
		out = append(out, comingRow{b.Market(), assets[c.Asset].Symbol, price.String(), c.At, c.Why})
	}
	return out
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func whenOf(unix uint64) string {
	if unix == 0 {
		return "-"
	}
	return "at " + timeOf(unix)
}

func timeOf(unix uint64) string {
	return time.Unix(int64(unix), 0).UTC().Format("2006-01-02 15:04:05 UTC")
}
