// Package yardstick is the least that a server of vehicles' links can do: read
// each frame and decode it, on gorilla/websocket with its usual buffers, and throw
// the message away. kapok bench ingest measures Kapok against it.
package yardstick

import (
	"net/http"
	"sync/atomic"

	"github.com/gorilla/websocket"

	"github.com/kapok-fleet/kapok/protocol"
)

// Counts are what a server has read so far.
type Counts struct {
	// Frames that were decoded, Samples in them, and Bad frames that were not.
	Frames, Samples, Bad int64
}

// Server is the yardstick. The zero value is ready; its methods may be called
// from any goroutine.
type Server struct {
	frames, samples, bad atomic.Int64
}

// Counts returns what has been read.
func (s *Server) Counts() Counts {
	return Counts{Frames: s.frames.Load(), Samples: s.samples.Load(), Bad: s.bad.Load()}
}

// ServeHTTP implements http.Handler: every request is a link, with Kapok's
// sub-protocols and without any token, and is served until its end in the handler,
// as most servers do.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	upgrader := websocket.Upgrader{
		Subprotocols: []string{protocol.SubprotocolJSON, protocol.SubprotocolCBOR},
		CheckOrigin:  func(*http.Request) bool { return true },
	}
	socket, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // It has been answered.
	}
	defer func() { _ = socket.Close() }()
	encoding, _ := protocol.EncodingOf(socket.Subprotocol())
	for {
		_, frame, err := socket.ReadMessage()
		if err != nil {
			return
		}
		m, err := encoding.DecodeFrom(frame)
		if err != nil {
			s.bad.Add(1)
			continue
		}
		s.frames.Add(1)
		if t, ok := m.(protocol.Telemetry); ok {
			s.samples.Add(int64(len(t.Samples)))
		}
	}
}
