package chart

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/space"
)

// Limits of ImportCityJSON. A file beyond one of them is refused.
const (
	MaxCityBytes    = 256 << 20
	MaxCityObjects  = 1_000_000
	MaxCityVertices = 8_000_000
	// maxCityDepth bounds how deep a part lies in its building.
	maxCityDepth = 20
)

// ErrBuildings is the kind of error for a file that ImportCityJSON cannot use.
var ErrBuildings = errors.New("unusable buildings file")

// BuildingsReport counts what ImportCityJSON found.
type BuildingsReport struct {
	// Objects are all in the file, Buildings those made of them.
	Objects, Buildings int
	// Hulls are buildings whose surfaces do not join to an outline, so that the
	// convex hull stands for it.
	Hulls    int
	Warnings []Warning
}

// cityReader is the state of one import.
type cityReader struct {
	objects   map[string]*cityObject
	vertices  [][3]float64
	transform struct{ Scale, Translate []float64 }
	system    string
	version   string
	kind      string
	crs       space.CRS
	firstHull string
	report    BuildingsReport
}

// cityObject is an object of the file; of its geometries, only the most detailed
// is kept.
type cityObject struct {
	id, kind string
	parents  []string
	surfaces []citySurface
}

// citySurface is a surface by its rings of vertices, the first the outer one.
type citySurface struct {
	rings [][]int32
	// kind is the semantic one, such as GroundSurface; empty where none is given.
	kind string
}

// ImportCityJSON reads buildings from CityJSON 1.0, 1.1 and 2.0: objects of the
// types Building and BuildingPart, of each the geometry with the highest level of
// detail. The footprint is the outline of the ground surfaces, or where there is
// none of the roof, or of all that faces up; where the surfaces do not join to an
// outline, it is the convex hull of the object, which errs to the safe side. A
// part may stand on another, so that its height is that of its highest point
// above the lowest one of the whole building. Coordinates are converted from
// the file's reference system; one that is missing or not known is refused by
// name. The error is of kind ErrBuildings.
func ImportCityJSON(r io.Reader) ([]Building, BuildingsReport, error) {
	c := &cityReader{objects: map[string]*cityObject{}}
	limited := &io.LimitedReader{R: r, N: MaxCityBytes}
	if err := c.read(withoutMark(bufio.NewReader(limited))); err != nil {
		if limited.N == 0 {
			err = fmt.Errorf("it is longer than %d bytes", MaxCityBytes)
		}
		return nil, c.report, fmt.Errorf("import buildings: %w: %w", ErrBuildings, err)
	}
	buildings, err := c.buildings()
	if err != nil {
		return nil, c.report, fmt.Errorf("import buildings: %w: %w", ErrBuildings, err)
	}
	return buildings, c.report, nil
}

// read goes through the members of the file.
func (c *cityReader) read(r io.Reader) error {
	decoder := json.NewDecoder(r)
	if err := wantDelim(decoder, '{'); err != nil {
		return fmt.Errorf("it is no JSON object: %w", err)
	}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return err
		}
		switch key {
		case "type":
			if err = decoder.Decode(&c.kind); err == nil && c.kind != "CityJSON" {
				return fmt.Errorf("its type is %q, not CityJSON", c.kind)
			}
		case "version":
			err = decoder.Decode(&c.version)
		case "transform":
			err = decoder.Decode(&c.transform)
		case "metadata":
			var metadata struct {
				ReferenceSystem string `json:"referenceSystem"`
			}
			err = decoder.Decode(&metadata)
			c.system = metadata.ReferenceSystem
		case "vertices":
			err = c.readVertices(decoder)
		case "CityObjects":
			err = c.readObjects(decoder)
		default:
			var skipped json.RawMessage
			err = decoder.Decode(&skipped)
		}
		if err != nil {
			return fmt.Errorf("its member %q: %w", key, err)
		}
	}
	if _, err := decoder.Token(); err != nil {
		return fmt.Errorf("it is cut off or damaged: %w", err)
	}
	switch {
	case c.kind == "":
		return errors.New("it has no type CityJSON")
	case c.version != "1.0" && c.version != "1.1" && c.version != "2.0" && c.version != "2.0.0" && c.version != "2.0.1":
		return fmt.Errorf("its version is %q; read are 1.0, 1.1 and 2.0", c.version)
	}
	return nil
}

func (c *cityReader) readVertices(decoder *json.Decoder) error {
	if err := wantDelim(decoder, '['); err != nil {
		return err
	}
	var at []float64
	for decoder.More() {
		if err := decoder.Decode(&at); err != nil {
			return err
		}
		if len(at) != 3 {
			return fmt.Errorf("vertex %d has %d numbers, not 3", len(c.vertices), len(at))
		}
		if len(c.vertices) >= MaxCityVertices {
			return fmt.Errorf("it has more than %d", MaxCityVertices)
		}
		c.vertices = append(c.vertices, [3]float64(at))
	}
	_, err := decoder.Token()
	return err
}

func (c *cityReader) readObjects(decoder *json.Decoder) error {
	if err := wantDelim(decoder, '{'); err != nil {
		return err
	}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return err
		}
		id, _ := token.(string)
		var object rawCityObject
		if err := decoder.Decode(&object); err != nil {
			return fmt.Errorf("object %q: %w", id, err)
		}
		if c.objects[id] != nil {
			return fmt.Errorf("object %q stands twice", id)
		}
		if c.report.Objects++; c.report.Objects > MaxCityObjects {
			return fmt.Errorf("it has more than %d", MaxCityObjects)
		}
		surfaces, err := object.surfaces()
		if err != nil {
			return fmt.Errorf("object %q: %w", id, err)
		}
		c.objects[id] = &cityObject{id: id, kind: object.Type, parents: object.Parents, surfaces: surfaces}
	}
	_, err := decoder.Token()
	return err
}

// building tells whether the object is a building or a part of one.
func (o *cityObject) building() bool { return o.kind == "Building" || o.kind == "BuildingPart" }

// root is the building that a part belongs to.
func (c *cityReader) root(o *cityObject) *cityObject {
	for range maxCityDepth {
		if len(o.parents) == 0 {
			break
		}
		parent := c.objects[o.parents[0]]
		if parent == nil || !parent.building() {
			break
		}
		o = parent
	}
	return o
}

// buildings makes buildings of the objects, by their ids in order.
func (c *cityReader) buildings() ([]Building, error) {
	system, err := space.ParseCRS(c.system)
	if c.system == "" {
		err = errors.New(`it does not say its coordinate reference system: it has no "referenceSystem" in its "metadata"`)
	}
	if err != nil {
		return nil, err
	}
	c.crs = system
	if err := c.place(); err != nil {
		return nil, err
	}
	ids := slices.Sorted(maps.Keys(c.objects))
	lowest, err := c.lowest(ids)
	if err != nil {
		return nil, err
	}
	var list []Building
	for _, id := range ids {
		o := c.objects[id]
		if !o.building() || len(o.surfaces) == 0 {
			continue
		}
		more, err := c.build(o, lowest[c.root(o)])
		if err != nil {
			return nil, fmt.Errorf("object %q: %w", id, err)
		}
		list = append(list, more...)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("none of its %d objects is a building with surfaces", len(c.objects))
	}
	c.report.Buildings = len(list)
	if c.report.Hulls > 0 {
		c.report.Warnings = append(c.report.Warnings, Warning{
			Text: "the surfaces of a building do not join to an outline, its convex hull is taken", Count: c.report.Hulls, First: c.firstHull,
		})
	}
	return list, nil
}

// place applies the file's transform to its vertices.
func (c *cityReader) place() error {
	t := c.transform
	if t.Scale == nil && t.Translate == nil && c.version == "1.0" {
		return nil
	}
	if len(t.Scale) != 3 || len(t.Translate) != 3 {
		return errors.New(`it has no whole "transform" of its vertices`)
	}
	for i := range c.vertices {
		for k := range 3 {
			c.vertices[i][k] = c.vertices[i][k]*t.Scale[k] + t.Translate[k]
		}
	}
	return nil
}

// lowest returns the lowest point of each building with all of its parts, and
// checks that all surfaces have their vertices.
func (c *cityReader) lowest(ids []string) (map[*cityObject]float64, error) {
	lowest := map[*cityObject]float64{}
	for _, id := range ids {
		o := c.objects[id]
		if !o.building() {
			continue
		}
		root := c.root(o)
		if _, ok := lowest[root]; !ok {
			lowest[root] = math.Inf(1)
		}
		for _, s := range o.surfaces {
			for _, ring := range s.rings {
				for _, v := range ring {
					if v < 0 || int(v) >= len(c.vertices) {
						return nil, fmt.Errorf("object %q: it names vertex %d of %d", id, v, len(c.vertices))
					}
					lowest[root] = min(lowest[root], c.vertices[v][2])
				}
			}
		}
	}
	return lowest, nil
}

// build makes the buildings of one object, one for each piece of its outline.
func (c *cityReader) build(o *cityObject, lowM float64) ([]Building, error) {
	high := math.Inf(-1)
	for _, s := range o.surfaces {
		for _, ring := range s.rings {
			for _, v := range ring {
				high = max(high, c.vertices[v][2])
			}
		}
	}
	outlines, joined := c.outline(o)
	if !joined {
		c.report.Hulls++
		c.firstHull = cmp.Or(c.firstHull, o.id)
	}
	var list []Building
	for i, outline := range outlines {
		b := Building{ID: o.id, HeightM: max(math.Round(100*(high-lowM))/100, 0.01), Source: HeightTag}
		if len(outlines) > 1 {
			b.ID = fmt.Sprintf("%s/%d", o.id, i+1)
		}
		for _, ring := range outline {
			degrees := make(orb.Ring, len(ring))
			for k, at := range ring {
				if degrees[k] = c.crs.ToWGS84(at); !space.ValidPoint(degrees[k]) {
					return nil, fmt.Errorf("%g, %g is no place of EPSG:%d", at[0], at[1], c.crs)
				}
			}
			b.Footprint = append(b.Footprint, degrees)
		}
		if !height(b.HeightM) {
			return nil, fmt.Errorf("it is %g m high", b.HeightM)
		}
		// A ring narrower than a centimetre is none.
		if snapPolygon(b.Footprint) == nil {
			list = append(list, b)
		}
	}
	return list, nil
}
