package fleet

import "fmt"

// wantedWaits tells people that a task given to a vehicle by hand waits for it.
func (f *Fleet) wantedWaits(t *Task) {
	if t.Wanted == "" {
		return
	}
	t, _ = f.task(t.ID)
	f.raise(alertAbout{kind: AlertWanted, task: t.ID, vehicle: t.Wanted}, Warning,
		fmt.Sprintf("task %s was given to %s, which cannot take it now: %s", t.ID, t.Wanted, t.Reason.Text))
}
