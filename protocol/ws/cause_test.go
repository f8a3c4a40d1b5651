package ws

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// TestTheFirstCauseCounts: the socket answers what breaks its limits with a close
// frame before the reader knows of it. Whoever writes between the two must not say
// that the network failed.
func TestTheFirstCauseCounts(t *testing.T) {
	group := &Group{}
	accepted := make(chan *Conn, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := Accept(w, r, Options{Group: group})
		if err != nil {
			t.Error(err)
		}
		accepted <- c
	}))
	defer server.Close()
	client, err := Dial(t.Context(), "ws"+strings.TrimPrefix(server.URL, "http"), nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer client.cut()
	c := <-accepted
	if c == nil {
		t.FailNow()
	}
	by := time.Now().Add(DefaultWriteTimeout)
	if err := c.socket.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(CloseTooLarge, ""), by); err != nil {
		t.Fatal(err)
	}
	c.writeFrame([]byte("too late"), by)
	if c.isClosing() {
		t.Error("the writer has ended the stream")
	}
	if err := c.failed(websocket.ErrReadLimit); !errors.Is(err, ErrFrameRefused) {
		t.Errorf("the stream ended with %v", err)
	}
	c.cut()
}
