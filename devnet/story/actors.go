package story

import (
	"context"
	"encoding/binary"
	"math/big"
	"slices"

	"liqwatch/chains"
	"liqwatch/devnet/aave"
	"liqwatch/devnet/population"
)

var wad = new(big.Int).Exp(big.NewInt(10), big.NewInt(18), nil)

// perBlock is how many liquidations the bot gets into one block.
const perBlock = 10

// liquidate takes the least healthy accounts first.
func (s *stage) liquidate(ctx context.Context, head uint64, health []*big.Int) error {
	var due []int
	for k, hf := range health {
		if hf.Cmp(wad) < 0 && hf.Sign() > 0 {
			due = append(due, k)
		}
	}
	slices.SortStableFunc(due, func(a, b int) int { return health[a].Cmp(health[b]) })
	done := 0
	for _, k := range due {
		if done == perBlock {
			break
		}
		ok, err := s.liquidateOne(ctx, head, s.borrowers[k].Address)
		if err != nil {
			return err
		}
		if ok {
			done++
		}
	}
	return nil
}

// liquidateOne sends the first call that the pool would accept, larger collateral
// and debts first. Some it never accepts: paused, or too little left.
func (s *stage) liquidateOne(ctx context.Context, head uint64, who chains.Address) (bool, error) {
	collateral, debts, err := s.holdings(ctx, who, head)
	if err != nil {
		return false, err
	}
	for _, c := range collateral {
		for _, d := range debts {
			tx, err := s.LiquidateTx(s.bot, who, c, d, aave.Max, false)
			if err != nil {
				return false, err
			}
			if _, err := s.Node.Dry(ctx, tx, head); err != nil {
				continue
			}
			s.txs = append(s.txs, tx)
			s.busy[who] = true
			s.told.Liquidations = append(s.told.Liquidations, Liquidation{Block: head + 1, Account: who, Collateral: c, Debt: d, ETH: s.eth})
			return true, nil
		}
	}
	return false, nil
}

// holdings are the symbols of an account's collateral and debts, by value.
func (s *stage) holdings(ctx context.Context, who chains.Address, head uint64) (collateral, debts []string, err error) {
	bits, err := s.UserConfiguration(ctx, who, head)
	if err != nil {
		return nil, nil, err
	}
	value := map[string]*big.Int{}
	weigh := func(a aave.Asset, token chains.Address, key string) error {
		n, err := s.Balance(ctx, token, who, head)
		if err != nil {
			return err
		}
		p, err := s.Price(ctx, a.Symbol, head)
		if err != nil {
			return err
		}
		value[key] = n.Div(n.Mul(n, p), a.Unit())
		return nil
	}
	for _, a := range s.Assets {
		if bits.Bit(2*a.ID) == 1 {
			debts = append(debts, a.Symbol)
			if err := weigh(a, a.VToken, "debt "+a.Symbol); err != nil {
				return nil, nil, err
			}
		}
		if bits.Bit(2*a.ID+1) == 1 {
			collateral = append(collateral, a.Symbol)
			if err := weigh(a, a.AToken, "collateral "+a.Symbol); err != nil {
				return nil, nil, err
			}
		}
	}
	byValue := func(side string) func(a, b string) int {
		return func(a, b string) int { return value[side+b].Cmp(value[side+a]) }
	}
	slices.SortStableFunc(collateral, byValue("collateral "))
	slices.SortStableFunc(debts, byValue("debt "))
	return collateral, debts, nil
}

// react lets the careful ones act while their health factor is between 1 and 1.03.
func (s *stage) react(ctx context.Context, head uint64, health []*big.Int) error {
	near := new(big.Int).Div(new(big.Int).Mul(wad, big.NewInt(103)), big.NewInt(100))
	for k, hf := range health {
		b := s.borrowers[k]
		if hf.Cmp(wad) < 0 || hf.Cmp(near) > 0 || s.busy[b.Address] || s.acted[b.Address] > 1 {
			continue
		}
		switch b.Kind {
		case population.One, population.Staked, population.Many, population.Short, population.SwitchedOff:
		default:
			continue
		}
		// A quarter of the borrowers watches; which ones, their addresses decide.
		// They take a block or two to see it.
		careful := b.Address[0]%8 < 2
		if !careful || s.rng.IntN(3) != 0 {
			continue
		}
		if err := s.reactOne(ctx, head, b); err != nil {
			return err
		}
	}
	return nil
}

func (s *stage) reactOne(ctx context.Context, head uint64, b population.Borrower) error {
	s.acted[b.Address]++
	s.busy[b.Address] = true
	s.told.Reactions++
	if b.Address[0]%2 == 0 {
		owed, err := s.Balance(ctx, s.Asset(b.Debt).VToken, b.Address, head)
		if err != nil || owed.Sign() == 0 {
			return err
		}
		amount := owed.Div(owed.Mul(owed, big.NewInt(30)), big.NewInt(100))
		if err := s.add(s.MintTx(b.Address, b.Debt, amount)); err != nil {
			return err
		}
		return s.add(s.RepayTx(b.Address, b.Debt, amount))
	}
	held, err := s.Balance(ctx, s.Asset(b.Collateral).AToken, b.Address, head)
	if err != nil || held.Sign() == 0 {
		return err
	}
	return s.supply(b.Address, b.Collateral, held.Div(held, big.NewInt(4)))
}

func (s *stage) supply(who chains.Address, symbol string, amount *big.Int) error {
	if err := s.add(s.MintTx(who, symbol, amount)); err != nil {
		return err
	}
	return s.add(s.SupplyTx(who, symbol, amount))
}

// background is what goes on anyway: newcomers borrow, somebody saves.
func (s *stage) background(i int) error {
	if i%7 == 3 {
		return s.newcomer(i)
	}
	if i%5 == 2 {
		saver := s.borrowers[s.rng.IntN(len(s.borrowers))].Address
		return s.supply(saver, "DAI", s.Amount("DAI", 100+400*s.rng.Float64()))
	}
	return nil
}

// newcomer borrows against ether at an ordinary health factor.
func (s *stage) newcomer(i int) error {
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(i))
	who := chains.Keccak([]byte("devnet newcomer"), n[:]).Address()
	tokens := 2 + 30*s.rng.Float64()
	usd := tokens * float64(s.eth) / 1e8
	if err := s.supply(who, "WETH", s.Amount("WETH", tokens)); err != nil {
		return err
	}
	debt := usd * s.Asset("WETH").Threshold / (1.2 + 0.6*s.rng.Float64())
	if err := s.add(s.BorrowTx(who, "USDC", s.Amount("USDC", debt))); err != nil {
		return err
	}
	s.told.Newcomers = append(s.told.Newcomers, who)
	s.borrowers = append(s.borrowers, population.Borrower{Address: who, Kind: population.One, Collateral: "WETH", Debt: "USDC", Size: usd})
	return nil
}
