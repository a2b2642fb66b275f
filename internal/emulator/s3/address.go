package s3

import (
	"errors"
	"fmt"
	"net"
	"syscall"
)

var errPortTaken = errors.New("the port is already in use")

// checkLoopback refuses to open the machine's files to its network.
func checkLoopback(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("local S3: address %q: want host:port", addr)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("local S3: address %q is not a loopback address", addr)
	}
	return nil
}

// pickAddr turns port 0 into a free port, and finds a taken port before the server is started in vain. The port is
// free again when it returns: the caller tries once more when somebody else was faster.
func pickAddr(addr string) (string, error) {
	l, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return "", fmt.Errorf("local S3 on %s: %w; stop what listens there, or choose another address", addr, errPortTaken)
	}
	if err != nil {
		return "", fmt.Errorf("local S3: %w", err)
	}
	defer l.Close()
	return l.Addr().String(), nil
}
