package fleet

import "github.com/kapok-fleet/kapok/planner/chart"

// Premises are what a fleet's decisions rest on beside its state: the rules that
// it is run by and the chart. They never change, and any number of goroutines
// may use them.
type Premises struct {
	config Config
	chart  *chart.Chart
	sites  map[SiteID]chart.Site
	places map[string]chart.Place
}

func newPremises(config Config, c *chart.Chart) (*Premises, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	p := &Premises{
		config: config, chart: c,
		sites:  make(map[SiteID]chart.Site, len(c.Sites)),
		places: make(map[string]chart.Place, len(c.Places)),
	}
	for _, s := range c.Sites {
		p.sites[SiteID(s.ID)] = s
	}
	for _, place := range c.Places {
		p.places[place.ID] = place
	}
	return p, nil
}
