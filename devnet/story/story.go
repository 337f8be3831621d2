// Package story drives a populated devnet through one eventful hour, block by
// block and by transactions only: ETH falls through its walls, borrowers react,
// a bot liquidates, a loan goes bad, and on the way back up a short is squeezed.
package story

import (
	"context"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"

	"liqwatch/chains"
	"liqwatch/devnet/aave"
	"liqwatch/devnet/anvil"
	"liqwatch/devnet/population"
)

// Beat is one sentence of the story and the block it belongs to.
type Beat struct {
	Block uint64 `json:"block"`
	Text  string `json:"text"`
}

// Liquidation is one that the bot carried out.
type Liquidation struct {
	Block            uint64
	Account          chains.Address
	Collateral, Debt string
	ETH              int64 // the ETH price that it was decided at, 1e-8 USD
}

// Told is what happened.
type Told struct {
	From, To     uint64 // first and last block
	Beats        []Beat
	Prices       []int64 // of ETH, 1e-8 USD, by block from From on
	Liquidations []Liquidation
	Reactions    int              // borrowers that repaid or added collateral in time
	BadDebt      chains.Address   // the account that went under
	Newcomers    []chains.Address // borrowers that came during the story
}

// Options of a telling.
type Options struct {
	Seed uint64
	// Blocks tells only so many of the story's blocks; all when 0.
	Blocks int
	// OnBlock, where not nil, is called after every block of the story.
	OnBlock func(ctx context.Context, b chains.Block) error
	// OnBeat, where not nil, is called when a beat's block has been mined.
	OnBeat func(Beat)
}

// Play tells the story in a world that [population.Build] has filled.
func Play(ctx context.Context, w *aave.World, pop *population.Population, opts Options) (*Told, error) {
	s := &stage{
		World: w, opts: opts, rng: rand.New(rand.NewPCG(opts.Seed, 0x73746f72)),
		bot: pop.Liquidator, eth: 2_700_00000000, borrowers: slices.Clone(pop.Borrowers), acted: map[chains.Address]int{},
	}
	if err := s.prepare(ctx); err != nil {
		return nil, fmt.Errorf("prepare the story: %w", err)
	}
	blocks := Blocks
	if opts.Blocks > 0 {
		blocks = min(opts.Blocks, Blocks)
	}
	for i := range blocks {
		if err := s.block(ctx, i); err != nil {
			return nil, fmt.Errorf("tell block %d of the story: %w", i, err)
		}
	}
	return &s.told, nil
}

// stage is the story while it is told.
type stage struct {
	*aave.World
	opts      Options
	rng       *rand.Rand
	lens      *aave.Lens
	bot       chains.Address
	borrowers []population.Borrower
	acted     map[chains.Address]int // how often an account has reacted
	eth       int64
	told      Told

	txs  []anvil.Tx // of the block being made
	busy map[chains.Address]bool
}

func (s *stage) add(tx anvil.Tx, err error) error {
	if err == nil {
		s.txs = append(s.txs, tx)
	}
	return err
}

// prepare brings in the bot's funds and the borrower who will go under.
func (s *stage) prepare(ctx context.Context) error {
	var err error
	if s.lens, err = s.NewLens(ctx); err != nil {
		return err
	}
	for _, f := range []struct {
		symbol string
		tokens float64
	}{
		{"USDC", 5e8}, {"USDT", 5e8}, {"DAI", 5e8}, {"GHO", 1e8}, {"WETH", 1e5}, {"wstETH", 1e5}, {"weETH", 1e5},
		{"WBTC", 5e3}, {"LINK", 1e6},
	} {
		if err := s.add(s.MintTx(s.bot, f.symbol, s.Amount(f.symbol, f.tokens))); err != nil {
			return err
		}
	}
	reckless := chains.Keccak([]byte("devnet reckless")).Address()
	s.told.BadDebt = reckless
	tokens := s.Amount("MKR", 60)
	for _, step := range []func() (anvil.Tx, error){
		func() (anvil.Tx, error) { return s.MintTx(reckless, "MKR", tokens) },
		func() (anvil.Tx, error) { return s.SupplyTx(reckless, "MKR", tokens) },
		func() (anvil.Tx, error) { return s.CollateralTx(reckless, "MKR", true) },
		func() (anvil.Tx, error) { return s.BorrowTx(reckless, "USDC", s.Amount("USDC", 58_000)) },
	} {
		if err := s.add(step()); err != nil {
			return err
		}
	}
	s.borrowers = append(s.borrowers, population.Borrower{
		Address: reckless, Kind: population.Isolated, Collateral: "MKR", Debt: "USDC", Size: 91_200,
	})
	txs := s.txs
	s.txs = nil
	return s.InOneBlock(ctx, txs)
}

// block makes one block: liquidations and reactions to the last one come first,
// the news of the prices last.
func (s *stage) block(ctx context.Context, i int) error {
	s.txs, s.busy = nil, map[chains.Address]bool{}
	head, err := s.Node.BlockNumber(ctx)
	if err != nil {
		return err
	}
	accounts := make([]chains.Address, len(s.borrowers))
	for k, b := range s.borrowers {
		accounts[k] = b.Address
	}
	health, err := s.lens.HealthFactors(ctx, accounts, head)
	if err != nil {
		return err
	}
	// MKR is back before the bot gets to the other loans against it.
	if i != mkrCrash+1 {
		if err := s.liquidate(ctx, head, health); err != nil {
			return err
		}
	}
	if err := s.react(ctx, head, health); err != nil {
		return err
	}
	if err := s.background(i); err != nil {
		return err
	}
	if err := s.news(i); err != nil {
		return err
	}
	if err := s.InOneBlock(ctx, s.txs); err != nil {
		return err
	}
	return s.tell(ctx, i, head+1)
}

func (s *stage) tell(ctx context.Context, i int, number uint64) error {
	if i == 0 {
		s.told.From = number
	}
	s.told.To = number
	s.told.Prices = append(s.told.Prices, s.eth)
	b, err := s.Node.Block(ctx, number)
	if err != nil {
		return err
	}
	if s.opts.OnBlock != nil {
		if err := s.opts.OnBlock(ctx, b); err != nil {
			return err
		}
	}
	if text, ok := narration[i]; ok {
		beat := Beat{Block: number, Text: text}
		s.told.Beats = append(s.told.Beats, beat)
		if s.opts.OnBeat != nil {
			s.opts.OnBeat(beat)
		}
	}
	return nil
}

// news reports prices: ETH every block, the others now and then.
func (s *stage) news(i int) error {
	s.eth = price(i, s.rng)
	for _, name := range []aave.FeedName{aave.FeedETH, aave.FeedETHForLST} {
		if err := s.add(s.FeedTx(name, big.NewInt(s.eth))); err != nil {
			return err
		}
	}
	if i%4 == 1 {
		btc := 68_000 * (1 + 0.12*(float64(s.eth)/2_700e8-1) + 0.002*(s.rng.Float64()-0.5))
		if err := s.add(s.FeedTx(aave.FeedBTC, big.NewInt(int64(btc*1e8)))); err != nil {
			return err
		}
	}
	if i%9 == 4 {
		usdc := 0.9992 + 0.0012*s.rng.Float64()
		if err := s.add(s.FeedTx(aave.FeedUSDC, big.NewInt(int64(usdc*1e8)))); err != nil {
			return err
		}
	}
	switch i {
	case mkrCrash:
		return s.crash()
	case mkrCrash + 1:
		return s.add(s.FeedTx(aave.FeedMKR, big.NewInt(1_455_00000000)))
	}
	return nil
}

// crash halves MKR, and the bot is in the same block: what it seizes does not
// cover the debt.
func (s *stage) crash() error {
	if err := s.add(s.FeedTx(aave.FeedMKR, big.NewInt(745_00000000))); err != nil {
		return err
	}
	if err := s.add(s.LiquidateTx(s.bot, s.told.BadDebt, "MKR", "USDC", aave.Max, false)); err != nil {
		return err
	}
	s.told.Liquidations = append(s.told.Liquidations, Liquidation{
		Block: s.told.To + 1, Account: s.told.BadDebt, Collateral: "MKR", Debt: "USDC", ETH: s.eth,
	})
	return nil
}
