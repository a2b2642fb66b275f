package unpack

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

var contentsPattern = regexp.MustCompile(`^contents-[0-9]+\.jsonl$`)

// errTaken: another archive of the batch has the key.
var errTaken = errors.New("another archive of the batch has the key")

func partNumber(part string) string { return part[strings.LastIndexByte(part, '-')+1:] }

// sameBatch says whether two parts are of one batch.
func sameBatch(a, b string) bool {
	batch := b[:strings.LastIndexByte(b, '-')+1]
	return batch != "" && strings.HasPrefix(a, batch)
}

// wanted is the key that a name asks for, behind the prefix. The lists of contents of a batch's archives keep theirs.
func (j *Job) wanted(n string, limit int) string {
	key := relative(n, limit)
	if j.Part != "" && contentsPattern.MatchString(key) {
		return "_" + key
	}
	return key
}

// movedKeys are the entries whose key another archive of the batch has, and how many keys each has tried. S3 says anew in
// each run which they are: an object stays where it was first written.
type movedKeys struct {
	mu    sync.Mutex
	tries map[int64]int32
}

func (m *movedKeys) of(index int64) int32 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.tries[index]
}

// movedKey is where an entry is now, behind the prefix.
func (r *run) movedKey(index int64, own string) string {
	if n := r.moved.of(index); n > 0 {
		return r.candidate(own, n)
	}
	return own
}

// candidate is the nth other key for an entry: a~archive-0002.png for a.png of the second archive, then
// a~archive-0002-2.png. The second of two entries of one name has a~2.png, which is none of these.
func (r *run) candidate(own string, n int32) string {
	stem, extension := split(own)
	number := partNumber(r.j.Part)
	if n > 1 {
		number += "-" + strconv.Itoa(int(n))
	}
	return relative(stem+"~archive-"+number+extension, r.names.limit)
}

// maxMoves is more than anybody has who does not mean to keep this archive busy.
const maxMoves = 1000

// move gives an entry the next key that no entry of its own archive asks for.
func (r *run) move(e *entry) error {
	for n := r.moved.of(e.index) + 1; n <= maxMoves; n++ {
		key := r.candidate(e.own, n)
		if _, own := slices.BinarySearch(r.names.all, hashOf(key)); own {
			continue
		}
		r.moved.mu.Lock()
		if r.moved.tries == nil {
			r.moved.tries = map[int64]int32{}
		}
		r.moved.tries[e.index] = n
		r.moved.mu.Unlock()
		e.o.key, e.o.match = r.j.Prefix+key, ""
		return nil
	}
	return &Error{Op: "write " + e.o.key, Kind: KindConflict, Reason: "other archives have this key and all that could stand for it"}
}

// settled is what was found where an entry goes.
type settled struct {
	done bool // its object
	met  bool // any object at all
}

// settle finds the key that an entry goes to.
func (r *run) settle(ctx context.Context, e *entry) (s settled, err error) {
	for {
		found, err := r.head(ctx, e.o.key)
		if err != nil {
			return s, err
		}
		s.met = s.met || found != nil
		s.done, err = r.claim(found, &e.o)
		if s.done && e.o.contentType == "" {
			r.types.set(e.index, r.dir.Entries, found.contentType)
		}
		if !errors.Is(err, errTaken) {
			return s, err
		}
		if err := r.move(e); err != nil {
			return s, err
		}
	}
}
