package tron_test

import (
	"context"
	"math/big"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"liqwatch/chains"
	tronclient "liqwatch/chains/tron"
	"liqwatch/devnet/anvil"
	"liqwatch/devnet/tron"
	"liqwatch/internal/watch"
	"liqwatch/protocols"
	"liqwatch/protocols/abi"
	"liqwatch/protocols/compoundv2"
)

// inMemory keeps accounts as the store would.
type inMemory struct {
	accounts []chains.Address
	upTo     chains.Block
}

func (s *inMemory) Accounts(context.Context, string) ([]chains.Address, error) {
	return s.accounts, nil
}

func (s *inMemory) Cursor(context.Context, string) (chains.Block, bool, error) {
	return s.upTo, s.upTo.Number > 0, nil
}

func (s *inMemory) SaveAccounts(_ context.Context, _ string, fresh []chains.Address, upTo chains.Block) error {
	s.accounts, s.upTo = append(s.accounts, fresh...), upTo
	return nil
}

// hour is an hour of blocks on a node that does everything wrong at once.
type hour struct {
	t        *testing.T
	w        *tron.World
	evm      *anvil.Node
	node     *tron.Node
	client   *tronclient.Client
	follower *watch.Follower
	rng      *rand.Rand

	mu       sync.Mutex
	accounts []chains.Address
	next     int
	acts     int
	flagged  int
}

const (
	hourBlocks   = 1200
	hourAccounts = 60
)

func badDay(h *hour) tron.Faults {
	return tron.Faults{
		Resources: 67, Busy: 91, Hiccups: 13, Moves: 3, Forks: 17, ForkDepth: 3, Holes: 4, Older: 23, OnMove: h.act,
	}
}

func TestAnHourOfFaultsLosesAndInventsNothing(t *testing.T) {
	ctx := t.Context()
	evm := anvil.Run(t, anvil.Options{BlockTime: 3, ChainID: tron.ChainID})
	w, err := tron.Deploy(ctx, evm, tron.Options{})
	require.NoError(t, err)
	require.NoError(t, w.Fund(ctx, chains.Address{0xA1}))
	h := &hour{t: t, w: w, evm: evm, rng: rand.New(rand.NewPCG(5, 8))}
	h.accounts, err = w.Crowd(ctx, hourAccounts, 5)
	require.NoError(t, err)
	require.NoError(t, evm.MineBlocks(ctx, 25))
	h.node, err = tron.Serve(ctx, evm.Client, tron.Dialect{CPUGas: tron.CPULimit})
	require.NoError(t, err)
	// Three ways to the same node, so that a test need not sit out every rest.
	e := tronclient.Endpoint{URL: h.node.URL, RequestsPerSecond: 1e6}
	h.client, err = tronclient.New(tronclient.Config{Name: "tron", Patience: time.Minute, Endpoints: []tronclient.Endpoint{e, e, e}}, zerolog.Nop())
	require.NoError(t, err)
	m, err := compoundv2.Make(protocols.Placement{Name: "justlend", Chain: "tron"}, compoundv2.Settings{Comptroller: w.Risk.Address, FromBlock: w.FromBlock})
	require.NoError(t, err)
	h.follower = watch.NewFollower(h.client, []protocols.Market{m}, &inMemory{}, zerolog.Nop())

	begin, err := evm.BlockNumber(ctx)
	require.NoError(t, err)
	h.node.SetFaults(badDay(h))
	passes, failed, judged, forks := 0, 0, 0, 0
	quarter := begin + 60
	for {
		n, err := evm.BlockNumber(ctx)
		require.NoError(t, err)
		if n >= begin+hourBlocks {
			break
		}
		if n >= quarter {
			forks += h.node.Forks()
			h.judge()
			judged++
			quarter = n + 60
			h.node.SetFaults(badDay(h))
		}
		passes++
		if !h.pass() {
			failed++
		}
	}
	forks += h.node.Forks()
	h.judge()
	t.Logf("%d blocks, %d passes (%d gave up and were tried again), %d forks of 3 blocks, %d acts, %d requests, %d accounts, %d liquidatable seen, all accounts judged %d times",
		hourBlocks, passes, failed, forks, h.acts, h.client.Stats().Total(), len(h.accounts), h.flagged, judged+1)
	require.Greater(t, forks, 10)
	require.Greater(t, passes, failed*2)
}

// pass follows the chain once and holds every account that is called liquidatable
// against the comptroller: somewhere between the block of the pass and now it must
// have said so too.
func (h *hour) pass() bool {
	ctx := h.t.Context()
	head, err := h.client.Head(ctx)
	if err != nil {
		return false
	}
	forks := h.node.Forks()
	out, err := h.follower.Pass(ctx, head)
	if err != nil || len(out.Failed) > 0 {
		return false
	}
	if h.node.Forks() != forks {
		return true
	}
	now, err := h.evm.BlockNumber(ctx)
	require.NoError(h.t, err)
	for _, b := range h.follower.Books() {
		for _, f := range b.Faults() {
			require.NotEqual(h.t, "missed-change", f.Kind, f.Detail)
		}
		for i := range b.Len() {
			if b.Liquidatable(i, b.Prices()) {
				h.flagged++
				require.True(h.t, h.everShort(b.Owner(i), head.Number-1, now), "%s was never liquidatable between blocks %d and %d", b.ID(i), head.Number-1, now)
			}
		}
	}
	return true
}

func (h *hour) everShort(a chains.Address, from, to uint64) bool {
	for n := from; n <= to; n++ {
		_, _, short, err := h.w.Liquidity(h.t.Context(), a, n)
		require.NoError(h.t, err)
		if short.Sign() > 0 {
			return true
		}
	}
	return false
}

// judge lets the chain stand still, follows up, and compares every account that
// ever borrowed with the comptroller. The node's other faults stay.
func (h *hour) judge() {
	ctx := h.t.Context()
	still := badDay(h)
	still.Moves, still.OnMove = 0, nil
	h.node.SetFaults(still)
	for range 4 {
		require.NoError(h.t, h.evm.Mine(ctx))
		for try := 0; !h.pass(); try++ {
			require.Less(h.t, try, 10)
		}
	}
	n, err := h.evm.BlockNumber(ctx)
	require.NoError(h.t, err)
	b := h.follower.Books()[0]
	if b.Block().Number != n {
		for try := 0; b.Block().Number != n; try++ {
			require.Less(h.t, try, 10)
			h.pass()
			b = h.follower.Books()[0]
		}
	}
	known := 0
	for _, a := range h.borrowers(n) {
		_, liquidity, short, err := h.w.Liquidity(ctx, a, n)
		require.NoError(h.t, err)
		i, ok := b.Find(a.String())
		if !ok {
			require.Zero(h.t, short.Sign(), "%s is missing at block %d", a.Base58(), n)
			continue
		}
		known++
		p := b.Position(i)
		require.Equal(h.t, liquidity.String(), p.View[0].Value.Dec(), "liquidity of %s at block %d", a.Base58(), n)
		require.Equal(h.t, short.String(), p.View[1].Value.Dec(), "shortfall of %s at block %d", a.Base58(), n)
	}
	require.Equal(h.t, b.Len(), known, "positions of nobody")
}

// borrowers are all accounts with a Borrow log on the chain as it is now.
func (h *hour) borrowers(head uint64) []chains.Address {
	topic := abi.Topic("Borrow(address,uint256,uint256,uint256,uint256)")
	var logs []struct {
		Data string `json:"data"`
	}
	require.NoError(h.t, h.evm.Call(h.t.Context(), &logs, "eth_getLogs", map[string]any{"fromBlock": "0x0", "toBlock": "latest", "topics": []any{topic}}))
	seen := map[chains.Address]bool{}
	var out []chains.Address
	for _, l := range logs {
		a := chains.MustAddress("0x" + l.Data[2+24:2+64])
		if !seen[a] {
			seen[a] = true
			out = append(out, a)
		}
	}
	_ = head
	return out
}

// act does something on the chain, which mines at least a block: an account
// borrows, repays, moves jTokens, a price is posted, somebody is liquidated, a new
// borrower comes, a market accrues. What the market refuses is a block all the same.
func (h *hour) act(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.acts++
	a := h.accounts[h.rng.IntN(len(h.accounts))]
	symbol := []string{"USDT", "TRX", "USDD", "ETH", "BTC"}[h.rng.IntN(5)]
	switch h.rng.IntN(10) {
	case 0, 1:
		_ = h.w.Borrow(ctx, a, symbol, h.w.Amount(symbol, 0.01+h.rng.Float64()))
	case 2, 3:
		_ = h.w.Repay(ctx, a, symbol, h.w.Amount(symbol, h.rng.Float64()*5))
	case 4:
		_ = h.w.Transfer(ctx, chains.Address{0xA1}, a, symbol, big.NewInt(h.rng.Int64N(1e9)))
	case 5:
		price := h.w.InTRX("USDT", 10_000, tron.TRXPrice-600+h.rng.Int64N(1200))
		_ = h.w.Post(ctx, "USDT", price)
	case 6:
		price := h.w.InTRX("ETH", 18_000_000+h.rng.Int64N(14_000_000), tron.TRXPrice)
		_ = h.w.Post(ctx, "ETH", price)
	case 7:
		_ = h.w.Liquidate(ctx, chains.Address{0xC1}, a, "USDT", "TRX", h.w.Amount("USDT", 20))
	case 8:
		h.next++
		b := chains.Address{0xD0, byte(h.next >> 8), byte(h.next)}
		_ = h.w.Supply(ctx, b, "USDT", h.w.Amount("USDT", 1000))
		_ = h.w.Enter(ctx, b, "USDT")
		_ = h.w.Borrow(ctx, b, symbol, h.w.Amount(symbol, 0.005))
		h.accounts = append(h.accounts, b)
	default:
		_ = h.w.Accrue(ctx, symbol)
	}
	return nil
}
