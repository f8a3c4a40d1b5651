// Command example-client is the least of a rover for Kapok, built from docs/protocol.md alone. It
// keeps no store: when the link breaks it stops and ends, and its next start is a new log_id.
package main

import (
	"cmp"
	"crypto/rand"
	"flag"
	"log"
	"math"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/gorilla/websocket"
)

type message struct { // any message from Kapok; what its type lacks stays zero
	Type, ID, State, Text string
	Seq, Revision         uint64
	Time                  time.Time
	AuthorityS            float64 `json:"task_authority_s"`
	Legs                  []struct {
		ID, State string
		Path      []struct{ Lon, Lat float64 }
		SpeedMPS  float64   `json:"speed_mps"`
		SpeedsMPS []float64 `json:"speeds_mps"`
		WorkS     float64   `json:"work_s"`
		NotBefore time.Time `json:"not_before"`
	}
}

func main() {
	type object map[string]any
	url := flag.String("url", "ws://127.0.0.1:8080/v1/link", "the link; the token is in KAPOK_TOKEN")
	lon, lat := flag.Float64("lon", 113.93, "longitude at the start"), flag.Float64("lat", 22.51, "latitude at the start")
	flag.Parse()
	conn, _, err := (&websocket.Dialer{Subprotocols: []string{"kapok.v1.json"}, HandshakeTimeout: 10 * time.Second}).Dial(*url, http.Header{"Authorization": {"Bearer " + os.Getenv("KAPOK_TOKEN")}})
	if err != nil {
		log.Fatal("no link: ", err)
	}
	seq, passed, said, mission := 0, 0, map[string]string{}, message{}
	send := func(o object) { err = cmp.Or(err, conn.WriteJSON(o)) }
	report := func(o object) { seq++; o["seq"] = seq; send(o) }
	in, start, ahead := make(chan message), time.Now(), time.Duration(0) // ahead: Kapok's clock, never too little
	send(object{"type": "hello", "kind": "rover", "model": "example", "limits": object{}, "log_id": rand.Text(), "epoch": 0, "time": start.UTC()})
	go func() { // reads, and only the loop below writes
		for m := (message{}); conn.ReadJSON(&m) == nil; m = (message{}) {
			in <- m
		}
		log.Fatal("the link broke")
	}()
	var begun, heard time.Time // the work, by our clock; Kapok's last frame, by its clock
	for tick := time.Tick(time.Second); err == nil; {
		select {
		case m := <-in:
			heard = m.Time
			log.Println(m.Type, m.ID, m.State, m.Seq, m.Text)
			switch m.Type {
			case "welcome":
				ahead = m.Time.Sub(start)
			case "mission":
				mission = m
				report(object{"type": "ack", "mission": object{"id": m.ID, "revision": m.Revision}, "verdict": "accepted"})
			case "command":
				report(object{"type": "ack", "command": m.ID, "verdict": "refused", "reason": "unsupported"})
			}
		case now := <-tick:
			send(object{"type": "telemetry", "samples": []object{{"time": now.UTC(), "position": object{"lon": *lon, "lat": *lat, "altitude_m": 0}, "speed_mps": 0, "heading_deg": 0, "battery_ratio": 0.9, "mode": "travel"}}})
			for _, l := range mission.Legs {
				state, next := cmp.Or(said[mission.ID+l.ID], l.State), ""
				switch silent := now.Add(ahead).Sub(heard).Seconds(); {
				case state == "done" || state == "failed":
					continue
				case silent > mission.AuthorityS && state != "begun":
					log.Fatal("Kapok is silent, and the task authority has ended")
				case mission.State != "active": // stands still
				case state == "pending":
					next, passed = "started", 0
				case state == "started" && passed < len(l.Path):
					to, mps := l.Path[passed], slices.Min(append(l.SpeedsMPS, l.SpeedMPS)) // the lowest is lawful on all segments
					part := min(1, mps/max(111_320*math.Hypot(to.Lat-*lat, (to.Lon-*lon)*math.Cos(to.Lat*math.Pi/180)), 0.001))
					*lon, *lat, passed = *lon+part*(to.Lon-*lon), *lat+part*(to.Lat-*lat), passed+int(part)
				case state == "started" && now.Add(ahead).After(l.NotBefore):
					next, begun = "begun", now
				case state == "begun" && now.Sub(begun).Seconds() >= l.WorkS:
					next = "done"
				}
				if next != "" {
					said[mission.ID+l.ID] = next
					report(object{"type": "progress", "mission": mission.ID, "leg": l.ID, "state": next, "time": now.UTC()})
				}
				break
			}
		}
	}
	log.Fatal("the link broke: ", err)
}
