package watch

import (
	"fmt"

	"github.com/shopspring/decimal"

	"liqwatch/chains"
	"liqwatch/protocols"
	"liqwatch/protocols/abi"
)

// SpotFeed is where an axis' market price is read, beside the price that a
// protocol's oracle uses. It answers latestRoundData() and decimals(), as
// Chainlink's AggregatorV3Interface has them.
type SpotFeed struct {
	Axis    string
	Address chains.Address
}

// SpotPrice is what a spot feed says at a block.
type SpotPrice struct {
	Price   decimal.Decimal
	Updated uint64 // unix seconds, by the feed's own word
}

// spot is a feed with what is known of it.
type spot struct {
	SpotFeed
	decimals int32
	known    bool
	now      *SpotPrice
	err      error
}

var (
	latestRoundData = abi.Call("latestRoundData()")
	feedDecimals    = abi.Call("decimals()")
)

// step reads the feed. A feed that cannot be read takes nothing else down.
func (s *spot) step() protocols.Step {
	wants := []chains.Read{chains.View(s.Address, latestRoundData)}
	if !s.known {
		wants = append(wants, chains.View(s.Address, feedDecimals))
	}
	return protocols.Step{Wants: wants, Then: func(answers []chains.Answer) (protocols.Step, error) {
		s.now = nil // before take, which sets it
		s.err = s.take(answers)
		return protocols.Step{}, nil
	}}
}

func (s *spot) take(answers []chains.Answer) error {
	if !s.known {
		n, err := abi.Number(answers[1].Data, 0)
		if answers[1].Failed || err != nil || !n.IsUint64() || n.Uint64() > 77 {
			return fmt.Errorf("spot feed %s of %s: decimals() gives no number of decimals: is it a price feed?", s.Address, s.Axis)
		}
		s.decimals, s.known = int32(n.Uint64()), true
	}
	if answers[0].Failed {
		return fmt.Errorf("spot feed %s of %s: latestRoundData() reverts", s.Address, s.Axis)
	}
	answer, err := abi.Number(answers[0].Data, 1)
	if err != nil {
		return fmt.Errorf("spot feed %s of %s: %w", s.Address, s.Axis, err)
	}
	updated, err := abi.Number(answers[0].Data, 3)
	if err != nil {
		return fmt.Errorf("spot feed %s of %s: %w", s.Address, s.Axis, err)
	}
	if answer.IsZero() || answer.Sign() < 0 { // the answer is an int256
		return fmt.Errorf("spot feed %s of %s: the price is not above 0", s.Address, s.Axis)
	}
	s.now = &SpotPrice{Price: decimal.NewFromBigInt(answer.ToBig(), -s.decimals), Updated: updated.Uint64()}
	return nil
}

// WatchSpot makes the follower read feeds of its chain along with its markets.
func (f *Follower) WatchSpot(feeds ...SpotFeed) {
	for _, feed := range feeds {
		f.spots = append(f.spots, &spot{SpotFeed: feed})
	}
}

// Spots are the market prices by axis, as of the last pass.
func (f *Follower) Spots() map[string]SpotPrice {
	out := map[string]SpotPrice{}
	for _, s := range f.spots {
		if s.now != nil {
			out[s.Axis] = *s.now
		}
	}
	return out
}
