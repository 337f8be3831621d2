package recording

import (
	"context"
	"errors"
	"testing"

	"github.com/holiman/uint256"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"liqwatch/chains"
	"liqwatch/internal/backtest/history"
	"liqwatch/protocols"
	"liqwatch/protocols/sky"
	"liqwatch/thresholds"
)

// tape is a player of passes made by hand; the blocks' books are real ones.
type tape struct {
	passes []Pass
	err    error
	closed *int
}

func (t *tape) Next(context.Context) (Pass, bool, error) {
	if len(t.passes) == 0 {
		return Pass{}, false, t.err
	}
	p := t.passes[0]
	t.passes = t.passes[1:]
	return p, true, nil
}

func (t *tape) Close() error { *t.closed++; return nil }

func wad(s string) uint256.Int {
	x, _ := uint256.FromBig(decimal.RequireFromString(s).Shift(18).BigInt())
	return *x
}

// block is one pass: a price, and vaults as id, ink, art.
func block(t *testing.T, n uint64, price string, vaults ...[3]string) Pass {
	t.Helper()
	ray := *uint256.MustFromDecimal("1000000000000000000000000000")
	s := sky.State{Market: "m", Gem: protocols.Asset{Symbol: "ETH", Decimals: 18}, Price: wad(price), Block: chains.Block{Number: n, Time: n * 12},
		Ilk: sky.Ilk{Rate: ray, Par: ray, Mat: *uint256.MustFromDecimal("1300000000000000000000000000"), Chop: wad("1.13")}}
	for _, v := range vaults {
		s.Vaults = append(s.Vaults, sky.Vault{ID: v[0], Urn: sky.Urn{Ink: wad(v[1]), Art: wad(v[2])}})
	}
	b, err := sky.NewBook(s)
	require.NoError(t, err)
	return Pass{Block: s.Block, Books: []protocols.Book{b}}
}

func key(id string) thresholds.Key { return thresholds.Key{Market: "m", Position: id} }

func TestStepsTellWhoActedAndWhatWasExecuted(t *testing.T) {
	four := block(t, 4, "1500", [3]string{"1", "10", "5000"}, [3]string{"3", "10", "9000"})
	repaid := protocols.Amount{Raw: wad("9000"), Decimals: 18}
	four.Liquidations = []protocols.Liquidation{{Market: "m", Position: "2", Block: 4, LogIndex: 3, RepaidQuote: &repaid, SeizedQuote: &repaid}}
	passes := []Pass{
		block(t, 1, "2000", [3]string{"1", "10", "9000"}),
		block(t, 2, "2000", [3]string{"1", "10", "9000"}, [3]string{"2", "10", "12000"}),
		block(t, 3, "1600", [3]string{"1", "10", "5000"}, [3]string{"2", "10", "12000"}, [3]string{"3", "10", "9000"}),
		four,
		block(t, 5, "1500", [3]string{"3", "10", "9000"}),
		block(t, 6, "1500", [3]string{"3", "10", "1"}),
	}
	closed := 0
	h, err := New(context.Background(), func(context.Context) (Player, error) { return &tape{passes: passes, closed: &closed}, nil })
	require.NoError(t, err)
	from, to := h.Span()
	require.EqualValues(t, []uint64{12, 72}, []uint64{from, to})

	type seen struct {
		time  uint64
		acted []thresholds.Key
		taken int
	}
	for range 2 { // a history can be played again
		var got []seen
		require.NoError(t, h.Replay(context.Background(), 30, 60, func(s *history.Step) error {
			got = append(got, seen{s.Block.Time, s.Acted, len(s.Liquidated)})
			for _, l := range s.Liquidated {
				require.Equal(t, key("2"), l.Key)
				require.True(t, l.Known)
				require.Equal(t, "9000", l.DebtUSD.String())
			}
			return nil
		}))
		require.Equal(t, []seen{
			{24, nil, 0},                        // the state as of 30
			{36, []thresholds.Key{key("1")}, 0}, // repaid; 3 is new, nobody's trigger moved
			{48, nil, 1},                        // 2 is gone by liquidation, not by its owner
			{60, []thresholds.Key{key("1")}, 0}, // closed; block 6 is after the window
		}, got)
	}
	require.Equal(t, 3, closed)
}

func TestAnEmptyOrBrokenRecordingIsAnError(t *testing.T) {
	closed := 0
	_, err := New(context.Background(), func(context.Context) (Player, error) { return &tape{closed: &closed}, nil })
	require.ErrorIs(t, err, ErrEmpty)
	broken := errors.New("broken")
	_, err = New(context.Background(), func(context.Context) (Player, error) { return &tape{closed: &closed, err: broken}, nil })
	require.ErrorIs(t, err, broken)
	_, err = New(context.Background(), func(context.Context) (Player, error) { return nil, broken })
	require.ErrorIs(t, err, broken)
}
