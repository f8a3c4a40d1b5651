package server

import (
	"context"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol/api"
)

type chartInput struct{}

type sitesInput struct {
	Page
	Kind []string `query:"kind" doc:"Any of these, separated by commas."`
}

type placesInput struct {
	Page
	Text string `query:"text" maxLength:"128" doc:"Part of the name or id, in any case."`
}

func (s *Server) registerChart() {
	register(s, operation{
		id: "get-chart", method: http.MethodGet, path: "/v1/chart", tag: "chart", needs: toRead,
		summary: "Read which map the fleet plans on, and whose it is",
		answers: []shape{{http.StatusOK, api.Chart{}}},
	}, s.getChart)
	register(s, operation{
		id: "list-sites", method: http.MethodGet, path: "/v1/sites", tag: "chart", needs: toRead, geoJSON: true,
		summary: "List sites with who uses them and who waits",
		answers: []shape{{http.StatusOK, api.List[api.Site]{}}},
		codes:   []string{codeMalformedCursor},
	}, s.listSites)
	register(s, operation{
		id: "list-places", method: http.MethodGet, path: "/v1/places", tag: "chart", needs: toRead, geoJSON: true,
		summary: "Search for addresses, shops and other places by text",
		answers: []shape{{http.StatusOK, api.List[api.Place]{}}},
		codes:   []string{codeMalformedCursor},
	}, s.listPlaces)
}

func (s *Server) getChart(ctx context.Context, _ *chartInput) (*reply, error) {
	c := s.options.Chart
	return oneThing(requestOf(ctx), api.Chart{
		Name: c.Name, Checksum: c.Checksum, Attribution: c.Attribution, Illustrative: c.Illustrative,
		Extent:          [4]float64{c.Extent.Min[0], c.Extent.Min[1], c.Extent.Max[0], c.Extent.Max[1]},
		GroundAltitudeM: c.GroundAltitudeM, HeightLimitM: c.HeightLimitM,
		Buildings: len(c.Buildings), Sites: len(c.Sites), Zones: len(c.Zones), Places: len(c.Places),
	}, nil)
}

func (s *Server) listSites(ctx context.Context, in *sitesInput) (*reply, error) {
	queues := s.backend.View().State.Durable.Queues
	sites := s.options.Chart.Sites
	return listChart(requestOf(ctx), len(sites), in.Page, func(i int) (api.Site, bool) {
		site := &sites[i]
		shown := api.Site{
			ID: site.ID, Kind: string(site.Kind), Name: site.Name, Position: apiPosition(site.Position), Capacity: site.Capacity,
		}
		if q, ok := queues[fleet.SiteID(site.ID)]; ok {
			shown.Using, shown.Waiting = texts(q.Using), texts(q.Waiting)
		}
		return shown, oneOf(in.Kind, site.Kind)
	}, siteFeature)
}

func (s *Server) listPlaces(ctx context.Context, in *placesInput) (*reply, error) {
	places := s.options.Chart.Places
	wanted := strings.ToLower(strings.TrimSpace(in.Text))
	return listChart(requestOf(ctx), len(places), in.Page, func(i int) (api.Place, bool) {
		p := &places[i]
		found := wanted == "" || strings.Contains(strings.ToLower(p.Name), wanted) || strings.Contains(strings.ToLower(p.ID), wanted)
		return api.Place{ID: p.ID, Name: p.Name, Position: apiPosition(p.Position)}, found
	}, placeFeature)
}

// listChart answers with a page of what never changes; the cursor is a place in
// the chart's own order.
func listChart[T any](r *request, count int, p Page, view func(int) (T, bool), draw func(T) feature) (*reply, error) {
	from := 0
	if p.Cursor != "" {
		raw, err := base64.RawURLEncoding.DecodeString(p.Cursor)
		if err == nil {
			from, err = strconv.Atoi(string(raw))
		}
		if err != nil || from < 0 || from > count {
			return nil, newProblem(codeMalformedCursor, "cursor must be a next_cursor of this list").about("query.cursor")
		}
	}
	limit := p.Limit
	if limit < 1 || limit > maxLimit {
		limit = defaultLimit
	}
	var items []T
	next := ""
	for i := from; i < count; i++ {
		item, ok := view(i)
		if !ok {
			continue
		}
		if len(items) == limit {
			next = base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(i)))
			break
		}
		items = append(items, item)
	}
	return listOf(r, items, next, draw)
}

func apiPosition(p space.Position) api.Position {
	altitude := p.AltitudeM
	return api.Position{Lon: p.Lon, Lat: p.Lat, AltitudeM: &altitude, Level: p.Level}
}

func texts[T ~string](ids []T) []string {
	if len(ids) == 0 {
		return nil
	}
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = string(id)
	}
	return out
}
