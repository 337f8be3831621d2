package vaults

import (
	"math/big"
	"os"
	"path/filepath"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"liqwatch/internal/backtest/notes"
)

func write(t testing.TB, dir, name, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
}

// small is a directory with one event of every kind, all in one block and in the
// worst order.
func small(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	const head = "BLOCK_NUMBER,BLOCK_TIMESTAMP,VAULT_NUMBER,"
	const at = "5,2021-01-01 1:02:03.000,7,"
	write(t, dir, "deposits.csv", head+"DEPOSIT_AMOUNT_ADJ\n"+at+"3\n")
	write(t, dir, "withdrawals.csv", head+"WITHDRAWN_AMOUNT_ADJ\n"+at+"-0.5\n")
	write(t, dir, "borrows.csv", head+"DAI_MINTED\n"+at+"1000\n")
	write(t, dir, "repayments.csv", head+"DAI_REPAYED\n"+at+"10.5\n")
	write(t, dir, "liquidations.csv", head+"COLLATERAL_LIQUIDATED_AMOUNT,DAI_REPAYED_AMOUNT\n"+at+"2,900\n"+at+"2,900\n")
	write(t, dir, "parameters.csv", "\ufeffTIMESTAMP,PARAMETER,TO_VALUE\n2020-01-01 1:00:00,SPOTTER.ilks.mat,1.3\n2020-01-01 1:00:00,JUG.ilks.duty,0.05\n2020-01-01 1:00:00,VAT.ilks.line,x\n")
	return dir
}

func TestEventsOfABlockAreSortedAndNoneIsMerged(t *testing.T) {
	s, err := readDir(small(t))
	require.NoError(t, err)
	var kinds []Kind
	for _, e := range s.events {
		kinds = append(kinds, e.Kind)
		require.EqualValues(t, 1609462923, e.Time)
	}
	require.Equal(t, []Kind{Deposit, Repay, Borrow, Withdraw, Liquidate, Liquidate}, kinds)
	require.Equal(t, "500000000000000000", s.events[3].Amount.String(), "withdrawals are exported negative")
	require.Equal(t, 1, s.notes.Count(notes.Repeated))
	require.Equal(t, 8, s.notes.Count(notes.NoZone), "six events and two parameters: the parameter that does not enter is not read")
}

func TestWhatIsMissingIsSaid(t *testing.T) {
	dir := small(t)
	require.NoError(t, os.Remove(filepath.Join(dir, "borrows.csv")))
	_, err := readDir(dir)
	require.ErrorIs(t, err, ErrNoEvents)
	require.ErrorContains(t, err, "borrows.csv")

	dir = small(t)
	write(t, dir, "borrows.csv", "BLOCK_NUMBER,VAULT\n")
	_, err = readDir(dir)
	require.ErrorContains(t, err, "borrows.csv: no column BLOCK_TIMESTAMP; it has BLOCK_NUMBER, VAULT")

	dir = small(t)
	write(t, dir, "parameters.csv", "TIMESTAMP,PARAMETER,TO_VALUE\n2020-01-01 1:00:00,SPOTTER.ilks.mat,1.3\n")
	_, err = readDir(dir)
	require.ErrorContains(t, err, "no row with parameter JUG.ilks.duty")
}

func TestRowsThatCannotBeReadAreCounted(t *testing.T) {
	dir := small(t)
	write(t, dir, "borrows.csv", "BLOCK_NUMBER,BLOCK_TIMESTAMP,VAULT_NUMBER,DAI_MINTED\nx,2021-01-01,7,1\n5,soon,7,1\n5,2021-01-01,,1\n5,2021-01-01,7,much\n5,2021-01-01,7,1e99\n5,2021-01-01\n5,2021-01-01,7,1\n")
	s, err := readDir(dir)
	require.NoError(t, err)
	require.Equal(t, 6, s.notes.Count(notes.BadRow))
}

func TestOneDirectoryHoldsOneCollateralType(t *testing.T) {
	dir := small(t)
	write(t, dir, "deposits.csv", "BLOCK_NUMBER,BLOCK_TIMESTAMP,VAULT_NUMBER,ILK,DEPOSIT_AMOUNT_ADJ\n5,2021-01-01,7,WBTC-A,1\n5,2021-01-01,8,WBTC-A,1\n5,2021-01-01,9,ETH-B,1\n")
	s, err := readDir(dir)
	require.NoError(t, err)
	require.Equal(t, "WBTC-A", s.ilk)
	require.Equal(t, 1, s.notes.Count(notes.BadRow))
}

func TestWhatALiquidationRoundedAwayIsCleared(t *testing.T) {
	rate := new(big.Int).Set(bigRay)
	wads := func(s string) *big.Int { return decimal.RequireFromString(s).Shift(18).BigInt() }
	for _, c := range []struct {
		ink, taken, due string
		left            bool
	}{
		{"10.4", "10", "950", false}, // 0.4 ETH and 50 DAI: rounding
		{"9.6", "10", "950", false},
		{"10.4", "10", "700", true}, // 300 DAI are not
		{"12", "10", "1000", true},  // 2 ETH are not
	} {
		l := newLedger(wads("200"))
		l.apply(&Event{Kind: Deposit, Vault: "1", Amount: wads(c.ink)}, rate)
		l.apply(&Event{Kind: Borrow, Vault: "1", Amount: wads("1000")}, rate)
		l.apply(&Event{Kind: Liquidate, Vault: "1", Amount: wads(c.taken), Due: wads(c.due)}, rate)
		a := l.account("1")
		require.Equal(t, c.left, a.ink.Sign() != 0 || a.art.Sign() != 0, "%+v", c)
	}
}

func TestRatesCompoundOverChangesOfTheFee(t *testing.T) {
	year := uint64(31_536_000)
	r, err := newRates([]parameter{{time: 100, name: paramDuty, to: decimal.RequireFromString("0.1")}, {time: 100 + year, name: paramDuty, to: decimal.RequireFromString("0.2")}})
	require.NoError(t, err)
	for at, want := range map[uint64]float64{0: 1, 100: 1, 100 + year: 1.1, 100 + 2*year: 1.1 * 1.2} {
		got, err := r.rate(at)
		require.NoError(t, err)
		require.InEpsilon(t, want*1e27, got.Float64(), 1e-12)
	}
}

func FuzzReadEvents(f *testing.F) {
	f.Add("BLOCK_NUMBER,BLOCK_TIMESTAMP,VAULT_NUMBER,DAI_MINTED\n5,2021-01-01 1:02:03.000,7,1000\n")
	f.Add("\ufeffBLOCK_NUMBER,BLOCK_TIMESTAMP,VAULT_NUMBER,DAI_MINTED\n\"5,x\n")
	f.Fuzz(func(t *testing.T, text string) {
		dir := small(t)
		write(t, dir, "borrows.csv", text)
		s, err := readDir(dir)
		if err != nil {
			return
		}
		for _, e := range s.events {
			if e.Amount.Sign() < 0 || e.Vault == "" {
				t.Fatalf("%+v", e)
			}
		}
	})
}
