package compoundv2

import (
	"errors"
	"fmt"
	"strings"

	"github.com/holiman/uint256"

	"liqwatch/chains"
	"liqwatch/protocols"
	"liqwatch/protocols/abi"
)

// askIdentity makes sure that the comptroller is one, and finds the profile.
func (p *pass) askIdentity() {
	c := p.m.settings.Comptroller
	p.ask(func(a []chains.Answer) error {
		if !isTrue(a[0]) {
			return fmt.Errorf("%s is not a comptroller of the Compound v2 family: isComptroller() did not answer true (want the address of the Unitroller proxy)", p.m.id(c))
		}
		if !p.m.fixed {
			p.table.profile = Plain
			if !a[1].Failed && len(a[1].Data) == 32 {
				p.table.profile = Venus
			}
		}
		p.askParameters()
		return nil
	}, call(c, "isComptroller()"), call(c, "lastPoolId()"))
}

// askParameters reads what the comptroller holds, and the markets it lists now.
func (p *pass) askParameters() {
	c := p.m.settings.Comptroller
	p.ask(p.takeParameters,
		call(c, "getAllMarkets()"), call(c, "oracle()"), call(c, "closeFactorMantissa()"),
		call(c, "liquidationIncentiveMantissa()"), call(c, "vaiController()"), call(c, "lastPoolId()"),
		call(c, "protocolPaused()"), call(c, "seizeGuardianPaused()"))
}

func (p *pass) takeParameters(a []chains.Answer) error {
	t := p.table
	if a[0].Failed {
		return errors.New("getAllMarkets(): the comptroller refused the call; only descendants of Compound v2 that list their markets can be read")
	}
	tokens, err := abi.List(a[0].Data, 0)
	if err != nil {
		return fmt.Errorf("getAllMarkets(): %w", err)
	}
	if t.closeFactor, err = number(a[2], "closeFactorMantissa()"); err != nil {
		return err
	}
	oracle := addressOrZero(a[1])
	if oracle.IsZero() {
		return errors.New("oracle(): the comptroller has no price oracle")
	}
	t.halted = isTrue(a[6]) || isTrue(a[7])
	incentive := orZero(a[3])
	if vai := addressOrZero(a[4]); vai != t.vai {
		p.adoptVAI(vai)
	}
	if oracle != t.oracle {
		p.adoptOracle(oracle)
	}
	pools := orZero(a[5])
	t.pools = map[uint64]pool{}
	for _, w := range tokens {
		if i := t.find(w.Address()); i < 0 {
			p.askListing(w.Address(), incentive, nil)
		}
	}
	for i := range t.list {
		if !t.list[i].vai {
			p.askRisk(i, incentive)
		}
	}
	p.askPools(pools.Uint64())
	return nil
}

func (p *pass) adoptVAI(vai chains.Address) {
	p.table.vai = vai
	if !vai.IsZero() && p.table.vaiPlace() < 0 {
		i := p.table.add(listing{Asset: protocols.Asset{Symbol: "VAI", Address: vai, Decimals: 18}, vai: true})
		p.table.prices[i] = *wad
		p.table.risks[i] = risk{listed: true}
		p.table.classes[i] = class{how: "structure", note: "the comptroller counts a VAI as one dollar"}
	}
	if !vai.IsZero() {
		p.askVAIIndex()
	}
}

func (p *pass) askVAIIndex() {
	p.ask(func(a []chains.Answer) error {
		var err error
		p.table.vaiIndex, err = number(a[0], "vaiMintIndex()")
		return err
	}, call(p.table.vai, "vaiMintIndex()"))
}

// adoptOracle looks for a poster behind the oracle, and takes prices from it.
func (p *pass) adoptOracle(oracle chains.Address) {
	p.table.oracle = oracle
	if p.m.profile.PricesInNative {
		p.ask(func(a []chains.Answer) error {
			p.table.poster = addressOrZero(a[0])
			if p.table.poster.IsZero() {
				p.table.poster = oracle
			}
			return nil
		}, call(oracle, "v1PriceOracle()"))
	}
	if !p.opening {
		p.askPrices()
	}
}

// askListing learns a market not known yet, and then runs what waits for it. Many
// may wait for the same.
func (p *pass) askListing(token chains.Address, incentive uint256.Int, then func(int)) {
	waiting, asked := p.waiting[token]
	if then != nil {
		waiting = append(waiting, then)
	}
	if p.waiting[token] = waiting; asked {
		return
	}
	p.ask(func(a []chains.Answer) error {
		l := listing{token: token, tokenSymbol: abi.Text(a[0].Data)}
		underlying := addressOrZero(a[1])
		if seconds := !a[2].Failed && len(a[2].Data) == 32; seconds != p.table.profile.Seconds {
			if p.m.fixed {
				return fmt.Errorf("profile %s: market %s accrues by %s, so this is another kind of deployment (leave profile out to have it found)",
					p.table.profile.Name, p.m.id(token), map[bool]string{true: "the second", false: "the block"}[seconds])
			}
			p.table.profile.Seconds = seconds
		}
		if underlying.IsZero() {
			p.adoptNative(l, incentive)
			return nil
		}
		p.ask(func(a []chains.Answer) error {
			return p.adoptListing(l, underlying, a, incentive)
		}, call(underlying, "symbol()"), call(underlying, "decimals()"))
		return nil
	}, call(token, "symbol()"), call(token, "underlying()"), call(token, "accrualBlockTimestamp()"))
}

// adoptNative adds the market of the chain's own coin, which has no underlying():
// 6 decimals on TRON, 18 elsewhere, and a name only through its cToken.
func (p *pass) adoptNative(l listing, incentive uint256.Int) {
	l.native = true
	l.Symbol = strings.TrimLeft(l.tokenSymbol, "abcdefghijklmnopqrstuvwxyz")
	l.Decimals = 18
	if p.m.can.Base58 {
		l.Decimals = 6
	}
	p.adopted(p.table.add(l), incentive)
}

func (p *pass) adoptListing(l listing, underlying chains.Address, a []chains.Answer, incentive uint256.Int) error {
	l.Address = underlying
	l.Symbol = abi.Text(a[0].Data)
	if l.Symbol == "" {
		l.Symbol = strings.TrimLeft(l.tokenSymbol, "abcdefghijklmnopqrstuvwxyz")
	}
	decimals, err := number(a[1], "decimals() of "+p.m.id(underlying))
	if err != nil {
		return err
	}
	if !decimals.LtUint64(37) {
		return fmt.Errorf("decimals() of %s: %s is not possible for a market priced with 36 digits", p.m.id(underlying), decimals.Dec())
	}
	l.Decimals = int32(decimals.Uint64())
	p.adopted(p.table.add(l), incentive)
	return nil
}

func (p *pass) adopted(i int, incentive uint256.Int) {
	p.table.classes[i] = classify(p.table.list[i].Symbol)
	if l := &p.table.list[i]; l.native && p.m.profile.PricesInNative {
		p.table.classes[i] = class{base: l.Symbol, how: "structure", note: "the oracle's prices are in it: when it moves, every other price moves the other way"}
	}
	p.askRisk(i, incentive)
	if !p.opening {
		p.askState(i)
		p.askPrice(i)
	}
	token := p.table.list[i].token
	for _, then := range p.waiting[token] {
		then(i)
	}
	delete(p.waiting, token)
}

// askRisk reads what the comptroller holds for one market. markets(cToken) has
// three words in Compound v2, seven where thresholds are apart.
func (p *pass) askRisk(i int, incentive uint256.Int) {
	c, token := p.m.settings.Comptroller, p.table.list[i].token
	seize, liquidate := abi.Uint(4), abi.Uint(5)
	p.ask(func(a []chains.Answer) error {
		if a[0].Failed {
			return fmt.Errorf("markets(%s): the comptroller refused the call", p.m.id(token))
		}
		r, err := parseRisk(a[0].Data, incentive)
		if err != nil {
			return fmt.Errorf("markets(%s): %w", p.m.id(token), err)
		}
		r.forced = isTrue(a[1])
		r.paused = isTrue(a[2]) || isTrue(a[3])
		p.table.risks[i] = r
		p.table.states[i].reserveFactor = orZero(a[4])
		p.table.states[i].protocolSeize = orZero(a[5])
		return nil
	}, call(c, "markets(address)", token.Word()), call(c, "isForcedLiquidationEnabled(address)", token.Word()),
		call(c, "actionPaused(address,uint8)", token.Word(), seize), call(c, "actionPaused(address,uint8)", token.Word(), liquidate),
		call(token, "reserveFactorMantissa()"), call(token, "protocolSeizeShareMantissa()"))
}

// parseRisk reads (isListed, collateralFactor, ...) and, where there are as many,
// (isListed, collateralFactor, isVenus, liquidationThreshold, liquidationIncentive, ...).
func parseRisk(data []byte, incentive uint256.Int) (risk, error) {
	listed, err := abi.Number(data, 0)
	if err != nil {
		return risk{}, err
	}
	r := risk{listed: !listed.IsZero(), incentive: incentive}
	if len(data) >= 7*32 {
		if r.weight, err = abi.Number(data, 3); err != nil {
			return risk{}, err
		}
		r.incentive, err = abi.Number(data, 4)
		return r, err
	}
	r.weight, err = abi.Number(data, 1)
	return r, err
}

// askPools reads Venus' pools 1..last and what each lists.
func (p *pass) askPools(last uint64) {
	const most = 256
	c := p.m.settings.Comptroller
	for id := uint64(1); id <= min(last, most); id++ {
		p.ask(func(a []chains.Answer) error {
			if a[0].Failed {
				return nil
			}
			// pools(id) is (string label, bool isActive, bool allowCorePoolFallback).
			active, err := abi.Number(a[0].Data, 1)
			if err != nil {
				return fmt.Errorf("pools(%d): %w", id, err)
			}
			fallsBack, err := abi.Number(a[0].Data, 2)
			if err != nil {
				return fmt.Errorf("pools(%d): %w", id, err)
			}
			p.table.pools[id] = pool{active: !active.IsZero(), fallsBack: !fallsBack.IsZero(), risks: map[int]risk{}}
			for i := range p.table.list {
				if !p.table.list[i].vai {
					p.askPoolMarket(id, i)
				}
			}
			return nil
		}, call(c, "pools(uint96)", abi.Uint(id)))
	}
}

func (p *pass) askPoolMarket(id uint64, market int) {
	token := p.table.list[market].token
	p.ask(func(a []chains.Answer) error {
		if a[0].Failed {
			return nil
		}
		r, err := parseRisk(a[0].Data, uint256.Int{})
		if err != nil {
			return fmt.Errorf("poolMarkets(%d, %s): %w", id, token, err)
		}
		if r.listed {
			p.table.pools[id].risks[market] = r
		}
		return nil
	}, call(p.m.settings.Comptroller, "poolMarkets(uint96,address)", abi.Uint(id), token.Word()))
}
