package ws

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

// Upgradable says whether the request asks for a WebSocket.
func Upgradable(r *http.Request) bool { return websocket.IsWebSocketUpgrade(r) }

// Accept upgrades the request and returns the stream, whose goroutines outlive
// the handler: return from it at once, because a waiting handler doubles the
// memory of a connection. The request's context ends with the handler. On an
// error the response has been written: 400 for a request that is no upgrade or
// offers none of the sub-protocols, 403 for the origin, 503 during shutdown.
func Accept(w http.ResponseWriter, r *http.Request, o Options) (*Conn, error) {
	if err := o.Validate(); err != nil {
		http.Error(w, "misconfigured stream", http.StatusInternalServerError)
		return nil, err
	}
	o = o.withDefaults()
	if o.Group == nil {
		http.Error(w, "misconfigured stream", http.StatusInternalServerError)
		return nil, errors.New("ws: accepting a connection needs a group")
	}
	if o.Group.refuses() {
		http.Error(w, "the server is shutting down; try again later", http.StatusServiceUnavailable)
		return nil, ErrShutdown
	}
	agreed, ok := agree(websocket.Subprotocols(r), o.Subprotocols)
	if !ok && !o.SubprotocolOptional && Upgradable(r) {
		text := "offer one of these sub-protocols in Sec-WebSocket-Protocol: " + strings.Join(o.Subprotocols, ", ")
		http.Error(w, text, http.StatusBadRequest)
		return nil, fmt.Errorf("ws: accepting %s: no sub-protocol in common", r.RemoteAddr)
	}
	var agreedList []string
	if agreed != "" {
		agreedList = []string{agreed}
	}
	upgrader := websocket.Upgrader{
		HandshakeTimeout: o.HandshakeTimeout,
		WriteBufferSize:  o.BufferBytes,
		WriteBufferPool:  &o.Group.writeBuffers,
		Subprotocols:     agreedList,
		CheckOrigin:      o.Origin,
	}
	taken := hijacker{w, &o, &Conn{limits: limitsOf(&o), opened: time.Now()}}
	socket, err := upgrader.Upgrade(taken, r, nil)
	if err != nil {
		return nil, fmt.Errorf("ws: accepting %s: %w", r.RemoteAddr, err)
	}
	return taken.conn.start(socket)
}

// hijacker puts a wire under the socket, and a reader of ours on top of it.
type hijacker struct {
	http.ResponseWriter
	options *Options
	conn    *Conn
}

// Hijack implements http.Hijacker. A client that sends before it has the answer
// is refused: what it sent might be meant for something in between.
func (h hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, fmt.Errorf("ws: taking the connection over: %w", err)
	}
	if buffered.Reader.Buffered() > 0 {
		_ = conn.Close()
		return nil, nil, errors.New("ws: the client sent data before the upgrade was answered")
	}
	w := &wire{of: h.conn}
	w.attach(conn, h.options)
	h.conn.wire, h.conn.reader = w, bufio.NewReaderSize(w, h.options.BufferBytes)
	return w, bufio.NewReadWriter(h.conn.reader, buffered.Writer), nil
}

// agree returns the first of the client's sub-protocols that the server takes.
// A server without any agrees on none.
func agree(offered, taken []string) (string, bool) {
	if len(taken) == 0 {
		return "", true
	}
	for _, p := range offered {
		if slices.Contains(taken, p) {
			return p, true
		}
	}
	return "", false
}

// Dial opens a stream to a ws or wss address. The header carries what the
// server wants to know, such as Authorization; ctx bounds the dialling only. A
// server that answers without upgrading gives a *RefusedError.
func Dial(ctx context.Context, url string, header http.Header, o Options) (*Conn, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	dialer := websocket.Dialer{
		NetDialContext:   o.DialNet,
		TLSClientConfig:  o.TLS,
		HandshakeTimeout: o.HandshakeTimeout,
		ReadBufferSize:   o.BufferBytes,
		WriteBufferSize:  o.BufferBytes,
		Subprotocols:     o.Subprotocols,
	}
	if o.Group != nil {
		dialer.WriteBufferPool = &o.Group.writeBuffers
	}
	socket, response, err := dialer.DialContext(ctx, url, header)
	if err != nil {
		if response != nil && errors.Is(err, websocket.ErrBadHandshake) {
			// The dialer has already cut the body to 1 KiB and closed it.
			body, _ := io.ReadAll(io.LimitReader(response.Body, 1024))
			err = &RefusedError{Status: response.StatusCode, Body: string(body)}
		}
		return nil, fmt.Errorf("ws: dialling %s: %w", url, err)
	}
	_, ok := agree([]string{socket.Subprotocol()}, o.Subprotocols)
	if !ok && (!o.SubprotocolOptional || socket.Subprotocol() != "") {
		_ = socket.Close()
		return nil, fmt.Errorf("ws: dialling %s: server took sub-protocol %q, which was not offered", url, socket.Subprotocol())
	}
	c := &Conn{limits: limitsOf(&o), opened: time.Now()}
	return c.start(socket)
}
