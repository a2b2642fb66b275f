package system

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Address is where a part of the system listens, and how a person changes that.
type Address struct {
	// Name is the part's, such as "Step Functions".
	Name string
	// Addr is a loopback host:port; port 0 takes a free one.
	Addr string
	// Change says how a person chooses another, such as "the flag -s3-addr".
	Change string
}

// ParseAddr takes host:port, :port or port, and refuses what is not on this machine alone.
func ParseAddr(text string) (string, error) {
	if !strings.Contains(text, ":") {
		text = ":" + text
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return "", fmt.Errorf("%q is not an address: want a port, or host:port", text)
	}
	if host == "" || host == "localhost" {
		host = "127.0.0.1"
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return "", fmt.Errorf("%q is not a port", port)
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return "", fmt.Errorf("%s is not an address of this machine alone (127.0.0.1): everything here is served without "+
			"a password, so it stays on this machine", host)
	}
	return net.JoinHostPort(host, port), nil
}

// check finds out that a port is taken before anything is started.
func (a Address) check() error {
	listener, err := a.listen()
	if err != nil {
		return err
	}
	return listener.Close()
}

func (a Address) listen() (net.Listener, error) {
	listener, err := net.Listen("tcp", a.Addr)
	_, port, _ := net.SplitHostPort(a.Addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		number, _ := strconv.Atoi(port)
		err = fmt.Errorf("%s: port %s is taken%s. Stop what listens there, or choose another with %s",
			a.Name, port, holder(number), a.Change)
	case errors.Is(err, syscall.EACCES):
		err = fmt.Errorf("%s: port %s needs more rights than you have. Choose another (above 1024) with %s", a.Name, port, a.Change)
	case err != nil:
		err = fmt.Errorf("%s: %w", a.Name, err)
	}
	return listener, err
}

// holder names the process that listens on a port, where that can be found out (Linux, the user's own processes).
func holder(port int) string {
	inodes := listening("/proc/net/tcp", port)
	for inode := range listening("/proc/net/tcp6", port) {
		inodes[inode] = true
	}
	files, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, file := range files {
		target, err := os.Readlink(file)
		if err != nil || !inodes[strings.TrimSuffix(strings.TrimPrefix(target, "socket:["), "]")] {
			continue
		}
		process := filepath.Dir(filepath.Dir(file))
		name, _ := os.ReadFile(process + "/comm")
		return fmt.Sprintf(" by %s (process %s)", strings.TrimSpace(string(name)), filepath.Base(process))
	}
	return ""
}

// listening returns the sockets in a table of the kernel that listen on a port.
func listening(table string, port int) map[string]bool {
	const listen = "0A"
	inodes := map[string]bool{}
	text, _ := os.ReadFile(table)
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) > 9 && f[3] == listen && strings.HasSuffix(f[1], fmt.Sprintf(":%04X", port)) {
			inodes[f[9]] = true
		}
	}
	return inodes
}
