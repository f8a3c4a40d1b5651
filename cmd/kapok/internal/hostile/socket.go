package hostile

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/kapok-fleet/kapok/protocol"
)

// The opcodes of RFC 6455.
const (
	opContinue = 0x0
	opText     = 0x1
	opBinary   = 0x2
	opClose    = 0x8
	opPing     = 0x9
	opPong     = 0xA
)

// The bits of a frame's first byte.
const (
	fin  = 0x80
	rsv1 = 0x40
	rsv2 = 0x20
)

// maskKey is the same for all frames: with zeros the payload is sent as it is.
const maskKey = "\x00\x00\x00\x00"

// frame is a masked frame: first is the whole first byte.
func frame(first byte, payload string) string { return header(first, uint64(len(payload))) + payload }

// header is the head of a masked frame that claims a length.
func header(first byte, length uint64) string {
	var b []byte
	switch {
	case length < 126:
		b = []byte{first, 0x80 | byte(length)}
	case length < 1<<16:
		b = binary.BigEndian.AppendUint16([]byte{first, 0x80 | 126}, uint16(length))
	default:
		b = binary.BigEndian.AppendUint64([]byte{first, 0x80 | 127}, length)
	}
	return string(b) + maskKey
}

// Socket is an upgraded connection.
type Socket struct {
	conn     net.Conn
	from     *bufio.Reader
	encoding protocol.Encoding
	// Session is what the server welcomed the vehicle with.
	Welcome protocol.Welcome
}

// upgrade asks for a WebSocket and returns what the server said; the socket is
// nil unless it agreed.
func (r *Raid) upgrade(path, token string, headers ...string) (*Socket, Reply, error) {
	conn, err := r.Conn()
	if err != nil {
		return nil, Reply{}, err
	}
	q := Request{Path: path, Token: token, Headers: append([]string{
		"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: aG9zdGlsZS1hdHRhY2tlcg==",
	}, headers...)}
	if _, err := io.WriteString(conn, q.head(r.Address)); err != nil {
		return nil, Reply{Answer: Answer{Cut: true}}, nil
	}
	from := bufio.NewReaderSize(conn, 2048)
	reply, err := readReply(from)
	if err != nil || reply.Status != 101 {
		r.drop(conn)
		return nil, reply, err
	}
	return &Socket{conn: conn, from: from}, reply, nil
}

// open is an upgrade that must succeed.
func (r *Raid) open(path, token string, headers ...string) (*Socket, error) {
	s, reply, err := r.upgrade(path, token, headers...)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return nil, fmt.Errorf("the upgrade of %s was refused with %v: %w", path, reply.Answer, errRefused)
	}
	return s, nil
}

// errRefused is an upgrade that the server refused.
var errRefused = errors.New("refused")

// connect opens a link of a vehicle in an encoding, without a hello.
func (r *Raid) connect(vehicle string, encoding protocol.Encoding) (*Socket, error) {
	s, err := r.open("/v1/link?vehicle="+vehicle, r.Tokens.Simulator, "Sec-WebSocket-Protocol: "+encoding.Subprotocol())
	if err != nil {
		return nil, err
	}
	s.encoding = encoding
	return s, nil
}

// login opens a link and says hello as a good vehicle does.
func (r *Raid) login(encoding protocol.Encoding) (*Socket, error) {
	return r.loginAs(r.Vehicles(), encoding, r.hello())
}

func (r *Raid) loginAs(vehicle string, encoding protocol.Encoding, hello protocol.Hello) (*Socket, error) {
	s, err := r.connect(vehicle, encoding)
	if err != nil {
		return nil, err
	}
	return s, s.greet(hello)
}

// greet says hello and waits for the welcome.
func (s *Socket) greet(hello protocol.Hello) error {
	if err := s.say(hello); err != nil {
		return err
	}
	for {
		m, answer, err := s.next()
		if err != nil {
			return err
		}
		if w, ok := m.(protocol.Welcome); ok {
			s.Welcome = w
			return nil
		}
		if m == nil || answer != (Answer{}) {
			return fmt.Errorf("instead of welcome the server said %v", answer)
		}
	}
}

// write sends bytes as they are.
func (s *Socket) write(bytes string) error {
	if _, err := io.WriteString(s.conn, bytes); err != nil {
		return fmt.Errorf("writing to the server: %w", err)
	}
	return nil
}

// kind is the first byte of a whole message in the socket's encoding.
func (s *Socket) kind() byte {
	if s.encoding == protocol.CBOR {
		return fin | opBinary
	}
	return fin | opText
}

// tell sends a message that may be anything.
func (s *Socket) tell(payload string) error { return s.write(frame(s.kind(), payload)) }

// say sends a message that is well formed.
func (s *Socket) say(m protocol.FromVehicle) error {
	payload, err := s.encoding.EncodeFrom(nil, m)
	if err != nil {
		return fmt.Errorf("encoding for the server: %w", err)
	}
	return s.tell(string(payload))
}

// receive reads a frame. An end of the connection is io.EOF.
func (s *Socket) receive() (opcode byte, payload []byte, err error) {
	var head [2]byte
	if _, err := io.ReadFull(s.from, head[:]); err != nil {
		return 0, nil, ending(err)
	}
	length := uint64(head[1] & 0x7f)
	var more [8]byte
	switch length {
	case 126:
		if _, err := io.ReadFull(s.from, more[:2]); err != nil {
			return 0, nil, ending(err)
		}
		length = uint64(binary.BigEndian.Uint16(more[:2]))
	case 127:
		if _, err := io.ReadFull(s.from, more[:]); err != nil {
			return 0, nil, ending(err)
		}
		length = binary.BigEndian.Uint64(more[:])
	}
	if length > 64<<20 {
		return 0, nil, fmt.Errorf("the server sends a frame of %d bytes", length)
	}
	payload = make([]byte, length)
	if _, err := io.ReadFull(s.from, payload); err != nil {
		return 0, nil, ending(err)
	}
	return head[0], payload, nil
}

// ending turns every end of a connection into io.EOF; waiting too long stays an
// error.
func ending(err error) error {
	if isTimeout(err) {
		return fmt.Errorf("the server sent nothing: %w", err)
	}
	return io.EOF
}

// next reads what the server says: a message of a link, or an error or the end
// as an answer. Pings are answered, pongs passed over.
func (s *Socket) next() (protocol.ToVehicle, Answer, error) {
	for {
		first, payload, err := s.receive()
		if errors.Is(err, io.EOF) {
			return nil, Answer{Cut: true}, nil
		}
		if err != nil {
			return nil, Answer{}, err
		}
		if first&(rsv1|rsv2|0x10) != 0 {
			return nil, Answer{}, fmt.Errorf("the server set a reserved bit: %#x", first)
		}
		switch first & 0x0f {
		case opPing:
			// A server that has closed its side does not listen any more.
			_ = s.write(frame(fin|opPong, string(payload)))
		case opPong:
		case opClose:
			if len(payload) < 2 {
				return nil, Answer{Close: 1005}, nil
			}
			return nil, Answer{Close: int(binary.BigEndian.Uint16(payload))}, nil
		default:
			m, err := s.encoding.DecodeTo(payload)
			if err != nil {
				return nil, Answer{}, fmt.Errorf("the server sent %.200q: %w", payload, err)
			}
			if e, ok := m.(protocol.Error); ok {
				return m, Answer{Code: e.Code}, nil
			}
			return m, Answer{}, nil
		}
	}
}

// probeType is a message that the server does not know: it answers with an
// error and nothing else comes of it.
const probeType = "hostile-probe"

// verdict reads what the server thinks of all that was sent before: the first
// error, or the close, or nothing when the link goes on. It sends a message of
// an unknown type to see that.
func (s *Socket) verdict() (Answer, error) {
	probe := `{"type":"` + probeType + `"}`
	if s.encoding == protocol.CBOR {
		probe = "\xa1\x64type\x6d" + probeType
	}
	defer s.repeatedly(probe)()
	var found Answer
	for {
		m, answer, err := s.next()
		if err != nil {
			return found, err
		}
		e, isError := m.(protocol.Error)
		switch {
		case isError && e.Fatal:
			return s.last(answer.Code)
		case isError && e.Code == protocol.CodeUnknownType && strings.Contains(e.Text, probeType):
			return found, nil
		case isError && found.Code == "":
			found.Code = answer.Code
		case m == nil:
			answer.Code = found.Code
			return answer, nil
		}
	}
}

// repeatedly sends a message at once and every tenth of a second: the server may
// be dropping what comes too soon. It returns how to stop. The server may have
// closed already; what it said then is still to be read.
func (s *Socket) repeatedly(message string) (stop func()) {
	_ = s.tell(message)
	enough, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		ticker := time.NewTicker(100 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-enough:
				return
			case <-ticker.C:
			}
			if s.tell(message) != nil {
				return
			}
		}
	}()
	return func() { close(enough); <-stopped }
}

// last reads the close that follows a fatal error.
func (s *Socket) last(code string) (Answer, error) {
	for {
		m, answer, err := s.next()
		if err != nil {
			return Answer{Code: code}, err
		}
		if m == nil {
			answer.Code = code
			return answer, nil
		}
	}
}

// end reads until the server has ended the link, and returns the last error and
// how it ended.
func (s *Socket) end() (Answer, error) {
	var code string
	for {
		m, answer, err := s.next()
		if err != nil {
			return Answer{Code: code}, err
		}
		if m == nil {
			answer.Code = code
			return answer, nil
		}
		if answer.Code != "" {
			code = answer.Code
		}
	}
}

// streamFrame is what the attackers read of a stream's frames.
type streamFrame struct {
	Type string `json:"type"`
	Code string `json:"code"`
	More bool   `json:"more"`
}

// nextOfStream reads the next frame of a stream, or its end.
func (s *Socket) nextOfStream() (streamFrame, Answer, error) {
	for {
		first, payload, err := s.receive()
		if errors.Is(err, io.EOF) {
			return streamFrame{}, Answer{Cut: true}, nil
		}
		if err != nil {
			return streamFrame{}, Answer{}, err
		}
		switch first & 0x0f {
		case opPing:
			_ = s.write(frame(fin|opPong, string(payload)))
		case opPong:
		case opClose:
			if len(payload) < 2 {
				return streamFrame{}, Answer{Close: 1005}, nil
			}
			return streamFrame{}, Answer{Close: int(binary.BigEndian.Uint16(payload))}, nil
		default:
			var f streamFrame
			if err := json.Unmarshal(payload, &f); err != nil {
				return f, Answer{}, fmt.Errorf("the server sent %.200q: %w", payload, err)
			}
			return f, Answer{Code: f.Code}, nil
		}
	}
}
