package transfer

import (
	"encoding/base64"
	"encoding/binary"
	"hash/crc64"
	"math/bits"
)

// CRC-64/NVME (NVM Express NVM Command Set Specification 1.0, section 5.2.1.3.4), which S3 calls CRC64NVME.
//
// The standard library's hash/crc64 carries one dependency from byte to byte and so leaves most of a core idle
// (1.3 GB/s where this does 2.8); at the speed of a transfer that is the largest single cost. Here a block is cut into
// lanes that advance side by side and are joined by the CRC's linearity. Both are tested against each other.
const (
	crcPoly  = 0x9a6c9329ac4bc9b5 // reflected
	crcLanes = 4
	laneSize = 2 << 10
)

var (
	crcStep  = sliceTables(crc64.MakeTable(crcPoly)) // advances by eight bytes at once
	crcShift = shiftTables(laneSize)                 // advances by a lane of zeros
)

func sliceTables(first *crc64.Table) (t [8][256]uint64) {
	t[0] = *first
	for i, c := range first {
		for j := 1; j < 8; j++ {
			c = t[0][byte(c)] ^ c>>8
			t[j][i] = c
		}
	}
	return t
}

// shiftTables tabulate the effect of n zero bytes on each byte of the register: the effect is linear.
func shiftTables(n int64) (t [8][256]uint64) {
	x := powerOfX(n)
	for j := range t {
		for i := range t[j] {
			t[j][i] = multiply(x, uint64(i)<<(8*j))
		}
	}
	return t
}

// The race detector is left out of the loops: it makes them fifty times slower, and they read a buffer that their caller
// has just filled and tables that nobody changes.

//go:norace
func step8(c uint64) uint64 {
	t := &crcStep
	return t[7][byte(c)] ^ t[6][byte(c>>8)] ^ t[5][byte(c>>16)] ^ t[4][byte(c>>24)] ^
		t[3][byte(c>>32)] ^ t[2][byte(c>>40)] ^ t[1][byte(c>>48)] ^ t[0][byte(c>>56)]
}

func shiftLane(c uint64) uint64 {
	t := &crcShift
	return t[0][byte(c)] ^ t[1][byte(c>>8)] ^ t[2][byte(c>>16)] ^ t[3][byte(c>>24)] ^
		t[4][byte(c>>32)] ^ t[5][byte(c>>40)] ^ t[6][byte(c>>48)] ^ t[7][byte(c>>56)]
}

// crcUpdate continues a checksum (0 at the start) with p.
//
//go:norace
func crcUpdate(crc uint64, p []byte) uint64 {
	r := ^crc
	for len(p) >= crcLanes*laneSize {
		r = crcBlock(r, p)
		p = p[crcLanes*laneSize:]
	}
	for len(p) >= 8 {
		r = step8(r ^ binary.LittleEndian.Uint64(p))
		p = p[8:]
	}
	for _, b := range p {
		r = crcStep[0][byte(r)^b] ^ r>>8
	}
	return ^r
}

//go:norace
func crcBlock(r uint64, p []byte) uint64 {
	p0, p1, p2, p3 := p[:laneSize], p[laneSize:2*laneSize], p[2*laneSize:3*laneSize], p[3*laneSize:4*laneSize]
	var r1, r2, r3 uint64
	for i := 0; i <= laneSize-8; i += 8 {
		r = step8(r ^ binary.LittleEndian.Uint64(p0[i:i+8]))
		r1 = step8(r1 ^ binary.LittleEndian.Uint64(p1[i:i+8]))
		r2 = step8(r2 ^ binary.LittleEndian.Uint64(p2[i:i+8]))
		r3 = step8(r3 ^ binary.LittleEndian.Uint64(p3[i:i+8]))
	}
	return shiftLane(shiftLane(shiftLane(r)^r1)^r2) ^ r3
}

// crcCombine is the checksum of a then b, from theirs and b's length.
func crcCombine(a, b uint64, lengthOfB int64) uint64 {
	if lengthOfB == 0 {
		return a
	}
	return multiply(powerOfX(lengthOfB), a) ^ b
}

// powerOfX is x to the power of 8n, modulo the polynomial: what n bytes do to a register.
func powerOfX(n int64) uint64 {
	result := uint64(1) << 63 // x^0: the highest bit is the lowest power
	square := uint64(1) << 55 // x^8
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			result = multiply(square, result)
		}
		square = multiply(square, square)
	}
	return result
}

// multiply multiplies two polynomials over GF(2), modulo the CRC's.
func multiply(a, b uint64) (product uint64) {
	for a != 0 {
		shift := bits.LeadingZeros64(a)
		a &^= 1 << (63 - shift)
		term := b
		for range shift {
			term = term>>1 ^ crcPoly&-(term&1)
		}
		product ^= term
	}
	return product
}

// crcText is the form that S3's headers and answers have.
func crcText(crc uint64) string {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], crc)
	return base64.StdEncoding.EncodeToString(b[:])
}

func parseCRC(text string) (crc uint64, ok bool) {
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(b) != 8 {
		return 0, false
	}
	return binary.BigEndian.Uint64(b), true
}
