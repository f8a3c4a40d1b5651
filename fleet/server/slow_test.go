package server

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
)

// wharf is a listener in memory.
type wharf struct {
	coming chan net.Conn
	closed chan struct{}
}

func (l *wharf) Accept() (net.Conn, error) {
	select {
	case conn := <-l.coming:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *wharf) Close() error {
	select {
	case <-l.closed:
	default:
		close(l.closed)
	}
	return nil
}

func (l *wharf) Addr() net.Addr { return &net.UnixAddr{Name: "memory"} }

// serving plays a story in virtual time with a server on connections in memory.
func serving(t *testing.T, change func(*Options), story func(t *testing.T, s *Server, dial func() net.Conn)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newEdge(t, change)
		l := &wharf{coming: make(chan net.Conn), closed: make(chan struct{})}
		ctx, stop := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- s.Serve(ctx, l) }()
		var all []net.Conn
		story(t, s, func() net.Conn {
			near, far := net.Pipe()
			l.coming <- far
			all = append(all, near)
			return near
		})
		stop()
		if err := <-served; err != nil {
			t.Errorf("the server did not end in order: %v", err)
		}
		for _, conn := range all {
			_ = conn.Close()
		}
		// Whoever still writes notices that.
		pause(time.Minute)
	})
}

// ends reads until the server closes, and returns what it said and how long that
// took.
func ends(t *testing.T, conn net.Conn) (string, time.Duration) {
	t.Helper()
	began := time.Now()
	said, err := io.ReadAll(conn)
	if err != nil && !errors.Is(err, io.ErrClosedPipe) {
		t.Fatalf("reading until the end: %v", err)
	}
	return string(said), time.Since(began)
}

// drip sends a text byte by byte, until the server has closed.
func drip(conn net.Conn, text string, every time.Duration) {
	for i := range len(text) {
		if _, err := io.WriteString(conn, text[i:i+1]); err != nil {
			return
		}
		pause(every)
	}
}

// TestWhoSaysNothingIsClosed: a hundred connections that never send a byte end
// after ten seconds, and cost one goroutine each until then.
func TestWhoSaysNothingIsClosed(t *testing.T) {
	serving(t, nil, func(t *testing.T, s *Server, dial func() net.Conn) {
		synctest.Wait()
		before := runtime.NumGoroutine()
		const many = 100
		var conns []net.Conn
		for range many {
			conns = append(conns, dial())
		}
		synctest.Wait()
		if more := runtime.NumGoroutine() - before; more > many+8 { // others of the process come and go
			t.Errorf("%d silent connections cost %d goroutines", many, more)
		}
		if pending, _ := s.doors.count(); pending != many {
			t.Errorf("%d connections are pending, want %d", pending, many)
		}
		began := time.Now()
		for _, conn := range conns {
			if said, _ := ends(t, conn); said != "" {
				t.Fatalf("to a peer that said nothing the server says %q", said)
			}
		}
		if took := time.Since(began); took > readHeaderTimeout+time.Second {
			t.Errorf("it took %v, want at most %v", took, readHeaderTimeout)
		}
		synctest.Wait()
		if pending, _ := s.doors.count(); pending != 0 {
			t.Errorf("%d connections are still counted", pending)
		}
	})
}

// TestASlowHeadIsCutOff: the first request's, and one on a connection that was
// used before.
func TestASlowHeadIsCutOff(t *testing.T) {
	head := "GET /v1/tasks HTTP/1.1\r\nHost: kapok\r\nX-Patience: " + strings.Repeat("x", 1000)
	serving(t, nil, func(t *testing.T, _ *Server, dial func() net.Conn) {
		conn := dial()
		go drip(conn, head, time.Second)
		if said, took := ends(t, conn); took > readHeaderTimeout+time.Second {
			t.Errorf("a slow head was listened to for %v; answer %q", took, said)
		}
		conn = dial()
		reader := bufio.NewReader(conn)
		if status := exchange(t, conn, reader, "GET /healthz HTTP/1.1\r\nHost: kapok\r\n\r\n"); status != http.StatusOK {
			t.Fatalf("the first request: status %d", status)
		}
		pause(idleTimeout - time.Second)
		go drip(conn, head, time.Second)
		if said, took := ends(t, conn); took > readHeaderTimeout+time.Second {
			t.Errorf("a second slow head was listened to for %v; answer %q", took, said)
		}
		conn = dial()
		exchange(t, conn, bufio.NewReader(conn), "GET /healthz HTTP/1.1\r\nHost: kapok\r\n\r\n")
		if said, took := ends(t, conn); said != "" || took > idleTimeout+time.Second {
			t.Errorf("an idle connection ended after %v with %q, want %v", took, said, idleTimeout)
		}
	})
}

// exchange sends a request and reads its answer, whose status it returns.
func exchange(t *testing.T, conn net.Conn, reader *bufio.Reader, request string) int {
	t.Helper()
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(io.Discard, response.Body)
	if err = errors.Join(err, response.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode
}

// TestASlowBodyIsCutOff: with 408 for who may send one, and without waiting for
// it for everybody else. Chunks make no difference.
func TestASlowBodyIsCutOff(t *testing.T) {
	for _, c := range []struct {
		name, who, path, frame string
		status                 int
		within                 time.Duration
	}{
		{"a dispatcher's", "dispatcher", "/v1/tasks", "Content-Length: 100000\r\n\r\n", 408, bodyWithin + refusedBodyWithin + time.Second},
		{"a dispatcher's in chunks", "dispatcher", "/v1/tasks", "Transfer-Encoding: chunked\r\n\r\n", 408, bodyWithin + refusedBodyWithin + time.Second},
		{"a stranger's", "nobody", "/v1/tasks", "Content-Length: 100000\r\n\r\n", 401, refusedBodyWithin + time.Second},
		{"a viewer's", "viewer", "/v1/tasks", "Content-Length: 100000\r\n\r\n", 403, refusedBodyWithin + time.Second},
		{"to nowhere", "viewer", "/v1/nothing", "Content-Length: 100000\r\n\r\n", 404, refusedBodyWithin + time.Second},
		{"with an expectation", "nobody", "/v1/tasks", "Expect: 100-continue\r\nContent-Length: 100000\r\n\r\n", 401, refusedBodyWithin + time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			serving(t, nil, func(t *testing.T, _ *Server, dial func() net.Conn) {
				conn := dial()
				head := "POST " + c.path + " HTTP/1.1\r\nHost: kapok\r\nAuthorization: Bearer " + c.who + "\r\nContent-Type: application/json\r\n" + c.frame
				go func() {
					if _, err := io.WriteString(conn, head); err == nil {
						drip(conn, strings.Repeat("1\r\n \r\n", 1000), 100*time.Millisecond)
					}
				}()
				said, took := ends(t, conn)
				if !strings.HasPrefix(said, fmt.Sprintf("HTTP/1.1 %d ", c.status)) || !strings.Contains(said, "Connection: close") {
					t.Errorf("the answer is %q, want status %d and the end of the connection", said, c.status)
				}
				if took > c.within {
					t.Errorf("it took %v, want at most %v", took, c.within)
				}
			})
		})
	}
}

// TestWhatIsNoRequestIsRefused by net/http, in plain text, with a close.
func TestWhatIsNoRequestIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		request string
		status  int
	}{
		"a long head":             {"GET / HTTP/1.1\r\nHost: kapok\r\nX-Long: " + strings.Repeat("x", maxHeaderBytes), 431},
		"many headers":            {"GET / HTTP/1.1\r\nHost: kapok\r\n" + strings.Repeat("X-Many: x\r\n", 3000), 431},
		"an unknown transfer":     {"POST /v1/tasks HTTP/1.1\r\nHost: kapok\r\nTransfer-Encoding: gzip\r\n\r\n", 501},
		"an unknown expectation":  {"POST /v1/tasks HTTP/1.1\r\nHost: kapok\r\nExpect: miracles\r\nContent-Length: 2\r\n\r\n", 417},
		"two lengths":             {"POST /v1/tasks HTTP/1.1\r\nHost: kapok\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400},
		"no host":                 {"GET / HTTP/1.1\r\n\r\n", 400},
		"a newer protocol":        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400},
		"noise":                   {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400},
		"options for everything":  {"OPTIONS * HTTP/1.1\r\nHost: kapok\r\nConnection: close\r\n\r\n", 400},
		"a line break in a token": {"GET / HTTP/1.1\r\nHost: kapok\r\nAuthorization: Bearer a\x00b\r\n\r\n", 400},
	} {
		t.Run(name, func(t *testing.T) {
			serving(t, nil, func(t *testing.T, _ *Server, dial func() net.Conn) {
				conn := dial()
				go func() { _, _ = io.WriteString(conn, c.request) }()
				said, took := ends(t, conn)
				if !strings.HasPrefix(said, fmt.Sprintf("HTTP/1.1 %d ", c.status)) || took > readTimeout+time.Second {
					t.Errorf("the answer after %v is %.200q, want status %d", took, said, c.status)
				}
			})
		})
	}
}

// TestALongThoughtIsNotCutOff: a deadline for the body must not end a request
// whose answer takes the fleet long, nor one that is kept alive after it.
func TestALongThoughtIsNotCutOff(t *testing.T) {
	change := func(o *Options) {
		o.AnswerWithin = time.Minute
		o.Backend = &idle{ask: func(ctx context.Context) (fleet.Answer, error) {
			select {
			case <-ctx.Done():
				return fleet.Answer{}, ctx.Err()
			case <-time.After(50 * time.Second):
				return fleet.Answer{Status: http.StatusCreated, Body: []byte("{}")}, nil
			}
		}}
	}
	serving(t, change, func(t *testing.T, _ *Server, dial func() net.Conn) {
		body := `{"kind":"visit","stops":[{"site":"x","work_s":5}]}`
		request := fmt.Sprintf("POST /v1/tasks HTTP/1.1\r\nHost: kapok\r\nAuthorization: Bearer dispatcher\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		conn := dial()
		reader := bufio.NewReader(conn)
		for range 2 {
			if status := exchange(t, conn, reader, request); status != http.StatusCreated {
				t.Fatalf("status %d after a long thought", status)
			}
		}
		if err := conn.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestAnAnswerThatNobodyReadsIsCutOff: ten seconds, and the connection is gone,
// and counted.
func TestAnAnswerThatNobodyReadsIsCutOff(t *testing.T) {
	serving(t, nil, func(t *testing.T, s *Server, dial func() net.Conn) {
		conn := dial()
		if _, err := io.WriteString(conn, "GET /openapi.json HTTP/1.1\r\nHost: kapok\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if s.underWay.count() != 1 {
			t.Fatalf("%d requests are under way, want 1", s.underWay.count())
		}
		pause(untakenFor + time.Second)
		if pending, _ := s.doors.count(); pending != 0 || s.underWay.count() != 0 {
			t.Errorf("after %v %d connections and %d requests are left", untakenFor, pending, s.underWay.count())
		}
		if cut := metric(t, s, `kapok_cut_off_total{what="request"}`); cut != "1" {
			t.Errorf("%q answers were cut off, want 1", cut)
		}
	})
}

// TestASlowReaderHasItsTime: who takes a piece of a long answer within the time
// gets all of it; who takes half as much is cut off.
func TestASlowReaderHasItsTime(t *testing.T) {
	const pieces = 6
	for _, c := range []struct {
		step int
		gets bool
	}{{pieceBytes, true}, {pieceBytes / 2, false}} {
		serving(t, nil, func(t *testing.T, s *Server, dial func() net.Conn) {
			s.rules["GET /large"] = openToAll
			s.mux.HandleFunc("GET /large", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", strconv.Itoa(pieces*pieceBytes))
				_, _ = w.Write(make([]byte, pieces*pieceBytes))
			})
			conn := dial()
			if _, err := io.WriteString(conn, "GET /large HTTP/1.1\r\nHost: kapok\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			response, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			got := int64(0)
			for err == nil && got < pieces*pieceBytes {
				var n int64
				n, err = io.CopyN(io.Discard, response.Body, int64(c.step))
				got += n
				pause(untakenFor * 4 / 5)
			}
			_ = response.Body.Close()
			if all := got == pieces*pieceBytes; all != c.gets {
				t.Errorf("%d bytes each %v: %d bytes arrived, %v", c.step, untakenFor*4/5, got, err)
			}
		})
	}
}

// TestWhoAsksAheadIsNotReadToTheEnd: of hundreds of requests that were sent ahead
// those within the address's rate are answered, and one is refused; the others are
// not even read, so they cost nothing that others would wait for. A health check
// is answered all the same, one for each connection.
func TestWhoAsksAheadIsNotReadToTheEnd(t *testing.T) {
	const burst, ahead = 5, 400
	change := func(o *Options) { o.Limits = Limits{AddressRate: 0.001, AddressBurst: burst} }
	serving(t, change, func(t *testing.T, s *Server, dial func() net.Conn) {
		for _, c := range []struct {
			path                    string
			known, refused, healthy int
		}{{"/v1/nothing", burst, 1, 0}, {"/v1/nothing", 0, 1, 0}, {"/healthz", 0, 0, 1}} {
			conn := dial()
			go func() {
				_, _ = io.WriteString(conn, strings.Repeat("GET "+c.path+" HTTP/1.1\r\nHost: kapok\r\n\r\n", ahead))
			}()
			said, _ := ends(t, conn)
			for status, want := range map[string]int{"404": c.known, "429": c.refused, "200": c.healthy} {
				if got := strings.Count(said, "HTTP/1.1 "+status+" "); got != want {
					t.Errorf("of %d requests of %s, %d were answered with %s, want %d", ahead, c.path, got, status, want)
				}
			}
			if strings.Count(said, "Connection: close\r\n") != 1 {
				t.Errorf("the end was not announced once: %q", said)
			}
		}
		if got := metric(t, s, `kapok_refusals_total{code="too_many_requests"}`); got != "2" {
			t.Errorf("%q refusals are counted, want 2", got)
		}
	})
}

// TestALongDownloadIsNotCutOff: it may take as long as its pieces are read.
func TestALongDownloadIsNotCutOff(t *testing.T) {
	const pieces = 10
	change := func(o *Options) { o.Limits = Limits{Requests: 4} }
	serving(t, change, func(t *testing.T, s *Server, dial func() net.Conn) {
		s.rules["GET /long"] = toRead
		s.mux.HandleFunc("GET /long", func(w http.ResponseWriter, r *http.Request) {
			d := beginDownload(w, asCSV, "long")
			for range pieces {
				pause(time.Minute)
				if r.Context().Err() != nil {
					break
				}
				_, _ = d.Write(make([]byte, 100<<10))
			}
			s.end(d, "", r.Context().Err())
		})
		conn := dial()
		if _, err := io.WriteString(conn, "GET /long HTTP/1.1\r\nHost: kapok\r\nAuthorization: Bearer viewer\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.Copy(io.Discard, response.Body)
		if err = errors.Join(err, response.Body.Close(), conn.Close()); err != nil || got != pieces*100<<10 {
			t.Errorf("%d bytes arrived, %v", got, err)
		}
	})
}

// certified is a certificate for a test.
func certified(t *testing.T) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"kapok"}, NotBefore: begin(), NotAfter: begin().AddDate(50, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

// TestAHandshakeTakesTenSeconds at most: of a peer that never begins, and of one
// that begins and does not go on. Whoever speaks no TLS is told so.
func TestAHandshakeTakesTenSeconds(t *testing.T) {
	serving(t, func(o *Options) { o.TLS = certified(t) }, func(t *testing.T, s *Server, dial func() net.Conn) {
		conn := dial()
		if said, took := ends(t, conn); said != "" || took > readHeaderTimeout+time.Second {
			t.Errorf("a silent peer was waited for %v; answer %q", took, said)
		}
		conn = dial()
		if _, err := io.WriteString(conn, "\x16\x03\x01\x02\x00"); err != nil {
			t.Fatal(err)
		}
		if said, took := ends(t, conn); said != "" || took > readHeaderTimeout+time.Second {
			t.Errorf("half a hello was waited for %v; answer %q", took, said)
		}
		conn = dial()
		go func() { _, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: kapok\r\n\r\n") }()
		if said, _ := ends(t, conn); !strings.Contains(said, "400 Bad Request") {
			t.Errorf("a request without TLS got %q", said)
		}
		synctest.Wait()
		if pending, _ := s.doors.count(); pending != 0 {
			t.Errorf("%d connections are still counted", pending)
		}
	})
}

// TestOldTLSIsRefused: 1.1 fails, 1.2 and 1.3 are answered, with the header that
// keeps browsers on TLS.
func TestOldTLSIsRefused(t *testing.T) {
	serving(t, func(o *Options) { o.TLS = certified(t) }, func(t *testing.T, _ *Server, dial func() net.Conn) {
		for version, good := range map[uint16]bool{tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
			// The test's certificate is nobody's, and its old version is the point.
			client := tls.Client(dial(), &tls.Config{InsecureSkipVerify: true, MinVersion: version, MaxVersion: version}) //nolint:gosec
			if err := client.HandshakeContext(t.Context()); (err == nil) != good {
				t.Errorf("%s: %v", tls.VersionName(version), err)
			}
			if !good {
				continue
			}
			if _, err := io.WriteString(client, "GET /healthz HTTP/1.1\r\nHost: kapok\r\nConnection: close\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			said, err := io.ReadAll(client)
			if err != nil || !strings.Contains(string(said), "Strict-Transport-Security: ") {
				t.Errorf("%s: the answer is %q, %v", tls.VersionName(version), said, err)
			}
		}
	})
}
