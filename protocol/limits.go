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
