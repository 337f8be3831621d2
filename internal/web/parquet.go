package web

import (
	"bytes"
	"fmt"

	"github.com/parquet-go/parquet-go"

	"liqwatch/thresholds"
)

// bandRow is a band in a Parquet file. Money is text, as in JSON: a column of
// floats would not hold it exactly.
type bandRow struct {
	Axis        string `parquet:"axis,dict"`
	Direction   string `parquet:"direction,dict"`
	From        string `parquet:"from"`
	To          string `parquet:"to"`
	Accounts    int64  `parquet:"accounts"`
	Owners      int64  `parquet:"owners"`
	AtRiskUSD   string `parquet:"at_risk_usd"`
	SeizableUSD string `parquet:"seizable_usd"`
	DebtUSD     string `parquet:"debt_usd"`
	BadDebtUSD  string `parquet:"bad_debt_usd"`
}

func bandsParquet(m *thresholds.Map) (string, []byte, error) {
	rows := make([]bandRow, 0, len(m.Bands))
	for _, b := range m.Bands {
		t := b.AtTrigger
		rows = append(rows, bandRow{
			m.Axis, b.Direction, edgeText(b.From), edgeText(b.To), int64(t.Accounts), int64(t.Owners),
			t.AtRiskUSD.String(), t.SeizableUSD.String(), t.DebtUSD.String(), t.BadDebtUSD.String(),
		})
	}
	var out bytes.Buffer
	w := parquet.NewGenericWriter[bandRow](&out, parquet.Compression(&parquet.Zstd))
	if _, err := w.Write(rows); err != nil {
		return "", nil, fmt.Errorf("write Parquet: %w", err)
	}
	if err := w.Close(); err != nil {
		return "", nil, fmt.Errorf("write Parquet: %w", err)
	}
	return "application/vnd.apache.parquet", out.Bytes(), nil
}
