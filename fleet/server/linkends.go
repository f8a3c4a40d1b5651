package server

import (
	"errors"

	"github.com/kapok-fleet/kapok/fleet/engine"
	"github.com/kapok-fleet/kapok/fleet/session"
	"github.com/kapok-fleet/kapok/protocol/ws"
)

// Why a link ended, as kapok_link_closed_total counts it, beside the codes of
// boundedWhy.
const (
	// whyPeer: the vehicle closed the link with a close frame.
	whyPeer = "peer"
	// whyAbnormal: the network connection ended, or carried what is no WebSocket.
	whyAbnormal = "abnormal"
	// whySilent: nothing came, not even a pong.
	whySilent = "silent"
	// whyUnfinished: a message was begun and not completed in time.
	whyUnfinished = "unfinished"
	// whyTooSlow: what was sent to the vehicle was not read.
	whyTooSlow = "too_slow"
	// whyWrongFrame: text where binary is agreed, or the reverse.
	whyWrongFrame = "wrong_frame"
	// whyFrameRefused: a frame was far beyond the limit.
	whyFrameRefused = "frame_refused"
	// whyShutdown: this server ends.
	whyShutdown = "shutdown"
	// whyDisplaced: the vehicle opened a newer link.
	whyDisplaced = "displaced"
	// whyToken: the token was withdrawn.
	whyToken = "token"
	// whyInternal: a fault of ours.
	whyInternal = "internal"
	// whyClosed: this side closed a stream, for its end, a withdrawn token, bad
	// frames, or a subscriber that was too slow (kapok_cut_off_total).
	whyClosed = "closed"
	// whyOther: the fleet ended it for another reason; the log has it.
	whyOther = "other"
)

// whyOf is the word for the error that reading ended with.
func whyOf(err error) string {
	peer, ok := errors.AsType[*ws.PeerClosedError](err)
	switch {
	case ok && peer.Code != ws.CloseAbnormal:
		return whyPeer
	case errors.Is(err, ws.ErrSilent):
		return whySilent
	case errors.Is(err, ws.ErrUnfinished):
		return whyUnfinished
	case errors.Is(err, ws.ErrStuck):
		return whyTooSlow
	case errors.Is(err, ws.ErrWrongKind):
		return whyWrongFrame
	case errors.Is(err, ws.ErrFrameRefused):
		return whyFrameRefused
	case errors.Is(err, ws.ErrClosed):
		return whyShutdown // All other ends on this side have said why.
	}
	return whyAbnormal
}

// streamEnded counts the end of a stream by the error that reading ended with, nil
// when this side closed it.
func (m *metrics) streamEnded(err error) {
	why := whyClosed
	if err != nil && !errors.Is(err, ws.ErrClosed) {
		why = whyOf(err)
	}
	m.departed.WithLabelValues(why).Inc()
}

// boundedWhy keeps the label's values to a known set: the words above, and the
// codes with which session, engine and fleet end links.
func boundedWhy(code string) string {
	switch code {
	case whyPeer, whyAbnormal, whySilent, whyUnfinished, whyTooSlow, whyWrongFrame, whyFrameRefused, whyShutdown, whyToken, whyInternal,
		session.CodeHelloExpected, session.CodeHelloTimeout, session.CodeRateLimited, session.CodeTooManyErrors,
		engine.CodeRestarting,
		// The fleet's own.
		"wrong_kind", "unknown_vehicle", "unknown_model", "too_many_vehicles", "too_many_reports":
		return code
	case "replaced":
		return whyDisplaced
	}
	return whyOther
}
