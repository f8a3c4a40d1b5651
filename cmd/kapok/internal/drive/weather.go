package drive

import (
	"cmp"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/sim/fault"
)

// transit is what is on its way over a link that takes time: messages to the
// vehicle and frames from it, in the order in which they arrive.
type transit struct {
	up, down fault.Way
	arriving []arrival
	leaving  []departure
}

type arrival struct {
	at      int64
	message protocol.ToVehicle
}

type departure struct {
	at    int64
	frame []byte
}

// delays tells whether the line is one that takes time.
func (v *Vehicle) delays() bool { return v.options.Line != (fault.Line{}) }

// deliver puts a message on its way to the agent. The lock is held.
func (v *Vehicle) deliver(now time.Time, m protocol.ToVehicle, bytes int) {
	d := v.transit.down.Send(&v.options.Line, v.draw, now.UnixNano(), bytes)
	if d.Stalled {
		v.drop()
		return
	}
	for _, at := range times(d) {
		v.transit.arriving = append(v.transit.arriving, arrival{at, m})
	}
	slices.SortStableFunc(v.transit.arriving, func(a, b arrival) int { return cmp.Compare(a.at, b.at) })
}

// dispatch puts a frame on its way to the backend; false when too much waits. The
// lock is held.
func (v *Vehicle) dispatch(now time.Time, frame []byte) bool {
	d := v.transit.up.Send(&v.options.Line, v.draw, now.UnixNano(), len(frame))
	if d.Stalled {
		return false
	}
	for _, at := range times(d) {
		v.transit.leaving = append(v.transit.leaving, departure{at, frame})
	}
	slices.SortStableFunc(v.transit.leaving, func(a, b departure) int { return cmp.Compare(a.at, b.at) })
	return true
}

// times are when a frame arrives, once or twice. One that is to be overtaken
// comes so much later that the next one can do it.
func times(d fault.Delivery) []int64 {
	at := d.At
	if d.Late {
		at += int64(fault.ReorderMost)
	}
	if d.Again == 0 {
		return []int64{at}
	}
	return []int64{at, max(at, d.Again)}
}

// arrive hands over what has come through. The lock is held.
func (v *Vehicle) arrive(now time.Time) {
	at := now.UnixNano()
	for v.conn != nil && len(v.transit.leaving) > 0 && v.transit.leaving[0].at <= at {
		frame := v.transit.leaving[0].frame
		v.transit.leaving = v.transit.leaving[1:]
		if err := v.conn.Send(frame); err != nil {
			v.drop()
		}
	}
	for v.conn != nil && len(v.transit.arriving) > 0 && v.transit.arriving[0].at <= at {
		message := v.transit.arriving[0].message
		v.transit.arriving = v.transit.arriving[1:]
		v.send(v.agent.Receive(now, message, v.out[:0]))
	}
}
