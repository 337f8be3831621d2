package backtest_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"liqwatch/internal/backtest"
	"liqwatch/internal/backtest/prices"
	"liqwatch/internal/backtest/vaults"
	"liqwatch/thresholds"
)

// story writes a small history: hourly prices and vault events, by hours since its start.
type story struct {
	prices []string
	rows   map[string][]string
	block  int
}

const storyStart = 1_600_000_000 - 1_600_000_000%3600

func newStory(prices ...string) *story {
	s := &story{prices: prices, rows: map[string][]string{}}
	for _, h := range []struct{ file, head string }{
		{"deposits.csv", "BLOCK_NUMBER,BLOCK_TIMESTAMP,VAULT_NUMBER,DEPOSIT_AMOUNT_ADJ"},
		{"withdrawals.csv", "BLOCK_NUMBER,BLOCK_TIMESTAMP,VAULT_NUMBER,WITHDRAWN_AMOUNT_ADJ"},
		{"borrows.csv", "BLOCK_NUMBER,BLOCK_TIMESTAMP,VAULT_NUMBER,DAI_MINTED"},
		{"repayments.csv", "BLOCK_NUMBER,BLOCK_TIMESTAMP,VAULT_NUMBER,DAI_REPAYED"},
		{"liquidations.csv", "BLOCK_NUMBER,BLOCK_TIMESTAMP,VAULT_NUMBER,COLLATERAL_LIQUIDATED_AMOUNT,DAI_REPAYED_AMOUNT"},
		{"parameters.csv", "\ufeffTIMESTAMP,PARAMETER,TO_VALUE"},
	} {
		s.rows[h.file] = []string{h.head}
	}
	s.rows["parameters.csv"] = append(s.rows["parameters.csv"],
		"2020-09-01 0:00:00,SPOTTER.ilks.mat,1.3", "2020-09-01 0:00:00,JUG.ilks.duty,0", "2020-09-01 0:00:00,DOG.ilks.chop,0.13")
	return s
}

func (s *story) at(hour float64) string {
	return time.Unix(storyStart+int64(hour*3600), 0).UTC().Format("2006-01-02 15:04:05.000")
}

func (s *story) event(hour float64, file, vault string, amounts ...string) {
	s.block++
	s.rows[file] = append(s.rows[file], fmt.Sprintf("%d,%s,%s,%s", s.block, s.at(hour), vault, strings.Join(amounts, ",")))
}

// open opens a vault: 10 ETH against a debt with which it is liquidated at or below
// the price.
func (s *story) open(hour float64, vault, price string) {
	s.event(hour, "deposits.csv", vault, "10")
	debt := dec(price).Mul(dec("10")).DivRound(dec("1.3"), 9)
	s.event(hour, "borrows.csv", vault, debt.Sub(dec("0.00001")).String())
}

func (s *story) history(t *testing.T, opt vaults.Options) (*vaults.History, *prices.Series) {
	t.Helper()
	dir := t.TempDir()
	candles := []string{"time,open,high,low,close"}
	for i, p := range s.prices {
		candles = append(candles, fmt.Sprintf("%d,%s,%s,%s,%s", storyStart+3600*i, p, p, p, p))
	}
	s.rows["prices.csv"] = candles
	for file, rows := range s.rows {
		require.NoError(t, os.WriteFile(filepath.Join(dir, file), []byte(strings.Join(rows, "\n")+"\n"), 0o600))
	}
	series, _, err := prices.Open(filepath.Join(dir, "prices.csv"))
	require.NoError(t, err)
	h, err := vaults.Open(dir, series, opt)
	require.NoError(t, err)
	return h, series
}

func (s *story) score(t *testing.T, hour int) *backtest.BandReport {
	t.Helper()
	h, _ := s.history(t, vaults.DefaultOptions())
	_, to := h.Span()
	r, err := backtest.ScoreBands(context.Background(), h, backtest.BandOptions{Axis: "ETH", Snapshot: uint64(storyStart + 3600*hour), To: to,
		MinDebtUSD: dec("1000"), Edges: func(*thresholds.Ladder) ([]decimal.Decimal, error) {
			return []decimal.Decimal{dec("1600"), dec("1800"), dec("1400")}, nil
		}})
	require.NoError(t, err)
	return r
}

func outcomes(r *backtest.BandReport) map[string]string {
	out := map[string]string{}
	for _, a := range r.PerAccount {
		out[a.Position] = a.Outcome
	}
	return out
}

// Prices by hour; the oracle reads each an hour later: 1,650 is in force from hour 8.
func crash() *story {
	return newStory("2000", "2000", "2000", "2000", "2000", "1900", "1750", "1650", "1700", "1700", "1700", "1700", "1700", "1700")
}

func TestEveryAccountEndsInExactlyOneClass(t *testing.T) {
	s := crash()
	for _, v := range []struct{ id, price string }{{"1", "1700"}, {"2", "1720"}, {"3", "1690"}, {"4", "1640"}, {"5", "1710"}, {"6", "1780"}, {"7", "1650"}} {
		s.open(0, v.id, v.price)
	}
	s.open(0, "8", "120")                       // 923 DAI: dust
	s.event(5.5, "repayments.csv", "2", "9000") // in time
	s.event(8.5, "deposits.csv", "3", "20")     // late
	s.event(8.6, "liquidations.csv", "1", "10", dec("1700").Mul(dec("10")).DivRound(dec("1.3"), 9).String())
	s.event(8.7, "repayments.csv", "6", "1000")        // late, and
	s.event(9.5, "liquidations.csv", "6", "3", "4000") // liquidated all the same
	s.event(13, "deposits.csv", "9", "1")              // so that the history lasts
	r := s.score(t, 4)
	require.Equal(t, map[string]string{"1": "liquidated", "2": "saved", "3": "late", "4": "not_reached", "5": "untouched", "6": "liquidated",
		"7": "not_reached"}, outcomes(r), "7 is safe at exactly its price: equality is")
	require.Equal(t, 1, r.LeftOut.Dust)
	require.Equal(t, "1650", r.Lowest.String())
	// 1800 down to 1600 was entered, not passed.
	require.Equal(t, "partly", r.Bands[1].Crossed)
	require.Equal(t, 7, r.Bands[1].Accounts)
	require.Equal(t, "fully", r.Bands[0].Crossed)
	require.Equal(t, 2, r.Executed.Liquidations)
	for _, a := range r.PerAccount {
		if a.Position == "1" {
			require.EqualValues(t, 36*60, a.AfterSeconds, "the price was in force from hour 8")
			require.Equal(t, "1700.00", a.TriggerAtLiquidation.StringFixed(2))
		}
		if a.Position == "5" {
			require.Contains(t, a.Explanation, "liquidatable until the end of the window")
		}
	}
	require.Equal(t, 1, r.TriggerError.N-1, "two vaults were liquidated once")
}

func TestAWindowWithoutACrossingIsSaid(t *testing.T) {
	s := newStory("2000", "2000", "2000", "2000", "2000", "2000")
	s.open(0, "1", "1500")
	s.event(5, "deposits.csv", "1", "1")
	r := s.score(t, 3)
	require.Zero(t, r.Crossed)
	require.Nil(t, r.Overstated.Factor)
	require.Equal(t, "not_reached", r.PerAccount[0].Outcome)
	require.Contains(t, fmt.Sprint(r.NoteList), "crossed no band")
}

func TestLiquidationsOfStrangersAndAboveTheTriggerAreSaid(t *testing.T) {
	s := crash()
	s.open(0, "1", "1000")
	s.event(8.5, "liquidations.csv", "1", "10", "7692.3")
	s.event(8.6, "liquidations.csv", "99", "3", "4000")
	s.event(13, "deposits.csv", "2", "1")
	r := s.score(t, 4)
	require.Equal(t, 1, r.Outside.Inconsistent.Liquidations, "a vault from nowhere ends below zero: its book contradicts itself")
	text := fmt.Sprint(r.NoteList)
	require.Contains(t, text, "above-trigger")
	require.Contains(t, text, "trigger 1000.00, price 1650.00")
	require.Contains(t, text, "liquidations of vaults that no event opened")
}

func TestContradictingBooksAreLeftOutByRule(t *testing.T) {
	s := crash()
	s.open(0, "1", "1500")
	s.event(2, "withdrawals.csv", "1", "-11") // more than there is
	s.open(0, "2", "1500")
	s.event(2, "repayments.csv", "2", "20000") // more than is owed
	s.open(0, "3", "1500")
	s.event(2, "withdrawals.csv", "3", "-10") // all, and still in debt
	s.open(0, "4", "1500")
	s.event(2, "withdrawals.csv", "4", "-4") // the Vat would have refused
	s.open(0, "5", "1500")
	s.event(13, "deposits.csv", "5", "1")
	h, _ := s.history(t, vaults.DefaultOptions())
	why := map[string]string{}
	for k, w := range h.LeftOut() {
		why[k.Position] = w
	}
	require.Len(t, why, 4)
	require.Contains(t, why["1"], "collateral is -1.00 at withdrawals.csv:2")
	require.Contains(t, why["2"], "debt is -8461.54")
	require.Contains(t, why["3"], "of debt without collateral")
	require.Contains(t, why["4"], "where 1.3 is needed")
	r := s.score(t, 4)
	require.Equal(t, 4, r.LeftOut.Inconsistent)
	require.Equal(t, map[string]string{"5": "not_reached"}, outcomes(r))
}

func TestAGlitchIsFoundAndCanBeTakenOut(t *testing.T) {
	s := newStory("2000", "2000", "2000", "2000", "1500", "2000", "2000", "2000")
	s.open(0, "1", "1700")
	s.event(7, "deposits.csv", "2", "1")
	_, series := s.history(t, vaults.DefaultOptions())
	require.Equal(t, []int{4}, series.Glitches)
	require.Equal(t, 1, series.GlitchesBetween(storyStart, storyStart+7*3600))
	require.Equal(t, "untouched", s.score(t, 3).PerAccount[0].Outcome)
	s.prices[4] = series.WithoutGlitches().Ticks[4].Open.Decimal().String()
	require.Equal(t, "not_reached", s.score(t, 3).PerAccount[0].Outcome)
}

func TestAWindowOutsideOfTheHistoryIsAnError(t *testing.T) {
	s := crash()
	s.open(0, "1", "1000")
	h, _ := s.history(t, vaults.DefaultOptions())
	_, err := backtest.ScoreBands(context.Background(), h, backtest.BandOptions{Axis: "ETH", Snapshot: 5, To: 6})
	require.ErrorIs(t, err, backtest.ErrWindow)
	require.ErrorContains(t, err, "which runs from 2020-09-13")
}
