package hostile

import (
	"fmt"
	"strings"
	"time"

	"github.com/kapok-fleet/kapok/protocol"
)

// raw is an attack of bytes on the link of a vehicle that has logged in.
func raw(encoding protocol.Encoding, bytes func(*Raid) string) func(*Raid) (Answer, error) {
	return func(r *Raid) (Answer, error) {
		s, err := r.login(encoding)
		if err != nil {
			return Answer{}, err
		}
		// The server may close before all is written.
		_ = s.write(bytes(r))
		return s.verdict()
	}
}

// writes is the flood of such bytes.
func writes(encoding protocol.Encoding, bytes func(*Raid) string) func(*Raid) error {
	return floods1(encoding, func(r *Raid, s *Socket) error { return s.write(bytes(r)) })
}

// broken is an attack of bytes that break a rule of WebSocket.
func broken(name, does, bytes string) Attack {
	text := func(*Raid) string { return bytes }
	return Attack{
		Name: name, Does: does, Want: Answer{Close: 1002}, Metric: linkClosed("abnormal"),
		Run: raw(protocol.JSON, text), Flood: writes(protocol.JSON, text),
	}
}

func frames() []Attack {
	all := []Attack{
		{
			Name: "frame-65k", Does: "sends a frame of 65 KiB", Want: Answer{Code: "frame_too_large"}, Metric: linkError("frame_too_large"),
			Run: raw(protocol.JSON, oversize(65<<10)), Flood: writes(protocol.JSON, oversize(65<<10)),
		},
		{
			Name: "frame-257k", Does: "sends a frame of 257 KiB", Want: Answer{Close: 1009}, Metric: linkClosed("frame_refused"),
			Run: raw(protocol.JSON, oversize(257<<10)), Flood: writes(protocol.JSON, oversize(257<<10)),
		},
		{
			Name: "frame-claims-2-62", Does: "sends the head of a frame that claims 2^62 bytes", Want: Answer{Close: 1009}, Metric: linkClosed("frame_refused"),
			Run:   raw(protocol.JSON, func(*Raid) string { return header(fin|opText, 1<<62) }),
			Flood: writes(protocol.JSON, func(*Raid) string { return header(fin|opText, 1<<62) }),
		},
		{
			Name: "frame-claims-2-63", Does: "sends the head of a frame whose length is negative as a signed number",
			Want: Answer{Close: 1009}, Metric: linkClosed("frame_refused"),
			Run:   raw(protocol.JSON, func(*Raid) string { return header(fin|opText, 1<<63) }),
			Flood: writes(protocol.JSON, func(*Raid) string { return header(fin|opText, 1<<63) }),
		},
		{
			Name: "tiny-fragments", Does: "sends a sample in fragments of one byte", Note: "the sample counts",
			Metric: `kapok_link_frames_total{direction="in",type="telemetry"}`,
			Run:    raw(protocol.JSON, func(r *Raid) string { return fragments(r.text()) }),
			Flood:  writes(protocol.JSON, func(r *Raid) string { return fragments(r.text()) }),
		},
		{
			Name: "endless-fragments", Does: "sends fragments of 1 KiB without an end", Want: Answer{Close: 1009}, Metric: linkClosed("frame_refused"),
			Run: raw(protocol.JSON, func(*Raid) string {
				return frame(opText, "{") + strings.Repeat(frame(opContinue, strings.Repeat(" ", 1024)), 300)
			}),
			Flood: endless(frame(opContinue, strings.Repeat(" ", 1024))),
		},
		{
			Name: "empty-fragments", Does: "sends 20,000 empty fragments of one message", Note: "the message that they end counts",
			Metric: `kapok_link_frames_total{direction="in",type="telemetry"}`,
			Run: raw(protocol.JSON, func(r *Raid) string {
				return frame(opText, r.text()) + strings.Repeat(frame(opContinue, ""), 20_000) + frame(fin|opContinue, "")
			}),
			Flood: endless(strings.Repeat(frame(opContinue, ""), 20)),
		},
		{
			Name: "compression-offered", Does: "offers permessage-deflate and sends a sample", Note: "no extension is agreed on, the sample counts",
			Metric: `kapok_link_frames_total{direction="in",type="telemetry"}`, Run: deflate,
		},
		broken("compressed-frame", "sends a frame with RSV1, a bomb of compressed zeros", frame(fin|rsv1|opText, "\xec\xc1\x01\x01\x00\x00\x00\x80\x90\xfe\xaf\xee\x08")),
		broken("reserved-bits", "sends a frame with RSV2", frame(fin|rsv2|opText, "{}")),
		broken("reserved-opcode", "sends a frame with opcode 3", frame(fin|0x3, "{}")),
		broken("unmasked-frame", "sends a frame that is not masked", "\x81\x02{}"),
		broken("stray-continuation", "continues a message that was not begun", frame(fin|opContinue, "{}")),
		broken("nested-message", "begins a message within another", frame(opText, "{")+frame(fin|opText, "{}")),
		broken("long-ping", "sends a ping of 126 bytes", frame(fin|opPing, strings.Repeat("a", 126))),
		broken("fragmented-ping", "sends a ping in fragments", frame(opPing, "a")),
		broken("bad-close", "sends a close frame of one byte", frame(fin|opClose, "a")),
		{
			Name: "binary-on-json", Does: "sends a binary frame on a link of JSON", Want: Answer{Close: 1003}, Metric: linkClosed("wrong_frame"),
			Run:   raw(protocol.JSON, func(*Raid) string { return frame(fin|opBinary, "{}") }),
			Flood: writes(protocol.JSON, func(*Raid) string { return frame(fin|opBinary, "{}") }),
		},
	}
	for i := range all {
		all[i].Group, all[i].MemoryMiB = Frames, small
	}
	return all
}

// oversize is a frame of so many bytes of spaces.
func oversize(bytes int) func(*Raid) string {
	text := frame(fin|opText, strings.Repeat(" ", bytes))
	return func(*Raid) string { return text }
}

// fragments is a message in frames of one byte each.
func fragments(message string) string {
	var b strings.Builder
	for i := range len(message) {
		first := byte(opContinue)
		if i == 0 {
			first = opText
		}
		if i == len(message)-1 {
			first |= fin
		}
		b.WriteString(frame(first, message[i:i+1]))
	}
	return b.String()
}

// endless is a message that begins and then goes on in the same fragments.
func endless(more string) func(*Raid) error {
	return func(r *Raid) error {
		var begun *Socket
		return floods1(protocol.JSON, func(_ *Raid, s *Socket) error {
			if begun != s {
				begun = s
				return s.write(frame(opText, "{"))
			}
			return s.write(more)
		})(r)
	}
}

// deflate offers compression and demands that it is not taken.
func deflate(r *Raid) (Answer, error) {
	s, reply, err := r.upgrade("/v1/link?vehicle="+r.Vehicles(), r.Tokens.Simulator,
		"Sec-WebSocket-Protocol: "+protocol.SubprotocolJSON, "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits")
	if err != nil || s == nil {
		return reply.Answer, err
	}
	if agreed := reply.Header.Get("Sec-WebSocket-Extensions"); agreed != "" {
		return Answer{}, fmt.Errorf("the server agreed on %q", agreed)
	}
	if err := s.greet(r.hello()); err != nil {
		return Answer{}, err
	}
	if err := s.tell(r.text()); err != nil {
		return Answer{}, err
	}
	return s.verdict()
}

// withdrawnWithin is how long a withdrawn token's link may live.
const withdrawnWithin = 4 * time.Second
