package aavev3

import (
	"errors"
	"fmt"

	"github.com/holiman/uint256"

	"liqwatch/chains"
	"liqwatch/protocols"
	"liqwatch/protocols/abi"
)

type word = uint256.Int

// Open implements [protocols.Market].
func (m *Market) Open(at chains.Block, can chains.Capabilities) protocols.Step {
	return m.open(at, can, func(s *shape) (protocols.Step, error) {
		m.shape, m.can = s, can
		return protocols.Step{}, nil
	})
}

// opening is a shape on its way: each method is one round of reads.
type opening struct {
	*shape
	where string
	fork  Fork
	slots bool // the node gives slots
	at    chains.Block
	can   chains.Capabilities
	then  func(*shape) (protocols.Step, error)
	byID  [maxReserves]chains.Address
}

// open learns the shape and hands it to then.
func (m *Market) open(at chains.Block, can chains.Capabilities, then func(*shape) (protocols.Step, error)) protocols.Step {
	o := &opening{
		shape: &shape{provider: m.settings.Provider, balances: map[chains.Address]uint64{}},
		where: fmt.Sprintf("open %s on %s", m.where.Name, m.where.Chain),
		fork:  m.settings.Fork, slots: can.Slots, at: at, can: can, then: then,
	}
	return o.named(o.contracts())
}

// named puts what was being done before every error.
func (o *opening) named(s protocols.Step) protocols.Step {
	if s.Done() {
		return s
	}
	then := s.Then
	s.Then = func(answers []chains.Answer) (protocols.Step, error) {
		next, err := then(answers)
		if err != nil {
			return protocols.Step{}, fmt.Errorf("%s: %w", o.where, err)
		}
		return o.named(next), nil
	}
	return s
}

func (o *opening) contracts() protocols.Step {
	var r round
	ask := func(signature string, dst *chains.Address, must bool) {
		r.ask(chains.View(o.provider, abi.Call(signature)), func(a chains.Answer) error {
			x, err := abi.Address(a.Data, 0)
			switch {
			case err == nil && !a.Failed:
				*dst = x
			case !must:
			case !a.Failed && len(a.Data) == 0:
				return fmt.Errorf("%s has no contract at block %d: check the address, the chain and the block", o.provider, o.at.Number)
			default:
				return fmt.Errorf("%s is not a PoolAddressesProvider: it does not answer %s; it is the provider's address that is wanted, not the pool's", o.provider, signature)
			}
			return nil
		})
	}
	ask("getPool()", &o.pool, true)
	ask("getPoolConfigurator()", &o.configurator, true)
	ask("getPriceOracle()", &o.oracle, true)
	ask("getPriceOracleSentinel()", &o.sentinel, false)
	return r.step(func() (protocols.Step, error) {
		if o.pool.IsZero() || o.oracle.IsZero() {
			return protocols.Step{}, fmt.Errorf("the PoolAddressesProvider %s names no pool or no oracle at block %d: the market is not set up yet", o.provider, o.at.Number)
		}
		return o.version(), nil
	})
}

func (o *opening) version() protocols.Step {
	var r round
	r.view(o.pool, abi.Call("POOL_REVISION()"), "POOL_REVISION", func(data []byte) error {
		x, err := abi.Number(data, 0)
		if err != nil {
			return err
		}
		revision := uint64(newestRevision + 1)
		if x.IsUint64() {
			revision = x.Uint64()
		}
		o.profile, err = ProfileOf(revision, o.fork)
		return err
	})
	var listed []chains.Hash
	r.view(o.pool, abi.Call("getReservesList()"), "getReservesList", func(data []byte) (err error) {
		listed, err = abi.List(data, 0)
		return err
	})
	for i := range o.byID {
		r.ask(chains.View(o.pool, abi.Call("getReserveAddressById(uint16)", abi.Uint(uint64(i)))), func(a chains.Answer) error {
			if x, err := abi.Address(a.Data, 0); err == nil && !a.Failed {
				o.byID[i] = x
			}
			return nil
		})
	}
	r.view(o.oracle, abi.Call("BASE_CURRENCY_UNIT()"), "BASE_CURRENCY_UNIT", func(data []byte) error {
		unit, err := abi.Number(data, 0)
		if err != nil {
			return err
		}
		o.quoteDecimals, err = decimalsOf(&unit)
		return err
	})
	r.ask(chains.View(o.oracle, abi.Call("BASE_CURRENCY()")), func(a chains.Answer) error {
		if x, err := abi.Address(a.Data, 0); err == nil && !a.Failed && !x.IsZero() {
			return fmt.Errorf("the oracle quotes in the token %s and not in USD: markets like that are not supported", x)
		}
		return nil
	})
	return r.step(func() (protocols.Step, error) {
		if len(listed) == 0 {
			return protocols.Step{}, errors.New("the pool has no reserves at this block")
		}
		if len(listed) > maxReserves {
			return protocols.Step{}, fmt.Errorf("the pool names %d reserves, more than the %d there can be", len(listed), maxReserves)
		}
		if o.byID[0].IsZero() && o.byID[1].IsZero() {
			for i := range listed { // a pool without getReserveAddressById never dropped one
				o.byID[i] = listed[i].Address()
			}
		}
		return o.assets(), nil
	})
}

// decimalsOf is n for 10^n.
func decimalsOf(unit *uint256.Int) (int32, error) {
	x := uint256.NewInt(1)
	for n := int32(0); n <= 36; n++ {
		if x.Eq(unit) {
			return n, nil
		}
		x.Mul(x, uint256.NewInt(10))
	}
	return 0, fmt.Errorf("%s is not a power of ten", unit.Dec())
}

func (o *opening) assets() protocols.Step {
	var r round
	for id, asset := range o.byID {
		if !asset.IsZero() {
			o.reserves = append(o.reserves, reserve{id: uint16(id), asset: asset})
		}
	}
	for i := range o.reserves {
		res := &o.reserves[i]
		r.view(o.pool, abi.Call("getReserveData(address)", res.asset.Word()), "getReserveData", func(data []byte) error {
			fresh, err := reserveFromView(data)
			if err != nil {
				return err
			}
			if fresh.aToken.IsZero() || fresh.debtToken.IsZero() {
				return fmt.Errorf("the reserve of %s has no tokens", res.asset)
			}
			fresh.id, fresh.asset, fresh.symbol = res.id, res.asset, res.symbol
			*res = fresh
			return nil
		})
		r.ask(chains.View(res.asset, abi.Call("symbol()")), func(a chains.Answer) error {
			if !a.Failed {
				res.symbol = abi.Text(a.Data)
			}
			return nil
		})
		o.oracles.readSource(&r, o.oracle, i, res.asset)
	}
	modes := o.readModes(&r)
	return r.step(func() (protocols.Step, error) {
		for i := range modes {
			if modes[i].exists() {
				o.modes = append(o.modes, modes[i])
			}
		}
		nameTwins(o.reserves)
		return o.tokensAndModes(), nil
	})
}

// nameTwins gives assets without a symbol, or with another's, a name of their own.
func nameTwins(list []reserve) {
	seen := map[string]bool{}
	for i := range list {
		r := &list[i]
		if r.symbol == "" || seen[r.symbol] {
			if r.symbol == "" {
				r.symbol = "token"
			}
			r.symbol += "-" + r.asset.String()[2:8]
		}
		seen[r.symbol] = true
	}
}

// readModes asks all categories there can be.
func (o *opening) readModes(r *round) []eMode {
	modes := make([]eMode, 255)
	for i := range modes {
		modes[i].id = uint8(i + 1)
		readMode(r, o.shape, &modes[i])
	}
	return modes
}

// readMode asks a category's parameters; a pool without it answers zeros.
func readMode(r *round, s *shape, m *eMode) {
	id := abi.Uint(uint64(m.id))
	parameters := func(data []byte) {
		n := func(i int) uint64 { x, _ := abi.Number(data, i); return x.Uint64() }
		m.ltv, m.lt, m.bonus = uint16(n(0)), uint16(n(1)), uint16(n(2))
	}
	if !s.profile.Bitmaps {
		r.ask(chains.View(s.pool, abi.Call("getEModeCategoryData(uint8)", id)), func(a chains.Answer) error {
			body, err := abi.Tail(a.Data, 0)
			if err != nil || a.Failed {
				return fmt.Errorf("read e-mode category %d: %w", m.id, errors.Join(err, errReverted))
			}
			parameters(body)
			m.priceSource, err = abi.Address(body, 3)
			return err
		})
		return
	}
	r.view(s.pool, abi.Call("getEModeCategoryCollateralConfig(uint8)", id), "getEModeCategoryCollateralConfig", func(data []byte) error {
		parameters(data)
		return nil
	})
}

// readBitmaps asks which assets a category lists.
func readBitmaps(r *round, s *shape, m *eMode) {
	if !s.profile.Bitmaps {
		return
	}
	ask := func(signature string, dst *u128) {
		r.view(s.pool, abi.Call(signature, abi.Uint(uint64(m.id))), signature, func(data []byte) error {
			x, err := abi.Number(data, 0)
			*dst, _ = fromUint256(&x)
			return err
		})
	}
	ask("getEModeCategoryCollateralBitmap(uint8)", &m.collateral)
	if s.profile.EModeBeforeLTV {
		ask("getEModeCategoryLtvzeroBitmap(uint8)", &m.ltvZero)
	}
}

func (o *opening) tokensAndModes() protocols.Step {
	var r round
	for i := range o.modes {
		readBitmaps(&r, o.shape, &o.modes[i])
	}
	for i := range o.reserves {
		o.readTotals(&r, &o.reserves[i])
	}
	o.checkLayout(&r)
	o.oracles.begin(&r, o)
	return r.step(func() (protocols.Step, error) {
		return o.oracles.learn(o, depth, func() (protocols.Step, error) {
			o.index()
			return o.then(o.shape)
		})
	})
}

// checkLayout compares the storage of the pool with its views, and finds where the
// tokens keep balances.
func (o *opening) checkLayout(r *round) {
	if !o.slots {
		return
	}
	probe := *o.shape
	probe.slots = true
	same := true
	for i := range o.reserves {
		want := &o.reserves[i]
		got := *want
		probe.readState(r, &got)
		r.ask(chains.Slot(o.pool, abi.Offset(abi.Slot(want.asset.Word(), slotReserves), 4)), func(a chains.Answer) error {
			x, err := abi.Number(a.Data, 0)
			token := chains.Hash(x.Bytes32()).Address()
			same = same && err == nil && token == want.aToken && got.word == want.word && got.state == want.state
			o.shape.slots = same
			return nil
		})
		o.findBalances(r, want.aToken, &want.scaledSupply)
		o.findBalances(r, want.debtToken, &want.scaledDebt)
	}
}

// A token's balances lie behind its 52 slots of VersionedInitializable, and behind
// what a debt token keeps of its own: somewhere in here.
const firstBalances, lastBalances = 52, 62

// findBalances finds a token's slots by the total that lies beside the balances. A
// token with nothing in it cannot be told apart and is read by views.
func (o *opening) findBalances(r *round, token chains.Address, supply *word) {
	var reads []chains.Read
	for slot := uint64(firstBalances); slot <= lastBalances; slot++ {
		reads = append(reads, chains.Slot(token, abi.Uint(slot+supplyAfter)))
	}
	r.bulk(reads, func(answers []chains.Answer) error {
		words, err := slotWords(answers)
		if err != nil || supply.IsZero() {
			return nil
		}
		for i := range words {
			if words[i] == *supply {
				o.balances[token] = uint64(firstBalances + i)
				return nil
			}
		}
		return nil
	})
}
