package aavev3

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"liqwatch/chains"
	"liqwatch/protocols"
)

// Settings are what a market of this protocol takes in the configuration.
type Settings struct {
	// Provider is the market's PoolAddressesProvider: everything else is found from it.
	Provider chains.Address `yaml:"pool_addresses_provider"`
	// FromBlock is where looking for borrowers begins: the pool's deployment, or an earlier block.
	FromBlock uint64 `yaml:"from_block"`
	// Accounts is a file of addresses, one a line, to begin with; from_block may then be the
	// block it was made at. The sums of debts prove that nobody is missing.
	Accounts string `yaml:"accounts"`
	// Fork is "sparklend" for SparkLend, whose revisions count on their own; empty for Aave.
	Fork Fork `yaml:"fork"`
}

// New makes a market from its settings.
func New(where protocols.Placement, from protocols.Settings) (protocols.Market, error) {
	var s Settings
	if err := from.Decode(&s); err != nil {
		return nil, err
	}
	return newMarket(where, s)
}

func newMarket(where protocols.Placement, s Settings) (*Market, error) {
	if s.Provider.IsZero() {
		return nil, errors.New("pool_addresses_provider: missing; it is the address of the market's PoolAddressesProvider contract")
	}
	if s.Fork != NoFork && s.Fork != SparkLend {
		return nil, fmt.Errorf("fork: %q is not known; leave it out for Aave, or write %q", abbreviate(string(s.Fork)), SparkLend)
	}
	m := &Market{where: where, settings: s, known: map[chains.Address]struct{}{}, noted: newNoted(), cutoffs: map[chains.Address]uint64{}}
	if s.Accounts != "" {
		list, err := readAccounts(s.Accounts)
		if err != nil {
			return nil, fmt.Errorf("accounts: %w", err)
		}
		m.Know(list)
	}
	return m, nil
}

func readAccounts(path string) ([]chains.Address, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	list, err := parseAccounts(f)
	if err != nil {
		return nil, fmt.Errorf("%s:%w", path, err)
	}
	return list, nil
}

// parseAccounts reads one address a line; empty lines and what follows a # are left out.
func parseAccounts(r io.Reader) ([]chains.Address, error) {
	var out []chains.Address
	in := bufio.NewScanner(r)
	line := 0
	for in.Scan() {
		line++
		text, _, _ := strings.Cut(in.Text(), "#")
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		a, err := chains.ParseAddress(abbreviate(text))
		if err != nil {
			return nil, fmt.Errorf("%d: %w", line, err)
		}
		out = append(out, a)
	}
	if err := in.Err(); err != nil {
		return nil, fmt.Errorf("%d: %w", line+1, err)
	}
	if len(out) == 0 {
		return nil, errors.New("0: no address in it")
	}
	return out, nil
}

// abbreviate keeps an error readable whatever was in the file.
func abbreviate(s string) string {
	if len(s) > 60 {
		return s[:60] + "..."
	}
	return s
}
