// Package server is the edge of Kapok: the HTTP API, the dispatchers' stream
// and the vehicles' links.
//
// It decides nothing about the fleet. A request is admitted (token, role),
// bounded (size, time, shape) and put to the engine; the answer goes out as the
// fleet gave it, after it is durable. Reads come from the engine's newest view.
// A link is a WebSocket around a session.Session: frames in become inputs,
// effects become frames out. The stream is the engine's feed of events, encoded
// once for all subscribers, and the newest positions at each one's pace.
//
// Every error answer is a problem (RFC 9457) with a code that clients may
// switch on; codes.go is the table.
//
// The limits, and what happens at them:
//
//   - a body of 1 MiB: 413; headers of 64 KiB: 431; a request that takes 30 s to
//     arrive: the connection is cut;
//   - an answer that the fleet has not given within Options.AnswerWithin: 503,
//     and the same Idempotency-Key finds it later;
//   - a vehicle that does not read: its link is closed with 1013 when the send
//     queue is full; a subscriber likewise, and may resume where it was;
//   - a full inbox: telemetry is dropped and counted, reports wait, which stops
//     reading from their link;
//   - Options.MaxStreams subscribers: 503; 1000 unused tickets: 429.
package server
