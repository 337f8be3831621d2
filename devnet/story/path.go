package story

import "math/rand/v2"

// waypoint is where ETH is at a block of the story, in USD.
type waypoint struct {
	block int
	usd   float64
}

// path comes down from 2,700 through 2,400 and 2,200, with a bounce before each
// that is long enough for rules to re-arm and a wick through 2,400, falls once in
// a single block, and rises past 2,950 in the end.
var path = []waypoint{
	{0, 2_700},
	{18, 2_650}, {30, 2_585}, {38, 2_524}, {44, 2_512}, {52, 2_460}, {56, 2_442}, // within 5 %, then 2 % of 2,400
	{64, 2_545}, {68, 2_538}, // a bounce
	{76, 2_441}, {81, 2_409}, {82, 2_391}, {83, 2_419}, {88, 2_431}, // a wick through 2,400
	{94, 2_396}, {99, 2_378}, {104, 2_344}, {110, 2_352}, // through it, and the wall falls
	{118, 2_301}, {124, 2_262}, {129, 2_239}, {135, 2_318}, {138, 2_312}, // towards 2,200, a bounce
	{146, 2_241}, {151, 2_209}, {154, 2_193}, {160, 2_171}, // through it, and the wall falls
	{165, 2_148}, {166, 2_062}, {172, 2_096}, {178, 2_081}, // a fall in one block
	{186, 2_290}, {194, 2_560}, {200, 2_690}, {206, 2_812}, // all the way back
	{212, 2_938}, {216, 2_961}, {220, 2_992}, {224, 3_004}, {232, 2_955}, {236, 2_931}, // shorts are squeezed
}

// Blocks is the length of the story.
const Blocks = 237

// price is the path at a block with a little noise, in 1e-8 USD.
func price(block int, rng *rand.Rand) int64 {
	usd := path[len(path)-1].usd
	noise := 1.2 * (rng.Float64() - 0.5)
	for i, w := range path {
		if w.block == block {
			usd, noise = w.usd, noise/4
			break
		}
		if w.block > block {
			before := path[i-1]
			part := float64(block-before.block) / float64(w.block-before.block)
			usd = before.usd + part*(w.usd-before.usd)
			break
		}
	}
	return int64((usd + noise) * 1e8)
}

// Blocks at which something is told or done.
const (
	wickBlock    = 82
	mkrCrash     = 112
	cascadeBlock = 166
)

// narration says what happens, for whoever plays the story.
var narration = map[int]string{
	0:            "ETH is at 2,700. Loans are crowded just under 2,400 and 2,200.",
	38:           "ETH has come within 5 % of 2,400.",
	54:           "2,400 is 2 % away; some borrowers repay or add collateral.",
	60:           "A bounce: ETH recedes from the level.",
	74:           "ETH comes down a second time.",
	wickBlock:    "A wick: one block below 2,400, and back.",
	93:           "ETH falls through 2,400 and the loans below it are liquidated.",
	mkrCrash:     "MKR halves for one block and a loan against it goes under: bad debt.",
	129:          "ETH is near 2,200 and bounces once more.",
	153:          "ETH falls through 2,200; the second wall goes.",
	cascadeBlock: "ETH loses 4 % in a single block.",
	180:          "The turn: ETH rises, and those who borrowed ETH have to watch it now.",
	211:          "A short squeeze: loans of ETH against stablecoins are liquidated on the way up.",
	236:          "The story ends at 2,931.",
}
