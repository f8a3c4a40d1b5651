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
// without a fraction of at most nine digits, from 2000 to 2199, and not on a
// 29th of February.
func plainTime(text []byte) (time.Time, bool) {
	const form, withNanoseconds = len("2006-01-02T15:04:05Z"), len("2006-01-02T15:04:05.123456789Z")
	size := len(text)
	if size < form || size > withNanoseconds || text[size-1] != 'Z' {
		return time.Time{}, false
	}
	t := (*[form]byte)(text)
	if t[4] != '-' || t[7] != '-' || t[10] != 'T' || t[13] != ':' || t[16] != ':' {
		return time.Time{}, false
	}
	century, years := plainDigits(t[0], t[1]), plainDigits(t[2], t[3])
	month, day := plainDigits(t[5], t[6]), plainDigits(t[8], t[9])
	hour, minute, second := plainDigits(t[11], t[12]), plainDigits(t[14], t[15]), plainDigits(t[17], t[18])
	ns, ok := plainFraction(text[form-1 : size-1])
	if !ok || century < 20 || century > 21 || years > 99 || month < 1 || month > 12 ||
		day < 1 || day > plainMonth(month) || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	days := plainDays(century*100+years, month, day)
	return time.Unix(((days*24+hour)*60+minute)*60+second, ns).UTC(), true
}

// plainDigits reads a number of two digits; it is noDigits for anything else.
func plainDigits(tens, ones byte) int64 {
	const noDigits = 100
	tens, ones = tens-'0', ones-'0'
	if tens > 9 || ones > 9 {
		return noDigits
	}
	return int64(tens)*10 + int64(ones)
}

// plainMonth returns how many days a month has when the year is no leap year.
func plainMonth(month int64) int64 {
	if month == 2 {
		return 28
	}
	return 30 + (month+month>>3)&1
}

// plainDays returns the days from 1970-01-01 to a day since the year 1. Its year
// begins in March, so that a leap day is the last of a year; from there on five
// months have 153 days, again and again.
func plainDays(year, month, day int64) int64 {
	const epoch = 719469 // 1970-01-01, counted in the same way.
	if month -= 3; month < 0 {
		month += 12
		year--
	}
	return year*365 + year/4 - year/100 + year/400 + (month*153+2)/5 + day - epoch
}

// plainFraction reads a fraction of a second of one to nine digits, or nothing,
// in nanoseconds.
func plainFraction(text []byte) (ns int64, ok bool) {
	if len(text) == 0 {
		return 0, true
	}
	if text[0] != '.' || len(text) == 1 {
		return 0, false
	}
	for _, b := range text[1:] {
		if b -= '0'; b > 9 {
			return 0, false
		}
		ns = ns*10 + int64(b)
	}
	for range 10 - len(text) {
		ns *= 10
	}
	return ns, true
}
