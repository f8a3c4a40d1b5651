package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/kapok-fleet/kapok/protocol/api"
	"github.com/kapok-fleet/kapok/protocol/ws"
)

// maxStreamFrame is the longest frame of a stream.
const maxStreamFrame = 16 << 20

// StreamOptions say what to follow.
type StreamOptions struct {
	// Resume goes on behind the event After; otherwise a snapshot comes first.
	Resume bool
	After  uint64
	// RateHz is how often positions come at most, 0 for never.
	RateHz float64
	// Area is west,south,east,north in degrees, empty for everywhere; Kinds are
	// kinds of things, none for all.
	Area  string
	Kinds []string
}

// Stream is an open /v1/stream.
type Stream struct {
	conn *ws.Conn
}

// Frame is one frame of a stream; exactly one of the pointers is set.
type Frame struct {
	Snapshot  *api.StreamSnapshot
	Resumed   *api.StreamResumed
	Events    *api.StreamEvents
	Positions *api.StreamPositions
}

// Stream opens the stream of events.
func (c *Client) Stream(ctx context.Context, o StreamOptions) (*Stream, error) {
	to := *c.base
	to.Scheme = "ws" + strings.TrimPrefix(to.Scheme, "http")
	to.Path += "/v1/stream"
	query := url.Values{"rate_hz": {strconv.FormatFloat(o.RateHz, 'f', -1, 64)}}
	if o.Resume {
		query.Set("after", strconv.FormatUint(o.After, 10))
	}
	if o.Area != "" {
		query.Set("area", o.Area)
	}
	if len(o.Kinds) > 0 {
		query.Set("kinds", strings.Join(o.Kinds, ","))
	}
	to.RawQuery = query.Encode()
	header := http.Header{"Authorization": {"Bearer " + c.token}}
	conn, err := ws.Dial(ctx, to.String(), header, ws.Options{ReadLimit: maxStreamFrame})
	if refused, ok := errors.AsType[*ws.RefusedError](err); ok {
		problem := &ProblemError{}
		if json.Unmarshal([]byte(refused.Body), &problem.Problem) == nil && problem.Code != "" {
			problem.Status = refused.Status
			return nil, problem
		}
	}
	if err != nil {
		return nil, &UnreachableError{Address: c.base.String(), Cause: err}
	}
	return &Stream{conn}, nil
}

// Next waits for the next frame. Frames of types that are not known are skipped.
func (s *Stream) Next() (Frame, error) {
	for {
		data, err := s.conn.Receive()
		if err != nil {
			return Frame{}, fmt.Errorf("the stream ended: %w", err)
		}
		frame, known, err := readFrame(data)
		if err != nil || known {
			return frame, err
		}
	}
}

// readFrame reads one frame; known is false for one of another type.
func readFrame(data []byte) (frame Frame, known bool, err error) {
	var head struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return Frame{}, false, fmt.Errorf("reading a frame of the stream: %w", err)
	}
	return decode(head.Type, data)
}

func decode(kind string, data []byte) (frame Frame, known bool, err error) {
	switch kind {
	case api.StreamSnapshotType:
		frame.Snapshot = &api.StreamSnapshot{}
		err = json.Unmarshal(data, frame.Snapshot)
	case api.StreamResumedType:
		frame.Resumed = &api.StreamResumed{}
		err = json.Unmarshal(data, frame.Resumed)
	case api.StreamEventsType:
		frame.Events = &api.StreamEvents{}
		err = json.Unmarshal(data, frame.Events)
	case api.StreamPositionsType:
		frame.Positions = &api.StreamPositions{}
		err = json.Unmarshal(data, frame.Positions)
	default:
		return Frame{}, false, nil
	}
	if err != nil {
		return Frame{}, false, fmt.Errorf("reading a frame %s of the stream: %w", kind, err)
	}
	return frame, true, nil
}

// Close ends the stream; a waiting Next returns.
func (s *Stream) Close() { s.conn.Close(ws.CloseNormal, "done") }
