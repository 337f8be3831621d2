// Package config reads liqwatch.yaml, strictly: what it does not know, cannot
// read in one way only, or would have to round, it refuses with the place in the
// file and what to do about it. It imports no other room.
//
// Every plug-in decodes its own block through [Settings], under the same rules:
// a struct with tags `yaml:"key,required" default:"text" doc:"sentence"`.
package config

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/shopspring/decimal"
)

// Config is the whole file. Every default is filled in.
type Config struct {
	Chains    map[string]Chain    `yaml:"chains,required" doc:"the networks to read, by the name you give them; known deployments expect the usual ones (ethereum, arbitrum, ...)"`
	Markets   []Market            `yaml:"markets,required" doc:"the lending markets to watch: the name of a known deployment, or a block"`
	Axes      map[string]Axis     `yaml:"axes" doc:"the directions in which prices move; ETH, BTC, TRX, market and pegs such as wstETH/ETH exist without being listed"`
	Rules     []Rule              `yaml:"rules" doc:"what to tell, when, and to whom"`
	Notifiers map[string]Notifier `yaml:"notifiers" doc:"where messages go, by the name that rules use"`
	Digest    *Digest             `yaml:"digest" doc:"a message a day that says that all is well, or what is not"`
	Heartbeat *Heartbeat          `yaml:"heartbeat" doc:"a call that is made while all is well, so that its silence is an alarm"`
	Store     Store               `yaml:"store" default:"sqlite:liqwatch.db" doc:"where accounts, history and alerts are kept: sqlite:FILE for one process, or postgres://USER:PASSWORD@HOST/DATABASE for any number that are then one watcher"`
	Web       Web                 `yaml:"web" doc:"the page, its JSON, metrics and health"`
	Sweep     time.Duration       `yaml:"sweep" default:"6h" doc:"how often every account is read again, to prove that nothing was missed"`
	Log       Log                 `yaml:"log" doc:"the log on stderr"`

	// Warnings are what works but should be known, in the order of the file.
	Warnings []Warning `yaml:"-"`

	doc *document
}

// Chain is one network and its nodes.
type Chain struct {
	Name     string            `yaml:"-"`
	RPC      []URL             `yaml:"rpc,required" doc:"its nodes, http(s) or ws(s), the best first; two or more check each other"`
	ID       uint64            `yaml:"id" doc:"the EIP-155 chain id the nodes must have; needed only for chains that are not known by name"`
	Headers  map[string]Secret `yaml:"headers" doc:"HTTP headers sent to every node of the chain, such as an API key"`
	Finality *uint64           `yaml:"finality" doc:"blocks after which a block counts as final; asked of the node when left out"`
	Poll     time.Duration     `yaml:"poll" doc:"time between looks for a new block; from the chain's block time when left out"`
	MaxRPS   decimal.Decimal   `yaml:"max_rps" doc:"most requests per second to each node; 0 for no limit"`
}

// Market is one lending market: a known deployment, or one described here.
type Market struct {
	// Name is the deployment's name, or the one given in the block.
	Name string
	// Protocol and Chain are empty for a known deployment.
	Protocol, Chain string
	// Settings are the adapter's own. Empty for a known deployment.
	Settings Settings
	// Position is where it stands in the file.
	Position Position
}

// Known reports that the market is named only, to be found among the known deployments.
func (m Market) Known() bool { return m.Protocol == "" }

// Axis is a direction in which prices move.
type Axis struct {
	Name      string `yaml:"-"`
	Reference string `yaml:"reference" doc:"the market whose oracle names the price that rules watch; the first market that has the axis when left out"`
	Spot      *Spot  `yaml:"spot" doc:"where the market's own price is read, to compare with the oracle's"`
}

// Spot is a price feed besides the protocol's own.
type Spot struct {
	Feed  string `yaml:"feed,required" doc:"address of a feed with latestRoundData and decimals"`
	Chain string `yaml:"chain" doc:"the chain it is on; the reference market's when left out"`
}

// Web is the page.
type Web struct {
	Listen    string `yaml:"listen" default:"127.0.0.1:8787" doc:"address and port; off for no page"`
	PublicURL URL    `yaml:"public_url" doc:"where people reach the page, such as https://liqwatch.example.org: digests link to it"`
	Token     Secret `yaml:"token" doc:"lets whoever knows it acknowledge and mute; where other machines reach the page it is needed to read as well. At least 16 characters"`
}

// Off reports that there is to be no page.
func (w Web) Off() bool { return w.Listen == "off" }

// Log is the log on stderr.
type Log struct {
	Level string `yaml:"level" default:"info" doc:"debug, info, warn or error"`
}

// Load reads a file. A file that is not there or not readable is an [Error] too.
func Load(path string) (*Config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		hint := "name the file with -c"
		if errors.Is(err, fs.ErrPermission) {
			hint = "the user that runs liqwatch must be able to read it"
		}
		var pathErr *fs.PathError
		if errors.As(err, &pathErr) {
			err = pathErr.Err
		}
		return nil, Errors{{Position: Position{File: path}, Problem: "read the configuration: " + err.Error(), Hint: hint, cause: err}}
	}
	return Parse(path, text)
}

// Parse reads a configuration from memory; name stands for the file in errors.
// An error is [Errors]: all that was found, each with its place.
func Parse(name string, text []byte) (*Config, error) {
	doc, err := readDocument(name, text)
	if err != nil {
		return nil, err
	}
	var errs Errors
	doc.override(&errs)
	doc.expand(doc.root, &errs)
	c := &Config{doc: doc}
	d := &decoder{doc: doc, errs: errs}
	d.into(doc.root, c)
	c.nameEntries()
	// What refers to something is only checked once everything could be read:
	// a typo in one place should not be told again wherever it is missed.
	if len(d.errs) == 0 {
		c.check(d)
	}
	if err := d.result(); err != nil {
		return nil, err
	}
	c.Warnings = doc.warnings
	return c, nil
}

func (c *Config) nameEntries() {
	for name, chain := range c.Chains {
		chain.Name = name
		c.Chains[name] = chain
	}
	for name, axis := range c.Axes {
		axis.Name = name
		c.Axes[name] = axis
	}
	for name, n := range c.Notifiers {
		n.Name = name
		c.Notifiers[name] = n
	}
}

// At is the place of a setting, by keys and list places: At("markets", 0, "chain").
// Where a step is missing it is the place of what holds it.
func (c *Config) At(path ...any) Position { return c.doc.at(c.doc.find(path...)) }

// Redact takes every secret of this configuration, keys in addresses included,
// out of a text that is about to be shown.
func (c *Config) Redact(text string) string { return c.doc.redactor.clean(text) }
