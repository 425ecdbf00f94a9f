// This file is what stands around a program in trouble: a Slack that comes and
// goes, a name server, and a front that speaks TLS.

package slackalert

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math"
	"math/big"
	mathrand "math/rand/v2"
	"net"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"example.com/slackalert/fakeslack"
)

// world is what one program sees. One goroutine uses it.
type world struct {
	addr  string
	slack *fakeslack.Server   // nil = it is away
	all   []*fakeslack.Server // that ever were
	close []func() error
	front *front
	names *nameServer
}

// addresses are those of all worlds that were: another's Slack may be away.
var addresses sync.Map

// home is where the worlds of this process are: not where another's are, if the
// system has more than one address of its own.
func home() string {
	if pid := os.Getpid(); runtime.GOOS == "linux" {
		return fmt.Sprintf("127.%d.%d.1", 1+pid>>8%254, pid%256)
	}
	return "127.0.0.1"
}

// newWorld picks an address, and has a Slack there if it is up. The system gives
// none of these ports to those who ask for any: it is free when Slack comes back.
func newWorld(up bool) (*world, error) {
	for range 100 {
		w := &world{addr: fmt.Sprintf("%s:%d", home(), 10_000+mathrand.IntN(20_000))}
		if _, taken := addresses.LoadOrStore(w.addr, true); taken {
			continue
		}
		err := w.up()
		if err == nil && !up {
			err = w.down()
		}
		if err == nil {
			return w, nil
		}
	}
	return nil, errors.New("no port between 10,000 and 30,000 is free")
}

// gap is how long a program waits between two messages, where a Slack wants
// nearly as much; 0 = a second, as Slack does.
func gap() time.Duration {
	if testing.Short() {
		return 100 * time.Millisecond
	}
	return 0
}

// up starts a Slack. It knows nothing of what an earlier one was told, whose port a
// process on its way to exec may hold a moment longer.
func (w *world) up() error {
	rate := cmp.Or(gap(), time.Second) * 9 / 10
	for begun := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		s, err := fakeslack.Start(&fakeslack.Options{Addr: w.addr, Rate: rate})
		if err == nil {
			w.slack, w.all = s, append(w.all, s)
		}
		if err == nil || w.all == nil || time.Since(begun) > ample {
			return err
		}
	}
}

func (w *world) down() error {
	s := w.slack
	w.slack = nil
	return s.Close()
}

// fails gives all requests from now on a fault, the zero Fault for none.
func (w *world) fails(f fakeslack.Fault) {
	if f == (fakeslack.Fault{}) {
		w.slack.FailNext(0, f)
	} else {
		w.slack.FailNext(math.MaxInt, f)
	}
}

func (w *world) end() (err error) {
	for _, s := range w.all {
		err = errors.Join(err, s.Close())
	}
	for _, c := range w.close {
		err = errors.Join(err, c())
	}
	return err
}

// ledger is what arrived, by kind.
type ledger struct {
	total map[string]int64 // the most that was told of it
	twice int64            // alerts told in more than one message
}

// ledger reads all messages of all the Slacks that were, as they stand.
func (w *world) ledger() (l ledger, err error) {
	l.total = make(map[string]int64)
	counts := make(map[string]int64)
	for _, s := range w.all {
		for _, m := range s.Messages("") {
			for _, b := range m.Blocks.BlockSet {
				section, ok := b.(*slack.SectionBlock)
				if !ok {
					return l, fmt.Errorf("a %s in a ledger: %q", b.BlockType(), m.Text)
				}
				for _, word := range strings.Fields(section.Text.Text) {
					kind, total, count, err := entry(word)
					if err != nil {
						return l, err
					}
					l.total[kind] = max(l.total[kind], total)
					counts[kind] += count
				}
			}
		}
	}
	for kind, n := range counts {
		l.twice += n - l.total[kind]
	}
	return l, nil
}

// entry reads "kind=total-count".
func entry(word string) (kind string, total, count int64, err error) {
	kind, numbers, _ := strings.Cut(word, "=")
	all, told, part := strings.Cut(numbers, "-")
	if !part {
		told = all
	}
	total, err = strconv.ParseInt(all, 36, 64)
	if err == nil {
		count, err = strconv.ParseInt(told, 36, 64)
	}
	return kind, total, count, err
}

func (l ledger) sum() (n int64) {
	for _, total := range l.total {
		n += total
	}
	return n
}

// nameServer answers that every name is 127.0.0.1, or that it can't say.
type nameServer struct {
	conn net.PacketConn
	well atomic.Bool
}

// resolved lets the program find Slack by name: it returns the server's address.
func (w *world) resolved() (string, error) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	w.names = &nameServer{conn: conn}
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.names.serve()
	}()
	w.close = append(w.close, func() error {
		err := conn.Close()
		<-done
		return err
	})
	return conn.LocalAddr().String(), nil
}

func (n *nameServer) serve() {
	buf := make([]byte, 1500)
	for {
		size, from, err := n.conn.ReadFrom(buf)
		if err != nil {
			return
		}
		if a := n.answer(buf[:size]); a != nil {
			_, _ = n.conn.WriteTo(a, from)
		}
	}
}

// answer is RFC 1035's, to one question.
func (n *nameServer) answer(ask []byte) []byte {
	end := 12 // the header
	for end < len(ask) && ask[end] != 0 {
		end += int(ask[end]) + 1
	}
	if end += 5; end > len(ask) {
		return nil
	}
	a := append([]byte{ask[0], ask[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, ask[12:end]...)
	switch {
	case !n.well.Load():
		a[3] |= 2 // SERVFAIL
	case ask[end-3] == 1: // type A
		a[7] = 1
		a = append(a, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1)
	}
	return a
}

// front speaks TLS for the Slack behind it.
type front struct {
	server  *httptest.Server
	ca      []byte // PEM
	expired atomic.Bool
}

// frontName is what the front's certificates are for, beside 127.0.0.1.
const frontName = "slack.test"

// behindTLS starts a front.
func (w *world) behindTLS() error {
	f := &front{}
	valid, expired, err := f.certificates()
	if err != nil {
		return err
	}
	target := &url.URL{Scheme: "http", Host: w.addr}
	f.server = httptest.NewUnstartedServer(&httputil.ReverseProxy{
		Rewrite:  func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ErrorLog: log.New(io.Discard, "", 0),
	})
	f.server.Config.ErrorLog = log.New(io.Discard, "", 0) // every handshake that failed
	f.server.TLS = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		if f.expired.Load() {
			return expired, nil
		}
		return valid, nil
	}}
	f.server.StartTLS()
	w.front = f
	w.close = append(w.close, func() error { f.server.Close(); return nil })
	return nil
}

// url is the API's address behind the front, by a host.
func (f *front) url(host string) string {
	_, port, _ := net.SplitHostPort(f.server.Listener.Addr().String())
	return "https://" + net.JoinHostPort(host, port) + "/api/"
}

// certificates makes an authority and two certificates of it.
func (f *front) certificates() (valid, expired *tls.Config, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	now := time.Now()
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: now.Add(-48 * time.Hour), NotAfter: now.Add(48 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, root, root, &key.PublicKey, key)
	if err != nil {
		return nil, nil, err
	}
	f.ca = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	leaf := func(until time.Time) *tls.Config {
		c := &x509.Certificate{
			SerialNumber: big.NewInt(2), NotBefore: now.Add(-24 * time.Hour), NotAfter: until,
			DNSNames: []string{frontName}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		}
		raw, e := x509.CreateCertificate(rand.Reader, c, root, &key.PublicKey, key)
		err = errors.Join(err, e)
		return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{raw}, PrivateKey: key}}}
	}
	return leaf(now.Add(time.Hour)), leaf(now.Add(-time.Hour)), err
}
