package watch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"liqwatch/chains"
)

// The past is scanned in chunks so that an interrupted scan resumes near where it
// stopped; a chunk aims at this much time.
const (
	chunkTime  = 20 * time.Second
	firstChunk = 5_000_000
	leastChunk = 2_000
	// worthKeeping is how long a scan takes that should not be made again.
	worthKeeping = 2 * time.Second
)

// discover finds the accounts of a market's past: from the store where it was
// scanned before, else from the deployment on, up to head.
func (f *Follower) discover(ctx context.Context, t *tracked, head chains.Block) error {
	filter, from := t.market.Discovery()
	if err := f.restore(ctx, t); err != nil {
		return err
	}
	if t.cursor != (chains.Block{}) {
		from = max(from, t.cursor.Number+1)
	}
	begin, size := from, cmp.Or(f.Chunk, firstChunk)
	for from <= head.Number {
		end, err := f.chunkEnd(ctx, from, size, head)
		if err != nil {
			return fmt.Errorf("find the borrowers of %s: %w", t.market.Name(), err)
		}
		start := time.Now()
		logs, err := f.chain.Logs(f.watching(ctx, t, from-begin, head.Number+1-begin), filter, from, end)
		if err != nil {
			return fmt.Errorf("find the borrowers of %s: logs of blocks %d to %d: %w", t.market.Name(), from, end.Number, err)
		}
		t.market.Note(logs)
		if err := f.keep(ctx, t, head, end, time.Since(start)); err != nil {
			return err
		}
		f.progress("find the borrowers of "+t.market.Name(), end.Number+1-begin, head.Number+1-begin)
		from = end.Number + 1
		if f.Chunk == 0 {
			size = nextChunk(size, time.Since(start))
		}
	}
	return nil
}

// chunkEnd is the last block of the chunk that begins at a block.
func (f *Follower) chunkEnd(ctx context.Context, from, size uint64, head chains.Block) (chains.Block, error) {
	if from+size > head.Number {
		return head, nil
	}
	return f.chain.Block(ctx, from+size-1)
}

// keep stores how far the scan is, so that it can be resumed. A scan that took no
// time is not worth the question for the final block: the next pass asks it anyway.
func (f *Follower) keep(ctx context.Context, t *tracked, head, end chains.Block, took time.Duration) error {
	if f.Chunk == 0 && end == head && took < worthKeeping {
		return nil
	}
	final, err := f.finalized(ctx, head)
	if err != nil {
		return err
	}
	return f.save(ctx, t, older(end, final))
}

// restore tells the market the accounts that the store has of it.
func (f *Follower) restore(ctx context.Context, t *tracked) error {
	cursor, ok, err := f.accounts.Cursor(ctx, t.set)
	if err != nil {
		return fmt.Errorf("load accounts of %s: %w", t.market.Name(), err)
	}
	if !ok {
		return nil
	}
	known, err := f.accounts.Accounts(ctx, t.set)
	if err != nil {
		return fmt.Errorf("load accounts of %s: %w", t.market.Name(), err)
	}
	t.market.Know(known)
	for _, a := range known {
		t.saved[a] = true
	}
	here, err := f.onChain(ctx, cursor)
	if err != nil {
		return fmt.Errorf("load accounts of %s: %w", t.market.Name(), err)
	}
	if !here {
		f.log.Warn().Str("market", t.market.Name()).Uint64("block", cursor.Number).
			Msg("the store knows another branch of this chain: reading the past again")
		return nil
	}
	t.cursor = cursor
	return nil
}

// onChain reports whether a block is part of the chain as it is now.
func (f *Follower) onChain(ctx context.Context, b chains.Block) (bool, error) {
	now, err := f.chain.Block(ctx, b.Number)
	if errors.Is(err, chains.ErrNotFound) {
		return false, nil
	}
	return err == nil && now.Hash == b.Hash, err
}

func older(a, b chains.Block) chains.Block {
	if b.Number < a.Number {
		return b
	}
	return a
}

// watching makes a read of logs tell how far it is within the whole scan.
func (f *Follower) watching(ctx context.Context, t *tracked, before, total uint64) context.Context {
	return chains.WithProgress(ctx, func(done, _ uint64) {
		f.progress("find the borrowers of "+t.market.Name(), before+done, total)
	})
}

// nextChunk adapts the chunk to what the node made of the last one.
func nextChunk(size uint64, took time.Duration) uint64 {
	switch {
	case took > 2*chunkTime:
		return max(size/2, leastChunk)
	case took < chunkTime/2:
		return size * 2
	}
	return size
}

// save stores the accounts not stored before, and how far the logs have been
// read; nothing is written when neither changed.
func (f *Follower) save(ctx context.Context, t *tracked, upTo chains.Block) error {
	var fresh []chains.Address
	for _, a := range t.market.Accounts() {
		if !t.saved[a] {
			fresh = append(fresh, a)
		}
	}
	if upTo.Number < t.cursor.Number {
		upTo = t.cursor // a look at an old block forgets nothing
	}
	if len(fresh) == 0 && upTo == t.cursor {
		return nil
	}
	if err := f.accounts.SaveAccounts(ctx, t.set, fresh, upTo); err != nil {
		return fmt.Errorf("save accounts of %s: %w", t.market.Name(), err)
	}
	for _, a := range fresh {
		t.saved[a] = true
	}
	t.cursor = upTo
	return nil
}

// finalized is the newest final block, never after head.
func (f *Follower) finalized(ctx context.Context, head chains.Block) (chains.Block, error) {
	b, err := f.chain.Finalized(ctx)
	if err != nil {
		return chains.Block{}, fmt.Errorf("ask %s what is final: %w", f.chain.Name(), err)
	}
	if b.Number > head.Number {
		b = head
	}
	if f.final == (chains.Block{}) || b.Number > f.final.Number {
		f.final = b
	}
	return f.final, nil
}

func (f *Follower) progress(what string, done, total uint64) {
	if f.Progress != nil {
		f.Progress(Progress{Chain: f.chain.Name(), What: what, Done: done, Total: total})
	}
}
