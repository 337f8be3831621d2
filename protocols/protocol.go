package protocols

// Protocol is a plug-in: one lending protocol that liqwatch can read.
type Protocol struct {
	// Name is the "protocol" of a market in the configuration.
	Name string
	// New makes a market from its own settings. Errors name the setting.
	New func(Placement, Settings) (Market, error)
	// Deployments are those known by name.
	Deployments []Deployment
}

// Placement says under which name and on which chain a market lives.
type Placement struct {
	Name  string
	Chain string
}

// Settings decodes a plug-in's own block of the configuration, strictly:
// an unknown or duplicate key is an error with line and column.
type Settings interface {
	Decode(into any) error
}

// Deployment is a market known by name, with the settings a user would write.
type Deployment struct {
	Name     string // "aave-v3-ethereum"
	Chain    string // "ethereum"
	ChainID  uint64
	Settings map[string]any
}
