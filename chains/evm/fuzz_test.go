package evm

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"liqwatch/chains"
)

// Whatever a node sends, the reading of it ends in answers to the questions asked
// or in a fault, never in a panic or an answer to something else.

func FuzzReplies(f *testing.F) {
	f.Add([]byte(`{"jsonrpc":"2.0","id":7,"result":"0x1"}`), 1)
	f.Add([]byte(`[{"jsonrpc":"2.0","id":8,"result":null},{"jsonrpc":"2.0","id":7,"error":{"code":3,"message":"execution reverted","data":"0x01"}}]`), 2)
	f.Add([]byte(`{"Error":"lack of computing resources"}`), 1)
	f.Add([]byte(`[{}]`), 1)
	f.Add([]byte("\xff{"), 1)
	f.Fuzz(func(t *testing.T, body []byte, n int) {
		n = 1 + (n&0xff)%20
		replies, err := decodeReplies(body, 7, n)
		if err != nil {
			var fl *fault
			require.True(t, errors.As(err, &fl))
			require.True(t, utf8.ValidString(err.Error()))
			return
		}
		require.Len(t, replies, n)
		for _, r := range replies {
			require.True(t, (r.err == nil) == (len(r.result) > 0))
		}
	})
}

func FuzzLogs(f *testing.F) {
	good := `[{"address":"` + tokenA.String() + `","topics":["` + borrow.String() + `"],"data":"0x01","blockNumber":"0x5","blockHash":"` + borrow.String() + `","transactionHash":"` + repay.String() + `","logIndex":"0x0","removed":false}]`
	f.Add([]byte(good), uint64(0), uint64(10))
	f.Add([]byte(`null`), uint64(0), uint64(10))
	f.Add([]byte(`[{}]`), uint64(0), uint64(10))
	f.Fuzz(func(t *testing.T, raw []byte, from, to uint64) {
		logs, err := decodeLogs(raw, follow, from, to)
		if err != nil {
			return
		}
		for i, l := range logs {
			require.True(t, l.Block >= from && l.Block <= to && follow.Match(l))
			if i > 0 {
				require.Negative(t, compareLogs(logs[i-1], l))
			}
		}
	})
}

func FuzzHeader(f *testing.F) {
	f.Add([]byte(`{"number":"0x1","hash":"` + borrow.String() + `","parentHash":"` + repay.String() + `","timestamp":"0x1"}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if h, err := decodeHeader(raw); err == nil && h.Hash == (chains.Hash{}) && h.proven {
			t.Fatal("a header without hash was proven")
		}
	})
}

func FuzzPackedAnswer(f *testing.F) {
	f.Add(make([]byte, stampLen+answerLen), 1)
	f.Add(append(make([]byte, stampLen), 2, 0, 0, 3, 1, 2, 3), 1)
	f.Fuzz(func(t *testing.T, b []byte, n int) {
		n = (n & 0xffff) % 100
		if _, answers, err := unpackOutput(b, n); err == nil {
			require.LessOrEqual(t, len(answers), n)
			size := stampLen
			for _, a := range answers {
				size += answerLen + len(a.data)
			}
			require.Equal(t, len(b), size)
		}
	})
}

func FuzzMulticallAnswer(f *testing.F) {
	f.Add(make([]byte, 640), 1)
	f.Fuzz(func(t *testing.T, b []byte, n int) {
		n = (n & 0xff) % 20
		if _, answers, err := decodeAggregate3(b, n); err == nil {
			require.Len(t, answers, n)
		}
	})
}

func FuzzRefusal(f *testing.F) {
	for _, r := range refusals {
		f.Add([]byte(r.json))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if err := decodeRPCError(json.RawMessage(raw)); err == nil {
			t.Fatal("an error object that is none")
		}
	})
}

// What is packed comes out again, for any calls and answers.
func TestPackedFormsAreInverse(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		answers := rapid.SliceOf(rapid.Custom(func(rt *rapid.T) packedAnswer {
			return packedAnswer{failed: rapid.Bool().Draw(rt, "failed"), heavy: rapid.Bool().Draw(rt, "heavy"), data: rapid.SliceOf(rapid.Byte()).Draw(rt, "data")}
		})).Draw(rt, "answers")
		b := make([]byte, stampLen)
		b[31], b[63], b[127], b[159], b[191] = 9, 8, 1, 7, 6
		for _, a := range answers {
			flag := byte(0)
			if a.failed {
				flag |= flagFailed
			}
			if a.heavy {
				flag |= flagHeavy
			}
			b = slices.Concat(b, []byte{flag, byte(len(a.data) >> 16), byte(len(a.data) >> 8), byte(len(a.data))}, a.data)
		}
		s, got, err := unpackOutput(b, len(answers))
		if err != nil {
			rt.Fatal(err)
		}
		if s.number != 9 || s.time != 8 || s.chainID != 1 || s.gasStart != 7 || s.gasEnd != 6 || len(got) != len(answers) {
			rt.Fatalf("stamp %+v, %d answers", s, len(got))
		}
		for i, a := range answers {
			if got[i].failed != a.failed || got[i].heavy != a.heavy || string(got[i].data) != string(a.data) {
				rt.Fatalf("answer %d is %v, want %v", i, got[i], a)
			}
		}
		for cut := range b {
			if _, few, err := unpackOutput(b[:cut], len(answers)); err == nil && len(few) >= len(answers) && len(answers) > 0 {
				rt.Fatalf("cut off at %d and nothing missing", cut)
			}
		}
	})
}
