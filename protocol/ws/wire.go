package ws

import (
	"crypto/tls"
	"encoding/binary"
	"errors"
	"net"
	"syscall"
	"time"
)

// wire is the network connection under an accepted stream. It holds the peer
// to its rate and to its deadlines, of which the socket knows only one that is
// never later than the real one: moving it for each message would cost more
// than reading it. Its Read and what goes with it belong to whoever reads.
type wire struct {
	net.Conn
	of *Conn
	// raw is nil where one cannot wait without memory to read into, as with TLS.
	raw  syscall.RawConn
	take func(fd uintptr) bool // is attend, made once
	// fd is the descriptor, and inside says that the worker may use it: the
	// connection's goroutine is within raw.Read, which keeps it open. The worker
	// takes it back.
	fd     uintptr
	inside bool
	// end is what the last turn within raw.Read came to, seen how many turns there
	// were, up to trustAfter.
	end  turnEnd
	seen uint8

	pending []byte // of the worker's chunk, not yet taken
	failure error  // what reading came to, once it did
	broken  bool   // waiting has failed, and the next Read says why
	drained bool   // the last chunk held all that there was
	read    allowance
	// first is the beginning of a frame, until the rest of it is written too. It
	// belongs to whoever writes.
	first []byte
	// last is when something was last read; begun when the message under way
	// began, 0 between messages; heardAt when the last sign of life came; armed the
	// deadline that the socket has. All count since the connection was opened.
	last, begun, heardAt, armed time.Duration
}

// plainSocket is the socket under a connection as the listener gave it, nil
// where there is TLS on it or it is none of the network's.
func plainSocket(conn net.Conn) syscall.Conn {
	for {
		if _, secure := conn.(*tls.Conn); secure {
			return nil
		}
		if socket, ok := conn.(syscall.Conn); ok {
			return socket
		}
		inner, ok := conn.(interface{ NetConn() net.Conn })
		if !ok {
			return nil
		}
		conn = inner.NetConn()
	}
}

// limitReceiveBuffer bounds what the system holds of a peer that is not read.
func limitReceiveBuffer(conn net.Conn, bytes int) {
	for {
		if socket, ok := conn.(interface{ SetReadBuffer(bytes int) error }); ok {
			// A system that refuses goes on with the buffer that it has.
			_ = socket.SetReadBuffer(bytes)
			return
		}
		inner, ok := conn.(interface{ NetConn() net.Conn })
		if !ok {
			return
		}
		conn = inner.NetConn()
	}
}

// attach takes the network connection up. It waits without memory where that
// is possible.
func (w *wire) attach(conn net.Conn, o *Options) {
	w.Conn = conn
	if o.ReceiveBufferBytes > 0 {
		limitReceiveBuffer(conn, o.ReceiveBufferBytes)
	}
	socket := plainSocket(conn)
	if socket == nil || !canWait {
		return
	}
	if raw, err := socket.SyscallConn(); err == nil {
		w.raw, w.take = raw, w.attend
	}
}

// Read implements net.Conn.
func (w *wire) Read(p []byte) (int, error) {
	if len(w.pending) > 0 {
		n := copy(p, w.pending)
		w.pending = w.pending[n:]
		return n, nil
	}
	if w.failure != nil {
		return 0, w.failure
	}
	if w.of.inTurn {
		if n := w.readWhatIsThere(p); n > 0 {
			w.arrived(n)
			w.slowDown()
			return n, nil
		}
	}
	for {
		w.arm()
		w.of.stepOut()
		w.letGo()
		n, err := w.Conn.Read(p)
		w.of.stepIn()
		if n > 0 {
			w.arrived(n)
			w.slowDown()
			return n, err
		}
		if !isTimeout(err) || !w.extend() {
			return n, err
		}
	}
}

// readWhatIsThere reads without waiting. All that is wrong is left to the
// reading that waits.
func (w *wire) readWhatIsThere(p []byte) (n int) {
	if !w.inside {
		return 0
	}
	n, _ = readNow(w.fd, p)
	w.drained = n < len(p)
	return n
}

// Write implements net.Conn. A frame that is longer than the socket's buffer
// comes in two pieces, without anything in between: both go out in one call of the
// system, so that the peer is not woken for a part of a frame.
func (w *wire) Write(p []byte) (int, error) {
	if w.first == nil {
		if beginsLonger(p) {
			w.first = p // It stays as it is until the rest is written.
			return len(p), nil
		}
		return w.Conn.Write(p)
	}
	first := len(w.first)
	both := net.Buffers{w.first, p}
	w.first = nil
	to, ok := plainSocket(w.Conn).(net.Conn)
	if !ok {
		to = w.Conn
	}
	n, err := both.WriteTo(to)
	return max(0, int(n)-first), err
}

// beginsLonger tells whether p begins with the header of a frame that has more
// in it than p.
func beginsLonger(p []byte) bool {
	if len(p) < 10 || p[0]&0x80 == 0 {
		return false
	}
	switch p[1] {
	case 126:
		return int(binary.BigEndian.Uint16(p[2:])) > len(p)-4
	case 127:
		return binary.BigEndian.Uint64(p[2:]) > uint64(len(p)-10)
	}
	return false
}

// trustAfter is how many turns a connection has before the system's word that
// there is nothing more is taken without asking again. A peer that sends and ends
// at once is mostly a new one, and its end is only found by asking.
const trustAfter = 8

// await waits until something can be read, or until reading fails, and has
// workers handle it. It holds no memory while it waits, and it and what it calls
// get along with the smallest stack: a goroutine that waits here never needs a
// larger one. It returns when Serve is over, and now and then before.
func (w *wire) await() turnEnd {
	if len(w.pending) > 0 || w.failure != nil || w.broken {
		return w.of.turn()
	}
	w.arm()
	w.end = turnWaits
	err := w.raw.Read(w.take)
	switch {
	case w.end == turnOut:
		// The worker reads by itself what is on its way.
		return w.of.turnEnds()
	case w.end == turnOver:
		return turnOver
	case err != nil && (!isTimeout(err) || !w.extend()):
		w.broken = true
	}
	return turnOn
}

// attend is called within raw.Read, at first and when something has come. It is
// false to wait for more. Whoever waits within raw.Read is told of all that comes
// after a reading that took all there was, so that no further reading has to find
// out that there is nothing: with one small frame at a time that is a call of the
// system saved for each. The price: the end of a peer that came together with its
// last frame is found out when something is next sent to it.
func (w *wire) attend(fd uintptr) bool {
	for {
		w.fd, w.inside = fd, true
		w.end = w.of.turn()
		switch {
		case w.end == turnWaits:
			return false
		case w.end != turnOn || w.failure != nil || w.of.rests():
			return true
		case w.drained && w.seen == trustAfter:
			return false
		}
		w.seen = min(w.seen+1, trustAfter)
	}
}

// takeChunk reads what there is into the chunk, or what is wrong, unless there is
// something already. It is false when there is nothing.
func (w *wire) takeChunk(into []byte) bool {
	if len(w.pending) > 0 || w.failure != nil || w.broken {
		return true
	}
	if !w.inside {
		return false
	}
	n, err := readNow(w.fd, into)
	if n == 0 {
		w.failure = err
		w.inside = err != nil
		return err != nil
	}
	w.pending, w.drained = into[:n], n < len(into)
	w.arrived(n)
	return true
}

// letGo has the connection's goroutine leave raw.Read, so that the worker may
// wait for the peer.
func (w *wire) letGo() {
	if w.inside {
		w.inside = false
		w.of.worker.yield(turnOut)
	}
}

// arrived notes that something was read.
func (w *wire) arrived(n int) {
	w.last = max(w.of.now(), 1)
	if w.begun == 0 {
		w.begun = w.last
	}
	w.read.used += n
}

// slowDown waits while the peer has sent more than it may. The wait is short,
// since little is read at once.
func (w *wire) slowDown() {
	if w.read.used <= readBytesPerSecond {
		return
	}
	w.read.refill(w.last, readBytesPerSecond)
	over := w.read.used - readBytesPerSecond
	if over <= 0 {
		return
	}
	w.of.throttle(ThrottledBytes)
	w.of.stepOut()
	time.Sleep(time.Duration(over+readWorth) * time.Second / readBytesPerSecond)
	w.of.stepIn()
}

// heard notes a sign of life at the time of the last reading; between messages
// the next one has its time anew.
func (w *wire) heard(inMessage bool) {
	if !inMessage {
		w.begun = 0
	}
	w.heardAt = w.last
}

// due is when reading fails at the latest.
func (w *wire) due() time.Duration {
	due := w.heardAt + w.of.limits.readTimeout
	if w.begun > 0 {
		due = min(due, w.begun+w.of.limits.messageWithin)
	}
	return due
}

// prolong moves the socket's deadline now and then, so that whoever waits on a
// small stack need not.
func (w *wire) prolong() {
	if due := w.due(); due-w.armed > w.of.limits.readTimeout/2 {
		w.set(due)
	}
}

// unfinished tells whether the message under way is over its time.
func (w *wire) unfinished() bool {
	return w.begun > 0 && w.of.now() >= w.begun+w.of.limits.messageWithin
}

// arm sees to it that the socket's deadline is not later than the real one.
func (w *wire) arm() {
	if w.begun == 0 && w.armed > 0 {
		return // Signs of life only move the real one on.
	}
	if due := w.due(); w.armed == 0 || due < w.armed {
		w.set(due)
	}
}

// extend is called when the socket's deadline has passed: it is false when the
// real one has too.
func (w *wire) extend() bool {
	due := w.due()
	return w.of.now() < due && w.set(due)
}

// set moves the socket's deadline. Of a stream that is closing it is the end of
// its closing: until then the writer needs somebody who reads. It is false when
// that has passed.
func (w *wire) set(due time.Duration) bool {
	w.of.mu.Lock()
	defer w.of.mu.Unlock()
	if w.of.closing {
		if due = w.of.closeBy.Sub(w.of.opened); w.of.now() >= due {
			return false
		}
	}
	w.armed = due
	_ = w.Conn.SetReadDeadline(w.of.opened.Add(due))
	return true
}

func isTimeout(err error) bool {
	var network net.Error
	return errors.As(err, &network) && network.Timeout()
}
