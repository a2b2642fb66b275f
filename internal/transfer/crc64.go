package transfer

import (
	"encoding/base64"
	"encoding/binary"
	"math/bits"

	"github.com/minio/crc64nvme"
)

// CRC-64/NVME (NVM Express NVM Command Set Specification 1.0, section 5.2.1.3.4), which S3 calls CRC64NVME. hash/crc64
// computes it too, but at 1.3 GB/s: at the speed of a transfer that would be the largest single cost. The library does
// it with the processor's carry-less multiplication, at more than ten times that.
const crcPoly = 0x9a6c9329ac4bc9b5 // reflected

// crcUpdate continues a checksum (0 at the start) with p.
func crcUpdate(crc uint64, p []byte) uint64 { return crc64nvme.Update(crc, p) }

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
