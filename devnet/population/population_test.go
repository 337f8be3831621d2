package population

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"liqwatch/chains"
	"liqwatch/devnet/aave"
	"liqwatch/devnet/anvil"
)

func deployed(t *testing.T, v aave.Version) *aave.World {
	t.Helper()
	w, err := aave.Deploy(t.Context(), anvil.Run(t, anvil.Options{}), v, aave.Options{})
	require.NoError(t, err)
	return w
}

func head(t *testing.T, w *aave.World) uint64 {
	t.Helper()
	n, err := w.Node.BlockNumber(t.Context())
	require.NoError(t, err)
	return n
}

// market is a populated world with what its contracts say of everybody.
type market struct {
	*aave.World
	t    *testing.T
	pop  *Population
	at   uint64
	data map[chains.Address]aave.AccountData
}

func populated(t *testing.T, v aave.Version) *market {
	t.Helper()
	m := &market{World: deployed(t, v), t: t, data: map[chains.Address]aave.AccountData{}}
	var err error
	m.pop, err = Build(t.Context(), m.World, Options{Seed: 1})
	require.NoError(t, err)
	m.at = head(t, m.World)
	m.read()
	return m
}

func (m *market) read() {
	data, err := m.AccountsData(m.t.Context(), m.pop.Accounts(), m.at)
	require.NoError(m.t, err)
	for i, b := range m.pop.Borrowers {
		m.data[b.Address] = data[i]
	}
}

func TestEveryKindIsThereAsTheContractsSeeIt(t *testing.T) {
	for _, v := range []aave.Version{aave.V30, aave.V36} {
		t.Run(string(v), func(t *testing.T) {
			m := populated(t, v)
			require.GreaterOrEqual(t, len(m.pop.Borrowers), 500)
			for _, kind := range Kinds(v) {
				assert.NotEmpty(t, m.pop.Of(kind), kind)
			}
			m.nobodyIsLiquidatableButBadDebt()
			m.kinds()
			m.liquidationsHappened()
			m.debtsAddUp()
			m.wallsStand()
		})
	}
}

func (m *market) nobodyIsLiquidatableButBadDebt() {
	for _, b := range m.pop.Borrowers {
		if m.Version == aave.V30 && b.Kind == BadDebt {
			assert.True(m.t, m.data[b.Address].Liquidatable(), "3.0 leaves the debt where it is")
			continue
		}
		assert.False(m.t, m.data[b.Address].Liquidatable(), "%s %s", b.Kind, b.Address)
	}
}

// flags are the user configuration's bits of one reserve.
func (m *market) flags(who chains.Address, symbol string) (collateral, borrowing bool) {
	out, err := m.UserConfiguration(m.t.Context(), who, m.at)
	require.NoError(m.t, err)
	id := m.Asset(symbol).ID
	return out.Bit(2*id+1) == 1, out.Bit(2*id) == 1
}

func (m *market) balance(token, who chains.Address) *big.Int {
	n, err := m.Balance(m.t.Context(), token, who, m.at)
	require.NoError(m.t, err)
	return n
}

func (m *market) kinds() {
	t := m.t
	for _, b := range m.pop.Borrowers {
		counts, _ := m.flags(b.Address, b.Collateral)
		d := m.data[b.Address]
		switch b.Kind {
		case One, Staked, Stable, Short, Bitcoin, Isolated, EModeOnly, ZeroDecimals:
			assert.True(t, counts, "%s: its collateral counts", b.Kind)
			assert.Positive(t, d.Debt.Sign(), b.Kind)
		case LoopWstETH, LoopWeETH:
			assert.EqualValues(t, 9500, d.Threshold.Int64(), b.Kind)
		case SwitchedOff:
			off, _ := m.flags(b.Address, "WBTC")
			assert.False(t, off)
			assert.Positive(t, m.balance(m.Asset("WBTC").AToken, b.Address).Sign())
		case BothSides:
			_, owes := m.flags(b.Address, "WETH")
			assert.True(t, owes)
			assert.Positive(t, m.balance(m.Asset("WETH").AToken, b.Address).Sign())
		case Dust:
			assert.Less(t, d.Debt.Int64(), int64(20e8))
			assert.Positive(t, m.balance(m.Asset(b.Debt).VToken, b.Address).Sign())
		case Frozen:
			a, bor := m.flags(b.Address, "LINK")
			assert.True(t, a || bor)
		case Paused:
			a, bor := m.flags(b.Address, "CRV")
			assert.True(t, a || bor)
		case BadDebt:
			assert.Zero(t, d.Collateral.Sign())
			assert.Equal(t, m.Version == aave.V30, d.Debt.Sign() > 0, "3.6 writes it off")
		}
	}
}

func (m *market) liquidationsHappened() {
	logs, err := m.Node.Logs(m.t.Context(), []chains.Address{m.Pool}, 0, m.at)
	require.NoError(m.t, err)
	seen := map[chains.Hash]int{}
	for _, l := range logs {
		seen[l.Topics[0]]++
	}
	want := len(m.pop.Of(PartLiquidated)) + len(m.pop.Of(ATokenReceived)) + len(m.pop.Of(BadDebt))
	assert.Equal(m.t, want, seen[chains.Keccak([]byte("LiquidationCall(address,address,address,uint256,uint256,address,bool)"))])
	if m.Version == aave.V36 {
		assert.Equal(m.t, len(m.pop.Of(BadDebt)), seen[chains.Keccak([]byte("DeficitCreated(address,address,uint256)"))])
	}
	assert.Positive(m.t, m.balance(m.Asset("WETH").AToken, m.pop.Liquidator).Sign(), "the liquidator got aTokens")
}

// debtsAddUp checks that nobody owes who is not in the population.
func (m *market) debtsAddUp() {
	for _, a := range m.Assets {
		sum := new(big.Int)
		scaled, err := m.ScaledDebts(m.t.Context(), a.Symbol, m.pop.Accounts(), m.at)
		require.NoError(m.t, err)
		for _, s := range scaled {
			sum.Add(sum, s)
		}
		total, err := m.ScaledTotalDebt(m.t.Context(), a.Symbol, m.at)
		require.NoError(m.t, err)
		assert.Equal(m.t, total.String(), sum.String(), a.Symbol)
	}
}

// wallsStand moves the price for real and sees what falls.
func (m *market) wallsStand() {
	lens, err := m.NewLens(m.t.Context())
	require.NoError(m.t, err)
	fallen := func(usd int64) (accounts int, size float64) {
		require.NoError(m.t, m.SetETH(m.t.Context(), big.NewInt(usd*1e8)))
		factors, err := lens.HealthFactors(m.t.Context(), m.pop.Accounts(), head(m.t, m.World))
		require.NoError(m.t, err)
		for i, hf := range factors {
			if hf.Cmp(big.NewInt(1e18)) < 0 {
				accounts++
				size += m.pop.Borrowers[i].Size
			}
		}
		return accounts, size
	}
	n2401, _ := fallen(2_401)
	n2370, usd2370 := fallen(2_370)
	n2340, _ := fallen(2_340)
	assert.Greater(m.t, n2370-n2401, 2*(n2340-n2370), "a wall just under 2,400")
	assert.Greater(m.t, usd2370, 1e7)
	n2201, _ := fallen(2_201)
	n2160, _ := fallen(2_160)
	n2120, _ := fallen(2_120)
	assert.Greater(m.t, n2160-n2201, 2*(n2120-n2160), "a wall just under 2,200")
	low, _ := fallen(1_150)
	assert.Greater(m.t, low, n2120+50)

	squeezed, _ := fallen(3_000)
	assert.Greater(m.t, squeezed, 20, "shorts above spot")
}

func TestSameSeedSamePopulation(t *testing.T) {
	var pops [2]*Population
	var scaled [2]*big.Int
	for i := range pops {
		w := deployed(t, aave.V36)
		var err error
		pops[i], err = Build(t.Context(), w, Options{Seed: 7})
		require.NoError(t, err)
		scaled[i], err = w.ScaledTotalDebt(t.Context(), "USDC", head(t, w))
		require.NoError(t, err)
	}
	require.Equal(t, pops[0], pops[1])
	require.Equal(t, scaled[0].String(), scaled[1].String())
}

func TestPlainBorrowersAreRealAndAddUp(t *testing.T) {
	for _, v := range []aave.Version{aave.V30, aave.V36} {
		t.Run(string(v), func(t *testing.T) {
			w := deployed(t, v)
			pop, err := AddPlain(t.Context(), w, 1_000, 3)
			require.NoError(t, err)
			require.Len(t, pop.Borrowers, 1_000)
			m := &market{World: w, t: t, pop: pop, at: head(t, w), data: map[chains.Address]aave.AccountData{}}
			m.debtsAddUp()
			m.read()
			for _, d := range m.data {
				require.Positive(t, d.Debt.Sign())
				require.False(t, d.Liquidatable())
			}
		})
	}
}
