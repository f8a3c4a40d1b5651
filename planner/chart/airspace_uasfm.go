package chart

import (
	"fmt"
	"strings"
)

// uasfm takes a cell of a UAS Facility Map of the US Federal Aviation
// Administration: CEILING is the greatest height above ground, in feet, up to
// which an authorisation can be had at once; 0 is none.
func (im *airspaceImport) uasfm(n *jnode) error {
	p, err := n.need("properties")
	if err != nil {
		return err
	}
	ceiling, err := p.need("CEILING")
	if err != nil {
		return err
	}
	feet, err := ceiling.number()
	if err != nil {
		return err
	}
	if !(feet >= 0 && feet <= 10000) {
		return ceiling.fault("%g feet is no ceiling of a cell", feet)
	}
	v := volume{at: n, kind: fmt.Sprintf("ceiling %g ft", feet), source: im.report.Format}
	var words []string
	for _, member := range [...]string{"APT1_ICAO", "APT1_NAME"} {
		word, err := p.word(member)
		if err != nil {
			return err
		}
		if word = strings.TrimSpace(word); word != "" {
			words = append(words, word)
		}
	}
	v.name = strings.Join(words, " ")
	v.id = fmt.Sprintf("uasfm/%d", n.index+1)
	for _, member := range [...]string{"OBJECTID", "GlobalID", "GLOBALID"} {
		if id, ok := p.get(member); ok {
			v.id = fmt.Sprintf("uasfm/%v", id.value)
		}
	}
	v.source += ":" + strings.TrimPrefix(v.id, "uasfm/")
	g, err := n.need("geometry")
	if err != nil {
		return err
	}
	parts, err := layers(g)
	if err != nil {
		return err
	}
	for i, part := range parts {
		z := Zone{ID: v.id, Name: v.name, Rule: AltitudeLimit, HeightLimitM: feet * footM, Polygon: part.polygon, Airborne: true, Source: v.source}
		if len(parts) > 1 {
			z.ID = fmt.Sprintf("%s/%d", v.id, i+1)
		}
		if feet == 0 {
			z.Rule = KeepOut
			if im.opts.Authorised {
				z.Rule = Advise
				im.report.note(&im.report.Advised, z.ID, 0, "flight needs an authorisation, which is stated to be there")
			}
		}
		if err := im.add(part.at, z, v.kind); err != nil {
			return err
		}
	}
	return nil
}
