package tron

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"liqwatch/chains"
)

// window is how many blocks one eth_getLogs may span; java-tron takes 5,001.
const window = 5000

// overlap is how far back every request near the head looks again. The index a
// node keeps of its logs can have holes that fill later: looking again finds them
// without a request of its own.
const overlap = 24

// answeredLogs are the logs of one recent block that were handed out.
type answeredLogs struct {
	hash chains.Hash // of the block; zero when it had none
	logs map[uint]bool
}

type rpcLog struct {
	Address         string        `json:"address"`
	Topics          []chains.Hash `json:"topics"`
	Data            string        `json:"data"`
	BlockNumber     string        `json:"blockNumber"`
	BlockHash       chains.Hash   `json:"blockHash"`
	TransactionHash chains.Hash   `json:"transactionHash"`
	LogIndex        string        `json:"logIndex"`
	Removed         bool          `json:"removed"`
}

// Logs are those of the range, in order. Ranges of the past that come back empty
// are asked twice. Near the head the answer may also hold logs of the two dozen
// blocks before from, which an earlier answer lacked: a node's log index can
// have holes for a while, and what is found late must not be lost.
func (c *Client) Logs(ctx context.Context, filter chains.Filter, from uint64, to chains.Block) ([]chains.Log, error) {
	if filter.Empty() || from > to.Number {
		return nil, nil
	}
	start := c.lookBack(from, to.Number)
	var out []chains.Log
	for at := start; at <= to.Number; {
		end := min(at+window-1, to.Number)
		found, last, err := c.logsWindow(ctx, filter, at, end)
		if err != nil {
			return nil, fmt.Errorf("chain %s: logs of blocks %d to %d: %w", c.cfg.Name, at, end, err)
		}
		out = append(out, found...)
		at = last + 1
	}
	out = c.unseen(orderly(out), from)
	if err := c.checkBranch(ctx, out, to); err != nil {
		return nil, fmt.Errorf("chain %s: logs of blocks %d to %d: %w", c.cfg.Name, from, to.Number, err)
	}
	return c.handOut(out, from, to.Number), nil
}

// lookBack is where a request near the head starts: as far back as blocks were
// answered without a gap, but no further than the overlap.
func (c *Client) lookBack(from, to uint64) uint64 {
	if to-from >= window-overlap {
		return from
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	start := from
	for start > 0 && from-start < overlap {
		if _, ok := c.answered[start-1]; !ok {
			break
		}
		start--
	}
	return start
}

// logsWindow reads from..end, or as much of it as one answer holds.
func (c *Client) logsWindow(ctx context.Context, filter chains.Filter, from, end uint64) ([]chains.Log, uint64, error) {
	for {
		logs, err := c.logsOnce(ctx, filter, from, end)
		var f *fault
		switch {
		case err == nil && len(logs) == 0 && end-from > overlap:
			// Nothing in a long stretch of the past may be a hole: a second opinion.
			logs, err = c.logsOnce(ctx, filter, from, end)
			return logs, end, err
		case err == nil:
			return logs, end, nil
		case !errors.As(err, &f) || from == end:
			return nil, 0, err
		case f.kind == kindRange, f.kind == kindResults, f.kind == kindTooLarge:
			end = from + (end-from)/2
		default:
			return nil, 0, err
		}
	}
}

func (c *Client) logsOnce(ctx context.Context, filter chains.Filter, from, end uint64) ([]chains.Log, error) {
	query := map[string]any{"fromBlock": quantity(from), "toBlock": quantity(end), "topics": []any{filter.Topics}}
	var addresses []string
	for _, a := range filter.Addresses {
		addresses = append(addresses, "0x"+hex.EncodeToString(a[:]))
	}
	query["address"] = addresses
	var raw []rpcLog
	var out []chains.Log
	err := c.askUntil(ctx, "eth_getLogs", []any{query}, &raw, func() error {
		if raw == nil {
			return errors.New("eth_getLogs answered null")
		}
		out = out[:0]
		for i := range raw {
			l, err := raw[i].log()
			if err != nil {
				return err
			}
			if l.Block < from || l.Block > end || !filter.Match(l) {
				return fmt.Errorf("eth_getLogs answered with a log that was not asked for (block %d, contract %s)", l.Block, l.Address.Base58())
			}
			out = append(out, l)
		}
		return nil
	})
	return out, err
}

func (r *rpcLog) log() (chains.Log, error) {
	number, err := parseQuantity(r.BlockNumber)
	if err != nil {
		return chains.Log{}, fmt.Errorf("log of block %q: %w", r.BlockNumber, err)
	}
	index, err := parseQuantity(r.LogIndex)
	if err != nil {
		return chains.Log{}, fmt.Errorf("log with index %q: %w", r.LogIndex, err)
	}
	data, err := hex.DecodeString(strings.TrimPrefix(r.Data, "0x"))
	if err != nil {
		return chains.Log{}, fmt.Errorf("log data: %w", err)
	}
	var a chains.Address
	raw, err := hex.DecodeString(strings.TrimPrefix(r.Address, "0x"))
	if err != nil || len(raw) != len(a) {
		return chains.Log{}, fmt.Errorf("log of the contract %q: want 20 bytes", r.Address)
	}
	copy(a[:], raw)
	if r.Removed {
		return chains.Log{}, errors.New("log says that it was removed")
	}
	return chains.Log{
		Block: number, BlockHash: r.BlockHash, Tx: r.TransactionHash, Index: uint(index), Address: a, Topics: r.Topics, Data: data,
	}, nil
}

// orderly sorts by block and index and drops repetitions.
func orderly(logs []chains.Log) []chains.Log {
	slices.SortStableFunc(logs, func(x, y chains.Log) int {
		return cmp.Or(cmp.Compare(x.Block, y.Block), cmp.Compare(x.Index, y.Index))
	})
	return slices.CompactFunc(logs, func(x, y chains.Log) bool {
		return x.Block == y.Block && x.Index == y.Index && x.BlockHash == y.BlockHash
	})
}

// unseen leaves out the logs before from that were handed out before.
func (c *Client) unseen(logs []chains.Log, from uint64) []chains.Log {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.DeleteFunc(logs, func(l chains.Log) bool {
		if l.Block >= from {
			return false
		}
		seen := c.answered[l.Block]
		return seen.hash == l.BlockHash && seen.logs[l.Index]
	})
}

// checkBranch makes sure that the logs are of the branch that ends in to: every
// block with logs that can still be undone is looked up after the logs were read.
func (c *Client) checkBranch(ctx context.Context, logs []chains.Log, to chains.Block) error {
	c.mu.Lock()
	final := c.final.Number
	c.mu.Unlock()
	checked := map[uint64]chains.Hash{}
	for _, l := range logs {
		if l.Block == to.Number {
			checked[l.Block] = to.Hash
		}
		if _, ok := checked[l.Block]; !ok && l.Block > final {
			b, err := c.Block(ctx, l.Block)
			if err != nil {
				return err
			}
			checked[l.Block] = b.Hash
		}
		if want, ok := checked[l.Block]; ok && want != l.BlockHash {
			return fmt.Errorf("block %d: %w", l.Block, chains.ErrReorged)
		}
	}
	ok, err := c.canonical(ctx, to)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("block %d: %w", to.Number, chains.ErrReorged)
	}
	return nil
}

// handOut returns the logs of from..to, and those before from that an earlier
// answer lacked.
func (c *Client) handOut(logs []chains.Log, from, to uint64) []chains.Log {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []chains.Log
	fresh := map[uint64]answeredLogs{}
	for n := from; n <= to && to-from < window; n++ {
		fresh[n] = answeredLogs{logs: map[uint]bool{}}
	}
	late := 0
	for _, l := range logs {
		seen, ok := fresh[l.Block]
		if l.Block < from {
			seen, ok = c.answered[l.Block], true
			late++
		}
		if ok {
			if seen.hash != l.BlockHash {
				seen = answeredLogs{hash: l.BlockHash, logs: map[uint]bool{}}
			}
			seen.logs[l.Index] = true
			if l.Block < from {
				c.answered[l.Block] = seen
			} else {
				fresh[l.Block] = seen
			}
		}
		out = append(out, l)
	}
	if late > 0 {
		c.log.Warn().Int("logs", late).Uint64("before", from).Msg("logs found late: the node's index had a hole")
	}
	for n, a := range fresh {
		if n+remembered > to {
			c.answered[n] = a
		}
	}
	for n := range c.answered {
		if n+remembered < to {
			delete(c.answered, n)
		}
	}
	return out
}
