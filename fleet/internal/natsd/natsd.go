// This file runs NATS servers inside the process.

// Package natsd is NATS with JetStream on loopback, for tests and the demo: one
// server, or a cluster of several.
package natsd

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// A Server keeps its port and its folder, so that it can be stopped and started
// again.
type Server struct {
	opts server.Options
	ns   *server.Server
}

// Start runs a server that keeps its files in dir. change may change its
// options; nil = nothing.
func Start(dir string, change func(*server.Options)) (*Server, error) {
	ports, err := free(1)
	if err != nil {
		return nil, err
	}
	s := &Server{opts: server.Options{Host: "127.0.0.1", Port: ports[0], JetStream: true, StoreDir: dir, NoSigs: true, NoLog: true}}
	if change != nil {
		change(&s.opts)
	}
	return s, s.Start()
}

// Cluster runs n servers that keep each other's data.
func Cluster(dir string, n int) ([]*Server, error) {
	ports, err := free(2 * n)
	if err != nil {
		return nil, err
	}
	var routes []string
	for _, p := range ports[n:] {
		routes = append(routes, fmt.Sprintf("nats://127.0.0.1:%d", p))
	}
	all := make([]*Server, n)
	for i := range all {
		all[i] = &Server{opts: server.Options{
			ServerName: fmt.Sprintf("n%d", i+1), Host: "127.0.0.1", Port: ports[i], JetStream: true, NoSigs: true, NoLog: true,
			StoreDir: filepath.Join(dir, fmt.Sprintf("n%d", i+1)),
			Cluster:  server.ClusterOpts{Name: "fleet", Host: "127.0.0.1", Port: ports[n+i]},
			Routes:   server.RoutesFromStr(strings.Join(routes, ",")),
		}}
		if err := all[i].Start(); err != nil {
			return nil, err
		}
	}
	for until := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		for _, s := range all {
			if s.ns.JetStreamIsLeader() && len(s.ns.JetStreamClusterPeers()) == n {
				return all, nil
			}
		}
		if time.Now().After(until) {
			return nil, errors.New("natsd: the cluster chose no leader in 30 s")
		}
	}
}

// Start runs a server that was stopped.
func (s *Server) Start() error {
	opts := s.opts
	ns, err := server.NewServer(&opts)
	if err != nil {
		return fmt.Errorf("natsd: %w", err)
	}
	ns.Start()
	if !ns.ReadyForConnections(20 * time.Second) {
		return errors.New("natsd: the server isn't ready after 20 s")
	}
	s.ns = ns
	return nil
}

// Change changes the options of a server that is stopped.
func (s *Server) Change(change func(*server.Options)) { change(&s.opts) }

// Stop ends the server; its files stay.
func (s *Server) Stop() {
	s.ns.Shutdown()
	s.ns.WaitForShutdown()
}

// URL is where clients connect, of one server or of several.
func URL(servers ...*Server) string {
	var urls []string
	for _, s := range servers {
		urls = append(urls, fmt.Sprintf("nats://127.0.0.1:%d", s.opts.Port))
	}
	return strings.Join(urls, ",")
}

// free are n ports that nobody listens on now.
func free(n int) ([]int, error) {
	var ports []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("natsd: %w", err)
		}
		defer func() { _ = l.Close() }()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

// Temp is Start in a folder of its own, and what ends the server and removes
// the folder.
func Temp() (s *Server, end func(), err error) {
	dir, err := os.MkdirTemp("", "natsd")
	if err != nil {
		return nil, nil, fmt.Errorf("natsd: %w", err)
	}
	s, err = Start(dir, nil)
	if err != nil {
		_ = os.RemoveAll(dir)
		return nil, nil, err
	}
	return s, func() { s.Stop(); _ = os.RemoveAll(dir) }, nil
}
