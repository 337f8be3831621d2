package anvil

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"liqwatch/devnet/packages"
)

// reservePort chooses a free port where none is given, and makes sure that no
// other test process takes the same one before the node listens: a node that is
// already there would answer in its place.
func reservePort(port *int) (release func(), err error) {
	if *port != 0 {
		return func() {}, free(*port)
	}
	for range 100 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		*port = l.Addr().(*net.TCPAddr).Port
		release, ok, err := packages.TryLock(filepath.Join(os.TempDir(), "liqwatch-ports", strconv.Itoa(*port)))
		if err := errors.Join(err, l.Close()); err != nil {
			return nil, err
		}
		if ok {
			return release, nil
		}
	}
	return nil, errors.New("find a free port: all that were tried are reserved by other nodes")
}

// free is an error when somebody listens on the port.
func free(port int) error {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return fmt.Errorf("use port %d (another node may be running; choose another port): %w", port, err)
	}
	return l.Close()
}
