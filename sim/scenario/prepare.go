package scenario

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/kapok-fleet/kapok/planner/chart"
)

// Prepare reads all files that a scenario names: its chart, which it returns, and
// those of its demand, which it leaves in the scenario. Errors begin with the place
// in the scenario's file where the name stands.
func (c Charts) Prepare(s *Scenario) (*chart.Chart, error) {
	for i, name := range s.Terrain {
		if err := c.there(s, fmt.Sprintf("terrain[%d]", i), name); err != nil {
			return nil, err
		}
	}
	for i := range s.Demand {
		if err := c.readDemand(s, i); err != nil {
			return nil, err
		}
	}
	if s.Chart != "harbour" && !strings.HasPrefix(s.Chart, Generated) {
		if err := c.there(s, "chart", s.Chart); err != nil {
			return nil, err
		}
	}
	on, err := c.Open(s.Chart, s.Terrain...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Where("chart"), err)
	}
	if err := s.checkClosed(on); err != nil {
		return nil, err
	}
	return on, nil
}

// there refuses the name of a file that is not there.
func (c Charts) there(s *Scenario, path, name string) error {
	file, err := c.file(name)
	if err != nil {
		return fmt.Errorf("%s: %w", s.Where(path), err)
	}
	if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s: %s is %q, which is not there: paths start from the scenario's folder, those with data: from %s",
			s.Where(path), path, name, c.Data)
	}
	return nil
}

// readDemand reads the file of a source of demand, if it has one and it was not
// read before.
func (c Charts) readDemand(s *Scenario, i int) error {
	d := &s.Demand[i]
	path, name := fmt.Sprintf("demand[%d].loggi", i), d.Loggi
	if d.SeattleFire != "" {
		path, name = fmt.Sprintf("demand[%d].seattle_fire", i), d.SeattleFire
	}
	if name == "" || d.Parcels != nil || d.Calls != nil {
		return nil
	}
	if err := c.there(s, path, name); err != nil {
		return err
	}
	file, err := c.file(name)
	if err != nil {
		return fmt.Errorf("%s: %w", s.Where(path), err)
	}
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("%s: %w", s.Where(path), err)
	}
	defer func() { _ = f.Close() }()
	if err := d.read(name, f); err != nil {
		return fmt.Errorf("%s: %w", s.Where(path), err)
	}
	return nil
}

// read takes the content of the source's file.
func (d *Demand) read(name string, in io.Reader) error {
	if d.Loggi != "" {
		parcels, err := ReadLoggi(name, in)
		if err != nil {
			return err
		}
		d.Parcels = &parcels
		return nil
	}
	calls, _, err := ReadSeattleFire(name, in)
	d.Calls = calls
	return err
}
