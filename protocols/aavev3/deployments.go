package aavev3

import "liqwatch/protocols"

// Deployments are the official Aave v3 markets and SparkLend.
//
// Providers and chain ids are those of the public address book (npm
// @bgd-labs/aave-address-book 4.44.22; SparkLend: spark-address-registry). First
// blocks are those from which Aave's own subgraphs index
// (aave/protocol-subgraphs, config), or an earlier block where they index none; 0
// scans the whole chain.
var Deployments = []protocols.Deployment{
	known("aave-v3-ethereum", "ethereum", 1, "0x2f39d218133AFaB8F2B819B1066c7E434Ad94E9e", 16291006),
	known("aave-v3-ethereum-lido", "ethereum", 1, "0xcfBf336fe147D643B9Cb705648500e101504B16d", 20262370),
	known("aave-v3-ethereum-etherfi", "ethereum", 1, "0xeBa440B438Ad808101d1c451C1C5322c90BEFCdA", 20625517),
	known("aave-v3-ethereum-horizon", "ethereum", 1, "0x5D39E06b825C1F2B80bf2756a73e28eFAA128ba0", 22500000),
	known("aave-v3-arbitrum", "arbitrum", 42161, "0xa97684ead0e402dC232d5A977953DF7ECBaB3CDb", 7736400),
	known("aave-v3-avalanche", "avalanche", 43114, "0xa97684ead0e402dC232d5A977953DF7ECBaB3CDb", 11970000),
	known("aave-v3-base", "base", 8453, "0xe20fCBdBfFC4Dd138cE8b2E6FBb6CB49777ad64D", 2357105),
	known("aave-v3-bnb", "bnb", 56, "0xff75B6da14FfbbfD355Daf7a2731456b3562Ba6D", 33571624),
	known("aave-v3-celo", "celo", 42220, "0x9F7Cf9417D5251C59fE94fB9147feEe1aAd9Cea5", 30390065),
	known("aave-v3-fantom", "fantom", 250, "0xa97684ead0e402dC232d5A977953DF7ECBaB3CDb", 33130000),
	known("aave-v3-gnosis", "gnosis", 100, "0x36616cf17557639614c1cdDb356b1B83fc0B2132", 30293054),
	known("aave-v3-harmony", "harmony", 1666600000, "0xa97684ead0e402dC232d5A977953DF7ECBaB3CDb", 23930102),
	known("aave-v3-ink", "ink", 57073, "0x4172E6aAEC070ACB31aaCE343A58c93E4C70f44D", 19954027),
	known("aave-v3-linea", "linea", 59144, "0x89502c3731F69DDC95B65753708A07F8Cd0373F4", 12430823),
	known("aave-v3-mantle", "mantle", 5000, "0xba50Cd2A20f6DA35D788639E581bca8d0B5d4D5f", 0),
	known("aave-v3-megaeth", "megaeth", 4326, "0x46Dcd5F4600319b02649Fd76B55aA6c1035CA478", 6657947),
	known("aave-v3-metis", "metis", 1088, "0xB9FABd7500B2C6781c35Dd48d54f81fc2299D7AF", 0),
	known("aave-v3-optimism", "optimism", 10, "0xa97684ead0e402dC232d5A977953DF7ECBaB3CDb", 4364782),
	known("aave-v3-plasma", "plasma", 9745, "0x061D8e131F26512348ee5FA42e2DF1bA9d6505E9", 0),
	known("aave-v3-polygon", "polygon", 137, "0xa97684ead0e402dC232d5A977953DF7ECBaB3CDb", 25824300),
	known("aave-v3-scroll", "scroll", 534352, "0x69850D0B276776781C063771b161bd8894BCdD04", 2618760),
	known("aave-v3-soneium", "soneium", 1868, "0x82405D1a189bd6cE4667809C35B37fBE136A4c5B", 7004628),
	known("aave-v3-sonic", "sonic", 146, "0x5C2e738F6E27bCE0F7558051Bf90605dD6176900", 7986569),
	known("aave-v3-zksync", "zksync", 324, "0x2A3948BB219D6B2Fa83D64100006391a96bE6cb7", 43708946),
	spark("sparklend-ethereum", "ethereum", 1, "0x02C3eA4e34C0cBd694D2adFa2c690EECbC1793eE", 16700000),
	spark("sparklend-gnosis", "gnosis", 100, "0xA98DaCB3fC964A6A0d2ce3B77294241585EAbA6d", 28000000),
}

func known(name, chain string, id uint64, provider string, from uint64) protocols.Deployment {
	return protocols.Deployment{Name: name, Chain: chain, ChainID: id, Settings: map[string]any{
		"pool_addresses_provider": provider, "from_block": from,
	}}
}

func spark(name, chain string, id uint64, provider string, from uint64) protocols.Deployment {
	d := known(name, chain, id, provider, from)
	d.Settings["fork"] = string(SparkLend)
	return d
}

// Protocol is the plug-in.
func Protocol() protocols.Protocol {
	return protocols.Protocol{Name: Name, New: New, Deployments: Deployments}
}
