package protocol

import "time"

// The short ways for numbers and times as vehicles write them. What they do not
// take goes the long way, by the standard library; where they do, the result is
// the same to the last bit.

// plainNumber reads a JSON number without exponent, of at most 19 digits and
// point and below 2^53 without it, from the start of data. The size is 0 for one
// that it does not take.
//
// Digits and power of ten are then exact as float64, and one division rounds
// once: Clinger, "How to read floating point numbers accurately", 1990.
func plainNumber(data []byte) (v float64, size int) {
	const most = 19 // More could overflow.
	i := 0
	minus := len(data) > 0 && data[0] == '-'
	if minus {
		i++
	}
	first, point, digits := i, -1, uint64(0)
	for ; i < len(data) && i-first < most; i++ {
		b := data[i]
		if b == '.' && point < 0 {
			point = i
			continue
		}
		if b -= '0'; b > 9 {
			break
		}
		digits = digits*10 + uint64(b)
	}
	whole, fraction := i-first, 0
	if point >= 0 {
		whole, fraction = point-first, i-point-1
	}
	if whole == 0 || whole > 1 && data[first] == '0' || point >= 0 && fraction == 0 || digits >= 1<<53 {
		return 0, 0
	}
	if i < len(data) && (data[i]|0x20 == 'e' || data[i] == '.' || data[i]-'0' <= 9) {
		return 0, 0
	}
	v = float64(digits) / tenTo(fraction)
	if minus {
		v = -v
	}
	return v, i
}

// tenTo returns 10 to the power of n, at most 19, which float64 has exactly.
func tenTo(n int) float64 {
	return [...]float64{
		1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9,
		1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
	}[n]
}

// plainTime reads a time such as 2026-05-04T09:30:00.25Z: in UTC, with or
// without a fraction of at most nine digits, from 2000 to 2199, and with no day
// beyond the 28th, for which the calendar is needed.
func plainTime(text []byte) (time.Time, bool) {
	const form = "2006-01-02T15:04:05Z"
	if n := len(text); n < len(form) || n > len(form)+10 || text[n-1] != 'Z' {
		return time.Time{}, false
	}
	for _, i := range [...]int{4, 7, 10, 13, 16} {
		if text[i] != form[i] {
			return time.Time{}, false
		}
	}
	year, ok1 := plainDigits(text[0:4])
	month, ok2 := plainDigits(text[5:7])
	day, ok3 := plainDigits(text[8:10])
	hour, ok4 := plainDigits(text[11:13])
	minute, ok5 := plainDigits(text[14:16])
	second, ok6 := plainDigits(text[17:19])
	ns, ok7 := plainFraction(text[19 : len(text)-1])
	if !(ok1 && ok2 && ok3 && ok4 && ok5 && ok6 && ok7) || year < 2000 || year > 2199 ||
		month < 1 || month > 12 || day < 1 || day > 28 || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	return time.Date(year, time.Month(month), day, hour, minute, second, ns, time.UTC), true
}

func plainDigits(text []byte) (n int, ok bool) {
	for _, b := range text {
		if b -= '0'; b > 9 {
			return 0, false
		}
		n = n*10 + int(b)
	}
	return n, true
}

// plainFraction reads a fraction of a second, or nothing, in nanoseconds.
func plainFraction(text []byte) (ns int, ok bool) {
	if len(text) == 0 {
		return 0, true
	}
	if text[0] != '.' || len(text) == 1 {
		return 0, false
	}
	ns, ok = plainDigits(text[1:])
	for range 10 - len(text) {
		ns *= 10
	}
	return ns, ok
}
