// This file is a heap whose elements know where they are in it, so that any of
// them can leave: with many groups waiting, nothing is scanned or sorted.

package pace

type heap[E any] struct {
	all    []E
	before func(a, b E) bool
	at     func(E) *int // where the element keeps its place, from 1; 0 = in no heap
}

func (h *heap[E]) len() int { return len(h.all) }

// top is the first element; the heap isn't empty.
func (h *heap[E]) top() E { return h.all[0] }

func (h *heap[E]) push(e E) {
	h.all = append(h.all, e)
	*h.at(e) = len(h.all)
	h.up(len(h.all) - 1)
}

func (h *heap[E]) pop() E {
	e := h.all[0]
	h.remove(e)
	return e
}

// remove does nothing where the element is in no heap.
func (h *heap[E]) remove(e E) {
	i := *h.at(e) - 1
	if i < 0 {
		return
	}
	last := len(h.all) - 1
	h.swap(i, last)
	var none E
	h.all[last] = none
	h.all = h.all[:last]
	*h.at(e) = 0
	if i < last {
		h.down(i)
		h.up(i)
	}
}

// fix puts an element of the heap in its place after it has changed.
func (h *heap[E]) fix(e E) {
	i := *h.at(e) - 1
	h.down(i)
	h.up(i)
}

func (h *heap[E]) up(i int) {
	for i > 0 {
		p := (i - 1) / 2
		if !h.before(h.all[i], h.all[p]) {
			return
		}
		h.swap(i, p)
		i = p
	}
}

func (h *heap[E]) down(i int) {
	for {
		c := 2*i + 1
		if c >= len(h.all) {
			return
		}
		if r := c + 1; r < len(h.all) && h.before(h.all[r], h.all[c]) {
			c = r
		}
		if !h.before(h.all[c], h.all[i]) {
			return
		}
		h.swap(i, c)
		i = c
	}
}

func (h *heap[E]) swap(i, j int) {
	h.all[i], h.all[j] = h.all[j], h.all[i]
	*h.at(h.all[i]), *h.at(h.all[j]) = i+1, j+1
}
