// This file is a heap whose elements know where they are in it, so that any of
// them can leave: with many groups waiting, nothing is scanned or sorted.

package pace

import (
	"container/heap"
	"time"
)

// queue has at its top what comes first. Its methods in capitals are for the
// standard library's heap.
type queue[E any] struct {
	all    []E
	before func(a, b E) bool
	when   func(E) time.Time
	at     func(E) *int // where the element keeps its place, from 1; 0 = in no queue
}

// byTime is a queue of what is soonest.
func byTime[E any](when func(E) time.Time, at func(E) *int) queue[E] {
	return queue[E]{when: when, at: at, before: func(a, b E) bool { return when(a).Before(when(b)) }}
}

// top is the first element; there is one.
func (q *queue[E]) top() E { return q.all[0] }

// next is the time of the first.
func (q *queue[E]) next() time.Time {
	if len(q.all) == 0 {
		return Never
	}
	return q.when(q.top())
}

// put takes an element in, or puts one that has changed in its place.
func (q *queue[E]) put(e E) {
	if i := *q.at(e); i > 0 {
		heap.Fix(q, i-1)
	} else {
		heap.Push(q, e)
	}
}

// remove does nothing where the element is in no queue.
func (q *queue[E]) remove(e E) {
	if i := *q.at(e); i > 0 {
		heap.Remove(q, i-1)
	}
}

func (q *queue[E]) Len() int { return len(q.all) }

func (q *queue[E]) Less(i, j int) bool { return q.before(q.all[i], q.all[j]) }

func (q *queue[E]) Swap(i, j int) {
	q.all[i], q.all[j] = q.all[j], q.all[i]
	*q.at(q.all[i]), *q.at(q.all[j]) = i+1, j+1
}

func (q *queue[E]) Push(e any) {
	q.all = append(q.all, e.(E))
	*q.at(e.(E)) = len(q.all)
}

func (q *queue[E]) Pop() any {
	i := len(q.all) - 1
	e := q.all[i]
	clear(q.all[i:])
	q.all = q.all[:i]
	*q.at(e) = 0
	return e
}
