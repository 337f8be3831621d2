package contracts

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"liqwatch/devnet/packages"
)

//go:embed solc.js
var runner string

// sources are Solidity files by source unit name.
type sources map[string]string

type solcInput struct {
	Language string                       `json:"language"`
	Sources  map[string]map[string]string `json:"sources"`
	Settings map[string]any               `json:"settings"`
}

type solcOutput struct {
	Errors []struct {
		Severity         string `json:"severity"`
		FormattedMessage string `json:"formattedMessage"`
	} `json:"errors"`
	Contracts map[string]map[string]struct {
		ABI json.RawMessage `json:"abi"`
		EVM struct {
			Bytecode struct {
				Object         string         `json:"object"`
				LinkReferences linkReferences `json:"linkReferences"`
			} `json:"bytecode"`
		} `json:"evm"`
	} `json:"contracts"`
}

func newInput(src sources) solcInput {
	in := solcInput{Language: "Solidity", Sources: map[string]map[string]string{}}
	for name, content := range src {
		in.Sources[name] = map[string]string{"content": content}
	}
	in.Settings = map[string]any{
		"optimizer":       map[string]any{"enabled": true, "runs": 200},
		"evmVersion":      "shanghai",
		"metadata":        map[string]string{"bytecodeHash": "none"},
		"outputSelection": map[string]any{"*": map[string]any{"*": []string{"abi", "evm.bytecode.object", "evm.bytecode.linkReferences"}}},
	}
	return in
}

// compile returns the contracts of the sources, from the cache when the same
// sources, settings and compiler were used before.
func compile(ctx context.Context, src sources) (Set, error) {
	input, err := json.Marshal(newInput(src))
	if err != nil {
		return nil, err
	}
	cache, err := packages.CacheDir()
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(append([]byte(packages.Solc.Integrity+runner), input...))
	file := filepath.Join(cache, "solc", hex.EncodeToString(sum[:16])+".json")
	if _, err := os.Stat(file); err == nil {
		return readCompiled(file)
	}
	unlock, err := packages.Lock(ctx, file+".lock")
	if err != nil {
		return nil, err
	}
	defer unlock()
	if _, err := os.Stat(file); err == nil {
		return readCompiled(file)
	}
	if err := runSolc(ctx, input, file); err != nil {
		return nil, fmt.Errorf("compile with solc %s: %w", packages.Solc.Version, err)
	}
	return readCompiled(file)
}

func runSolc(ctx context.Context, input []byte, file string) error {
	node, err := exec.LookPath("node")
	if err != nil {
		return errors.New("node is not installed or not in PATH; it comes with npm (on Debian: apt-get install npm)")
	}
	solc, err := packages.Fetch(ctx, packages.Solc)
	if err != nil {
		return err
	}
	// Written beside and renamed, so that a killed compiler leaves no half file.
	tmp := file + ".part"
	cmd := exec.CommandContext(ctx, node, "-e", runner, filepath.Join(solc, "soljson.js"), tmp)
	cmd.Stdin = bytes.NewReader(input)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %.500s", err, out)
	}
	if _, err := readCompiled(tmp); err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	return os.Rename(tmp, file)
}

func readCompiled(file string) (Set, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read compiled contracts: %w", err)
	}
	var out solcOutput
	if err := json.Unmarshal(raw, &out); err != nil {
		return nil, fmt.Errorf("read compiled contracts in %s: %w", file, err)
	}
	for _, e := range out.Errors {
		if e.Severity == "error" {
			return nil, errors.New(e.FormattedMessage)
		}
	}
	set := Set{}
	for _, contracts := range out.Contracts {
		for name, c := range contracts {
			if c.EVM.Bytecode.Object == "" {
				continue // an interface
			}
			if set[name], err = newContract(name, c.ABI, c.EVM.Bytecode.Object, c.EVM.Bytecode.LinkReferences); err != nil {
				return nil, err
			}
		}
	}
	return set, nil
}
