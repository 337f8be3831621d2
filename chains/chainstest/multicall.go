package chainstest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"

	"liqwatch/chains"
)

// Multicall3 is where the contract of that name stands on nearly every chain.
var Multicall3 = chains.MustAddress("0xcA11bde05977b3631167028862bE2a173976CA11")

const multicallABI = `[
{"type":"function","name":"aggregate3","stateMutability":"payable","inputs":[{"name":"calls","type":"tuple[]","components":[
 {"name":"target","type":"address"},{"name":"allowFailure","type":"bool"},{"name":"callData","type":"bytes"}]}],
 "outputs":[{"name":"returnData","type":"tuple[]","components":[{"name":"success","type":"bool"},{"name":"returnData","type":"bytes"}]}]},
{"type":"function","name":"getBlockNumber","inputs":[],"outputs":[{"type":"uint256"}]},
{"type":"function","name":"getCurrentBlockTimestamp","inputs":[],"outputs":[{"type":"uint256"}]},
{"type":"function","name":"getLastBlockHash","inputs":[],"outputs":[{"type":"bytes32"}]},
{"type":"function","name":"getChainId","inputs":[],"outputs":[{"type":"uint256"}]}]`

// DeployMulticall3 puts a double of Multicall3 on the chain. It calls views set
// with SetView, and like the real one starves the calls after one that used up all gas.
func (c *Chain) DeployMulticall3() {
	parsed, err := abi.JSON(strings.NewReader(multicallABI))
	if err != nil {
		panic(err)
	}
	c.SetView(Multicall3, func(at chains.Block, data []byte) ([]byte, bool) {
		if len(data) < 4 {
			return nil, false
		}
		if out := c.multicallStamp(parsed, at, data); out != nil {
			return out, true
		}
		m, err := parsed.MethodById(data)
		if err != nil || m.Name != "aggregate3" {
			return nil, false
		}
		args, err := m.Inputs.Unpack(data[4:])
		if err != nil {
			return nil, false
		}
		calls := *abi.ConvertType(args[0], new([]struct {
			Target       common.Address `json:"target"`
			AllowFailure bool           `json:"allowFailure"`
			CallData     []byte         `json:"callData"`
		})).(*[]struct {
			Target       common.Address `json:"target"`
			AllowFailure bool           `json:"allowFailure"`
			CallData     []byte         `json:"callData"`
		})
		type result struct {
			Success    bool
			ReturnData []byte
		}
		out := make([]result, len(calls))
		starved := false
		for i, call := range calls {
			if starved {
				continue
			}
			ret, ok, burned := c.subcall(parsed, at, chains.Address(call.Target), call.CallData)
			out[i] = result{ok, ret}
			starved = burned
			if !ok && !call.AllowFailure {
				return []byte("Multicall3: call failed"), false
			}
		}
		packed, err := m.Outputs.Pack(out)
		return packed, err == nil
	})
}

func (c *Chain) subcall(parsed abi.ABI, at chains.Block, to chains.Address, data []byte) (ret []byte, ok, burned bool) {
	if to == Multicall3 {
		out := c.multicallStamp(parsed, at, data)
		return out, out != nil, false
	}
	c.mu.Lock()
	v := c.views[to]
	c.mu.Unlock()
	if v == nil {
		return nil, true, false // no code: a call succeeds and returns nothing
	}
	ret, err := scripted{view: v, at: at}.Run(data)
	return ret, err == nil, errors.Is(err, ErrOutOfGas)
}

func (c *Chain) multicallStamp(parsed abi.ABI, at chains.Block, data []byte) []byte {
	word := func(n uint64) []byte { return binary.BigEndian.AppendUint64(make([]byte, 24), n) }
	for name, answer := range map[string][]byte{
		"getBlockNumber": word(at.Number), "getCurrentBlockTimestamp": word(at.Time), "getLastBlockHash": at.Parent[:], "getChainId": word(c.ID),
	} {
		if bytes.Equal(data, parsed.Methods[name].ID) {
			return answer
		}
	}
	return nil
}
