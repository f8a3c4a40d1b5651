package ws_test

import (
	"runtime"
	"testing"

	"github.com/kapok-fleet/kapok/protocol/ws"
)

// BenchmarkIdleConnection reports the memory of one idle stream after some
// traffic, with its reader and its writer. Both ends live in this process, the
// client's too, so a server's share is about half.
func BenchmarkIdleConnection(b *testing.B) {
	const streams = 500
	for b.Loop() {
		l := serve(links())
		before := inUse()
		var clients []*ws.Conn
		for range streams {
			client, err := ws.Dial(b.Context(), l.url(), nil, ws.Options{Group: l.group, Subprotocols: links().Subprotocols})
			if err != nil {
				b.Fatal(err)
			}
			clients = append(clients, client)
			server := <-l.accepted
			server.Go(func() {
				for {
					frame, err := server.Receive()
					if err != nil || server.Send(append([]byte(nil), frame...)) != nil {
						return
					}
				}
			})
			if err := client.Send(make([]byte, 1000)); err != nil {
				b.Fatal(err)
			}
			if _, err := client.Receive(); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(inUse()-before)/streams, "B/pair")
		for _, client := range clients {
			client.Close(ws.CloseNormal, "")
		}
		for _, client := range clients {
			<-client.Done()
		}
		l.Close()
		if err := l.group.Shutdown(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

func inUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}
