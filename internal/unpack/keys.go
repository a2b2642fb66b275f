package unpack

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// maxEntries bounds the memory for telling names apart: 8 bytes each.
const maxEntries = 2_000_000

// namer gives each entry of an archive a key of its own, the same in every run: it depends on the directory alone. Names
// that are there once, which is nearly all, cost 8 bytes each; the hash of one that is there twice is known beforehand, and
// only such names are counted.
type namer struct {
	limit int      // bytes of a key behind the prefix
	all   []uint64 // hashes of all wanted keys, in order
	twice map[uint64]struct{}
	seen  map[[16]byte]int // wanted keys whose hash is there twice: the number last given
}

// newNamer takes the hashes of all wanted keys: those that relative makes. The list of contents has its own already.
func newNamer(hashes []uint64, limit int) *namer {
	hashes = append(hashes, hashOf(contentsName))
	slices.Sort(hashes)
	n := &namer{limit: limit, all: hashes, twice: map[uint64]struct{}{}}
	for i := 1; i < len(hashes); i++ {
		if hashes[i] == hashes[i-1] {
			n.twice[hashes[i]] = struct{}{}
		}
	}
	n.restart()
	return n
}

// restart begins with the first entry again.
func (n *namer) restart() { n.seen = map[[16]byte]int{wideHash(contentsName): 1} }

func hashOf(key string) uint64 {
	h := wideHash(key)
	return binary.LittleEndian.Uint64(h[:])
}

func wideHash(key string) (h [16]byte) {
	sum := sha256.Sum256([]byte(key))
	copy(h[:], sum[:])
	return h
}

// key is what the next entry gets that wants this key: the first gets it, the second of a.png gets a~2.png, unless an entry
// has that name itself. It must be asked for every entry, in the directory's order.
func (n *namer) key(wanted string) string {
	h := wideHash(wanted)
	if _, twice := n.twice[binary.LittleEndian.Uint64(h[:])]; !twice {
		return wanted
	}
	number := n.seen[h] + 1
	if number == 1 {
		n.seen[h] = 1
		return wanted
	}
	stem, extension := split(wanted)
	for ; ; number++ {
		candidate := relative(stem+"~"+strconv.Itoa(number)+extension, n.limit)
		if _, taken := slices.BinarySearch(n.all, hashOf(candidate)); !taken {
			n.seen[h] = number
			return candidate
		}
	}
}

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

// movedKey is where an entry is now, behind the prefix.
func (r *run) movedKey(index int64, own string) string {
	if n, ok := r.moved.Load(index); ok {
		return r.candidate(own, n.(int))
	}
	return own
}

// candidate is the nth other key for an entry: a~archive-0002.png for a.png of the second archive, then
// a~archive-0002-2.png. The second of two entries of one name has a~2.png, which is none of these.
func (r *run) candidate(own string, n int) string {
	stem, extension := split(own)
	number := partNumber(r.j.Part)
	if n > 1 {
		number += "-" + strconv.Itoa(n)
	}
	return relative(stem+"~archive-"+number+extension, r.names.limit)
}

// maxMoves is more than anybody has who does not mean to keep this archive busy.
const maxMoves = 1000

// move gives an entry the next key that no entry of its own archive asks for.
func (r *run) move(e *entry) error {
	tried, _ := r.moved.Load(e.index)
	last, _ := tried.(int) // nil: none yet
	for n := last + 1; n <= maxMoves; n++ {
		key := r.candidate(e.own, n)
		if _, own := slices.BinarySearch(r.names.all, hashOf(key)); own {
			continue
		}
		r.moved.Store(e.index, n)
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
			r.types.set(e.index, r.dir.Entries, aws.ToString(found.ContentType))
		}
		if !errors.Is(err, errTaken) {
			return s, err
		}
		if err := r.move(e); err != nil {
			return s, err
		}
	}
}
