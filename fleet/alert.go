package fleet

import (
	"fmt"
	"slices"

	"github.com/kapok-fleet/kapok/fleet/mutant"
)

// alertAbout names what an alert concerns; only one is open for each.
type alertAbout struct {
	kind    AlertKind
	vehicle VehicleID
	task    TaskID
	object  string
}

// raised tells whether an alert stands.
func (f *Fleet) raised(about alertAbout) bool {
	_, open := f.index.alerts[alertKey(about)]
	return open
}

// raise opens an alert unless it stands already.
func (f *Fleet) raise(about alertAbout, severity Severity, text string) {
	key := alertKey(about)
	if _, open := f.index.alerts[key]; open {
		return
	}
	id := AlertID(fmt.Sprintf("A%d", f.state.Durable.Counters.Alert+1))
	f.out.Raised = append(f.out.Raised, about.kind)
	f.emit(AlertRaised{Alert{
		ID: id, Kind: about.kind, Severity: severity, Vehicle: about.vehicle, Task: about.task,
		Object: about.object, Text: text, RaisedAt: f.now,
	}})
}

// clearAlert ends an alert, if it stands, and names the evidence.
func (f *Fleet) clearAlert(about alertAbout, evidence string) {
	if id, open := f.index.alerts[alertKey(about)]; open && !(mutant.On(mutant.AlertNeverCleared) && about.kind == AlertLinkLost) {
		f.emit(AlertCleared{id, evidence})
	}
}

// openAlerts lists the open alerts of one kind about one vehicle, in order.
func (f *Fleet) openAlerts(kind AlertKind, vehicle VehicleID) []AlertID {
	var ids []AlertID
	if k, ok := f.index.known[vehicle]; ok {
		for _, id := range k.alerts {
			if f.state.Durable.Alerts[id].Kind == kind {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

func sortNumbered[T ~string](ids []T) {
	slices.SortFunc(ids, func(a, b T) int { return compareNumbered(string(a), string(b)) })
}
