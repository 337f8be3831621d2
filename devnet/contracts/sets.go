package contracts

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"liqwatch/devnet/packages"
)

//go:embed sol/*.sol
var own embed.FS

// Own are the contracts of this repository: tokens, price feeds and adapters.
func Own(ctx context.Context) (Set, error) {
	src := sources{}
	files, err := own.ReadDir("sol")
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		raw, err := own.ReadFile("sol/" + f.Name())
		if err != nil {
			return nil, err
		}
		src["sol/"+f.Name()] = string(raw)
	}
	return compile(ctx, src)
}

// aave30 are the artifacts of Aave 3.0.2 that a pool needs.
var aave30 = []string{
	"protocol/libraries/logic/SupplyLogic", "protocol/libraries/logic/BorrowLogic",
	"protocol/libraries/logic/LiquidationLogic", "protocol/libraries/logic/EModeLogic",
	"protocol/libraries/logic/BridgeLogic", "protocol/libraries/logic/ConfiguratorLogic",
	"protocol/libraries/logic/PoolLogic", "protocol/libraries/logic/FlashLoanLogic",
	"protocol/configuration/PoolAddressesProvider", "protocol/configuration/ACLManager",
	"protocol/pool/Pool", "protocol/pool/PoolConfigurator", "protocol/pool/DefaultReserveInterestRateStrategy",
	"protocol/tokenization/AToken", "protocol/tokenization/StableDebtToken", "protocol/tokenization/VariableDebtToken",
	"misc/AaveOracle", "misc/AaveProtocolDataProvider", "protocol/configuration/PriceOracleSentinel",
}

// Aave30 is Aave 3.0.2, from the artifacts of its package.
func Aave30(ctx context.Context) (Set, error) {
	dir, err := packages.Fetch(ctx, packages.AaveCore30)
	if err != nil {
		return nil, err
	}
	set := Set{}
	for _, file := range aave30 {
		name := path.Base(file)
		raw, err := os.ReadFile(filepath.Join(dir, "artifacts", "contracts", filepath.FromSlash(file)+".sol", name+".json"))
		if err != nil {
			return nil, fmt.Errorf("read an artifact of %s: %w", packages.AaveCore30, err)
		}
		var artifact struct {
			ABI            json.RawMessage `json:"abi"`
			Bytecode       string          `json:"bytecode"`
			LinkReferences linkReferences  `json:"linkReferences"`
		}
		if err := json.Unmarshal(raw, &artifact); err != nil {
			return nil, fmt.Errorf("read the artifact %s: %w", file, err)
		}
		if set[name], err = newContract(name, artifact.ABI, artifact.Bytecode, artifact.LinkReferences); err != nil {
			return nil, err
		}
	}
	return set, nil
}

// aave36 are the sources of Aave 3.6.0 that a pool needs; what they import follows.
var aave36 = []string{
	"instances/PoolInstance", "instances/PoolConfiguratorInstance", "instances/ATokenInstance",
	"instances/VariableDebtTokenInstance", "protocol/configuration/PoolAddressesProvider",
	"protocol/configuration/ACLManager", "misc/AaveOracle", "misc/DefaultReserveInterestRateStrategyV2",
	"helpers/AaveProtocolDataProvider", "misc/PriceOracleSentinel",
}

// Aave36 is Aave 3.6.0, compiled from the sources of its package. The first time takes about a minute.
func Aave36(ctx context.Context) (Set, error) {
	aave, err := packages.Fetch(ctx, packages.AaveOrigin36)
	if err != nil {
		return nil, err
	}
	zeppelin, err := packages.Fetch(ctx, packages.OpenZeppelin)
	if err != nil {
		return nil, err
	}
	roots := map[string]string{"aave/": filepath.Join(aave, "src", "contracts"), "openzeppelin-contracts/contracts/": zeppelin}
	src := sources{}
	for _, entry := range aave36 {
		if err := collect(src, roots, "aave/"+entry+".sol"); err != nil {
			return nil, fmt.Errorf("read the sources of %s: %w", packages.AaveOrigin36, err)
		}
	}
	return compile(ctx, src)
}

var importLine = regexp.MustCompile(`import\s+(?:[^'";]*?from\s+)?['"]([^'"]+)['"]`)

// collect adds a source unit and all that it imports.
func collect(src sources, roots map[string]string, unit string) error {
	if _, seen := src[unit]; seen {
		return nil
	}
	raw, err := readUnit(roots, unit)
	if err != nil {
		return err
	}
	src[unit] = raw
	for _, m := range importLine.FindAllStringSubmatch(raw, -1) {
		imported := m[1]
		if strings.HasPrefix(imported, ".") {
			imported = path.Join(path.Dir(unit), imported)
		}
		if err := collect(src, roots, imported); err != nil {
			return err
		}
	}
	return nil
}

func readUnit(roots map[string]string, unit string) (string, error) {
	for prefix, dir := range roots {
		if rest, ok := strings.CutPrefix(unit, prefix); ok {
			raw, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(rest)))
			return string(raw), err
		}
	}
	return "", fmt.Errorf("no package holds %s", unit)
}
