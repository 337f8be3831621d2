package thresholds_test

import (
	"fmt"

	"github.com/shopspring/decimal"

	"liqwatch/protocols"
	"liqwatch/thresholds"
)

// One account holds 10 ETH and 8 wstETH against 25,000 USD. Both fall with ETH:
// it breaks at 1,555, not at the 1,138 that ETH alone would give.
func ExampleLadder_Triggers() {
	book := thresholds.JointFixture("aave-v3-ethereum", "ethereum")
	ladder, err := thresholds.Build("ETH", "aave-v3-ethereum", []protocols.Book{book})
	if err != nil {
		fmt.Println(err)
		return
	}
	triggers, err := ladder.Triggers("aave-v3-ethereum", 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("spot", ladder.Spot(), "down", triggers.Down, "up", triggers.Up)
	// Output: spot 2000 down 1555.11321224 up <nil>
}

func ExampleLadder_Map() {
	book := thresholds.JointFixture("aave-v3-ethereum", "ethereum")
	ladder, err := thresholds.Build("ETH", "", []protocols.Book{book})
	if err != nil {
		fmt.Println(err)
		return
	}
	edges, err := thresholds.ParseLevels("1800,1500")
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := ladder.Map(edges, thresholds.MapOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, b := range m.Bands {
		fmt.Println(b.Direction, b.From, b.To, b.AtTrigger.Accounts, b.AtTrigger.AtRiskUSD)
	}
	for _, e := range m.Down {
		fmt.Println("at", e.Price, e.Accounts, e.AtRiskUSD)
	}
	// Output:
	// down 1800 2000 0 0
	// down 1500 1800 1 30480.21895984
	// down <nil> 1500 0 0
	// up 2000 <nil> 0 0
	// at 1800 0 0
	// at 1500 1 29400
}

// What a rule's level means: what is not liquidatable now and is at the level.
func ExampleLadder_Crossing() {
	book := thresholds.JointFixture("aave-v3-ethereum", "ethereum")
	ladder, err := thresholds.Build("ETH", "", []protocols.Book{book})
	if err != nil {
		fmt.Println(err)
		return
	}
	c, err := ladder.Crossing(decimal.NewFromInt(1500))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.Direction, c.Distance.Round(4), c.Accounts, c.AtRiskUSD, c.DebtUSD, c.Keys)
	// Output: down 0.3333 1 29400 25000 [{aave-v3-ethereum 0xa}]
}

func ExampleStress() {
	books := []protocols.Book{thresholds.JointFixture("aave-v3-ethereum", "ethereum")}
	var moves []protocols.Move
	for _, s := range []string{"ETH=-20%", "wstETH/ETH=-8%"} {
		m, err := thresholds.ParseShock(s)
		if err != nil {
			fmt.Println(err)
			return
		}
		moves = append(moves, m)
	}
	r, err := thresholds.Stress(books, moves, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("now", r.Now.Accounts, "then", r.Then.Accounts, r.Then.AtRiskUSD)
	// Output: now 0 then 1 30131.2
}
