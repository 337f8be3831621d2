package config

import (
	"os"

	"go.yaml.in/yaml/v3"
)

// overrides are the settings that an environment variable can set over the file.
var overrides = []struct {
	variable string
	path     []string
}{
	{"LIQWATCH_STORE", []string{"store"}},
	{"LIQWATCH_WEB_LISTEN", []string{"web", "listen"}},
	{"LIQWATCH_SWEEP", []string{"sweep"}},
	{"LIQWATCH_LOG_LEVEL", []string{"log", "level"}},
}

// override puts the values of set environment variables into the tree.
func (d *document) override(errs *Errors) {
	for _, o := range overrides {
		value, ok := os.LookupEnv(o.variable)
		if !ok || value == "" {
			continue
		}
		if err := d.checkText([]byte(value)); err != nil {
			err.Position = Position{File: "environment " + o.variable}
			*errs = append(*errs, err)
			continue
		}
		n := d.root
		for _, key := range o.path[:len(o.path)-1] {
			n = d.subBlock(n, key)
		}
		fresh := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value}
		d.origin[fresh] = o.variable
		setChild(n, o.path[len(o.path)-1], fresh)
	}
}

func (d *document) subBlock(n *yaml.Node, key string) *yaml.Node {
	if _, block := child(n, key); block != nil && block.Kind == yaml.MappingNode {
		return block
	}
	block := &yaml.Node{Kind: yaml.MappingNode, Line: n.Line, Column: n.Column}
	setChild(n, key, block)
	return block
}

func setChild(n *yaml.Node, key string, value *yaml.Node) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			n.Content[i+1] = value
			return
		}
	}
	n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: key}, value)
}
