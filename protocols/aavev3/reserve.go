package aavev3

import (
	"github.com/holiman/uint256"

	"liqwatch/chains"
	"liqwatch/protocols/abi"
)

// maxReserves is how many reserves a pool can ever have: userConfig has two bits for each.
const maxReserves = 128

// reserve is one asset of the pool as it stands on the chain.
type reserve struct {
	id         uint16
	asset      chains.Address
	symbol     string
	aToken     chains.Address
	debtToken  chains.Address
	stableDebt chains.Address // zero where the version has none
	params
	state
	// Totals in token units: scaled as the tokens keep them, and the underlying held by the aToken.
	scaledSupply, scaledDebt, held uint256.Int
	stableSupply                   uint256.Int // owed at stable rates, interest included (3.0 and 3.1)
}

// params are what governance sets, from the configuration bitmap.
type params struct {
	word           uint256.Int
	ltv, lt, bonus uint16
	decimals       uint8
	active, frozen bool
	paused         bool
	protocolFee    uint16
	eModeCategory  uint8 // before 3.2
	graceUntil     uint64
	unit           uint256.Int // 10^decimals, 1 for 0 decimals
}

// state is what accrues.
type state struct {
	liquidityIndex, liquidityRate uint256.Int
	borrowIndex, borrowRate       uint256.Int
	updated                       uint64
}

func field(word *uint256.Int, from, width uint) uint64 {
	var x uint256.Int
	x.Rsh(word, from)
	return x.Uint64() & (1<<width - 1)
}

// decodeParams takes the configuration bitmap apart (ReserveConfiguration).
func decodeParams(word *uint256.Int) params {
	p := params{
		word: *word,
		ltv:  uint16(field(word, 0, 16)), lt: uint16(field(word, 16, 16)), bonus: uint16(field(word, 32, 16)),
		decimals: uint8(field(word, 48, 8)),
		active:   field(word, 56, 1) == 1, frozen: field(word, 57, 1) == 1, paused: field(word, 60, 1) == 1,
		protocolFee: uint16(field(word, 152, 16)), eModeCategory: uint8(field(word, 168, 8)),
	}
	p.unit.Exp(uint256.NewInt(10), uint256.NewInt(uint64(p.decimals)))
	return p
}

// reserveFromView reads what Pool.getReserveData returned; its words are the same in every version.
func reserveFromView(data []byte) (reserve, error) {
	var r reserve
	if _, err := abi.Word(data, 11); err != nil {
		return r, err
	}
	n := func(i int) uint256.Int { x, _ := abi.Number(data, i); return x }
	word := n(0)
	r.params = decodeParams(&word)
	updated, id := n(6), n(7)
	r.state = state{liquidityIndex: n(1), liquidityRate: n(2), borrowIndex: n(3), borrowRate: n(4), updated: updated.Uint64()}
	r.id = uint16(id.Uint64())
	var err error
	for i, to := range map[int]*chains.Address{8: &r.aToken, 9: &r.stableDebt, 10: &r.debtToken} {
		if *to, err = abi.Address(data, i); err != nil {
			return r, err
		}
	}
	return r, nil
}

// stateFromSlots reads the four first words of the reserve's struct: configuration,
// two pairs of index and rate, and the word with the time of the last update.
func stateFromSlots(words [4]uint256.Int) (params, state) {
	p := decodeParams(&words[0])
	low := func(x *uint256.Int) uint256.Int { return uint256.Int{x[0], x[1]} }
	high := func(x *uint256.Int) uint256.Int { return uint256.Int{x[2], x[3]} }
	s := state{
		liquidityIndex: low(&words[1]), liquidityRate: high(&words[1]),
		borrowIndex: low(&words[2]), borrowRate: high(&words[2]),
		updated: field(&words[3], 128, 40),
	}
	p.graceUntil = field(&words[3], 184, 40)
	return p, s
}

// eMode is one efficiency-mode category.
type eMode struct {
	id             uint8
	ltv, lt, bonus uint16
	priceSource    chains.Address // before 3.2
	collateral     u128           // bitmap by reserve id, 3.2 and later
	ltvZero        u128           // 3.6 and later
}

func (b u128) bit(i uint16) bool {
	if i >= 64 {
		return b.hi>>(i-64)&1 == 1
	}
	return b.lo>>i&1 == 1
}

// has reports whether the category's own parameters hold for collateral in a reserve.
func (e *eMode) has(p *Profile, r *reserve) bool {
	if e == nil || e.id == 0 {
		return false
	}
	if p.Bitmaps {
		return e.collateral.bit(r.id)
	}
	return r.eModeCategory == e.id
}

// exists tells a category from an id that was never set.
func (e *eMode) exists() bool { return e.lt != 0 || e.ltv != 0 || !e.collateral.isZero() }
