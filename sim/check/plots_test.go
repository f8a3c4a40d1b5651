package check

import "testing"

func TestPlotsFindWhatWasPutNearAndFar(t *testing.T) {
	p := newPlots[[2]int32]()
	places := []int32{-1e9, -2049, -2048, -33, -32, -1, 0, 1, 31, 32, 2047, 2048, 1e9}
	for _, x := range places {
		for _, y := range places {
			if got := p.at(x, y); got != nil {
				t.Fatalf("at %d, %d is %v before anything was put there", x, y, *got)
			}
			p.put(x, y, &[2]int32{x, y})
		}
	}
	for _, x := range places {
		for _, y := range places {
			if got := p.at(x, y); got == nil || *got != [2]int32{x, y} {
				t.Errorf("at %d, %d is %v", x, y, got)
			}
		}
	}
}
