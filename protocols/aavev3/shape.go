package aavev3

import (
	"fmt"
	"slices"

	"liqwatch/chains"
	"liqwatch/protocols/abi"
)

// Storage slots of the pool, the same from 3.0.2 to 3.7, and those where tokens most
// likely keep balances. They are compared with views before they are relied on.
const (
	slotReserves   = 52
	slotUserConfig = 53
	slotUserEMode  = 56
	slotCollateral = 52
	slotDebt       = 56
	supplyAfter    = 2 // a token's scaled total supply lies so many slots after its balances
)

// shape is what a pool looks like: contracts, version, reserves and oracle. It is
// learned whole by open and never changes.
type shape struct {
	provider, pool, configurator chains.Address
	oracle, sentinel             chains.Address
	at                           chains.Block // where it was learned
	guard                        sentinel     // as it was there
	profile                      Profile
	quoteDecimals                int32
	reserves                     []reserve // as they were when the shape was learned
	modes                        []eMode
	tried                        bool                      // whether it does was looked at
	slots                        bool                      // the pool's storage lies where the constants say
	balances                     map[chains.Address]uint64 // slot of a token's balances, where known
	tokens                       map[chains.Address]token
	proxies                      map[chains.Address]struct{}
	followed                     []chains.Address
	oracles                      oracles
}

// names is the version as people call it and as the pool does.
func (s *shape) names() string {
	return fmt.Sprintf("%s (POOL_REVISION %d)", s.profile.Version, s.profile.Revision)
}

// index fills what is derived from the rest.
func (s *shape) index() {
	s.tokens = map[chains.Address]token{}
	s.proxies = map[chains.Address]struct{}{s.pool: {}, s.configurator: {}}
	s.followed = []chains.Address{s.pool, s.configurator, s.provider, s.oracle}
	for i := range s.reserves {
		r := &s.reserves[i]
		s.tokens[r.aToken] = token{asset: r.asset}
		s.tokens[r.debtToken] = token{asset: r.asset, debt: true}
		s.followed = append(s.followed, r.aToken, r.debtToken)
		if s.profile.StableDebt && !r.stableDebt.IsZero() {
			s.tokens[r.stableDebt] = token{asset: r.asset, debt: true}
			s.followed = append(s.followed, r.stableDebt)
		}
	}
	for a := range s.tokens {
		s.proxies[a] = struct{}{}
	}
	s.followed = append(s.followed, s.oracles.followed()...)
	slices.SortFunc(s.followed, func(a, b chains.Address) int { return slices.Compare(a[:], b[:]) })
	s.followed = slices.Compact(s.followed)
}

// readState asks what accrues and what governance sets of one reserve.
func (s *shape) readState(r *round, res *reserve, slots bool) {
	if slots && s.slots {
		base := abi.Slot(res.asset.Word(), slotReserves)
		reads := make([]chains.Read, 4)
		for i := range reads {
			reads[i] = chains.Slot(s.pool, abi.Offset(base, uint64(i)))
		}
		r.bulk(reads, func(answers []chains.Answer) error {
			words, err := slotWords(answers)
			if err != nil {
				return fmt.Errorf("read the reserve of %s: %w", res.asset, err)
			}
			res.params, res.state = stateFromSlots([4]word(words))
			if !s.profile.Grace {
				res.graceUntil = 0
			}
			return nil
		})
		return
	}
	r.view(s.pool, abi.Call("getReserveData(address)", res.asset.Word()), "getReserveData", func(data []byte) error {
		fresh, err := reserveFromView(data)
		if err != nil {
			return err
		}
		grace := res.graceUntil
		res.params, res.state = fresh.params, fresh.state
		res.graceUntil = grace
		return nil
	})
	if s.profile.Grace {
		r.view(s.pool, abi.Call("getLiquidationGracePeriod(address)", res.asset.Word()), "getLiquidationGracePeriod", func(data []byte) error {
			x, err := abi.Number(data, 0)
			res.graceUntil = x.Uint64()
			return err
		})
	}
}

// readTotals asks the reserve's own sums.
func (s *shape) readTotals(r *round, res *reserve, slots bool) {
	s.readSupply(r, res.aToken, &res.scaledSupply, slots)
	s.readSupply(r, res.debtToken, &res.scaledDebt, slots)
	if s.profile.StableDebt && !res.stableDebt.IsZero() {
		r.view(res.stableDebt, abi.Call("totalSupply()"), "totalSupply", func(data []byte) (err error) {
			res.stableSupply, err = abi.Number(data, 0)
			return err
		})
	}
	r.ask(chains.View(res.asset, abi.Call("balanceOf(address)", res.aToken.Word())), func(a chains.Answer) error {
		if x, err := abi.Number(a.Data, 0); err == nil && !a.Failed {
			res.held = x
		}
		return nil
	})
}

func (s *shape) readSupply(r *round, of chains.Address, dst *word, slots bool) {
	take := func(data []byte) (err error) {
		*dst, err = abi.Number(data, 0)
		return err
	}
	if slot, ok := s.balances[of]; ok && slots {
		r.ask(chains.Slot(of, abi.Uint(slot+supplyAfter)), func(a chains.Answer) error { return take(a.Data) })
		return
	}
	r.view(of, abi.Call("scaledTotalSupply()"), "scaledTotalSupply", take)
}

func slotWords(answers []chains.Answer) ([]word, error) {
	out := make([]word, len(answers))
	for i, a := range answers {
		if a.Failed {
			return nil, errReverted
		}
		x, err := abi.Number(a.Data, 0)
		if err != nil {
			return nil, err
		}
		out[i] = x
	}
	return out, nil
}
