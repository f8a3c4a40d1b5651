package server

import (
	"context"
	"net/http"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/protocol/api"
)

type orderInput struct {
	Body api.Order
}

type tasksInput struct {
	Page
	State   []string `query:"state" enum:"waiting,assigned,underway,done,failed,cancelled" doc:"Any of these, separated by commas."`
	Vehicle string   `query:"vehicle" maxLength:"64" doc:"Held by this vehicle."`
}

type taskInput struct {
	ID          string `path:"id" maxLength:"64"`
	IfNoneMatch string `header:"If-None-Match"`
}

type cancelInput struct {
	ID      string `path:"id" maxLength:"64"`
	IfMatch string `header:"If-Match"`
	Body    *api.Cancellation
}

type resolveInput struct {
	ID      string `path:"id" maxLength:"64"`
	IfMatch string `header:"If-Match"`
	Body    api.Resolution
}

func (s *Server) registerTasks() {
	register(s, operation{
		id: "order-task", method: http.MethodPost, path: "/v1/tasks", tag: "tasks", needs: toOperate, asks: true,
		summary:     "Order a task",
		description: "The answer is given once the order is durable; what was answered with 201 is never forgotten.",
		answers:     []shape{{http.StatusCreated, api.Task{}}},
		codes:       orderCodes(),
	}, s.orderTask)
	register(s, operation{
		id: "list-tasks", method: http.MethodGet, path: "/v1/tasks", tag: "tasks", needs: toRead, geoJSON: true,
		summary: "List tasks, in the order in which they were ordered",
		answers: []shape{{http.StatusOK, api.List[api.Task]{}}},
		codes:   []string{codeMalformedCursor},
	}, s.listTasks)
	register(s, operation{
		id: "get-task", method: http.MethodGet, path: "/v1/tasks/{id}", tag: "tasks", needs: toRead, geoJSON: true,
		summary: "Read a task; its ETag names its revision",
		answers: []shape{{http.StatusOK, api.Task{}}, {http.StatusNotModified, nil}},
		codes:   []string{codeTaskNotFound, codeMalformedETag},
	}, s.getTask)
	register(s, operation{
		id: "cancel-task", method: http.MethodPost, path: "/v1/tasks/{id}/cancel", tag: "tasks", needs: toOperate, asks: true,
		summary:     "Cancel a task",
		description: "202 says that the vehicle has not yet given the task up. If-Match refuses to cancel what has changed meanwhile.",
		answers:     []shape{{http.StatusOK, api.Task{}}, {http.StatusAccepted, api.Task{}}},
		codes:       taskCodes(),
	}, s.cancelTask)
	register(s, operation{
		id: "resolve-stop", method: http.MethodPost, path: "/v1/tasks/{id}/resolve", tag: "tasks", needs: toOperate, asks: true,
		summary: "Decide on a stop that Kapok cannot judge",
		answers: []shape{{http.StatusOK, api.Task{}}},
		codes:   taskCodes(),
	}, s.resolveStop)
}

func (s *Server) orderTask(ctx context.Context, in *orderInput) (*reply, error) {
	answer, err := s.ask(ctx, fleet.OrderTask{Order: in.Body})
	if err == nil {
		answer.Location = location("/v1/tasks/", answer.Body)
	}
	return answer, err
}

func (s *Server) listTasks(ctx context.Context, in *tasksInput) (*reply, error) {
	state := s.backend.View().State
	var ids []string
	for id, t := range state.Durable.Tasks {
		if oneOf(in.State, t.State) && (in.Vehicle == "" || string(t.Vehicle) == in.Vehicle) {
			ids = append(ids, string(id))
		}
	}
	return listEntities(requestOf(ctx), ids, in.Page, func(id string) (api.Task, bool) {
		return state.TaskView(fleet.TaskID(id))
	}, taskFeature)
}

func (s *Server) getTask(ctx context.Context, in *taskInput) (*reply, error) {
	task, ok := s.backend.View().State.TaskView(fleet.TaskID(in.ID))
	if !ok {
		return nil, newProblem(codeTaskNotFound, "there is no task %q", in.ID)
	}
	r := requestOf(ctx)
	if in.IfNoneMatch != "" && !r.geoJSON {
		seen, ok := parseTags(in.IfNoneMatch)
		if !ok {
			return nil, newProblem(codeMalformedETag, "If-None-Match must be * or a list of entity tags such as %s", entityTag(17))
		}
		if seen.matches(task.Revision) {
			return &reply{Status: http.StatusNotModified, ETag: entityTag(task.Revision), Vary: "Accept"}, nil
		}
	}
	answer, err := oneThing(r, task, taskFeature)
	if err == nil && !r.geoJSON {
		answer.ETag = entityTag(task.Revision)
	}
	return answer, err
}

func (s *Server) cancelTask(ctx context.Context, in *cancelInput) (*reply, error) {
	revision, p := s.taskRevision(in.ID, in.IfMatch)
	if p != nil {
		return nil, p
	}
	cancel := fleet.CancelTask{Task: fleet.TaskID(in.ID), Revision: revision}
	if in.Body != nil {
		cancel.Reason = in.Body.Reason
	}
	return s.ask(ctx, cancel)
}

func (s *Server) resolveStop(ctx context.Context, in *resolveInput) (*reply, error) {
	revision, p := s.taskRevision(in.ID, in.IfMatch)
	if p != nil {
		return nil, p
	}
	return s.ask(ctx, fleet.ResolveStop{Task: fleet.TaskID(in.ID), Revision: revision, Decision: in.Body})
}

// taskRevision is the revision that If-Match demands of a task.
func (s *Server) taskRevision(id, ifMatch string) (uint64, *problem) {
	var current uint64
	if t, ok := s.backend.View().State.Durable.Tasks[fleet.TaskID(id)]; ok {
		current = t.Revision
	}
	return wantedRevision(ifMatch, current)
}
