// Command forward passes TCP connections on, each given as LISTEN=TARGET:
//
//	forward 172.17.0.1:9090=127.0.0.1:9090
//
// It exists for `sam local`: a function's container has a loopback interface of its own, while the stand-in for
// Scenario and the local S3 serve on the host's, and the functions rightly refuse to fetch from any other private
// address. So the container forwards its own loopback to the host. There it runs as a Lambda extension (the runtime
// interface emulator starts what is in /opt/extensions before the function) and takes its pairs from LOCAL_FORWARD,
// separated by commas.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("forward: ")
	log.Fatal(run(os.Args[1:], os.Getenv("LOCAL_FORWARD"), os.Getenv("AWS_LAMBDA_RUNTIME_API"))) // it returns to fail only
}

// run forwards until the process is ended.
func run(pairs []string, fromEnvironment, runtimeAPI string) error {
	if fromEnvironment != "" {
		pairs = append(pairs, strings.Split(fromEnvironment, ",")...)
	}
	if len(pairs) == 0 {
		return errors.New("nothing to forward: give LISTEN=TARGET")
	}
	for _, pair := range pairs {
		listen, target, ok := strings.Cut(pair, "=")
		if !ok {
			return fmt.Errorf("%q is not LISTEN=TARGET", pair)
		}
		listener, err := net.Listen("tcp", listen)
		if err != nil {
			return err
		}
		go accept(listener, target) // ends with the process
	}
	if runtimeAPI != "" {
		return extension(runtimeAPI)
	}
	select {}
}

func accept(listener net.Listener, target string) {
	for {
		in, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go join(in, target)
	}
}

// join copies both ways and hands each end's close on to the other, so that a half-closed connection stays one.
func join(in net.Conn, target string) {
	defer in.Close()
	out, err := net.Dial("tcp", target)
	if err != nil {
		log.Print(err)
		return
	}
	defer out.Close()
	done := make(chan struct{})
	go func() {
		pipe(out, in)
		close(done)
	}()
	pipe(in, out)
	<-done
}

func pipe(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	_ = to.(*net.TCPConn).CloseWrite()
}

// extension registers with the Lambda Extensions API for no event, and waits for the one that never comes. Until it
// has registered, the function is not started: so its ports are open before the function needs them.
func extension(runtimeAPI string) error {
	base := "http://" + runtimeAPI + "/2020-01-01/extension/"
	register, err := http.NewRequest(http.MethodPost, base+"register", bytes.NewBufferString(`{"events":[]}`))
	if err != nil {
		return err
	}
	register.Header.Set("Lambda-Extension-Name", filepath.Base(os.Args[0]))
	answer, err := call(register)
	if err != nil {
		return err
	}
	next, err := http.NewRequest(http.MethodGet, base+"event/next", nil)
	if err != nil {
		return err
	}
	next.Header.Set("Lambda-Extension-Identifier", answer.Get("Lambda-Extension-Identifier"))
	if _, err := call(next); err != nil {
		return err
	}
	select {}
}

func call(r *http.Request) (http.Header, error) {
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s %s", r.URL.Path, answer.Status, body)
	}
	return answer.Header, nil
}
