package engine

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/fleet/journal/journaltest"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// TestAQuoteIsMadeFromAViewAlone asks for a quote beside the owner; the order
// that follows gets what was quoted.
func TestAQuoteIsMadeFromAViewAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := engineOn(t, journaltest.NewMemFS(1), nil)
		s := newSink()
		e.Attach("s1", s)
		submit(t, e, hello("V1", "s1", time.Now()), sampleAt(e.o.Chart, "V1", "s1", 0, time.Now()))
		<-time.After(2 * ViewInterval) // Virtual time: a view is published meanwhile.
		synctest.Wait()
		view := e.View()
		ask := visit(e.o.Chart, 3).Order
		quote, p := fleet.Quote(e.Premises(), view.State, view.World, view.At, api.QuoteRequest{Order: &ask})
		if p != nil {
			t.Fatal(p.Detail)
		}
		if now := e.View(); now.Index != view.Index {
			t.Errorf("the quote led to event %d", now.Index)
		}
		id := order(t, e, 3)
		task := e.View().State.Durable.Tasks[id]
		if quote.Tasks[0].Vehicle != "V1" || task.Vehicle != "V1" {
			t.Errorf("quoted was %q, the order went to %q", quote.Tasks[0].Vehicle, task.Vehicle)
		}
		shutDown(t, e)
	})
}
