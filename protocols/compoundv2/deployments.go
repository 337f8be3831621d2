package compoundv2

import "liqwatch/protocols"

// Protocol is the plug-in.
func Protocol() protocols.Protocol {
	return protocols.Protocol{Name: Name, New: New, Deployments: Deployments}
}

// Deployments are those known by name. Markets are never listed here: the
// comptroller says which it has. from_block lies before the deployment, by months
// where the exact block is not known.
var Deployments = []protocols.Deployment{
	deployment("justlend", "tron", 728126428, "TGjYzgCyPobsNS9n6WcbdLVR9dH7mWqFx7", JustLend, 24_000_000),
	deployment("venus-bsc", "bnb", 56, "0xfD36E2c2a6789Db23113685031d7F16329158384", Venus, 1_500_000),
	deployment("moonwell-base", "base", 8453, "0xfBb21d0380beE3312B33c4353c8936a0F13EF26C", Moonwell, 1_500_000),
	deployment("moonwell-moonbeam", "moonbeam", 1284, "0x8E00D5e02E65A19337Cdba98bbA9F84d4186a180", Moonwell, 0),
	deployment("benqi-avalanche", "avalanche", 43114, "0x486Af39519B4Dc9a7fCcd318217352830E8AD9b4", Benqi, 1_000_000),
}

func deployment(name, chain string, id uint64, comptroller string, p Profile, from uint64) protocols.Deployment {
	return protocols.Deployment{Name: name, Chain: chain, ChainID: id, Settings: map[string]any{
		"comptroller": comptroller, "profile": p.Name, "from_block": from,
	}}
}
