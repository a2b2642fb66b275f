package unpack

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strconv"
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
