// Package contracts has the compiled contracts of the devnet: Aave 3.0.2 as its
// package ships it, Aave 3.6.0 and our own small contracts compiled with solc-js
// on first use and cached by a hash of everything that went in.
package contracts

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
)

// Contract is one compiled contract.
type Contract struct {
	Name string
	ABI  abi.ABI
	// Libraries are the names of the libraries whose addresses must be linked in.
	Libraries []string

	bytecode string // hex; link places hold placeholders
	links    map[string][]int
}

// Code is the creation code with libraries linked and constructor arguments appended.
func (c Contract) Code(libraries map[string]common.Address, args ...any) ([]byte, error) {
	code := []byte(c.bytecode)
	for name, places := range c.links {
		at, ok := libraries[name]
		if !ok {
			return nil, fmt.Errorf("link %s: library %s is not deployed", c.Name, name)
		}
		for _, start := range places {
			copy(code[2*start:], hex.EncodeToString(at[:]))
		}
	}
	raw, err := hex.DecodeString(string(code))
	if err != nil {
		return nil, fmt.Errorf("read the bytecode of %s: %w", c.Name, err)
	}
	packed, err := c.ABI.Pack("", args...)
	if err != nil {
		return nil, fmt.Errorf("encode the constructor arguments of %s: %w", c.Name, err)
	}
	return append(raw, packed...), nil
}

// Set is a group of contracts by name.
type Set map[string]Contract

// linkReferences are file -> library -> places, as solc writes them.
type linkReferences map[string]map[string][]struct {
	Start int `json:"start"`
}

func newContract(name string, rawABI json.RawMessage, bytecode string, refs linkReferences) (Contract, error) {
	parsed, err := abi.JSON(strings.NewReader(string(rawABI)))
	if err != nil {
		return Contract{}, fmt.Errorf("read the ABI of %s: %w", name, err)
	}
	c := Contract{Name: name, ABI: parsed, bytecode: strings.TrimPrefix(bytecode, "0x"), links: map[string][]int{}}
	for _, file := range refs {
		for lib, places := range file {
			c.Libraries = append(c.Libraries, lib)
			for _, p := range places {
				c.links[lib] = append(c.links[lib], p.Start)
			}
		}
	}
	slices.Sort(c.Libraries) // deployed in this order, so that addresses are the same every time
	return c, nil
}
