package contracts

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
)

// Compile compiles Solidity sources by file name, cached as the others are.
func Compile(ctx context.Context, files map[string]string) (Set, error) {
	return compile(ctx, sources(files))
}

// Artifacts reads compiled contracts of a package that keeps them as hardhat does:
// dir/PATH.sol/NAME.json, for each PATH given, NAME being its last part.
func Artifacts(dir string, paths ...string) (Set, error) {
	set := Set{}
	for _, file := range paths {
		name := path.Base(file)
		raw, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(file)+".sol", name+".json"))
		if err != nil {
			return nil, fmt.Errorf("read an artifact: %w", err)
		}
		var artifact struct {
			ABI            json.RawMessage `json:"abi"`
			Bytecode       string          `json:"bytecode"`
			LinkReferences linkReferences  `json:"linkReferences"`
		}
		if err := json.Unmarshal(raw, &artifact); err != nil {
			return nil, fmt.Errorf("read the artifact %s: %w", file, err)
		}
		if set[name], err = newContract(name, artifact.ABI, artifact.Bytecode, artifact.LinkReferences); err != nil {
			return nil, err
		}
	}
	return set, nil
}
