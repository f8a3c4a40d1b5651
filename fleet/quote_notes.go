package fleet

import "github.com/kapok-fleet/kapok/planner/assign"

// notes take down how decisions about tasks come about. A nil one, as a fleet
// that decides in earnest has, takes nothing down.
type notes struct {
	decisions map[TaskID]*decision
}

// decision is the last look at a task: who was barred, who was asked about, and
// what the planner answered, nil when it was not asked or has not answered.
type decision struct {
	barred   []barred
	question Question
	answer   *assign.Answer
}

type barred struct {
	vehicle VehicleID
	bar     bar
}

// look begins a look at a task; it takes the place of an earlier one.
func (n *notes) look(id TaskID) {
	if n != nil {
		n.decisions[id] = &decision{}
	}
}

func (n *notes) bar(id TaskID, v VehicleID, b bar) {
	if n != nil {
		d := n.decisions[id]
		d.barred = append(d.barred, barred{v, b})
	}
}

func (n *notes) ask(q Question) {
	if n != nil {
		n.decisions[q.Task].question = q
	}
}

func (n *notes) settle(q Question, answer assign.Answer) {
	if n != nil {
		d := n.decisions[q.Task]
		d.question, d.answer = q, &answer
	}
}
