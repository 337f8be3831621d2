// Package feeds takes price sources apart: Chainlink-like feeds, and the adapters
// that protocols put before them (a rate times a base feed, a capped rate, a capped
// stable, a pair of feeds multiplied), and measures them by replacing a base feed.
//
// Sources of the shapes: bgd-labs/aave-capo (PriceCapAdapterBase,
// PriceCapAdapterStable), bgd-labs/cl-synchronicity-price-adapter,
// smartcontractkit's aggregators and proxies.
package feeds

import (
	"slices"
	"strings"

	"github.com/holiman/uint256"

	"liqwatch/chains"
	"liqwatch/protocols/abi"
)

// Contract is one contract somewhere behind a price, by what it says of itself.
type Contract struct {
	Address     chains.Address
	Description string
	Decimals    uint8
	Answer      uint256.Int    // latestAnswer; 0 when it is not positive or fails
	Aggregator  chains.Address // behind a proxy; zero elsewhere

	// Base is the feed that an adapter multiplies; zero for a plain feed.
	Base chains.Address
	// Quoted is the feed that gives the rate (ASSET_TO_PEG); zero where getRatio does.
	Quoted        chains.Address
	Ratio         uint256.Int
	RatioDecimals uint8
	Capped        *RatioCap
	// PriceCap is the most a stable adapter answers; nil without.
	PriceCap *uint256.Int
}

// RatioCap bounds a growing rate (PriceCapAdapterBase).
type RatioCap struct {
	Snapshot uint256.Int
	At       uint64
	// PerSecond is the growth scaled by 1e6 (getMaxRatioGrowthPerSecondScaled).
	PerSecond uint256.Int
}

// growthScale is PriceCapAdapterBase.SCALING_FACTOR.
var growthScale = uint256.NewInt(1e6)

// Max is the highest ratio allowed at a time: snapshot + floor(perSecond*dt/1e6)
// (PriceCapAdapterBase._getMaxRatio).
func (c *RatioCap) Max(time uint64) uint256.Int {
	var x uint256.Int
	if time <= c.At {
		return c.Snapshot
	}
	x.Mul(&c.PerSecond, uint256.NewInt(time-c.At))
	x.Div(&x, growthScale)
	return *x.Add(&x, &c.Snapshot)
}

// Reaches is the first second at which the cap allows a ratio; false when it never will.
func (c *RatioCap) Reaches(ratio *uint256.Int) (uint64, bool) {
	if !ratio.Gt(&c.Snapshot) {
		return c.At, true
	}
	if c.PerSecond.IsZero() {
		return 0, false
	}
	var x uint256.Int
	x.Sub(ratio, &c.Snapshot)
	x.Mul(&x, growthScale)
	x.Add(&x, &c.PerSecond)
	x.SubUint64(&x, 1)
	x.Div(&x, &c.PerSecond)
	if !x.IsUint64() {
		return 0, false
	}
	return c.At + x.Uint64(), true
}

// IsRate reports an adapter that multiplies a base by a rate.
func (c *Contract) IsRate() bool { return !c.Base.IsZero() && c.PriceCap == nil && !c.Ratio.IsZero() }

// Effective is the rate the adapter uses at a time: its own, or the cap's.
func (c *Contract) Effective(time uint64) uint256.Int {
	if c.Capped != nil {
		if most := c.Capped.Max(time); c.Ratio.Gt(&most) {
			return most
		}
	}
	return c.Ratio
}

// Pair is the description in a form that equal pairs share: "ETH / USD".
func (c *Contract) Pair() string {
	base, quote, ok := strings.Cut(c.Description, "/")
	if !ok || strings.Contains(quote, "/") {
		return ""
	}
	return strings.ToUpper(strings.TrimSpace(base)) + " / " + strings.ToUpper(strings.TrimSpace(quote))
}

// getters are what Probe asks, in order.
var getters = []string{
	"description()", "decimals()", "latestAnswer()", "aggregator()",
	"BASE_TO_USD_AGGREGATOR()", "ASSET_TO_USD_AGGREGATOR()", "PEG_TO_BASE()", "ethSource()",
	"ASSET_TO_PEG()", "getRatio()", "RATIO_DECIMALS()",
	"getSnapshotRatio()", "getSnapshotTimestamp()", "getMaxRatioGrowthPerSecondScaled()", "getPriceCap()",
}

// Getters that name what an adapter stands on, in the order they are believed.
var (
	baseGetters   = []string{"BASE_TO_USD_AGGREGATOR()", "ASSET_TO_USD_AGGREGATOR()", "PEG_TO_BASE()", "ethSource()"}
	quotedGetters = []string{"ASSET_TO_PEG()"}
)

// Deep is the reads that make known a contract that earlier reads name, and what it
// stands on itself, one deep. The links are counted from the first of the reads.
func Deep(named ...chains.Link) []chains.Read {
	out := probe(named)
	out = append(out, probe(behind(len(getters), baseGetters))...)
	return append(out, probe(behind(2*len(getters), quotedGetters))...)
}

// DecodeDeep makes contracts of the answers to Deep; those behind the first are left
// out where there are none.
func DecodeDeep(a chains.Address, answers []chains.Answer) []Contract {
	n := len(getters)
	if len(answers) != 3*n {
		return nil
	}
	out := []Contract{Decode(a, answers[:n])}
	for k, asked := range []struct {
		names []string
		is    chains.Address
	}{{baseGetters, out[0].Base}, {quotedGetters, out[0].Quoted}} {
		// What was asked is the first word that is not zero, an address or not.
		if !asked.is.IsZero() && followed(answers[:n], asked.names) == asked.is {
			out = append(out, Decode(asked.is, answers[(k+1)*n:(k+2)*n]))
		}
	}
	return out
}

func probe(named []chains.Link) []chains.Read {
	out := make([]chains.Read, len(getters))
	for i, g := range getters {
		links := slices.Clone(named)
		for l := range links {
			links[l].Back += i
		}
		out[i] = chains.At(abi.Call(g), links...)
	}
	return out
}

// behind are the links to the getters of a probe that begins so many reads before.
func behind(back int, names []string) []chains.Link {
	out := make([]chains.Link, len(names))
	for i, name := range names {
		out[i] = chains.Link{Back: back - slices.Index(getters, name)}
	}
	return out
}

func followed(answers []chains.Answer, names []string) chains.Address {
	for _, name := range names {
		a := answers[slices.Index(getters, name)]
		if x, err := abi.Word(a.Data, 0); err == nil && !a.Failed && !x.Address().IsZero() {
			return x.Address()
		}
	}
	return chains.Address{}
}

// Probe is the reads that make a contract known. A contract without a getter fails
// that read, which is an answer too.
func Probe(a chains.Address) []chains.Read {
	out := make([]chains.Read, len(getters))
	for i, g := range getters {
		out[i] = chains.View(a, abi.Call(g))
	}
	return out
}

// Decode makes a contract of the answers to Probe.
func Decode(a chains.Address, answers []chains.Answer) Contract {
	at := func(getter string) chains.Answer {
		for i, g := range getters {
			if g == getter && i < len(answers) {
				return answers[i]
			}
		}
		return chains.Answer{Failed: true}
	}
	number := func(getter string) (uint256.Int, bool) {
		x, err := abi.Number(at(getter).Data, 0)
		return x, err == nil && !at(getter).Failed
	}
	address := func(getters ...string) chains.Address {
		for _, g := range getters {
			if x, err := abi.Address(at(g).Data, 0); err == nil && !at(g).Failed && !x.IsZero() {
				return x
			}
		}
		return chains.Address{}
	}
	c := Contract{Address: a, Description: abi.Text(at("description()").Data)}
	if at("description()").Failed {
		c.Description = ""
	}
	c.Decimals = small(number("decimals()"))
	c.Answer = positive(number("latestAnswer()"))
	c.Aggregator = address("aggregator()")
	c.Base = address(baseGetters...)
	c.Quoted = address(quotedGetters...)
	c.Ratio = positive(number("getRatio()"))
	c.RatioDecimals = small(number("RATIO_DECIMALS()"))
	if snapshot, ok := number("getSnapshotRatio()"); ok {
		since, ok1 := number("getSnapshotTimestamp()")
		growth, ok2 := number("getMaxRatioGrowthPerSecondScaled()")
		if ok1 && ok2 && since.IsUint64() {
			c.Capped = &RatioCap{Snapshot: snapshot, At: since.Uint64(), PerSecond: growth}
		}
	}
	if most, ok := number("getPriceCap()"); ok {
		c.PriceCap = &most
	}
	return c
}

// positive is a signed answer when it is above zero, else 0.
func positive(x uint256.Int, ok bool) uint256.Int {
	if !ok || x.Sign() <= 0 {
		return uint256.Int{}
	}
	return x
}

func small(x uint256.Int, ok bool) uint8 {
	if !ok || !x.IsUint64() || x.Uint64() > 77 {
		return 0
	}
	return uint8(x.Uint64())
}
