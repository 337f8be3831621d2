package config

import (
	"bytes"
	"fmt"

	"go.yaml.in/yaml/v3"
)

// nowhere stands for the nodes of a configuration that is shown to others: an
// address at which nothing listens.
const nowhere = "http://127.0.0.1:1"

// Public is the part of the configuration that says what is watched, as a file of
// its own: chains by name and id, markets, axes and rules. It holds no node, no
// notifier, nothing that was written as ${...}, and so no secret. A recording
// keeps it, to be played with the same markets and rules.
func (c *Config) Public() (string, error) {
	root := &yaml.Node{Kind: yaml.MappingNode}
	put(root, "chains", c.publicChains())
	for _, key := range []string{"markets", "axes", "rules"} {
		if _, n := child(c.doc.root, key); n != nil {
			put(root, key, c.doc.public(n, "notify", "remind", "escalate"))
		}
	}
	var out bytes.Buffer
	e := yaml.NewEncoder(&out)
	e.SetIndent(2)
	if err := e.Encode(root); err != nil {
		return "", fmt.Errorf("write the public part of the configuration: %w", err)
	}
	return out.String(), nil
}

func (c *Config) publicChains() *yaml.Node {
	_, written := child(c.doc.root, "chains")
	out := &yaml.Node{Kind: yaml.MappingNode}
	for i := 0; i+1 < len(written.Content); i += 2 {
		one := &yaml.Node{Kind: yaml.MappingNode}
		put(one, "rpc", &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle, Content: []*yaml.Node{text(nowhere)}})
		if _, id := child(written.Content[i+1], "id"); id != nil {
			put(one, "id", c.doc.public(id))
		}
		put(out, written.Content[i].Value, one)
	}
	return out
}

// public copies a tree without the keys named and without what came from ${...}.
func (d *document) public(n *yaml.Node, without ...string) *yaml.Node {
	out := &yaml.Node{Kind: n.Kind, Tag: n.Tag, Value: n.Value, Style: n.Style}
	if n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if key := n.Content[i].Value; !contains(without, key) && !d.secret(n.Content[i+1]) {
				put(out, key, d.public(n.Content[i+1], without...))
			}
		}
		return out
	}
	for _, item := range n.Content {
		if !d.secret(item) {
			out.Content = append(out.Content, d.public(item, without...))
		}
	}
	return out
}

func (d *document) secret(n *yaml.Node) bool {
	_, written := d.written[n]
	return written
}

func put(into *yaml.Node, key string, value *yaml.Node) {
	into.Content = append(into.Content, text(key), value)
}

func text(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s} }
