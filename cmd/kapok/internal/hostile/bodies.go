package hostile

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// amplified bounds the memory of a body of 1 MiB while it arrives, and of one of
// 16,384 JSON values while it is read.
const amplified = 16

// body is an attack by the body of a POST of a dispatcher.
func body(name, does, path string, want Answer, memory int, text func(*Raid) string, headers ...string) Attack {
	metric := refused(want.Code)
	if want.Code == "" {
		metric = `kapok_http_requests_total{method="POST",route="POST /v1/tasks",status="201"}`
	}
	return Attack{
		Name: name, Group: Bodies, Does: does, Want: want, Metric: metric, MemoryMiB: memory,
		Run: asks(func(r *Raid) Request { return posted(path, r.Tokens.Dispatcher, text(r), headers...) }),
	}
}

func bodies() []Attack {
	zipped := sync.OnceValue(bomb)
	fixed := func(text string) func(*Raid) string { return func(*Raid) string { return text } }
	malformed := Answer{Status: http.StatusBadRequest, Code: "malformed_json"}
	large := Answer{Status: http.StatusRequestEntityTooLarge, Code: "body_too_large"}
	media := Answer{Status: http.StatusUnsupportedMediaType, Code: "unsupported_media_type"}
	taken := Answer{Status: http.StatusCreated}
	invalid := Answer{Status: http.StatusUnprocessableEntity, Code: "invalid"}
	badZone := Answer{Status: http.StatusUnprocessableEntity, Code: "bad_zone"}
	return []Attack{
		body("deep-body", "orders with JSON of 100,000 nested arrays", "/v1/tasks", large, small, fixed(strings.Repeat("[", 100_000)+strings.Repeat("]", 100_000))),
		body("broken-body", "orders with half a JSON object", "/v1/tasks", malformed, small, fixed(`{"kind":"visit","stops":[`)),
		body("two-values", "orders with two JSON values in one body", "/v1/tasks", malformed, small, fixed(`{"kind":"visit"}{"kind":"visit"}`)),
		body("body-2m", "orders with a body of 2 MiB", "/v1/tasks", large, amplified, many("", " ", 2<<20, "")),
		announced("body-claims-2-62", "announces a body of 2^62 bytes", strconv.Itoa(1<<62)),
		body("gzip-bomb", "sends a body that unzips to 256 MiB", "/v1/tasks", media, small, func(*Raid) string { return zipped() }, "Content-Encoding: gzip"),
		{
			Name: "wrong-content-type", Group: Bodies, Does: "orders with a form", Want: media, Metric: refused("unsupported_media_type"), MemoryMiB: small,
			Run: asks(func(r *Raid) Request {
				return Request{Method: "POST", Path: "/v1/tasks", Token: r.Tokens.Dispatcher, Headers: []string{"Content-Type: application/x-www-form-urlencoded"}, Body: "kind=visit"}
			}),
		},
		body("million-stops", "orders 1,000,000 stops", "/v1/tasks", large, amplified, many(`{"kind":"visit","stops":[`, "{},", 1_000_000, `{}]}`)),
		body("body-of-stops", "orders as many stops as a body holds", "/v1/tasks", large, amplified, many(`{"kind":"visit","stops":[`, "{},", 349_000, `{}]}`)),
		body("many-laps", "orders 201 stops, or 200 stops 100 times", "/v1/tasks", Answer{Status: http.StatusUnprocessableEntity, Code: "too_many_stops"}, small,
			func(r *Raid) string { return patrol(r, 200, 100) }),
		body("zone-100k", "draws a zone of 100,000 corners", "/v1/zones", large, amplified, once(func(r *Raid) string { return r.zone(circle(r, 100_000)) })),
		body("zone-5k", "draws a zone of 5,000 corners", "/v1/zones", badZone, amplified, once(func(r *Raid) string { return r.zone(circle(r, 5_000)) })),
		body("zone-crossing", "draws a zone that crosses itself", "/v1/zones", badZone, small, func(r *Raid) string { return r.zone(bow(r)) }),
		body("zone-nan", "draws a zone with a corner at NaN", "/v1/zones", malformed, small, func(r *Raid) string { return r.zone(`[[NaN,22.5],[113.9,22.5],[113.9,22.6],[NaN,22.5]]`) }),
		body("zone-huge-corner", "draws a zone with a corner at 1e308", "/v1/zones", badZone, small, func(r *Raid) string { return r.zone(`[[1e308,22.5],[113.9,22.5],[113.9,22.6],[1e308,22.5]]`) }),
		body("zone-overflow", "draws a zone with a corner at 1e999", "/v1/zones", malformed, small, func(r *Raid) string { return r.zone(`[[1e999,22.5],[113.9,22.5],[113.9,22.6],[1e999,22.5]]`) }),
		body("zone-of-a-point", "draws a zone whose corners are one point", "/v1/zones", badZone, small, func(r *Raid) string { return r.zone(point(r)) }),
		body("unknown-field", "orders with a field that there is not", "/v1/tasks", invalid, small, fixed(`{"kind":"visit","stops":[{}],"vehicle":{"__proto__":1}}`)),
		body("huge-integer", "orders with a rank of 10,000 digits", "/v1/tasks", malformed, small, fixed(`{"kind":"visit","stops":[{}],"rank":`+strings.Repeat("9", 10_000)+`}`)),
		body("long-note", "orders with a note of 500,000 characters", "/v1/tasks", invalid, small, many(`{"kind":"visit","stops":[{}],"note":"`, "n", 500_000, `"}`)),
		body("bad-utf8-body", "orders with a note that is not UTF-8", "/v1/tasks", taken, small, func(r *Raid) string { return order1(r, "\xff\xfe") }).
			noting("what is not UTF-8 becomes U+FFFD"),
		body("look-alike-site", "orders to a site whose id has a Cyrillic letter", "/v1/tasks", Answer{Status: http.StatusUnprocessableEntity, Code: "no_such_site"}, small,
			fixed(`{"kind":"visit","stops":[{"site":"node/1`+"\u0430"+`"}]}`)),
		body("injected-note", "orders with a note of line feeds, escape sequences and a forged line of a log", "/v1/tasks", taken, small,
			func(r *Raid) string { return order1(r, `a\ntime=2026 level=ERROR msg=forged\u001b[2J`) }).noting("it is kept as text; logs, tables and files show it escaped"),
		body("idempotency-reuse", "uses an idempotency key again with another body", "/v1/tasks",
			Answer{Status: http.StatusUnprocessableEntity, Code: "idempotency_mismatch"}, small, nil).with(idempotencyReuse),
		body("idempotency-injected", "sends an idempotency key with a tabulator", "/v1/tasks",
			Answer{Status: http.StatusBadRequest, Code: "malformed_idempotency_key"}, small, fixed(`{"kind":"visit","stops":[{}]}`), "Idempotency-Key: a\tb"),
		body("idempotency-twice", "sends two idempotency keys", "/v1/tasks",
			Answer{Status: http.StatusBadRequest, Code: "malformed_idempotency_key"}, small, fixed(`{"kind":"visit","stops":[{}]}`), "Idempotency-Key: a", "Idempotency-Key: b"),
	}
}

// with is the attack with another way to do it.
func (a Attack) with(run func(*Raid) (Answer, error)) Attack {
	a.Run = run
	return a
}

// announced is a POST whose body never comes.
func announced(name, does, length string) Attack {
	return Attack{
		Name: name, Group: Bodies, Does: does, Want: Answer{Status: http.StatusRequestEntityTooLarge, Code: "body_too_large"},
		Metric: refused("body_too_large"), MemoryMiB: small,
		Run: asks(func(r *Raid) Request {
			return Request{Method: "POST", Path: "/v1/tasks", Token: r.Tokens.Dispatcher, Headers: []string{"Content-Type: application/json", "Content-Length: " + length}}
		}),
	}
}

// many is a text with a part that repeats, made when it is needed.
func many(before, part string, count int, after string) func(*Raid) string {
	return func(*Raid) string { return before + strings.Repeat(part, count) + after }
}

// bomb is 256 MiB of zeros, zipped: as so many members of 1 MiB, which every
// reader of gzip joins.
func bomb() string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(make([]byte, 1<<20)); err != nil {
		return ""
	}
	if err := w.Close(); err != nil {
		return ""
	}
	return strings.Repeat(b.String(), 256)
}

func order1(r *Raid, note string) string {
	return fmt.Sprintf(`{"kind":"visit","stops":[{"position":{"lon":%f,"lat":%f}}],"note":"%s"}`, r.At.Lon, r.At.Lat, note)
}

func patrol(r *Raid, stops, laps int) string {
	stop := fmt.Sprintf(`{"position":{"lon":%f,"lat":%f}}`, r.At.Lon, r.At.Lat)
	return fmt.Sprintf(`{"kind":"patrol","laps":%d,"stops":[%s]}`, laps, strings.Repeat(stop+",", stops-1)+stop)
}

func (r *Raid) zone(ring string) string {
	return `{"rule":"keep_out","polygon":[` + ring + `]}`
}

// circle is a ring of so many corners.
func circle(r *Raid, corners int) string {
	var b strings.Builder
	b.WriteByte('[')
	for i := range corners {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / float64(corners))
		fmt.Fprintf(&b, "[%.6f,%.6f],", r.At.Lon+cos/1000, r.At.Lat+sin/1000)
	}
	fmt.Fprintf(&b, "[%.6f,%.6f]]", r.At.Lon+0.001, r.At.Lat)
	return b.String()
}

// once writes a text for the first raid only: attackers that repeat it shall send,
// not write.
func once(text func(*Raid) string) func(*Raid) string {
	var first sync.Once
	var written string
	return func(r *Raid) string {
		first.Do(func() { written = text(r) })
		return written
	}
}

// bow is a ring in the shape of a bow tie.
func bow(r *Raid) string {
	x, y := r.At.Lon, r.At.Lat
	return fmt.Sprintf("[[%f,%f],[%f,%f],[%f,%f],[%f,%f],[%f,%f]]", x, y, x+0.001, y+0.001, x+0.001, y, x, y+0.001, x, y)
}

// point is a ring all of whose corners are one.
func point(r *Raid) string {
	corner := fmt.Sprintf("[%f,%f]", r.At.Lon, r.At.Lat)
	return "[" + strings.Repeat(corner+",", 3) + corner + "]"
}

// idempotencyReuse asks for two different tasks under one key.
func idempotencyReuse(r *Raid) (Answer, error) {
	key := "Idempotency-Key: " + r.Vehicles() + strconv.FormatInt(r.sent.Add(1), 10)
	first, err := r.Ask(posted("/v1/tasks", r.Tokens.Dispatcher, order1(r, "one"), key))
	if err != nil || first.Status >= 300 {
		return first.Answer, err
	}
	second, err := r.Ask(posted("/v1/tasks", r.Tokens.Dispatcher, order1(r, "two"), key))
	return second.Answer, err
}
