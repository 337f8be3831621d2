package contracts

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"liqwatch/devnet/packages"
)

func TestSetsHaveWhatAPoolNeeds(t *testing.T) {
	ctx := t.Context()
	own, err := Own(ctx)
	require.NoError(t, err)
	for _, name := range []string{"Token", "Aggregator", "FeedProxy", "DualAggregator", "RatioProvider", "RateAdapter", "CappedRateAdapter", "StableCapAdapter", "Crowd", "Lens"} {
		require.Contains(t, own, name)
	}
	old, err := Aave30(ctx)
	require.NoError(t, err)
	require.Len(t, old, len(aave30))
	recent, err := Aave36(ctx)
	require.NoError(t, err)
	for _, name := range []string{"PoolInstance", "PoolConfiguratorInstance", "ATokenInstance", "VariableDebtTokenInstance", "AaveOracle", "LiquidationLogic"} {
		require.Contains(t, recent, name)
	}
	require.NotEmpty(t, recent["PoolInstance"].Libraries)
	require.IsIncreasing(t, recent["PoolInstance"].Libraries)
}

func TestLibrariesAreLinked(t *testing.T) {
	refs := linkReferences{"file.sol": {"Lib": {{Start: 2}}}}
	c, err := newContract("C", []byte("[]"), "0x6001__$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa$__00", refs)
	require.NoError(t, err)
	_, err = c.Code(nil)
	require.ErrorContains(t, err, "library Lib is not deployed")
	at := common.HexToAddress("0x1111111111111111111111111111111111111111")
	code, err := c.Code(map[string]common.Address{"Lib": at})
	require.NoError(t, err)
	require.Equal(t, "6001"+hex.EncodeToString(at[:])+"00", hex.EncodeToString(code))
	_, err = c.Code(map[string]common.Address{"Lib": at}, "too many")
	require.ErrorContains(t, err, "constructor arguments of C")
}

// cacheWithSolc is an empty cache in which only the compiler is there already.
func cacheWithSolc(t *testing.T) string {
	t.Helper()
	solc, err := packages.Fetch(t.Context(), packages.Solc)
	require.NoError(t, err)
	cache := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(cache, "npm"), 0o755))
	require.NoError(t, os.Symlink(solc, filepath.Join(cache, "npm", filepath.Base(solc))))
	t.Setenv("LIQWATCH_CACHE", cache)
	return cache
}

func TestCompiledOnceAndCachedByContent(t *testing.T) {
	cache := cacheWithSolc(t)
	compiled := func() int {
		found, err := filepath.Glob(filepath.Join(cache, "solc", "*.json"))
		require.NoError(t, err)
		return len(found)
	}
	for range 2 {
		set, err := compile(t.Context(), sources{"a.sol": "contract A { uint public x; }"})
		require.NoError(t, err)
		require.Contains(t, set["A"].ABI.Methods, "x")
		require.Equal(t, 1, compiled())
	}
	_, err := compile(t.Context(), sources{"a.sol": "contract A { uint public y; }"})
	require.NoError(t, err)
	require.Equal(t, 2, compiled())
}

func TestSourceThatDoesNotCompile(t *testing.T) {
	cache := cacheWithSolc(t)
	_, err := compile(t.Context(), sources{"a.sol": "contract A { nonsense }"})
	require.ErrorContains(t, err, "compile with solc 0.8.27")
	require.ErrorContains(t, err, "a.sol")
	found, err := filepath.Glob(filepath.Join(cache, "solc", "*.json*"))
	require.NoError(t, err)
	for _, f := range found {
		require.Equal(t, ".lock", filepath.Ext(f), "nothing half done stays")
	}
}

func TestDamagedCacheSaysWhichFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.json")
	require.NoError(t, os.WriteFile(file, []byte("{"), 0o644))
	_, err := readCompiled(file)
	require.ErrorContains(t, err, file)
}

func TestImportsAreFollowed(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "sub"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.sol"), []byte(`import {B} from './sub/b.sol'; import "lib/c.sol";`), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "sub", "b.sol"), []byte(`import '../a.sol';`), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "c.sol"), []byte(`import "elsewhere/d.sol";`), 0o644))
	src := sources{}
	err := collect(src, map[string]string{"p/": dir, "lib/": dir}, "p/a.sol")
	require.ErrorContains(t, err, "no package holds elsewhere/d.sol")
	require.Contains(t, src, "p/sub/b.sol")
	require.Contains(t, src, "lib/c.sol")
}
