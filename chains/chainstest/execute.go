package chainstest

import (
	"errors"
	"maps"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/tracing"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/params"
	"github.com/holiman/uint256"

	"liqwatch/chains"
)

// execution is one eth_call.
type execution struct {
	at       *block
	to       *chains.Address // nil runs data as initcode
	data     []byte
	gas      uint64
	override map[chains.Address]map[string]string
}

var (
	errReverted = errors.New("execution reverted")
	errOutOfGas = errors.New("out of gas")
)

// run executes a call at a block, in a real EVM.
func (c *Chain) run(e execution) ([]byte, error) {
	db, err := c.stateAt(e.at)
	if err != nil {
		return nil, err
	}
	precompiles := maps.Clone(vm.PrecompiledContractsCancun)
	c.mu.Lock()
	for a, v := range c.views {
		precompiles[common.Address(a)] = scripted{view: v, at: e.at.Block}
	}
	c.mu.Unlock()
	for a, o := range e.override {
		code, err := hexBytes(o["code"])
		if err != nil {
			return nil, err
		}
		db.SetCode(common.Address(a), code, tracing.CodeChangeUnspecified)
		delete(precompiles, common.Address(a))
	}
	intrinsic := params.TxGas
	if e.to == nil {
		intrinsic = params.TxGasContractCreation
	}
	for _, b := range e.data {
		intrinsic += params.TxDataZeroGas
		if b != 0 {
			intrinsic += params.TxDataNonZeroGasEIP2028 - params.TxDataZeroGas
		}
	}
	if intrinsic > e.gas {
		return nil, errOutOfGas
	}
	evm := vm.NewEVM(c.context(e.at), db, chainConfig(c.ID), vm.Config{NoBaseFee: true})
	evm.SetTxContext(vm.TxContext{GasPrice: new(uint256.Int)})
	evm.SetPrecompiles(precompiles)
	budget := vm.NewGasBudget(e.gas-intrinsic, 0)
	var out []byte
	if e.to == nil {
		out, _, _, err = evm.Create(common.Address{}, e.data, budget, new(uint256.Int))
	} else {
		out, _, err = evm.Call(common.Address{}, common.Address(*e.to), e.data, budget, new(uint256.Int))
	}
	switch {
	case errors.Is(err, vm.ErrExecutionReverted):
		return out, errReverted
	case errors.Is(err, vm.ErrOutOfGas) || errors.Is(err, ErrOutOfGas):
		return nil, errOutOfGas
	}
	return out, err
}

// stateAt replays the changes up to a block.
func (c *Chain) stateAt(b *block) (*state.StateDB, error) {
	db, err := state.New(types.EmptyRootHash, state.NewDatabaseForTesting())
	if err != nil {
		return nil, err
	}
	seenCode, seenSlot := map[chains.Address]bool{}, map[chains.Address]map[chains.Hash]bool{}
	for ; b != nil; b = b.up { // newest first: the first change seen is the one that holds
		for a, code := range b.state.code {
			if !seenCode[a] {
				seenCode[a] = true
				db.SetCode(common.Address(a), code, tracing.CodeChangeUnspecified)
			}
		}
		for a, slots := range b.state.storage {
			if seenSlot[a] == nil {
				seenSlot[a] = map[chains.Hash]bool{}
				db.SetNonce(common.Address(a), 1, tracing.NonceChangeUnspecified)
			}
			for slot, word := range slots {
				if !seenSlot[a][slot] {
					seenSlot[a][slot] = true
					db.SetState(common.Address(a), common.Hash(slot), common.Hash(word))
				}
			}
		}
	}
	return db, nil
}

// slot is one storage word at a block.
func (b *block) slot(a chains.Address, slot chains.Hash) chains.Hash {
	for ; b != nil; b = b.up {
		if word, ok := b.state.storage[a][slot]; ok {
			return word
		}
	}
	return chains.Hash{}
}

func (c *Chain) context(b *block) vm.BlockContext {
	number := b.header.Number
	if b.below != 0 {
		number = new(big.Int).SetUint64(b.below)
	}
	return vm.BlockContext{
		CanTransfer: func(vm.StateDB, common.Address, *uint256.Int) bool { return true },
		Transfer: func(vm.StateDB, common.Address, common.Address, *uint256.Int, *params.Rules) {
		},
		GetHash: func(n uint64) common.Hash {
			for up := b.up; up != nil; up = up.up {
				if up.Number == n {
					return common.Hash(up.Hash)
				}
			}
			return common.Hash{}
		},
		GasLimit: b.header.GasLimit, BlockNumber: number, Time: b.Time,
		Difficulty: new(big.Int), BaseFee: new(big.Int), BlobBaseFee: new(big.Int), Random: new(common.Hash),
	}
}

func chainConfig(id uint64) *params.ChainConfig {
	zero := uint64(0)
	return &params.ChainConfig{
		ChainID: new(big.Int).SetUint64(id), HomesteadBlock: new(big.Int), EIP150Block: new(big.Int), EIP155Block: new(big.Int),
		EIP158Block: new(big.Int), ByzantiumBlock: new(big.Int), ConstantinopleBlock: new(big.Int), PetersburgBlock: new(big.Int),
		IstanbulBlock: new(big.Int), MuirGlacierBlock: new(big.Int), BerlinBlock: new(big.Int), LondonBlock: new(big.Int),
		TerminalTotalDifficulty: new(big.Int), MergeNetsplitBlock: new(big.Int), ShanghaiTime: &zero, CancunTime: &zero,
		BlobScheduleConfig: params.DefaultBlobSchedule,
	}
}

// scripted lets a Go function stand for a contract. It costs 100 gas; a view that
// panics with [ErrOutOfGas] uses all there is.
type scripted struct {
	view View
	at   chains.Block
}

// ErrOutOfGas, panicked with by a [View], uses up the gas of the call.
var ErrOutOfGas = errors.New("the view used all its gas")

func (s scripted) Name() string              { return "scripted view" }
func (s scripted) RequiredGas([]byte) uint64 { return 100 }

func (s scripted) Run(input []byte) (out []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			if r != any(ErrOutOfGas) {
				panic(r)
			}
			out, err = nil, ErrOutOfGas
		}
	}()
	out, ok := s.view(s.at, input)
	if !ok {
		return out, vm.ErrExecutionReverted
	}
	return out, nil
}
