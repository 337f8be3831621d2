package vaults

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/holiman/uint256"
	"github.com/shopspring/decimal"

	"liqwatch/protocols/sky"
)

// parameter is one change of a parameter of the ilk.
type parameter struct {
	time uint64
	name string
	to   decimal.Decimal
}

// The parameters that the arithmetic needs, as the export names them.
const (
	paramMat  = "SPOTTER.ilks.mat"
	paramDuty = "JUG.ilks.duty"
	paramDust = "VAT.ilks.dust"
	paramChop = "DOG.ilks.chop"
	paramCat  = "CAT.ilks.chop" // before liquidations 2.0
)

func (s *source) readParameters(dir string) error {
	const name = "parameters.csv"
	err := s.each(dir, name, []string{"TIMESTAMP", "PARAMETER", "TO_VALUE"}, func(r row, line int) error {
		kind, err := r.field("PARAMETER")
		if err != nil {
			return err
		}
		switch kind {
		case paramMat, paramDuty, paramDust, paramChop, paramCat:
		default:
			return nil // the debt ceiling and auction settings do not enter
		}
		p := parameter{name: kind}
		if p.time, err = s.time(r, "TIMESTAMP", name, line); err != nil {
			return err
		}
		text, err := r.field("TO_VALUE")
		if err != nil {
			return err
		}
		if p.to, err = decimal.NewFromString(text); err != nil || p.to.IsNegative() {
			return fmt.Errorf("%s %q is not a value", kind, text)
		}
		s.params = append(s.params, p)
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortStableFunc(s.params, func(a, b parameter) int { return cmp.Compare(a.time, b.time) })
	for _, need := range []string{paramMat, paramDuty} {
		if !slices.ContainsFunc(s.params, func(p parameter) bool { return p.name == need }) {
			return fmt.Errorf("read vaults: %s: no row with parameter %s", name, need)
		}
	}
	return nil
}

// rates is the stability fee over time: the rate a drip would give at any moment.
type rates struct {
	since []uint64      // start of each fee
	fee   []uint256.Int // ray per second
	at    []uint256.Int // rate at its start
}

// newRates compounds the fees from the ilk's start, at which the rate is 1.
func newRates(params []parameter) (*rates, error) {
	r := &rates{}
	for _, p := range params {
		if p.name != paramDuty {
			continue
		}
		fee, err := sky.FeePerSecond(p.to)
		if err != nil {
			return nil, err
		}
		rate := ray.Clone()
		if n := len(r.since); n > 0 {
			if rate, err = sky.Drip(&r.at[n-1], &r.fee[n-1], p.time-r.since[n-1]); err != nil {
				return nil, err
			}
		}
		r.since, r.fee, r.at = append(r.since, p.time), append(r.fee, *fee), append(r.at, *rate)
	}
	return r, nil
}

// rate is what a drip at that moment would give.
func (r *rates) rate(t uint64) (uint256.Int, error) {
	i, ok := slices.BinarySearch(r.since, t)
	if !ok {
		i--
	}
	if i < 0 {
		return *ray, nil
	}
	rate, err := sky.Drip(&r.at[i], &r.fee[i], t-r.since[i])
	if err != nil {
		return uint256.Int{}, err
	}
	return *rate, nil
}

var ray = uint256.MustFromDecimal("1000000000000000000000000000")
