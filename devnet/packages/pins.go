package packages

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// The packages of the devnet.
var (
	// AaveCore30 holds Aave 3.0.2 compiled.
	AaveCore30 = Package{
		"@aave/core-v3", "1.19.3",
		"sha512-Xr7+VcoU5b4mPwM4IUCnskw3lciwrnL4Xloyad8GOddYeixnri2lZYobNmErm1LwE50vqjI0O+9QGNKY2TDkeQ==",
	}
	// AaveOrigin36 holds the sources of Aave 3.6.0.
	AaveOrigin36 = Package{
		"@aave-dao/aave-v3-origin", "3.6.0",
		"sha512-TwK/TpTZGArN0G3AE+0NoafsaXc7BiXdZhYuxcD+8A5OjIGolp0cqu5FZcTDLo/pbavJvMU5v0php/LEJiJ/cQ==",
	}
	// OpenZeppelin is what those sources import.
	OpenZeppelin = Package{
		"@openzeppelin/contracts", "5.1.0",
		"sha512-p1ULhl7BXzjjbha5aqst+QMLY+4/LCWADXOCsmLHRM77AqiPjnd9vvUN9sosUfhL9JGKpZ0TjEGxgvnizmWGSA==",
	}
	// Solc is the Solidity compiler as WebAssembly for node.
	Solc = Package{
		"solc", "0.8.27",
		"sha512-BNxMol2tUAbkH7HKlXBcBqrGi2aqgv+uMHz26mJyTtlVgWmBA4ktiw0qVKHfkjf2oaHbwtbtaSeE2dhn/gTAKw==",
	}
)

// anvil is published as one package per platform; pinned are those we could try.
var anvil = map[string]Package{
	"linux-amd64": {
		"@foundry-rs/anvil-linux-amd64", "1.7.1",
		"sha512-+XmShybEaxfCrr0OUUZwYEy2OnYZt5pHH9TzBtLv3+VrK0O/ANuNSVEahqNhKHlgX7GRJ59383ofNhxkRWIYTg==",
	},
}

// Anvil is the path of the anvil binary: $LIQWATCH_ANVIL where that is set, else
// the pinned one for this platform.
func Anvil(ctx context.Context) (string, error) {
	if path := os.Getenv("LIQWATCH_ANVIL"); path != "" {
		return path, nil
	}
	platform := runtime.GOOS + "-" + runtime.GOARCH
	p, ok := anvil[platform]
	if !ok {
		return "", fmt.Errorf("find anvil: none is pinned for %s; install anvil 1.7.1 and set LIQWATCH_ANVIL to its path", platform)
	}
	dir, err := Fetch(ctx, p)
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "bin", "anvil"), nil
}
