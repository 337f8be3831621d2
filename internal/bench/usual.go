package bench

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"

	"liqwatch/chains"
)

// Usual is how liquidation bots usually read an Aave v3 pool: the Borrow logs for
// the borrowers, then Multicall3 packs of getUserAccountData. It is the baseline
// and shares no code with the clients it is compared with.
type Usual struct {
	URL      string
	Pool     chains.Address
	From     uint64
	LogRange uint64 // blocks asked for at once; zero: all
	Pack     int    // accounts per multicall
}

// Health is one account's health factor as the pool says, as the decimal string
// of its integer.
type Health map[chains.Address]string

var (
	multicall3  = chains.MustAddress("0xcA11bde05977b3631167028862bE2a173976CA11")
	borrowTopic = chains.Keccak([]byte("Borrow(address,address,address,uint256,uint8,uint256,uint16)"))
	aggregate3  = mustABI(`[{"type":"function","name":"aggregate3","stateMutability":"payable",
		"inputs":[{"name":"calls","type":"tuple[]","components":[{"name":"target","type":"address"},{"name":"allowFailure","type":"bool"},{"name":"callData","type":"bytes"}]}],
		"outputs":[{"name":"returnData","type":"tuple[]","components":[{"name":"success","type":"bool"},{"name":"returnData","type":"bytes"}]}]}]`)
	accountData = mustABI(`[{"type":"function","name":"getUserAccountData","stateMutability":"view",
		"inputs":[{"name":"user","type":"address"}],
		"outputs":[{"type":"uint256"},{"type":"uint256"},{"type":"uint256"},{"type":"uint256"},{"type":"uint256"},{"type":"uint256"}]}]`)
)

func mustABI(s string) abi.ABI {
	a, err := abi.JSON(bytes.NewReader([]byte(s)))
	if err != nil {
		panic(err)
	}
	return a
}

// Run finds every borrower and reads all their health at the head.
func (u Usual) Run(ctx context.Context) (Health, error) {
	var head string
	if err := u.call(ctx, &head, "eth_blockNumber"); err != nil {
		return nil, err
	}
	accounts, err := u.borrowers(ctx, head)
	if err != nil {
		return nil, err
	}
	return u.Refresh(ctx, head, accounts)
}

// Refresh reads the health of all accounts at a block: what a watcher that does
// not follow the logs does every block.
func (u Usual) Refresh(ctx context.Context, block string, accounts []chains.Address) (Health, error) {
	out := Health{}
	for len(accounts) > 0 {
		n := min(u.Pack, len(accounts))
		if err := u.pack(ctx, block, accounts[:n], out); err != nil {
			return nil, err
		}
		accounts = accounts[n:]
	}
	return out, nil
}

func (u Usual) borrowers(ctx context.Context, head string) ([]chains.Address, error) {
	to, err := hexNumber(head)
	if err != nil {
		return nil, fmt.Errorf("read the head: %w", err)
	}
	span := u.LogRange
	if span == 0 {
		span = to - u.From + 1
	}
	seen := map[chains.Address]bool{}
	var out []chains.Address
	for from := u.From; from <= to; from += span {
		var logs []struct{ Topics []chains.Hash }
		query := map[string]any{
			"address": u.Pool, "topics": []any{borrowTopic},
			"fromBlock": fmt.Sprintf("0x%x", from), "toBlock": fmt.Sprintf("0x%x", min(from+span-1, to)),
		}
		if err := u.call(ctx, &logs, "eth_getLogs", query); err != nil {
			return nil, err
		}
		for _, l := range logs {
			if a := l.Topics[2].Address(); !seen[a] {
				seen[a] = true
				out = append(out, a)
			}
		}
	}
	return out, nil
}

type packedCall struct {
	Target       common.Address
	AllowFailure bool
	CallData     []byte
}

func (u Usual) pack(ctx context.Context, block string, accounts []chains.Address, out Health) error {
	calls := make([]packedCall, len(accounts))
	for i, a := range accounts {
		data, err := accountData.Pack("getUserAccountData", common.Address(a))
		if err != nil {
			return fmt.Errorf("pack getUserAccountData: %w", err)
		}
		calls[i] = packedCall{common.Address(u.Pool), true, data}
	}
	data, err := aggregate3.Pack("aggregate3", calls)
	if err != nil {
		return fmt.Errorf("pack aggregate3: %w", err)
	}
	var raw string
	msg := map[string]string{"to": multicall3.String(), "data": "0x" + hex.EncodeToString(data)}
	if err := u.call(ctx, &raw, "eth_call", msg, block); err != nil {
		return err
	}
	return unpackHealth(raw, accounts, out)
}

func unpackHealth(raw string, accounts []chains.Address, out Health) error {
	var results []struct {
		Success    bool
		ReturnData []byte
	}
	b := common.FromHex(raw)
	if err := aggregate3.UnpackIntoInterface(&results, "aggregate3", b); err != nil {
		return fmt.Errorf("unpack aggregate3 (is Multicall3 deployed on this chain?): %w", err)
	}
	for i, r := range results {
		values, err := accountData.Unpack("getUserAccountData", r.ReturnData)
		if !r.Success || err != nil {
			return fmt.Errorf("getUserAccountData of %s reverted", accounts[i])
		}
		out[accounts[i]] = fmt.Sprint(values[5])
	}
	return nil
}

func (u Usual) call(ctx context.Context, into any, method string, params ...any) error {
	if params == nil {
		params = []any{}
	}
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	if err != nil {
		return fmt.Errorf("encode %s: %w", method, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.URL, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("ask %s: %w", method, err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("ask %s: %w", method, err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return fmt.Errorf("ask %s: %w", method, err)
	}
	var answer struct {
		Result json.RawMessage
		Error  *struct{ Message string }
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return fmt.Errorf("ask %s: %w", method, err)
	}
	if answer.Error != nil {
		return fmt.Errorf("ask %s: %s", method, answer.Error.Message)
	}
	return json.Unmarshal(answer.Result, into)
}
