package aavev3

import (
	"errors"
	"fmt"

	"github.com/holiman/uint256"

	"liqwatch/chains"
	"liqwatch/protocols"
	"liqwatch/protocols/abi"
	"liqwatch/protocols/feeds"
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
	where  string
	fork   Fork
	can    chains.Capabilities
	then   func(*shape) (protocols.Step, error)
	listed []chains.Hash // the pool's reserves
}

// open learns the shape and hands it to then.
func (m *Market) open(at chains.Block, can chains.Capabilities, then func(*shape) (protocols.Step, error)) protocols.Step {
	o := &opening{
		shape: &shape{provider: m.settings.Provider, at: at, balances: map[chains.Address]uint64{}},
		where: fmt.Sprintf("open %s on %s", m.where.Name, m.where.Chain),
		fork:  m.settings.Fork, can: can, then: then,
	}
	return o.named(o.everything(0, guessedReserves))
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

// guessedReserves is how many reserves are asked about before it is known how many
// there are; a pool with more takes another round.
const guessedReserves = 64

// everything asks all there is to know but prices' movements in one round: each read
// takes the contracts it is about from the answers before it.
func (o *opening) everything(from, to int) protocols.Step {
	var r round
	o.oracles.begin()
	named := o.contracts(&r)
	list := o.version(&r, named)
	for i := from; i < to; i++ {
		o.reserve(&r, named, list, i)
	}
	return r.step(func() (protocols.Step, error) {
		if to < len(o.listed) {
			return o.everything(to, len(o.listed)), nil
		}
		if err := o.sort(); err != nil {
			return protocols.Step{}, err
		}
		nameTwins(o.reserves)
		return o.oracles.learn(o, depth, func() (protocols.Step, error) {
			o.index()
			return o.then(o.shape)
		})
	})
}

// contracts are the positions of reads that name contracts.
type contracts struct{ pool, oracle, sentinel int }

func (o *opening) contracts(r *round) contracts {
	ask := func(signature string, dst *chains.Address, must bool) int {
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
		return len(r.reads) - 1
	}
	var at contracts
	at.pool = ask("getPool()", &o.pool, true)
	ask("getPoolConfigurator()", &o.configurator, true)
	at.oracle = ask("getPriceOracle()", &o.oracle, true)
	at.sentinel = ask("getPriceOracleSentinel()", &o.shape.sentinel, false)
	r.then(func() error {
		if o.pool.IsZero() || o.oracle.IsZero() {
			return fmt.Errorf("the PoolAddressesProvider %s names no pool or no oracle at block %d: the market is not set up yet", o.provider, o.at.Number)
		}
		return nil
	})
	return at
}

// version asks the pool and the oracle what they are, and returns where the pool's
// reserves are listed.
func (o *opening) version(r *round, named contracts) int {
	r.must(chains.At(abi.Call("POOL_REVISION()"), r.link(named.pool, 0)), &o.pool, "POOL_REVISION", func(data []byte) error {
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
	list := len(r.reads)
	r.must(chains.At(abi.Call("getReservesList()"), r.link(named.pool, 0)), &o.pool, "getReservesList", func(data []byte) (err error) {
		if o.listed, err = abi.List(data, 0); err != nil {
			return err
		}
		if offset, _ := abi.Number(data, 0); offset.CmpUint64(32) != 0 {
			return errors.New("the list is not where its kind of answer has it")
		}
		if len(o.listed) == 0 {
			return errors.New("the pool has no reserves at this block")
		}
		if len(o.listed) > maxReserves {
			return fmt.Errorf("the pool names %d reserves, more than the %d there can be", len(o.listed), maxReserves)
		}
		return nil
	})
	r.must(chains.At(abi.Call("BASE_CURRENCY_UNIT()"), r.link(named.oracle, 0)), &o.oracle, "BASE_CURRENCY_UNIT", func(data []byte) error {
		unit, err := abi.Number(data, 0)
		if err != nil {
			return err
		}
		o.quoteDecimals, err = decimalsOf(&unit)
		return err
	})
	r.ask(chains.At(abi.Call("BASE_CURRENCY()"), r.link(named.oracle, 0)), func(a chains.Answer) error {
		if x, err := abi.Address(a.Data, 0); err == nil && !a.Failed && !x.IsZero() {
			return fmt.Errorf("the oracle quotes in the token %s and not in USD: markets like that are not supported", x)
		}
		return nil
	})
	r.ask(chains.At(abi.Call("isLiquidationAllowed()"), r.link(named.sentinel, 0)), func(a chains.Answer) error {
		if o.profile.Sentinel && !o.shape.sentinel.IsZero() {
			o.guard = allowedBy(a)
		}
		return nil
	})
	return list
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

// reserve asks everything about the i-th of the listed reserves, if there are so many.
func (o *opening) reserve(r *round, named contracts, list, i int) {
	var res reserve
	var price word
	there := func() bool { return i < len(o.listed) }
	// Words 0 and 1 of the list are its offset and length.
	asset := func() chains.Link { return r.into(0, list, 2+i) }
	data := len(r.reads)
	r.ask(chains.At(openCall("getReserveData(address)"), r.link(named.pool, 0)).With(asset()), func(a chains.Answer) error {
		if !there() {
			return nil
		}
		of := o.listed[i].Address()
		if a.Failed {
			return fmt.Errorf("read getReserveData of %s: %w", of, errReverted)
		}
		fresh, err := reserveFromView(a.Data)
		if err != nil {
			return fmt.Errorf("read getReserveData of %s: %w", of, err)
		}
		if fresh.aToken.IsZero() || fresh.debtToken.IsZero() {
			return fmt.Errorf("the reserve of %s has no tokens", of)
		}
		res, res.asset = fresh, of
		return nil
	})
	number := func(read chains.Read, must func() bool, what string, dst *word) {
		r.ask(read, func(a chains.Answer) error {
			x, err := abi.Number(a.Data, 0)
			if err == nil && !a.Failed {
				*dst = x
			} else if there() && must() {
				return fmt.Errorf("read %s of the reserve of %s: %w", what, res.asset, errReverted)
			}
			return nil
		})
	}
	always, never := func() bool { return true }, func() bool { return false }
	stable := func() bool { return o.profile.StableDebt && !res.stableDebt.IsZero() }
	var grace word
	number(chains.At(openCall("getLiquidationGracePeriod(address)"), r.link(named.pool, 0)).With(asset()), func() bool { return o.profile.Grace }, "getLiquidationGracePeriod", &grace)
	number(chains.At(abi.Call("scaledTotalSupply()"), r.link(data, 8)), always, "scaledTotalSupply", &res.scaledSupply)
	number(chains.At(abi.Call("scaledTotalSupply()"), r.link(data, 10)), always, "scaledTotalSupply", &res.scaledDebt)
	number(chains.At(abi.Call("totalSupply()"), r.link(data, 9)), stable, "totalSupply", &res.stableSupply)
	number(chains.At(openCall("balanceOf(address)"), r.link(list, 2+i)).With(r.into(0, data, 8)), never, "balanceOf", &res.held)
	number(chains.At(openCall("getAssetPrice(address)"), r.link(named.oracle, 0)).With(asset()), never, "getAssetPrice", &price)
	r.ask(chains.At(abi.Call("symbol()"), r.link(list, 2+i)), func(a chains.Answer) error {
		if !a.Failed {
			res.symbol = abi.Text(a.Data)
		}
		return nil
	})
	source := len(r.reads)
	var at chains.Address
	r.ask(chains.At(openCall("getSourceOfAsset(address)"), r.link(named.oracle, 0)).With(asset()), func(a chains.Answer) error {
		if x, err := abi.Address(a.Data, 0); err == nil && !a.Failed {
			at = x
		}
		return nil
	})
	r.bulk(feeds.Deep(r.link(source, 0)), func(answers []chains.Answer) error {
		if !there() {
			return nil
		}
		if o.profile.Grace {
			res.graceUntil = grace.Uint64()
		}
		if !stable() {
			res.stableSupply = word{}
		}
		o.reserves = append(o.reserves, res)
		o.oracles.found(at, price, feeds.DecodeDeep(at, answers))
		return nil
	})
}

// openCall is a call whose argument is taken from another answer.
func openCall(signature string) []byte { return abi.Call(signature, chains.Hash{}) }

// sort makes sure that every reserve has an id of its own, the position of its bits
// in what accounts use.
func (o *opening) sort() error {
	seen := map[uint16]bool{}
	for i := range o.reserves {
		r := &o.reserves[i]
		if r.id >= maxReserves || seen[r.id] {
			return fmt.Errorf("the reserve of %s has the id %d, which cannot be", r.asset, r.id)
		}
		seen[r.id] = true
	}
	return nil
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
		readBitmaps(r, o.shape, &modes[i])
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

// keepModes keeps the categories that were ever set.
func (o *opening) keepModes(modes []eMode) {
	for i := range modes {
		if modes[i].exists() {
			o.modes = append(o.modes, modes[i])
		}
	}
}
