//go:build !linux

package anvil

import "os/exec"

// dieWithParent needs Linux; elsewhere a killed test leaves its node behind.
func dieWithParent(*exec.Cmd) {}
