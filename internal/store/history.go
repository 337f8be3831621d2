package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/shopspring/decimal"
)

// Resolution is the length of a bucket of history.
type Resolution int64

// The resolutions, and how long each is kept. Thinning is what bounds the size: a
// series has at most 1,440 minutes, 1,440 hours, and a row for every day.
const (
	Minute Resolution = 60
	Hour   Resolution = 3600
	Day    Resolution = 86400

	keepMinutes = 24 * time.Hour
	keepHours   = 60 * 24 * time.Hour
)

var resolutions = []Resolution{Minute, Hour, Day}

// Bucket is when the bucket that holds t begins.
func (r Resolution) Bucket(t time.Time) int64 { return t.Unix() - mod(t.Unix(), int64(r)) }

func mod(a, b int64) int64 { return (a%b + b) % b }

// Sample is one look at everything, as history keeps it.
type Sample struct {
	At     time.Time
	Prices map[string]decimal.Decimal        // by axis
	Bands  map[string]map[string][]BandPoint // by axis, then market; in the order of buckets
	Totals map[string]MarketTotals           // by market
}

// MarketTotals are what a market held, in USD.
type MarketTotals struct{ SuppliedUSD, BorrowedUSD, TVLUSD decimal.Decimal }

// Record keeps a sample at every resolution, in one transaction, and forgets what
// has become too old for its resolution. Within a bucket the last sample stands;
// of prices the lowest and highest are kept too.
func (s *Store) Record(ctx context.Context, sample Sample) error {
	err := s.tx(ctx, func(tx *sql.Tx) error {
		w := historyWriter{ctx: ctx, tx: tx, at: sample.At}
		for axis, price := range sample.Prices {
			if err := w.price(axis, price); err != nil {
				return err
			}
		}
		for axis, markets := range sample.Bands {
			for market, bands := range markets {
				if err := w.keep(axis, market, encodeBands(bands)); err != nil {
					return err
				}
			}
		}
		for market, t := range sample.Totals {
			if err := w.keep("", market, encodeNumbers(t.SuppliedUSD.Round(2), t.BorrowedUSD.Round(2), t.TVLUSD.Round(2))); err != nil {
				return err
			}
		}
		return w.thin()
	})
	if err != nil {
		return fmt.Errorf("record history: %w", err)
	}
	return nil
}

type historyWriter struct {
	ctx context.Context
	tx  *sql.Tx
	at  time.Time
}

func (w historyWriter) series(axis, market string) (int64, error) {
	var id int64
	err := w.tx.QueryRowContext(w.ctx, `SELECT id FROM history_series WHERE axis = $1 AND market = $2`, axis, market).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		err = w.tx.QueryRowContext(w.ctx, `INSERT INTO history_series (axis, market) VALUES ($1, $2) RETURNING id`, axis, market).Scan(&id)
	}
	return id, err
}

func (w historyWriter) keep(axis, market string, body []byte) error {
	id, err := w.series(axis, market)
	for _, r := range resolutions {
		if err != nil {
			return err
		}
		err = w.put(id, r, body)
	}
	return err
}

func (w historyWriter) put(series int64, r Resolution, body []byte) error {
	_, err := w.tx.ExecContext(w.ctx, `INSERT INTO history (series, resolution, at, body) VALUES ($1, $2, $3, $4)
		ON CONFLICT (series, resolution, at) DO UPDATE SET body = excluded.body`, series, r, r.Bucket(w.at), body)
	return err
}

// price merges a price into its buckets: low, high, close.
func (w historyWriter) price(axis string, price decimal.Decimal) error {
	id, err := w.series(axis, "")
	if err != nil {
		return err
	}
	for _, r := range resolutions {
		p := PricePoint{Low: price, High: price, Close: price}
		var body []byte
		err := w.tx.QueryRowContext(w.ctx, `SELECT body FROM history WHERE series = $1 AND resolution = $2 AND at = $3`, id, r, r.Bucket(w.at)).Scan(&body)
		switch {
		case errors.Is(err, sql.ErrNoRows):
		case err != nil:
			return err
		default:
			var low, high, last decimal.Decimal
			if err := decodeNumbers(body, &low, &high, &last); err != nil {
				return err
			}
			p.Low, p.High = decimal.Min(low, price), decimal.Max(high, price)
		}
		if err := w.put(id, r, encodeNumbers(p.Low, p.High, p.Close)); err != nil {
			return err
		}
	}
	return nil
}

// thin forgets minutes and hours that are too old, when a new hour begins for
// either: a bucket too many does no harm, a scan each minute would.
func (w historyWriter) thin() error {
	if w.at.Minute() != 0 {
		return nil
	}
	for r, keep := range map[Resolution]time.Duration{Minute: keepMinutes, Hour: keepHours} {
		_, err := w.tx.ExecContext(w.ctx, `DELETE FROM history WHERE resolution = $1 AND at < $2 AND series IN (SELECT id FROM history_series)`,
			r, w.at.Add(-keep).Unix())
		if err != nil {
			return err
		}
	}
	return nil
}

// PricePoint is the price of an axis within one bucket of time.
type PricePoint struct {
	At               int64 // unix seconds, the begin of the bucket
	Low, High, Close decimal.Decimal
}

// HistoryPrices are those of an axis from..to inclusive, oldest first.
func (s *Store) HistoryPrices(ctx context.Context, axis string, r Resolution, from, to time.Time) ([]PricePoint, error) {
	var out []PricePoint
	err := s.historyRows(ctx, axis, "", r, from, to, func(_ string, at int64, body []byte) error {
		p := PricePoint{At: at}
		err := decodeNumbers(body, &p.Low, &p.High, &p.Close)
		out = append(out, p)
		return err
	})
	return out, err
}

// HistoryBands are the bands of an axis from..to inclusive, by time and bucket;
// of one market, or of all added up when market is empty.
func (s *Store) HistoryBands(ctx context.Context, axis, market string, r Resolution, from, to time.Time) (map[int64]map[int]uint64, error) {
	out := map[int64]map[int]uint64{}
	which := market
	if market == "" {
		which = anyMarket
	}
	return out, s.historyRows(ctx, axis, which, r, from, to, func(_ string, at int64, body []byte) error {
		column := out[at]
		if column == nil {
			column = map[int]uint64{}
			out[at] = column
		}
		return decodeBands(body, func(b BandPoint) { column[b.Bucket] += b.USD })
	})
}

// HistoryTotals are what a market held in the last bucket at or before a time and
// at most one bucket of that resolution older; false when history has nothing there.
func (s *Store) HistoryTotals(ctx context.Context, market string, r Resolution, at time.Time) (MarketTotals, bool, error) {
	var t MarketTotals
	found := false
	err := s.historyRows(ctx, "", market, r, at.Add(-time.Duration(r)*time.Second), at, func(_ string, _ int64, body []byte) error {
		found = true
		return decodeNumbers(body, &t.SuppliedUSD, &t.BorrowedUSD, &t.TVLUSD)
	})
	return t, found, err
}

// anyMarket asks for every market of an axis; no market has this name.
const anyMarket = "*"

func (s *Store) historyRows(ctx context.Context, axis, market string, r Resolution, from, to time.Time, each func(market string, at int64, body []byte) error) error {
	where := `s.market = $5`
	if market == anyMarket {
		where = `s.market <> '' AND $5 <> ''`
	}
	rows, err := s.read.QueryContext(ctx, `SELECT s.market, h.at, h.body FROM history_series s JOIN history h ON h.series = s.id
		WHERE s.axis = $1 AND h.resolution = $2 AND h.at BETWEEN $3 AND $4 AND `+where+` ORDER BY h.at`,
		axis, r, from.Unix(), to.Unix(), market)
	if err != nil {
		return fmt.Errorf("read history: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		var at int64
		var body []byte
		if err := rows.Scan(&name, &at, &body); err != nil {
			return fmt.Errorf("read history: %w", err)
		}
		if err := each(name, at, body); err != nil {
			return err
		}
	}
	return rows.Err()
}
