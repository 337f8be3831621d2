package aave

import (
	"context"
	"fmt"

	"github.com/ethereum/go-ethereum/common/hexutil"

	"liqwatch/chains"
)

// Multicall3 is where public chains have it.
var Multicall3 = chains.MustAddress("0xcA11bde05977b3631167028862bE2a173976CA11")

// multicall puts a Multicall3 where public chains have theirs.
func (d *deployer) multicall(ctx context.Context) error {
	at, err := d.create(ctx, "Multicall3")
	if err != nil {
		return fmt.Errorf("deploy Multicall3: %w", err)
	}
	var code hexutil.Bytes
	if err := d.Node.Call(ctx, &code, "eth_getCode", at, "latest"); err != nil {
		return fmt.Errorf("read the code of Multicall3: %w", err)
	}
	return d.Node.Call(ctx, nil, "anvil_setCode", Multicall3, code)
}
