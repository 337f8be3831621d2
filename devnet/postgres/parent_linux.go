package postgres

import (
	"os/exec"
	"syscall"
)

// dieWithParent ends the server also when the test process is killed.
func dieWithParent(cmd *exec.Cmd) { cmd.SysProcAttr.Pdeathsig = syscall.SIGQUIT }
