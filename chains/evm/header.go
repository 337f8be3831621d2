package evm

import (
	"encoding/hex"
	"encoding/json"

	"github.com/ethereum/go-ethereum/core/types"

	"liqwatch/chains"
)

// header is what is kept of a block's header.
type header struct {
	chains.Block
	bloom types.Bloom
	// hasBloom is false where the node leaves the bloom out.
	hasBloom bool
	// evmNumber is what NUMBER reads inside a call at this block: the block's own
	// number, except on Arbitrum chains, where it is that of the chain below.
	evmNumber uint64
	// proven: the hash was computed from the header again and is right.
	proven bool
}

type wireHeader struct {
	Number    *string `json:"number"`
	Hash      *string `json:"hash"`
	Parent    *string `json:"parentHash"`
	Timestamp *string `json:"timestamp"`
	Bloom     *string `json:"logsBloom"`
	L1Number  *string `json:"l1BlockNumber"`
}

// blockFields are the fields of a block's JSON that the hash is made of, or that
// are known not to be part of the header. Any other field means that this chain's
// headers hold more than Ethereum's.
var blockFields = map[string]bool{
	"number": true, "hash": true, "parentHash": true, "timestamp": true, "logsBloom": true, "sha3Uncles": true, "miner": true,
	"stateRoot": true, "transactionsRoot": true, "receiptsRoot": true, "difficulty": true, "gasLimit": true, "gasUsed": true,
	"extraData": true, "mixHash": true, "nonce": true, "baseFeePerGas": true, "withdrawalsRoot": true, "blobGasUsed": true,
	"excessBlobGas": true, "parentBeaconBlockRoot": true, "requestsHash": true,
	"size": true, "totalDifficulty": true, "transactions": true, "uncles": true, "withdrawals": true, "author": true, "sealFields": true,
}

// decodeHeader reads a block as eth_getBlockBy... answers it; null is not found.
func decodeHeader(raw json.RawMessage) (header, error) {
	if string(raw) == "null" {
		return header{}, &fault{kind: kindMissing}
	}
	var w wireHeader
	if err := json.Unmarshal(raw, &w); err != nil {
		return header{}, lie("block of a shape not known: %s", clip(string(raw[:min(len(raw), 200)])))
	}
	if w.Number == nil || w.Hash == nil || w.Parent == nil || w.Timestamp == nil {
		return header{}, lie("block without number, hash, parentHash or timestamp")
	}
	var h header
	var err error
	if h.Number, err = parseQuantity(*w.Number); err != nil {
		return header{}, err
	}
	if h.Hash, err = parseHash(*w.Hash); err != nil {
		return header{}, err
	}
	if h.Parent, err = parseHash(*w.Parent); err != nil {
		return header{}, err
	}
	if h.Time, err = parseQuantity(*w.Timestamp); err != nil {
		return header{}, err
	}
	h.evmNumber = h.Number
	if w.L1Number != nil {
		if h.evmNumber, err = parseQuantity(*w.L1Number); err != nil {
			return header{}, err
		}
	}
	if h.hasBloom, err = decodeBloom(w.Bloom, &h.bloom); err != nil {
		return header{}, err
	}
	return h, h.prove(raw)
}

func decodeBloom(text *string, bloom *types.Bloom) (bool, error) {
	if text == nil || len(*text) != 2+2*types.BloomByteLength {
		return false, nil
	}
	if _, err := hex.Decode(bloom[:], []byte((*text)[2:])); err != nil {
		return false, lie("logsBloom is not hex")
	}
	return true, nil
}

// prove computes the hash again. Headers with fields that Ethereum's do not have
// cannot be hashed here; they stay unproven.
func (h *header) prove(raw json.RawMessage) error {
	var full types.Header
	if err := json.Unmarshal(raw, &full); err != nil {
		return nil //nolint:nilerr // a header that Ethereum's rules cannot read is unproven, not wrong
	}
	h.proven = chains.Hash(full.Hash()) == h.Hash
	if !h.proven && onlyKnownFields(raw) {
		return errHashMismatch
	}
	return nil
}

// errHashMismatch is a header that has Ethereum's fields and not their hash.
var errHashMismatch = lie("the block's hash is not that of its header")

func onlyKnownFields(raw json.RawMessage) bool {
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil {
		return false
	}
	for name := range fields {
		if !blockFields[name] {
			return false
		}
	}
	return true
}
