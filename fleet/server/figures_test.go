package server

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/fleet/engine"
	"github.com/kapok-fleet/kapok/fleet/session"
	"github.com/kapok-fleet/kapok/fleet/track"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/ws"
)

// seconds is how documents write a time.
func seconds(d time.Duration) string { return fmt.Sprintf("%g s", d.Seconds()) }

// grouped is how limits.md writes a number.
func grouped(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", grouped(n/1000), n%1000)
}

// TestTheDocumentsHaveTheFigures: limits that are no settings stand in several
// documents, in each as the source has them.
func TestTheDocumentsHaveTheFigures(t *testing.T) {
	for document, phrases := range map[string][]string{
		"security.md": {
			fmt.Sprintf("| TLS handshake | %s;", seconds(readHeaderTimeout)),
			fmt.Sprintf("| head of a request | %s, %d KiB |", seconds(readHeaderTimeout), maxHeaderBytes>>10),
			fmt.Sprintf("| next request on a connection | %g min |", idleTimeout.Minutes()),
			fmt.Sprintf("| those of them without a token | %d,", maxOpenRequests),
			fmt.Sprintf("| URL, and parameters in it | %d KiB, %d |", maxURLBytes>>10, maxParameters),
			fmt.Sprintf("| body | %d MiB, %d JSON values,", maxBodyBytes>>20, maxBodyValues),
			fmt.Sprintf("each %d KiB count as one more request with the token, a body in chunks as %d |", bodyWorth>>10, maxBodyBytes/8/bodyWorth),
			fmt.Sprintf("| arrival of a body | %s from the end of the head; %s more", seconds(bodyWithin), seconds(refusedBodyWithin)),
			fmt.Sprintf("| an answer that is not taken | less than %d KiB, or than what is left of it, within %s |", pieceBytes>>10, seconds(untakenFor)),
			fmt.Sprintf("| the fleet's answer to a request | %s |", seconds(DefaultAnswerWithin)),
			fmt.Sprintf("| downloads, quotes, streams at once | %d, %d, %d |", maxExports, DefaultMaxQuotes, DefaultMaxStreams),
			fmt.Sprintf("| tickets that wait for their use | %d, %d of one token |", maxTickets, maxTicketsOfToken),
			fmt.Sprintf("%s and one use", seconds(ticketLife)),
			fmt.Sprintf("kept of %d addresses", maxKeys),
			fmt.Sprintf("| frames of a link | %d KiB; %d a second, %d at once | `error` frame; beyond %d KiB, or after %s",
				protocol.MaxFrameFromVehicle>>10, protocol.MaxFramesPerSecond, 2*protocol.MaxFramesPerSecond, 4*protocol.MaxFrameFromVehicle>>10, seconds(session.LimitedFor)),
			fmt.Sprintf("| reports of a vehicle | %d a second, %d at once |", fleet.ReportsPerSecond, fleet.ReportsAtOnce),
			fmt.Sprintf("| a message in pieces | %s |", seconds(ws.DefaultMessageTimeout)),
			fmt.Sprintf("| silence of any peer, pongs included | %s |", seconds(ws.DefaultReadTimeout)),
			fmt.Sprintf("| a frame that is not taken | %s |", seconds(ws.DefaultWriteTimeout)),
			fmt.Sprintf("does not read | %d MiB and %d KiB, %d frames |", protocol.MaxFrameToVehicle>>20, (linkQueueBytes-protocol.MaxFrameToVehicle)>>10, ws.DefaultQueueFrames),
			fmt.Sprintf("does not read | %d MiB, %d frames |", streamQueueBytes>>20, streamQueueFrames),
			fmt.Sprintf("| what waits for all subscribers together | %d MiB |", backlogBytes>>20),
			fmt.Sprintf("| a frame of a subscriber | %d KiB; three refused in a row end the stream | `error` frame, then 1008; beyond %d KiB 1009 |", maxStreamFrame>>10, 4*maxStreamFrame>>10),
			fmt.Sprintf("| changes of a subscription | %d at once, then one a second |", changesAtOnce),
			fmt.Sprintf("one frame of a vehicle each %g to %g s |", firstThin.Seconds(), mostThin.Seconds()),
		},
		"protocol.md": {
			fmt.Sprintf("| frame to Kapok | %d KiB | skipped and answered with `frame_too_large`; beyond %d KiB", protocol.MaxFrameFromVehicle>>10, 4*protocol.MaxFrameFromVehicle>>10),
			fmt.Sprintf("| frame to the vehicle | %d MiB |", protocol.MaxFrameToVehicle>>20),
			fmt.Sprintf("| samples in a frame | %d |", protocol.MaxSamples),
			fmt.Sprintf("| frames to Kapok | %d a second, %d at once | `rate_limited` and the frame is dropped unread; closed after %s |",
				protocol.MaxFramesPerSecond, 2*protocol.MaxFramesPerSecond, seconds(session.LimitedFor)),
			fmt.Sprintf("in however many fragments | %s |", seconds(ws.DefaultMessageTimeout)),
			fmt.Sprintf("| silence | %s (`lost_after`)", seconds(fleet.DefaultConfig().LostAfter)),
			fmt.Sprintf("| %s without a message, ping or pong; Kapok pings every %s |", seconds(ws.DefaultReadTimeout), seconds(ws.DefaultPingInterval)),
			fmt.Sprintf("| what waits to be sent to the vehicle | %d frames, %g MiB |", ws.DefaultQueueFrames, float64(linkQueueBytes)/(1<<20)),
			fmt.Sprintf("| a frame that the vehicle does not take | %s |", seconds(ws.DefaultWriteTimeout)),
			fmt.Sprintf("at least one frame each %s of a vehicle is read", seconds(mostThin)),
			fmt.Sprintf("| capabilities | %d |", protocol.MaxCapabilities),
			fmt.Sprintf("at most %d |", protocol.MaxLegs),
			fmt.Sprintf("| texts | %d bytes of UTF-8; `model` and `level` %d;", protocol.MaxTextBytes, protocol.MaxIDBytes),
			fmt.Sprintf("| speeds | %g m/s |", protocol.MaxSpeedMPS),
			fmt.Sprintf("| open faults | %d of a vehicle |", fleet.MaxFaults),
			fmt.Sprintf("| stores | the last %d of a vehicle", fleet.MaxLogs),
			fmt.Sprintf("more than %d reports a second in the long run and %d at once", fleet.ReportsPerSecond, fleet.ReportsAtOnce),
		},
		"api.md": {
			fmt.Sprintf("A body has at most %d MiB and %d JSON values, arrives within %s,", maxBodyBytes>>20, maxBodyValues, seconds(bodyWithin)),
			fmt.Sprintf("for each %d KiB; one that comes in chunks counts as %d KiB,", bodyWorth>>10, maxBodyBytes/8>>10),
			fmt.Sprintf("Heads have at most %d KiB.", maxHeaderBytes>>10),
			fmt.Sprintf("of which nothing is taken for %s is cut off; one that takes the fleet longer than %s", seconds(untakenFor), seconds(DefaultAnswerWithin)),
			fmt.Sprintf("the last %d events for this, or %d MiB of them", keptEvents, keptBytes>>20),
			fmt.Sprintf("beyond %d frames or %d MiB the subscriber is cut off", streamQueueFrames, streamQueueBytes>>20),
			fmt.Sprintf("For all streams together at most %d MiB wait", backlogBytes>>20),
		},
		"limits.md": {
			fmt.Sprintf("with %s stops together |", grouped(fleet.DefaultConfig().MaxOpenStops)),
			fmt.Sprintf("tasks with %s stops together, missions and commands with %[1]s legs", grouped(fleet.DefaultConfig().MaxFinalWeight)),
			fmt.Sprintf("| stops of one task | %d,", fleet.MaxStops),
			fmt.Sprintf("each escalated %d times at most", fleet.MaxEscalations),
			fmt.Sprintf("%d points, or %d corners", fleet.MaxZonePoints, fleet.MaxZoneCorners),
			fmt.Sprintf("of %d MiB together", fleet.DefaultConfig().MaxAnswerBytes>>20),
			fmt.Sprintf("| events in memory, for streams | %s to %s |", grouped(engine.DefaultKeepEvents), grouped(2*engine.DefaultKeepEvents)),
			fmt.Sprintf("| inputs that wait | %d, of which %g telemetry |", engine.InboxInputs, engine.InboxInputs*engine.TelemetryShare),
			fmt.Sprintf("| decided and not on disk | %s events or %d MiB |", grouped(engine.MaxWaitingRecords), engine.MaxWaitingBytes>>20),
			fmt.Sprintf("| samples that wait for the tracks | %s |", grouped(track.MaxPending)),
			fmt.Sprintf("| %d a second, %d at once |", fleet.ReportsPerSecond, fleet.ReportsAtOnce),
			fmt.Sprintf("| %d a minute, %d at once |", fleet.FlapsPerMinute, fleet.FlapsAtOnce),
			fmt.Sprintf("| %g a second, %d at once |", DefaultLimits().LoginRate, DefaultLimits().LoginBurst),
		},
		"errors.md": {
			fmt.Sprintf("A body may have %d MiB and %d JSON values", maxBodyBytes>>20, maxBodyValues),
			fmt.Sprintf("Each %d KiB of a body count", bodyWorth>>10),
			fmt.Sprintf("A URL may have %d KiB.", maxURLBytes>>10),
			fmt.Sprintf("not within %s.", seconds(bodyWithin)),
			fmt.Sprintf("older than %s;", seconds(ticketLife)),
			fmt.Sprintf("| %d tickets, or %d of this token,", maxTickets, maxTicketsOfToken),
			fmt.Sprintf("a head of more than %d KiB", maxHeaderBytes>>10),
			fmt.Sprintf("nothing is taken for %s is cut off", seconds(untakenFor)),
		},
	} {
		text := readDoc(t, "../../docs/"+document)
		for _, phrase := range phrases {
			if !strings.Contains(text, phrase) {
				t.Errorf("docs/%s does not say %q", document, phrase)
			}
		}
	}
}
