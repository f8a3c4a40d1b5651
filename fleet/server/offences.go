package server

import (
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/kapok-fleet/kapok/fleet/engine"
	"github.com/kapok-fleet/kapok/protocol"
)

// offences name in the log who sends what is refused: metrics cannot, since a
// label must not be an id. The first offencesAtOnce are told, and then one each
// offenceEvery, so that no flood fills the disk.
type offences struct {
	told    rate.Sometimes
	leftOut atomic.Int64
}

const (
	offencesAtOnce = 20
	offenceEvery   = time.Second
)

func newOffences() *offences {
	return &offences{told: rate.Sometimes{First: offencesAtOnce, Interval: offenceEvery}}
}

// answered takes note of an error that the vehicle is told, unless it is about a
// link and not about what the vehicle sends. The lock is held.
func (l *link) answered(m protocol.ToVehicle) {
	e, ok := m.(protocol.Error)
	if !ok {
		return
	}
	switch e.Code {
	case "replaced", whySilent, engine.CodeRestarting:
		return
	}
	l.offends(e.Code)
}

// departed takes note of an end for which there is no error frame. The lock is
// held.
func (l *link) departed() {
	switch l.whyCode {
	case whyFrameRefused, whyWrongFrame, whyUnfinished:
		l.offends(l.whyCode)
	}
}

// offends leaves out what was sent: it might be a secret in the wrong place.
func (l *link) offends(code string) {
	o := l.server.offences
	o.leftOut.Add(1)
	o.told.Do(func() {
		l.server.options.Log.Warn("a vehicle sends what is refused", "vehicle", l.session.Vehicle(), "token", l.caller.token.Name,
			"address", l.conn.RemoteAddr(), "code", code, "left_out", o.leftOut.Swap(0)-1)
	})
}
