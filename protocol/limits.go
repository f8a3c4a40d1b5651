package protocol

// The limits of a link. Beyond one of the first four, the message is answered
// with Error; a link that keeps going beyond them is closed.
const (
	// MaxFrameFromVehicle is the largest frame that Kapok reads, in bytes.
	MaxFrameFromVehicle = 64 << 10
	// MaxFrameToVehicle is the largest frame that Kapok sends, in bytes; longer
	// missions go out as successive revisions.
	MaxFrameToVehicle = 1 << 20
	// MaxSamples is the most samples in one Telemetry.
	MaxSamples = 64
	// MaxFramesPerSecond is the most frames a vehicle may send each second.
	MaxFramesPerSecond = 50
	// MinLegs is the smallest leg limit that a vehicle may state, DefaultLegs
	// what holds when it states none, MaxLegs the most that Kapok ever sends.
	MinLegs     = 4
	DefaultLegs = 100
	MaxLegs     = 1000
	// MaxIDBytes bounds ids, codes, models and capabilities; MaxTextBytes
	// bounds texts for people.
	MaxIDBytes      = 64
	MaxTextBytes    = 1024
	MaxCapabilities = 32
)

// The WebSocket sub-protocols.
const (
	SubprotocolJSON = "kapok.v1.json"
	SubprotocolCBOR = "kapok.v1.cbor"
)

// The bounds of single fields. A message beyond one of them is refused as a
// whole, with CodeOutOfRange and the field's path.
const (
	// MaxWhole is the largest seq and epoch: what every JSON reader can hold.
	MaxWhole = 1<<53 - 1
	// MaxCount is the largest revision and stop.
	MaxCount = 1<<31 - 1
	// MinAltitudeM and MaxAltitudeM bound altitude_m.
	MinAltitudeM = -1000.0
	MaxAltitudeM = 20000.0
	// MaxSpeedMPS bounds ground speeds, and climbs in either direction.
	MaxSpeedMPS = 200.0
	// MaxHeadingDeg bounds headings in either direction; what is outside
	// 0..360 means the same heading after whole turns.
	MaxHeadingDeg = 360.0
	// MaxLoadKg bounds loads.
	MaxLoadKg = 100000.0
	// MaxDurationS bounds intervals, the task authority and work: a week.
	MaxDurationS = 7 * 24 * 3600.0
	// MaxPathPoints bounds the path of one leg or command.
	MaxPathPoints = 10000
	// MinUnix and EndUnix bound times: from the year 2000 until before 2200.
	MinUnix = 946684800
	EndUnix = 7258118400
)
