package check

// plots finds what was made for the squares of a plane, in no more than two steps
// from anywhere within 131 km of its origin: no chart is larger. What lies beyond
// has a map.
type plots[T any] struct {
	pages []*page[T]
	far   map[[2]int32]*T
}

// pageSide is how many squares a page has along each side, pageSpan how many pages
// the plane has.
const (
	pageBits = 5
	pageSide = 1 << pageBits
	pageSpan = 128
)

type page[T any] [pageSide * pageSide]*T

func newPlots[T any]() plots[T] {
	return plots[T]{pages: make([]*page[T], pageSpan*pageSpan), far: map[[2]int32]*T{}}
}

// pageOf is the number of a square's page, and the square's in it; false for one
// that is too far away for pages.
func pageOf(x, y int32) (n, in int, ok bool) {
	px, py := uint32(x>>pageBits+pageSpan/2), uint32(y>>pageBits+pageSpan/2)
	if px >= pageSpan || py >= pageSpan {
		return 0, 0, false
	}
	return int(py*pageSpan + px), int(y&(pageSide-1)*pageSide + x&(pageSide-1)), true
}

// at is what was put at a square, nil for nothing.
func (p *plots[T]) at(x, y int32) *T {
	n, in, ok := pageOf(x, y)
	if !ok {
		return p.far[[2]int32{x, y}]
	}
	if page := p.pages[n]; page != nil {
		return page[in]
	}
	return nil
}

// put puts something at a square.
func (p *plots[T]) put(x, y int32, what *T) {
	n, in, ok := pageOf(x, y)
	if !ok {
		p.far[[2]int32{x, y}] = what
		return
	}
	if p.pages[n] == nil {
		p.pages[n] = new(page[T])
	}
	p.pages[n][in] = what
}
