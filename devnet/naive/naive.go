// Package naive says which accounts of an Aave v3 pool can be liquidated, in the
// simplest way there is: it asks the pool about every account, at every block,
// one getUserAccountData each. It knows no interest, no thresholds and no ladder
// and imports nothing of liqwatch, so that it can be the judge of liqwatch.
package naive

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// Judge asks one pool on one node.
type Judge struct {
	url  string
	pool string
}

// New is the judge of the pool at that address; the node's URL is HTTP.
func New(url, pool string) *Judge { return &Judge{url: url, pool: pool} }

// Verdict is what the pool says of one account, in its own integers.
type Verdict struct {
	Account      string
	Collateral   *big.Int // 1e-8 USD
	Debt         *big.Int // 1e-8 USD
	HealthFactor *big.Int // 1e-18
}

var one = new(big.Int).Exp(big.NewInt(10), big.NewInt(18), nil)

// Liquidatable tells whether the health factor is below 1.
func (v Verdict) Liquidatable() bool { return v.HealthFactor.Cmp(one) < 0 }

// Sum is how much can be liquidated.
type Sum struct {
	Accounts   int
	Collateral *big.Int // of those accounts, 1e-8 USD
	Debt       *big.Int // 1e-8 USD
}

// Total adds up the liquidatable ones.
func Total(verdicts []Verdict) Sum {
	s := Sum{Collateral: new(big.Int), Debt: new(big.Int)}
	for _, v := range verdicts {
		if v.Liquidatable() {
			s.Accounts++
			s.Collateral.Add(s.Collateral, v.Collateral)
			s.Debt.Add(s.Debt, v.Debt)
		}
	}
	return s
}

// Liquidatable are the accounts that can be liquidated.
func Liquidatable(verdicts []Verdict) []string {
	var out []string
	for _, v := range verdicts {
		if v.Liquidatable() {
			out = append(out, v.Account)
		}
	}
	return out
}

// At asks about the accounts at a block.
func (j *Judge) At(ctx context.Context, block uint64, accounts []string) ([]Verdict, error) {
	return j.judge(ctx, block, accounts, nil)
}

func (j *Judge) judge(ctx context.Context, block uint64, accounts []string, overrides any) ([]Verdict, error) {
	const batch = 200
	out := make([]Verdict, 0, len(accounts))
	for len(accounts) > 0 {
		part := accounts[:min(batch, len(accounts))]
		accounts = accounts[len(part):]
		verdicts, err := j.batch(ctx, block, part, overrides)
		if err != nil {
			return nil, fmt.Errorf("ask the pool about %d accounts at block %d: %w", len(part), block, err)
		}
		out = append(out, verdicts...)
	}
	return out, nil
}

func (j *Judge) batch(ctx context.Context, block uint64, accounts []string, overrides any) ([]Verdict, error) {
	const getUserAccountData = "0xbf92857c"
	questions := make([]question, len(accounts))
	for i, a := range accounts {
		call := map[string]string{"to": j.pool, "data": getUserAccountData + word(a)}
		questions[i] = question{Method: "eth_call", Params: []any{call, quantity(block)}}
		if overrides != nil {
			questions[i].Params = append(questions[i].Params, overrides)
		}
	}
	answers, err := j.ask(ctx, questions)
	if err != nil {
		return nil, err
	}
	out := make([]Verdict, len(accounts))
	for i, raw := range answers {
		if out[i], err = verdict(accounts[i], raw); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// verdict reads collateral, debt, available, threshold, LTV and health factor.
func verdict(account string, raw json.RawMessage) (Verdict, error) {
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return Verdict{}, err
	}
	data, err := hex.DecodeString(strings.TrimPrefix(text, "0x"))
	if err != nil {
		return Verdict{}, err
	}
	if len(data) != 6*32 {
		return Verdict{}, fmt.Errorf("account %s: %d bytes returned, want 192; is it an Aave v3 pool?", account, len(data))
	}
	n := func(i int) *big.Int { return new(big.Int).SetBytes(data[32*i : 32*i+32]) }
	return Verdict{Account: account, Collateral: n(0), Debt: n(1), HealthFactor: n(5)}, nil
}

// Report is a price to be sent to a devnet aggregator.
type Report struct {
	Aggregator string
	Answer     *big.Int // 1e-8 USD
}

// AtPrices really sends the reports, in blocks with the timestamp of the head,
// asks about the accounts, and returns the node to where it was. A node that
// somebody follows shows him a reorg: use [Judge.IfPriced] there.
func (j *Judge) AtPrices(ctx context.Context, accounts []string, reports []Report) (verdicts []Verdict, err error) {
	var snapshot string
	if err := j.one(ctx, &snapshot, "evm_snapshot"); err != nil {
		return nil, err
	}
	defer func() {
		var done bool
		if e := j.one(ctx, &done, "evm_revert", snapshot); e != nil || !done {
			err = errors.Join(err, fmt.Errorf("return the node to its snapshot (%t): %w", done, e))
		}
	}()
	var head struct{ Number, Timestamp string }
	if err := j.one(ctx, &head, "eth_getBlockByNumber", "latest", false); err != nil {
		return nil, err
	}
	for _, r := range reports {
		if err := j.report(ctx, r, head.Timestamp); err != nil {
			return nil, err
		}
	}
	if err := j.one(ctx, &head, "eth_getBlockByNumber", "latest", false); err != nil {
		return nil, err
	}
	block, err := strconv.ParseUint(strings.TrimPrefix(head.Number, "0x"), 16, 64)
	if err != nil {
		return nil, err
	}
	return j.judge(ctx, block, accounts, nil)
}

func (j *Judge) report(ctx context.Context, r Report, timestamp string) error {
	const report = "0xcdbeafc4" // report(int256)
	unix, err := strconv.ParseUint(strings.TrimPrefix(timestamp, "0x"), 16, 64)
	if err != nil {
		return err
	}
	var ignored json.RawMessage
	if err := j.one(ctx, &ignored, "evm_setNextBlockTimestamp", unix); err != nil {
		return err
	}
	var from []string
	if err := j.one(ctx, &from, "eth_accounts"); err != nil {
		return err
	}
	var hash string
	tx := map[string]string{"from": from[0], "to": r.Aggregator, "data": report + answer(r.Answer), "gas": "0x2dc6c0", "gasPrice": "0x0"}
	if err := j.one(ctx, &hash, "eth_sendTransaction", tx); err != nil {
		return err
	}
	for {
		var receipt *struct{ Status string }
		if err := j.one(ctx, &receipt, "eth_getTransactionReceipt", hash); err != nil {
			return err
		}
		if receipt == nil {
			continue // mined at once, but not by the time of the first question
		}
		if receipt.Status != "0x1" {
			return fmt.Errorf("report to %s was refused", r.Aggregator)
		}
		return nil
	}
}

// IfPriced asks about the accounts as if the aggregators had answered so at that
// block; the node stays untouched.
func (j *Judge) IfPriced(ctx context.Context, block uint64, accounts []string, reports []Report) ([]Verdict, error) {
	// latestAnswer is the second storage slot of the devnet's Aggregator.
	slot := "0x" + strings.Repeat("0", 63) + "1"
	overrides := map[string]any{}
	for _, r := range reports {
		overrides[r.Aggregator] = map[string]any{"stateDiff": map[string]string{slot: "0x" + answer(r.Answer)}}
	}
	return j.judge(ctx, block, accounts, overrides)
}

func quantity(n uint64) string { return "0x" + strconv.FormatUint(n, 16) }

// word pads an address to 32 bytes.
func word(address string) string {
	return strings.Repeat("0", 24) + strings.ToLower(strings.TrimPrefix(address, "0x"))
}

func answer(n *big.Int) string { return fmt.Sprintf("%064x", n) }
